/*
 * cursor_ring -- what the cursor's own files share: cursor.c (marks),
 * cursor_hold.c (what is held, and winding back), cursor_cut.c (cutting segments
 * in two), cursor_move.c (from one cursor to another), cursor_plan.c (cutting
 * segments from the log, and dropping instead), cursor_place.c (where it stands,
 * as the spool says it).
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

/* Over HTTP a segment's bytes stay in memory: its lines may have to be looked at once more. */
static inline void
segment_ref(const struct cursor *c, struct chunk *chunk)
{
	chunk->refs++;
	chunk->pins += c->exact;
}

static inline void
segment_unref(const struct cursor *c, struct chunk *chunk)
{
	chunk->refs--;
	chunk->pins -= c->exact;
}

static inline bool
plan_is_at_end(const struct cursor *c)
{
	return c->plan_bytes == c->log->end_bytes;
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
/* The oldest segment's lines are done with. */
void ring_shift(struct cursor *);
/* The last segment is gone. */
void ring_end(struct cursor *);

/* cursor_cut.c */
/* Cuts one of all segments behind so many of its lines. */
void split_segment(struct cursor *, unsigned which, uint32_t lines);

/* cursor_move.c */
/* An unsent segment that was not sifted is awake.  false: none of it is wanted, it is gone. */
bool segment_sift_late(struct cursor *, unsigned which);

/* cursor_place.c */
/* An unsent segment leaves the ring; what was dropped before it, before what follows. */
void ring_take_out(struct cursor *, unsigned which);

/* cursor_plan.c */
/* Leaves a chunk that plan has passed; finds the chunk that plan stands before. */
void plan_normalise(struct cursor *);
/* What follows plan is not in memory; asks for it. */
bool plan_is_away(struct cursor *);
/* Lines dropped at plan, told to the drain. */
void gap_add(struct cursor *, enum cursor_reason, uint64_t lines);
/* The same of those that were told when they were dropped. */
void gap_add_told(struct cursor *, enum cursor_reason, uint64_t lines, int64_t since_us);
/* Cuts the next segment from the log.  false: there is nothing to send. */
bool plan_segment(struct cursor *, int64_t now_ms);
/* Counts the unwanted of the segment's lines anew. */
void segment_sift(struct cursor *, struct segment *);

#endif
