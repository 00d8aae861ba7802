/*
 * timestamp -- RFC 5424 TIMESTAMP (an RFC 3339 profile) and what RFC 3164
 * senders write instead.
 */
#ifndef TIMESTAMP_H
#define TIMESTAMP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"
#include "wire/line.h"

/* 2026-01-02T03:04:05.678901Z; returns what stands in dst, NUL-terminated too. */
struct slice timestamp_format(int64_t wall_us, char dst[LINE_STAMP_BYTES]);

/* Whether s is exactly one RFC 5424 TIMESTAMP, calendar and ranges checked. */
bool timestamp_valid(struct slice s);

/* Microseconds since 1970 of a valid TIMESTAMP; false for "-" and anything else. */
bool timestamp_parse(struct slice s, int64_t *wall_us);

#endif
