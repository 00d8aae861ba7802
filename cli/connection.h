/*
 * connection -- one sender's TCP connection: reads, frames, prints.
 * Owner: the receiver.
 */
#ifndef CONNECTION_H
#define CONNECTION_H

#include <stdio.h>

#include "base/buf.h"
#include "wire/frame.h"

struct connection {
	int fd; /* non-blocking; closed by connection_end */
	bool raw;
	struct framer framer;
	struct buf unread; /* the head of a frame that has not come whole */
};

enum connection_result {
	CONNECTION_OK,
	CONNECTION_GONE, /* closed or reset by the sender; end it */
	CONNECTION_OUT,	 /* out takes no more */
};

void connection_begin(struct connection *, int fd, bool raw);
/* Reads what is there (a bounded amount: others wait too) and prints it. */
enum connection_result connection_read(struct connection *, FILE *out)
    __attribute__((warn_unused_result));
/* Prints what is left as a message, closes and frees.  false: out takes no more. */
bool connection_end(struct connection *, FILE *out);

#endif
