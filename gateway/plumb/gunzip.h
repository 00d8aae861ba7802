/*
 * gunzip -- a body that came compressed (RFC 1952), taken apart piece by piece
 * with one state that is used again, and bounded: in all, and by how many times
 * larger it becomes, since a bomb is small.
 *
 * Owner: a worker.  Thread: its own.
 */
#ifndef GUNZIP_H
#define GUNZIP_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/slice.h"

enum {
	GUNZIP_RATIO = 200, /* deflate itself ends at 1032; logs come to 10 or 20 */
	/* What may come out at any ratio. */
	GUNZIP_FREE_BYTES = 1024 * 1024,
	GUNZIP_FAULT_BYTES = 160,
};

enum gunzip_result {
	GUNZIP_MORE,
	GUNZIP_END,
	GUNZIP_BAD, /* it is not gzip, or not whole: fault */
	GUNZIP_BIG, /* it is over a limit: fault */
};

struct gunzip;

struct gunzip *gunzip_new(void);
void gunzip_free(struct gunzip *); /* NULL is fine */

/* in: one member or several; it stays until the end.  most: bytes that may come out. */
void gunzip_start(struct gunzip *, struct slice in, size_t most);
/*
 * Adds about so many bytes to out, which was empty at the start.  fault: a sentence
 * with the remedy, fit for a JSON string.
 */
enum gunzip_result gunzip_some(struct gunzip *, size_t bytes, struct buf *out,
			       char fault[GUNZIP_FAULT_BYTES]) __attribute__((warn_unused_result));

#endif
