/*
 * drain_pace -- how many lines in the last minute: six slots of ten seconds.
 *
 * Owner: a drain.  Plain values; zeroes are a valid start.
 */
#ifndef DRAIN_PACE_H
#define DRAIN_PACE_H

#include <stdint.h>

enum { DRAIN_PACE_SLOTS = 6 };

struct drain_pace {
	uint32_t lines[DRAIN_PACE_SLOTS];
	int64_t slot; /* number of the newest slot since the clock's start */
};

void drain_pace_add(struct drain_pace *, uint64_t lines, int64_t now_ms);
/* Lines in the last 50 to 60 seconds. */
uint64_t drain_pace_minute(struct drain_pace *, int64_t now_ms);

#endif
