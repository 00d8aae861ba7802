/*
 * datagram_input -- syslog in datagrams: UDP (RFC 5426: one datagram, one
 * message) and Unix datagram sockets as /dev/log is.
 *
 * Owner: the listener it was made for.  Thread: the worker.
 */
#ifndef DATAGRAM_INPUT_H
#define DATAGRAM_INPUT_H

#include "ends/intake.h"

struct datagram_input;

/* fd: bound, non-blocking; owned from here on. */
struct datagram_input *datagram_input_new(struct intake *, struct listener_share *, int fd);
void datagram_input_free(struct datagram_input *);
void datagram_input_pause(struct datagram_input *, bool paused);
/* Reads until there is nothing more, at most for a bounded number of datagrams. */
void datagram_input_read_rest(struct datagram_input *);

#endif
