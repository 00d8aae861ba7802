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

#include "base/buf.h"
#include "base/slice.h"

enum {
	DRAIN_PATTERNS_MAX = 16,
	DRAIN_PATTERN_BYTES = 256,
	DRAIN_SEVERITY_ALL = 7, /* debug: the least there is */
};

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

/* "emerg" to "debug", by number (RFC 5424, table 2); ended by NULL. */
extern const char *const drain_severities[];

/*
 * Patterns are written one a line, LF between them.  next takes the first line
 * off, and is false when nothing is left (p is NULL); add puts one behind the
 * others unless it is there.
 */
bool drain_pattern_next(struct slice *lines, struct slice *pattern);
size_t drain_pattern_count(struct slice lines);
void drain_pattern_add(struct buf *lines, struct slice pattern);

/*
 * Sets severity (a name of those above) and patterns; each may be NULL, and
 * lives as long as the filter.  Patterns beyond DRAIN_PATTERNS_MAX are left out.
 */
void drain_filter_set(struct drain_filter *, const char *severity, const char *match,
		      const char *exclude);

#endif
