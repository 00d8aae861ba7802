/*
 * zone -- how far a place's clocks are from UTC.
 */
#ifndef ZONE_H
#define ZONE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

/*
 * Whether `word` is a usual name of a time zone.  *minutes is then its offset
 * east of UTC and *known true; a name that means different zones in different
 * places (IST, BST) is one with *known false.
 */
bool zone_word(struct slice word, bool *known, int *minutes);

/*
 * The process's time zone: seconds east of UTC when clocks there show this
 * many seconds since 1970-01-01T00:00:00 local time.  Any thread.
 */
int64_t zone_local_offset(int64_t local_seconds);

/* The same at so many seconds since 1970-01-01T00:00:00 UTC. */
int64_t zone_offset_at(int64_t seconds);

#endif
