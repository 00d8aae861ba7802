#include "log/cursor_place.h"

#include <assert.h>

#include "base/clock.h"
#include "log/cursor_ring.h"
#include "log/log_hole.h"

struct spool_place
cursor_place_of(const struct cursor *c, unsigned n)
{
	const struct segment *s;

	if (n == c->count)
		return (struct spool_place){c->plan_seq, c->plan_bytes, c->plan_lines};
	s = ring_at(c, n);
	return (struct spool_place){s->seq, s->chunk->base + s->from,
				    s->chunk->first_line + (s->seq - s->chunk->first_seq)};
}

struct spool_place
cursor_taken_place(const struct cursor *c)
{
	return cursor_place_of(c, c->taken);
}

struct spool_place
cursor_kept_place(const struct cursor *c)
{
	return cursor_place_of(c, 0);
}

size_t
cursor_unsaved_bytes(const struct cursor *c)
{
	const struct segment *s = cursor_cut_already(c);
	size_t bytes = 0;

	/* What goes out again may lie before others that are on disk. */
	if (s != NULL && chunk_is_unsaved(s->chunk))
		return c->unsent_bytes;
	for (unsigned i = c->count; i > c->sent; i--) {
		s = ring_at(c, i - 1);
		if (!chunk_is_unsaved(s->chunk))
			break;
		bytes += segment_bytes(s);
	}
	return bytes;
}

void
cursor_put(struct cursor *c, const struct spool_place *to)
{
	if (c->plan != NULL) {
		c->away_ms = c->plan->first_ms;
		c->plan->refs--;
	}
	c->plan = NULL;
	c->plan_seq = to->seq;
	c->plan_bytes = to->bytes;
	c->plan_lines = to->lines;
	plan_normalise(c);
}

void
cursor_resume(struct cursor *c, const struct spool_place *to)
{
	if (to->bytes < c->log->end_bytes)
		cursor_put(c, to);
}

/* Returns the lines in between that were not told of before. */
static uint64_t
go_on(struct cursor *c, const struct spool_place *to)
{
	uint64_t lines = to->lines - c->plan_lines;
	uint64_t told = log_hole_lines(c->log, c->plan_lines, to->lines);
	int64_t since_us = log_hole_since_us(c->log, c->plan_lines, to->lines);

	assert(to->bytes >= c->plan_bytes && to->lines >= c->plan_lines);
	cursor_put(c, to);
	gap_add_told(c, CURSOR_MEMORY, told, since_us);
	app_log_stir(c->log);
	return lines - told;
}

void
cursor_jump(struct cursor *c, const struct spool_place *to, enum cursor_reason reason)
{
	uint64_t lines = go_on(c, to);

	gap_add(c, reason, lines);
}

void
cursor_pass(struct cursor *c, const struct spool_place *to)
{
	uint64_t lines = go_on(c, to);

	if (c->filtered != NULL)
		c->filtered(c, lines);
}

void
ring_take_out(struct cursor *c, unsigned n)
{
	struct segment *s = ring_at(c, n);

	gap_join(n + 1 < c->count ? &ring_at(c, n + 1)->gap : &c->gap, &s->gap);
	c->unsent_bytes -= segment_bytes(s);
	c->unsent_lines -= segment_wanted(s);
	segment_unref(c, s->chunk);
	for (; n + 1 < c->count; n++)
		*ring_at(c, n) = *ring_at(c, n + 1);
	c->count--;
	if (c->count == 0)
		ring_end(c);
}

/* Its lines are missing before what follows it. */
static void
drop_segment(struct cursor *c, unsigned n, enum cursor_reason reason)
{
	struct segment *s = ring_at(c, n);

	if (cursor_gap_is_empty(&s->gap))
		s->gap.since_us = clock_wall_us();
	s->gap.lines[reason] += segment_wanted(s);
	if (!s->counted)
		c->dropped(c, reason, segment_wanted(s));
	ring_take_out(c, n);
}

void
cursor_shed(struct cursor *c, const struct spool_place *to, enum cursor_reason reason)
{
	for (unsigned n = c->sent; n < c->count;) {
		const struct segment *s = ring_at(c, n);

		if (s->chunk->base + s->to <= to->bytes && s->chunk->pins == 0)
			drop_segment(c, n, reason);
		else
			n++;
	}
	if (c->plan_bytes < to->bytes)
		cursor_jump(c, to, reason);
}

void
cursor_spoil(struct cursor *c, const struct chunk *chunk, enum cursor_reason reason)
{
	struct spool_place end = {chunk->first_seq + chunk->lines, chunk->base + chunk->used,
				  chunk->first_line + chunk->lines};

	for (unsigned n = c->sent; n < c->count;)
		if (ring_at(c, n)->chunk == chunk)
			drop_segment(c, n, reason);
		else
			n++;
	if (c->plan == chunk && c->plan_at < chunk->used)
		cursor_jump(c, &end, reason);
	app_log_stir(c->log);
}
