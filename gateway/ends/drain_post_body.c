/*
 * drain_post_body -- a range of the log becomes the body of a request.
 */
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/hash.h"
#include "ends/drain_post.h"
#include "wire/parse.h"

struct encoding {
	struct drain *d;
	struct drain_batch *info;
	struct buf *body; /* the worker's scratch */
	size_t source;	  /* bytes of the log in it */
	size_t limit;	  /* of those */
	bool again;	  /* the same lines as before, whose encoding was counted then */
	bool full;
};

static void
encoding_open(struct encoding *e)
{
	const struct drain_http *http = e->d->conf.type->http;

	e->body->n = 0;
	*e->info = (struct drain_batch){.now_us = clock_wall_us()};
	if (http->open != NULL)
		http->open(&e->d->conf, e->info, e->body);
}

static void
encoding_close(struct encoding *e)
{
	const struct drain_http *http = e->d->conf.type->http;

	if (http->close != NULL)
		http->close(&e->d->conf, e->info, e->body);
}

/* mark: NULL of a notice, which has no place in the log.  false: the batch is full without it. */
static bool
add_frame(struct encoding *e, struct slice frame, const struct line_mark *mark)
{
	const struct drain_limits *limits = &e->d->post->limits;
	struct drain_batch before = *e->info;
	size_t start = e->body->n;
	struct line line;
	unsigned flags;

	parse_stored(frame, &line);
	if (mark != NULL && e->d->conf.mark) {
		line.marked = true;
		line.mark = *mark;
	}
	flags = e->d->conf.type->http->entry(&e->d->conf, e->info, &line, e->body);
	e->info->entries++;
	if (!e->again && e->info->entries > 1 && e->body->n > limits->bytes) {
		e->body->n = start;
		*e->info = before;
		e->full = true;
		return false;
	}
	drain_count_flags(e->d, flags, e->again);
	e->full = e->info->entries >= limits->entries;
	return true;
}

static bool
is_wanted(struct drain *d, struct slice frame)
{
	return d->cursor.wants == NULL || d->cursor.wants(&d->cursor, frame);
}

/* Adds a segment's lines; returns how many of them went in, the unwanted among them. */
static uint32_t
add_segment(struct encoding *e, const struct segment *s)
{
	uint32_t at = s->from, next, lines = 0;
	struct line_mark mark;
	struct slice frame;

	for (; at < s->to && !e->full; at = next) {
		next = chunk_frame(s->chunk, at, &frame);
		mark = drain_mark(e->d, s->seq + lines);
		if (is_wanted(e->d, frame) && !add_frame(e, frame, &mark))
			break;
		lines++;
		e->source += next - at;
		e->full = e->full || e->source >= e->limit;
	}
	return lines;
}

/* The same for those of its lines that lie in a range. */
static void
add_range(struct encoding *e, const struct segment *s, uint64_t first, uint64_t end)
{
	uint64_t seq = s->seq;
	uint32_t at = s->from;
	struct line_mark mark;
	struct slice frame;

	while (at < s->to && seq < end) {
		at = chunk_frame(s->chunk, at, &frame);
		mark = drain_mark(e->d, seq);
		if (seq >= first && is_wanted(e->d, frame))
			(void)add_frame(e, frame, &mark);
		seq++;
	}
}

/*
 * Two hashes of drain and range: the same lines, the same id.  Notices have no
 * range, and several may stand in one place.
 */
static void
set_id(const struct drain *d, const struct post_batch *b, struct drain_batch *info)
{
	struct {
		uint64_t drain, first, end, notice, half;
	} range = {d->post->id, b->first_seq, b->end_seq,
		   b->notice.n > 0 ? hash_slice(buf_slice(&b->notice)) : 0, 0};
	struct slice bytes = slice_of((const char *)&range, sizeof(range));
	uint64_t high = hash_slice(bytes);

	range.half = 1;
	snprintf(info->id, sizeof(info->id), "%016" PRIx64 "%016" PRIx64, high, hash_slice(bytes));
}

static void
encode_notice(struct encoding *e, struct post_batch *b)
{
	encoding_open(e);
	(void)add_frame(e, buf_slice(&b->notice), NULL);
	encoding_close(e);
	set_id(e->d, b, e->info);
}

/* Takes the gap before a segment as a batch of its own for each reason; returns the first. */
static struct post_batch *
begin_notices(struct encoding *e, const struct segment *s)
{
	struct cursor_gap gap = cursor_take_gap(&e->d->cursor);
	struct post_batch *first = NULL, *b;
	struct buf frame = {0};

	for (enum cursor_reason r = 0; r < CURSOR_REASONS; r++) {
		if (!drain_notice_frame(e->d, &gap, r, &frame))
			continue;
		b = post_batch_new(e->d, s->seq);
		b->notice = frame;
		b->gap.lines[r] = gap.lines[r];
		b->gap.since_us = gap.since_us;
		frame = (struct buf){0};
		if (first == NULL)
			first = b;
	}
	/* A gap that is not empty has a reason. */
	assert(first != NULL);
	encode_notice(e, first);
	return first;
}

struct post_batch *
post_begin(struct drain *d, struct drain_batch *info)
{
	struct encoding e = {
	    .d = d, .info = info, .body = &d->env->scratch, .limit = post_source_limit(d)};
	int64_t now_ms = clock_mono_ms();
	const struct segment *s = cursor_unsent(&d->cursor, 0, now_ms);
	struct post_batch *b;
	uint32_t lines;

	if (s == NULL)
		return NULL;
	if (!cursor_gap_is_empty(&s->gap))
		return begin_notices(&e, s);
	b = post_batch_new(d, s->seq);
	encoding_open(&e);
	while (s != NULL && cursor_gap_is_empty(&s->gap) && (lines = add_segment(&e, s)) > 0) {
		cursor_split(&d->cursor, lines);
		s = cursor_unsent(&d->cursor, 0, now_ms);
		b->end_seq = s->seq + s->lines;
		cursor_sent(&d->cursor, b->end_seq, now_ms);
		/* No more is cut from the log than goes out: what is cut is not trimmed. */
		s = e.full ? NULL : cursor_unsent(&d->cursor, 0, now_ms);
	}
	b->lines = info->entries;
	encoding_close(&e);
	set_id(d, b, info);
	d->env->encoded += e.source;
	return b;
}

void
post_encode_again(struct drain *d, struct post_batch *b, struct drain_batch *info)
{
	struct encoding e = {.d = d, .info = info, .body = &d->env->scratch, .again = true};
	const struct segment *s;

	if (b->notice.n > 0) {
		encode_notice(&e, b);
		return;
	}
	encoding_open(&e);
	for (unsigned i = 0; (s = cursor_in_flight(&d->cursor, i)) != NULL; i++) {
		if (s->seq >= b->end_seq)
			break;
		if (s->seq + s->lines > b->first_seq)
			add_range(&e, s, b->first_seq, b->end_seq);
	}
	encoding_close(&e);
	set_id(d, b, info);
	b->lines = info->entries;
	d->env->encoded += e.body->n;
}

struct slice
post_first_frame(const struct drain *d, const struct post_batch *b)
{
	struct slice frame = buf_slice(&b->notice);
	const struct segment *s;

	if (frame.n > 0)
		return frame;
	for (unsigned i = 0; (s = cursor_in_flight(&d->cursor, i)) != NULL; i++) {
		uint64_t seq = s->seq;

		if (seq + s->lines <= b->first_seq)
			continue;
		for (uint32_t at = s->from; at < s->to; seq++) {
			at = chunk_frame(s->chunk, at, &frame);
			if (seq >= b->first_seq && is_wanted((struct drain *)(uintptr_t)d, frame))
				return frame;
		}
	}
	abort();
}
