/*
 * receiver -- takes syslog over TCP and UDP and prints what arrives.
 *
 * For looking at what a drain sends, not for keeping it: a blocking poll(2)
 * loop, RECEIVER_CONNECTIONS at once; others wait in the listener's queue.
 *
 * Owner: the caller of receiver_open.  Thread: the owner's.
 */
#ifndef RECEIVER_H
#define RECEIVER_H

#include <signal.h>
#include <stdio.h>

#include "cli/listen_options.h"

struct receiver;

enum { RECEIVER_CONNECTIONS = 200 };

/*
 * Binds what the options ask for; messages go to out, which the caller keeps
 * open.  NULL: err has a sentence with the address and the reason.
 */
struct receiver *receiver_open(const struct listen_options *, FILE *out,
			       char err[LISTEN_ERROR_BYTES]) __attribute__((warn_unused_result));
/* Prints the message that a broken-off connection left, too.  NULL is fine. */
void receiver_close(struct receiver *);

/* "127.0.0.1:5514 (tcp, udp)", with the port that the system chose. */
const char *receiver_address(const struct receiver *);

enum receiver_result {
	RECEIVER_OK,
	RECEIVER_SIGNAL, /* a signal came while waiting */
	RECEIVER_OUT,	 /* out takes no more */
	RECEIVER_FAILED, /* poll(2) failed; errno says why */
};

/*
 * Waits until something arrives, timeout_ms at most (-1: for ever), and takes
 * it.  allowed: the signal mask while waiting, NULL: unchanged.
 */
enum receiver_result receiver_turn(struct receiver *, int timeout_ms, const sigset_t *allowed);

#endif
