/*
 * cursor_cut -- segments in the ring are cut in two; what was dropped before
 * one is taken away, and put back.
 */
#include <assert.h>

#include "log/cursor_ring.h"

void
split_segment(struct cursor *c, unsigned which, uint32_t lines)
{
	struct segment *first = ring_at(c, which);
	struct segment rest;
	struct slice message;
	uint32_t at = first->from;

	for (uint32_t i = 0; i < lines; i++)
		at = chunk_frame(first->chunk, at, &message);
	ring_push(c);
	for (unsigned i = c->count - 1; i > which + 1; i--)
		*ring_at(c, i) = *ring_at(c, i - 1);
	first = ring_at(c, which);
	rest = *first;
	rest.from = at;
	rest.lines = first->lines - lines;
	rest.seq = first->seq + lines;
	rest.gap = (struct cursor_gap){0};
	segment_ref(c, rest.chunk);
	first->to = at;
	first->lines = lines;
	if (first->skipped > 0) {
		segment_sift(c, first);
		rest.skipped -= first->skipped;
		rest.skipped_bytes -= first->skipped_bytes;
	}
	*ring_at(c, which + 1) = rest;
}

void
cursor_split(struct cursor *c, uint32_t lines)
{
	assert(lines > 0 && c->sent < c->count);
	if (ring_at(c, c->sent)->lines > lines)
		split_segment(c, c->sent, lines);
}

void
cursor_cut(struct cursor *c, uint64_t seq)
{
	assert(c->exact);
	for (unsigned i = c->taken; i < c->sent; i++) {
		struct segment *s = ring_at(c, i);

		if (s->seq >= seq)
			return;
		if (s->seq + s->lines <= seq)
			continue;
		s->end = seq;
		split_segment(c, i, (uint32_t)(seq - s->seq));
		ring_at(c, i + 1)->end = seq + ring_at(c, i + 1)->lines;
		c->sent++;
		return;
	}
}

struct cursor_gap
cursor_take_gap(struct cursor *c)
{
	struct segment *s = ring_at(c, c->sent);
	struct cursor_gap gap = s->gap;

	s->gap = (struct cursor_gap){0};
	return gap;
}

void
cursor_put_gap(struct cursor *c, uint64_t seq, const struct cursor_gap *gap)
{
	for (unsigned i = 0; i < c->count; i++)
		if (ring_at(c, i)->seq == seq)
			gap_join(&ring_at(c, i)->gap, gap);
}
