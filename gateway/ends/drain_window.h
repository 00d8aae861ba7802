/*
 * drain_window -- how much a receiver may have acknowledged and not read, as
 * far as its TCP shows it (architecture, "Lost connections").
 *
 * A receiver advertises what is free of its buffer, so what lies unread shows
 * as a fall of its window below the largest that it had.  But a buffer that
 * still grows, as it does in a burst, hides it: the window then grows although
 * nothing is read.  So what was acknowledged shortly before the window was at
 * its largest is not known to be read, until as much again has been
 * acknowledged with no more of a fall: that must have been read.
 *
 * Owner: a drain; one for each connection.  Thread: the drain's.
 */
#ifndef DRAIN_WINDOW_H
#define DRAIN_WINDOW_H

#include "io/stream.h"
#include "log/cursor.h"

enum { DRAIN_WINDOW_SAMPLES = 8 };

struct drain_window {
	uint32_t now, largest;
	uint64_t acked;
	int64_t acked_ms;	/* when acked last moved, or all was acknowledged */
	int64_t stopped_ms;	/* when the receiver was last seen not to read; 0: never */
	uint64_t largest_acked; /* acknowledged when the window was largest */
	uint64_t hidden;	/* of these, maybe not read */
	uint32_t lowest;	/* since it was about its largest */
	int64_t fell_ms;	/* when it was at its lowest first; 0: it did not fall */
	/* What was acknowledged at some times before, the newest last. */
	struct {
		int64_t ms;
		uint64_t acked;
	} past[DRAIN_WINDOW_SAMPLES];
	unsigned npast;
};

/* A connection was opened. */
void drain_window_open(struct drain_window *, int64_t now_ms);
/* What TCP says now. */
void drain_window_see(struct drain_window *, const struct stream_tcp *, int64_t now_ms);
/* Whether it was seen within time_ms that the program behind the receiver's TCP does not read. */
bool drain_window_stopped(const struct drain_window *, int64_t time_ms, int64_t now_ms);
/* Whether that shows now. */
bool drain_window_is_low(const struct drain_window *);
/*
 * Whether, of a stream whose last pause was at `from`, something before that is
 * unread for sure: what came since cannot make the window fall so far.
 */
bool drain_window_is_behind(const struct drain_window *, uint64_t from);

/* How much of what was acknowledged is held, for a drain with that rule, as things stand. */
struct resend_rule drain_window_rule(const struct drain_window *, const struct resend_rule *,
				     int64_t now_ms);

#endif
