/*
 * units -- durations and sizes as people write them.
 *
 *	duration	digits unit	ms s m h d	(10ms 1s 5m 72h 7d)
 *	size		digits [unit]	B KiB MiB GiB TiB; no unit: bytes
 *
 * Whole numbers, no sign, no blanks, units spelled exactly so.  A duration
 * needs its unit, save 0.  k, K, KB, MB and the like are refused: some read
 * them as powers of ten, some as powers of two.
 */
#ifndef UNITS_H
#define UNITS_H

#include <stdbool.h>
#include <stdint.h>

enum { UNITS_TEXT_BYTES = 24 };

/*
 * false: *fault is what is wrong and what to write instead, to be read behind
 * the value: `"10": no unit; write ms, s, m, h or d behind the number`.
 */
bool units_parse_duration(const char *text, int64_t *ms, const char **fault)
    __attribute__((warn_unused_result));
bool units_parse_size(const char *text, int64_t *bytes, const char **fault)
    __attribute__((warn_unused_result));
/* Digits only. */
bool units_parse_count(const char *text, int64_t *n, const char **fault)
    __attribute__((warn_unused_result));

/* In the largest unit that says it whole; returns text.  v is not negative. */
const char *units_format_duration(int64_t v, char text[UNITS_TEXT_BYTES]);
const char *units_format_size(int64_t v, char text[UNITS_TEXT_BYTES]);

#endif
