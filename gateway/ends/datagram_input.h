/*
 * datagram_input -- syslog in datagrams: UDP (RFC 5426: one datagram, one
 * message) and Unix datagram sockets as /dev/log is.  What the kernel dropped
 * because nobody read it in time is counted and logged.
 *
 * Owner: the listener it was made for.  Thread: the worker.
 */
#ifndef DATAGRAM_INPUT_H
#define DATAGRAM_INPUT_H

#include "ends/intake.h"

/* Bursts wait in a UDP socket while the worker is busy; the kernel cuts it to net.core.rmem_max. */
enum { DATAGRAM_RECEIVE_BYTES = 4 * 1024 * 1024 };

struct datagram_input;

/* fd: bound, non-blocking; owned from here on. */
struct datagram_input *datagram_input_new(struct intake *, struct listener_share *, int fd);
void datagram_input_free(struct datagram_input *);
void datagram_input_pause(struct datagram_input *, bool paused);
/* Reads until there is nothing more, at most for a bounded number of datagrams. */
void datagram_input_read_rest(struct datagram_input *);

#endif
