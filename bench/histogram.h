/*
 * histogram -- how often values came, with a bounded relative error.
 *
 * Log-linear buckets: each power of two is cut into 64 of the same width, so
 * that a bucket is at most 1/64 of its values wide.  Values below 64 are exact.
 * No allocation; the size is the same for any number of values.
 */
#ifndef HISTOGRAM_H
#define HISTOGRAM_H

#include <stdint.h>

enum {
	HISTOGRAM_STEPS = 64, /* buckets of a power of two; itself one */
	HISTOGRAM_POWERS = 36,
	HISTOGRAM_BUCKETS = HISTOGRAM_STEPS * HISTOGRAM_POWERS,
};

/* All zero is empty.  Values from 2^41 on (37 minutes in ns) count as the highest. */
struct histogram {
	uint64_t n;
	uint64_t max; /* exact */
	uint64_t buckets[HISTOGRAM_BUCKETS];
};

void histogram_add(struct histogram *, uint64_t value);

/*
 * The smallest value that a share of all (0 < share <= 1) does not exceed:
 * the middle of its bucket, so within 1/128 of it, and max at most.  0 if it
 * is empty.
 */
uint64_t histogram_at(const struct histogram *, double share);

#endif
