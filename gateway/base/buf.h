/*
 * buf -- a byte buffer that grows.  Owner: whoever holds the struct; zeroed
 * memory is an empty buf.  Growth ends the process when memory is out
 * (xmalloc.h), so adding cannot fail; callers bound what they add.
 */
#ifndef BUF_H
#define BUF_H

#include <stddef.h>

#include "base/slice.h"

struct buf {
	char *p;
	size_t n;   /* bytes in use */
	size_t cap; /* bytes allocated */
};

void buf_free(struct buf *);
/* Room for n more bytes behind the last; the caller then raises b->n itself. */
char *buf_reserve(struct buf *, size_t n);
void buf_add(struct buf *, const void *p, size_t n);
void buf_add_slice(struct buf *, struct slice);
void buf_add_str(struct buf *, const char *);
void buf_add_char(struct buf *, char);
void buf_addf(struct buf *, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Gives back what is allocated and not in use: before it is kept for long. */
void buf_fit(struct buf *);
/* Drops the first n bytes (n <= b->n) by moving the rest to the front. */
void buf_drain(struct buf *, size_t n);
/* The content as a C string; valid until the next change. */
const char *buf_cstr(struct buf *);

static inline struct slice
buf_slice(const struct buf *b)
{
	return slice_of(b->p, b->n);
}

#endif
