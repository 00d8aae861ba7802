/*
 * gzip -- bodies of requests, compressed (RFC 1952) with one state that is used
 * again: making it anew costs more than a small body.
 *
 * Owner: a worker (or main).  Thread: its own.
 */
#ifndef GZIP_H
#define GZIP_H

#include "base/buf.h"
#include "base/slice.h"

struct gzip;

struct gzip *gzip_new(void);
void gzip_free(struct gzip *); /* NULL is fine */

/* Adds all of in, compressed, as one member. */
void gzip_whole(struct gzip *, struct slice in, struct buf *out);

#endif
