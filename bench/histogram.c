#include "histogram.h"

#include <math.h>
#include <stddef.h>

/*
 * The bucket of v: below 64 itself; else, with 2^e the power of two below it,
 * row e - 5, and in that row what the six bits behind the first say.
 */
static size_t
bucket_of(uint64_t v)
{
	unsigned shift;
	size_t i;

	if (v < HISTOGRAM_STEPS)
		return (size_t)v;
	shift = 57U - (unsigned)__builtin_clzll(v);
	i = (shift + 1) * (size_t)HISTOGRAM_STEPS + (size_t)((v >> shift) - HISTOGRAM_STEPS);
	return i < HISTOGRAM_BUCKETS ? i : HISTOGRAM_BUCKETS - 1;
}

static uint64_t
bucket_middle(size_t i)
{
	unsigned shift;

	if (i < HISTOGRAM_STEPS)
		return i;
	shift = (unsigned)(i / HISTOGRAM_STEPS) - 1;
	return ((i % HISTOGRAM_STEPS + HISTOGRAM_STEPS) << shift) + ((UINT64_C(1) << shift) >> 1);
}

void
histogram_add(struct histogram *h, uint64_t value)
{
	h->n++;
	if (value > h->max)
		h->max = value;
	h->buckets[bucket_of(value)]++;
}

uint64_t
histogram_at(const struct histogram *h, double share)
{
	uint64_t wanted = (uint64_t)ceil(share * (double)h->n);
	uint64_t seen = 0;
	uint64_t value;

	for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
		seen += h->buckets[i];
		if (seen >= wanted && seen > 0) {
			value = bucket_middle(i);
			return value < h->max ? value : h->max;
		}
	}
	return h->max;
}
