/*
 * unrouted -- names that lines came for and no app has, with how often: the
 * typos, the forgotten drains, the scanners.  Bounded: what comes after the
 * table is full is counted as others.
 *
 * Owner and thread: one worker.
 */
#ifndef UNROUTED_H
#define UNROUTED_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

enum { UNROUTED_NAMES_MAX = 1024, UNROUTED_NAME_BYTES = 128 };

struct unrouted_name {
	char name[UNROUTED_NAME_BYTES]; /* cut to fit; "" for lines that name no app */
	uint64_t lines;
	int64_t last_us; /* wall clock */
};

struct unrouted {
	struct unrouted_name *names[UNROUTED_NAMES_MAX * 2]; /* open addressing, by hash */
	unsigned n;
	uint64_t others; /* lines of names that found no place */
};

/* Counts a line.  The name's entry when it is new, else NULL. */
const struct unrouted_name *unrouted_count(struct unrouted *, struct slice name, int64_t now_us);
void unrouted_clear(struct unrouted *);

#endif
