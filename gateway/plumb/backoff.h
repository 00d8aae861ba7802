/*
 * backoff -- how long to wait before the next try.
 *
 * 100 ms after a connection that took lines; after failures 1 s, doubled each
 * time up to 20 s, with +-20% jitter (so 24 s at most); back to the start when
 * a connection has lived 10 s.  A short connection that took lines neither
 * counts as a failure nor forgets the failures before it.  By time, never by
 * count: nothing is given up.
 *
 * Owner: one drain.  Plain values: nothing to free.
 */
#ifndef BACKOFF_H
#define BACKOFF_H

#include <stdbool.h>
#include <stdint.h>

struct backoff {
	unsigned failures; /* in a row */
	uint32_t seed;	   /* jitter; never 0 */
};

/* Different seeds keep drains that failed together from coming back together. */
void backoff_init(struct backoff *, uint32_t seed);
/*
 * The connection ended or did not come about.  took_lines: it delivered
 * something; alive_ms: how long it was connected, 0 if it never was.
 * Returns the milliseconds to wait.
 */
int64_t backoff_next(struct backoff *, bool took_lines, int64_t alive_ms);

#endif
