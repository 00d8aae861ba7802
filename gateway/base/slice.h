/*
 * slice -- bytes that somebody else owns.  Not NUL-terminated; may hold NUL.
 * A slice is valid as long as the buffer it points into; whoever hands one out
 * says how long that is.
 */
#ifndef SLICE_H
#define SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct slice {
	const char *p;
	size_t n;
};

#define SLICE(literal) ((struct slice){(literal), sizeof(literal) - 1})
/* For static initialisers, where a compound literal is no constant. */
#define SLICE_INIT(literal)                    \
	{                                      \
		(literal), sizeof(literal) - 1 \
	}

static inline struct slice
slice_of(const char *p, size_t n)
{
	return (struct slice){p, n};
}

static inline struct slice
slice_str(const char *cstr)
{
	return (struct slice){cstr, strlen(cstr)};
}

static inline bool
slice_eq(struct slice a, struct slice b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static inline bool
slice_is(struct slice a, const char *cstr)
{
	return slice_eq(a, slice_str(cstr));
}

/* What lies behind the first n bytes; n is at most s.n. */
static inline struct slice
slice_skip(struct slice s, size_t n)
{
	return (struct slice){s.p + n, s.n - n};
}

#endif
