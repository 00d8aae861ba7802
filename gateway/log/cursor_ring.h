/*
 * cursor_ring -- what the cursor's own files share: cursor.c (marks), cursor_cut.c
 * (cutting segments in two), cursor_move.c (from one cursor to another),
 * cursor_plan.c (cutting segments from the log, and dropping instead).
 */
#ifndef CURSOR_RING_H
#define CURSOR_RING_H

#include "log/cursor.h"

static inline struct segment *
ring_at(const struct cursor *c, unsigned i)
{
	return &c->ring[(c->head + i) & (c->ring_cap - 1)];
}

static inline size_t
segment_bytes(const struct segment *s)
{
	return s->to - s->from;
}

static inline uint32_t
segment_wanted(const struct segment *s)
{
	return s->lines - s->skipped;
}

/* The later of two gaps that now are one place; it says since when the earlier began. */
static inline void
gap_join(struct cursor_gap *later, const struct cursor_gap *earlier)
{
	if (cursor_gap_is_empty(earlier))
		return;
	for (int i = 0; i < CURSOR_REASONS; i++)
		later->lines[i] += earlier->lines[i];
	later->since_us = earlier->since_us;
}

/* cursor.c */
/* A new last segment, not filled in. */
struct segment *ring_push(struct cursor *);

/* cursor_plan.c */
/* Cuts the next segment from the log.  false: there is nothing to send. */
bool plan_segment(struct cursor *, int64_t now_ms);
/* Counts the unwanted of the segment's lines anew. */
void segment_sift(struct cursor *, struct segment *);

#endif
