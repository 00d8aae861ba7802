#include "log/cursor.h"

#include <assert.h>
#include <stdlib.h>

#include "base/xmalloc.h"
#include "log/cursor_ring.h"
#include "log/log_fetch.h"
#include "log/log_hole.h"
#include "log/log_shed.h"

enum { RING_FIRST = 4 };

/* Small segments sent close together count as one: a ring entry costs more than they gain. */
enum { MERGE_BYTES = 16 * 1024, MERGE_MS = 100 };

/* How long the oldest line must have waited before its drain counts as lagging. */
enum { LAG_MS = 1000 };

/* The same for one that lagged not long ago. */
enum { LAG_AGAIN_MS = 100, LAG_MEMORY_MS = 60 * 1000 };

static void
ring_grow(struct cursor *c)
{
	unsigned cap = c->ring_cap > 0 ? c->ring_cap * 2 : RING_FIRST;
	struct segment *ring = xcalloc(cap, sizeof(*ring));

	for (unsigned i = 0; i < c->count; i++)
		ring[i] = *ring_at(c, i);
	free(c->ring);
	c->ring = ring;
	c->ring_cap = cap;
	c->head = 0;
}

struct segment *
ring_push(struct cursor *c)
{
	if (c->count == c->ring_cap)
		ring_grow(c);
	if (c->count == 0 && !c->exact)
		c->log->pool->holders++;
	return ring_at(c, c->count++);
}

void
ring_end(struct cursor *c)
{
	if (!c->exact)
		c->log->pool->holders--;
	/* An idle drain owns no ring. */
	free(c->ring);
	c->ring = NULL;
	c->ring_cap = c->head = 0;
}

void
ring_shift(struct cursor *c)
{
	segment_unref(c, ring_at(c, 0)->chunk);
	c->head = (c->head + 1) & (c->ring_cap - 1);
	c->count--;
	if (c->count == 0)
		ring_end(c);
}

void
cursor_open(struct cursor *c, struct app_log *log, int64_t now_ms)
{
	struct chunk *open = log->last;

	c->log = log;
	if (open != NULL && open->base + open->used == log->end_bytes) {
		c->plan = open;
		c->plan_at = open->used;
		open->refs++;
	}
	c->plan_bytes = log->end_bytes;
	c->plan_lines = log->end_lines;
	c->plan_seq = log->end_seq;
	c->caught_up_ms = now_ms;
	TAILQ_INSERT_TAIL(&log->cursors, c, link);
	log->ncursors++;
	app_log_weigh(log);
	app_log_stir(log);
}

/* Lines behind plan, as far as they are somewhere. */
static uint64_t
plan_waiting_lines(const struct cursor *c)
{
	const struct app_log *log = c->log;
	uint64_t lines = log->end_lines - c->plan_lines;

	return lines - log_hole_lines(log, c->plan_lines, log->end_lines);
}

uint64_t
cursor_close(struct cursor *c)
{
	struct app_log *log = c->log;
	uint64_t lost = plan_waiting_lines(c);

	/* Lines that wait only to go out once more were taken before. */
	for (unsigned i = 0; i < c->count; i++)
		if (!ring_at(c, i)->counted)
			lost += segment_wanted(ring_at(c, i));
	while (c->count > 0)
		ring_shift(c);
	if (c->plan != NULL)
		c->plan->refs--;
	TAILQ_REMOVE(&log->cursors, c, link);
	log->ncursors--;
	app_log_weigh(log);
	app_log_stir(log);
	app_log_collect(log);
	/* Nobody reads it any more, so nothing is kept. */
	if (log->ncursors == 0)
		app_log_hibernate(log);
	c->log = NULL;
	return lost;
}

const struct segment *
cursor_unsent(struct cursor *c, unsigned n, int64_t now_ms)
{
	const struct segment *s;

	do {
		while (c->sent + n >= c->count) {
			if (!plan_segment(c, now_ms)) {
				if (c->sent == c->count && plan_is_at_end(c))
					c->caught_up_ms = now_ms;
				return NULL;
			}
		}
		s = ring_at(c, c->sent + n);
		if (s->chunk->data == NULL) {
			log_fetch_want(c, s->chunk->first_seq);
			return NULL;
		}
	} while (s->unsifted && !segment_sift_late(c, c->sent + n));
	return s;
}

bool
cursor_is_away(struct cursor *c)
{
	const struct segment *s = cursor_cut_already(c);

	if (s == NULL) {
		plan_normalise(c);
		return plan_is_away(c);
	}
	if (s->chunk->data != NULL)
		return false;
	log_fetch_want(c, s->chunk->first_seq);
	return true;
}

const struct segment *
cursor_cut_already(const struct cursor *c)
{
	return c->sent < c->count ? ring_at(c, c->sent) : NULL;
}

bool
cursor_next_seq(const struct cursor *c, uint64_t *seq)
{
	const struct segment *s = cursor_cut_already(c);

	*seq = s != NULL ? s->seq : c->plan_seq;
	return s != NULL || !plan_is_at_end(c);
}

/* The newest segment just sent and the one before it become one, if that loses nothing. */
static void
merge_last(struct cursor *c)
{
	struct segment *prev, *last;

	if (c->exact || c->sent != c->count || c->sent < c->taken + 2)
		return;
	prev = ring_at(c, c->sent - 2);
	last = ring_at(c, c->sent - 1);
	if (prev->chunk != last->chunk || prev->to != last->from || prev->resent != last->resent ||
	    prev->counted != last->counted || !cursor_gap_is_empty(&last->gap) ||
	    segment_bytes(prev) + segment_bytes(last) > MERGE_BYTES ||
	    last->sent_ms - prev->sent_ms > MERGE_MS)
		return;
	prev->to = last->to;
	prev->lines += last->lines;
	prev->skipped += last->skipped;
	prev->skipped_bytes += last->skipped_bytes;
	prev->end = last->end;
	segment_unref(c, last->chunk);
	c->count--;
	c->sent--;
}

void
cursor_sent(struct cursor *c, uint64_t end, int64_t now_ms)
{
	struct segment *s = ring_at(c, c->sent);

	assert(c->sent < c->count);
	s->end = end;
	s->sent_ms = now_ms;
	c->sent++;
	c->flight_bytes += segment_bytes(s);
	c->unsent_bytes -= segment_bytes(s);
	c->unsent_lines -= segment_wanted(s);
	if (c->sent == c->count && plan_is_at_end(c))
		c->caught_up_ms = now_ms;
	app_log_weigh(c->log);
	merge_last(c);
}

const struct segment *
cursor_in_flight(const struct cursor *c, unsigned n)
{
	return c->taken + n < c->sent ? ring_at(c, c->taken + n) : NULL;
}

struct cursor_taken
cursor_acked(struct cursor *c, uint64_t end)
{
	struct cursor_taken got = {0, 0};
	unsigned before = c->taken;

	while (c->taken < c->sent) {
		struct segment *s = ring_at(c, c->taken);

		if (s->end > end)
			break;
		c->flight_bytes -= segment_bytes(s);
		c->held_bytes += segment_bytes(s);
		c->taken++;
		if (s->counted)
			continue;
		s->counted = true;
		got.lines += segment_wanted(s);
		got.bytes += segment_bytes(s) - s->skipped_bytes;
	}
	if (c->taken > before)
		app_log_stir(c->log);
	return got;
}

size_t
cursor_waiting_bytes(const struct cursor *c)
{
	const struct app_log *log = c->log;
	uint64_t bytes = log->end_bytes - c->plan_bytes;

	return (size_t)(bytes - log_hole_bytes(log, c->plan_bytes, log->end_bytes)) +
	       c->unsent_bytes;
}

uint64_t
cursor_waiting_lines(const struct cursor *c)
{
	return plan_waiting_lines(c) + c->unsent_lines;
}

/* The age of the line at that offset of the log that came then or later; the drain's work begins
 * there. */
static int64_t
age_ms(const struct cursor *c, int64_t came_ms, uint64_t at, int64_t now_ms)
{
	int64_t since = c->caught_up_ms;

	if (came_ms > since)
		since = came_ms;
	/* Its chunk may be old, and the drain may have had nothing to do for long. */
	if (at >= c->log->fresh_bytes && c->log->fresh_ms > since)
		since = c->log->fresh_ms;
	return now_ms > since ? now_ms - since : 0;
}

int64_t
cursor_waiting_ms(const struct cursor *c, int64_t now_ms)
{
	const struct segment *s = cursor_cut_already(c);
	const struct chunk *chunk = c->plan;

	if (cursor_waiting_bytes(c) == 0)
		return -1;
	if (s != NULL)
		return age_ms(c, s->chunk->first_ms, s->chunk->base + s->from, now_ms);
	if (chunk != NULL && chunk->used == c->plan_at)
		chunk = TAILQ_NEXT(chunk, link);
	return age_ms(c, chunk != NULL ? chunk->first_ms : c->away_ms, c->plan_bytes, now_ms);
}

int64_t
cursor_untaken_ms(const struct cursor *c, int64_t now_ms)
{
	const struct segment *first = cursor_in_flight(c, 0);

	if (first == NULL)
		return cursor_waiting_ms(c, now_ms);
	return now_ms > first->sent_ms ? now_ms - first->sent_ms : 0;
}

void
cursor_judge(struct cursor *c, bool pressed, int64_t now_ms)
{
	size_t app_memory = c->log->pool->app_memory;
	size_t waiting = cursor_waiting_bytes(c);
	bool again = c->lagged_ms != 0 && now_ms - c->lagged_ms < LAG_MEMORY_MS;
	bool old = waiting > 0 && cursor_waiting_ms(c, now_ms) >= (again ? LAG_AGAIN_MS : LAG_MS);
	bool lags = c->lags;

	if (old && (pressed || waiting > app_memory))
		lags = true;
	else if (waiting == 0 || (!old && waiting <= app_memory / 2))
		lags = false;
	if (lags)
		c->lagged_ms = now_ms;
	if (lags != c->lags) {
		c->lags = lags;
		app_log_weigh(c->log);
	}
	if (lags)
		log_shed_cursor(c, app_memory);
}
