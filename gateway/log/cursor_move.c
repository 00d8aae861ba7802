#include "log/cursor_move.h"

#include <assert.h>
#include <stdlib.h>

#include "log/cursor_ring.h"

bool
segment_sift_late(struct cursor *c, unsigned which)
{
	struct segment *s = ring_at(c, which);

	segment_sift(c, s);
	s->unsifted = false;
	c->unsent_lines -= s->skipped;
	if (s->skipped > 0)
		c->filtered(c, s->skipped);
	if (s->skipped < s->lines)
		return true;
	ring_take_out(c, which);
	app_log_stir(c->log);
	return false;
}

/* The receiver behind `to` has seen none of it.  What is asleep is looked at when it is awake. */
static void
move_segment(struct cursor *to, struct segment s, struct cursor_gap *gap)
{
	s.skipped = s.skipped_bytes = 0;
	s.unsifted = to->wants != NULL && s.chunk->data == NULL;
	if (!s.unsifted)
		segment_sift(to, &s);
	if (s.skipped > 0)
		to->filtered(to, s.skipped);
	gap_join(&s.gap, gap);
	*gap = (struct cursor_gap){0};
	if (s.skipped == s.lines) {
		*gap = s.gap;
		s.chunk->refs--;
		return;
	}
	s.resent = 0;
	s.counted = false;
	s.chunk->pins += to->exact;
	to->unsent_bytes += segment_bytes(&s);
	to->unsent_lines += segment_wanted(&s);
	*ring_push(to) = s;
}

/* What lies in the ring, and what was dropped behind it. */
static void
move_ring(struct cursor *to, struct cursor *from)
{
	struct cursor_gap gap = {0};

	for (unsigned i = 0; i < from->count; i++) {
		ring_at(from, i)->chunk->pins -= from->exact;
		move_segment(to, *ring_at(from, i), &gap);
	}
	if (from->count > 0 && !from->exact)
		from->log->pool->holders--;
	free(from->ring);
	from->ring = NULL;
	from->ring_cap = from->head = from->count = from->taken = from->sent = 0;
	from->held_bytes = from->flight_bytes = from->unsent_bytes = 0;
	from->unsent_lines = 0;
	to->gap = from->gap;
	gap_join(&to->gap, &gap);
}

static void
move_plan(struct cursor *to, struct cursor *from)
{
	if (to->plan != NULL)
		to->plan->refs--;
	to->plan = from->plan;
	to->plan_at = from->plan_at;
	to->plan_bytes = from->plan_bytes;
	to->plan_lines = from->plan_lines;
	to->away_ms = from->away_ms;
	to->plan_seq = from->plan_seq;
	from->plan = NULL;
	to->lags = from->lags;
	to->lagged_ms = from->lagged_ms;
	to->caught_up_ms = from->caught_up_ms;
}

void
cursor_move(struct cursor *to, struct cursor *from)
{
	struct app_log *log = from->log;

	assert(to->log == log && to->count == 0);
	move_ring(to, from);
	move_plan(to, from);
	TAILQ_REMOVE(&log->cursors, from, link);
	log->ncursors--;
	from->log = NULL;
	app_log_stir(log);
	app_log_weigh(log);
	app_log_collect(log);
}
