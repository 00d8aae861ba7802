/*
 * stamp_3164 -- the time stamps that stand where RFC 3164 wants "Mmm dd
 * hh:mm:ss" (4.1.2): with a year before, behind or in the middle, fractions,
 * zones, or in ISO 8601's form altogether.
 */
#ifndef STAMP_3164_H
#define STAMP_3164_H

#include <stdint.h>

#include "base/slice.h"
#include "wire/parse.h"

/*
 * Bytes of the stamp at the start of s, 0 if there is none.  SP, ':' or the
 * end of s follows it.  A year that is not said is the one that comes closest
 * to env->now_us; a zone that is not said is env's.
 *
 *	Jan  2 03:04:05		Jan 2 2026 03:04:05	Jan  2 03:04:05.678 CET
 *	Jan  2 03:04:05 2026	2026 Jan  2 03:04:05	2026-01-02T03:04:05,678+0100
 */
size_t stamp_scan(struct slice s, const struct parse_env *env, int64_t *wall_us);

/* 1563249630.774247460, as Meraki sends it: ten digits and a fraction. */
size_t stamp_scan_epoch(struct slice s, int64_t *wall_us);

#endif
