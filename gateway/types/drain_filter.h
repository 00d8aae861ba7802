/*
 * drain_filter -- which lines a drain wants: a least severity, substrings of
 * the message that it must have one of, and substrings it must have none of.
 *
 * Owner: a drain's conf.  Immutable once made.
 */
#ifndef DRAIN_FILTER_H
#define DRAIN_FILTER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/slice.h"

enum { DRAIN_PATTERNS_MAX = 16, DRAIN_PATTERN_BYTES = 256 };

struct drain_filter {
	unsigned severity;			/* 0 (emerg) to this pass; 7: all */
	struct slice match[DRAIN_PATTERNS_MAX]; /* into the conf's values */
	size_t nmatch;				/* 0: any message */
	struct slice exclude[DRAIN_PATTERNS_MAX];
	size_t nexclude;
};

/* Whether it lets every line pass. */
bool drain_filter_is_open(const struct drain_filter *);

/*
 * frame: canonical RFC 5424, without count.  Bytes are compared as they are,
 * with the message (MSG) alone.
 */
bool drain_filter_passes(const struct drain_filter *, struct slice frame);

#endif
