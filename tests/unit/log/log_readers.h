/*
 * What happens to the readers of a modelled log, at random: lines come, are sent,
 * acknowledged, lost and given up, drains come, go and replace each other.  For
 * tests only.
 */
#ifndef LOG_READERS_H
#define LOG_READERS_H

#include "log/cursor_move.h"
#include "log_model.h"

static inline bool
is_full(const struct model *m)
{
	return end_line(m) + 64 >= LINES_MAX;
}

static inline void
on_told(void *arg, bool safe)
{
	struct wait *w = arg;

	assert_false(w->is_told);
	w->is_told = true;
	if (model->ending || !safe)
		return;
	check_safe(model, model->safe, w->line);
	if (w->line > model->safe)
		model->safe = w->line;
}

static inline void
append_some(struct model *m)
{
	static const unsigned sizes[] = {40, 40, 200, 1000, 3000, 30000, 70000};
	unsigned n = 1 + any(20);

	for (; n > 0 && !is_full(m); n--) {
		unsigned line = end_line(m), size = 32 + any(sizes[any(7)]);

		if (m->log->ncursors == 0)
			return;
		m->size[line] = chunk_count_size(size) + size;
		m->gone[line] = m->excused[line] = false;
		append_line(m->log, line, size, m->now_ms);
	}
	if (!one_in(3) || m->log->end_lines == SPOOL_ORIGIN)
		return;
	for (unsigned i = 0; i < WAITS_MAX; i++) {
		struct wait *w = &m->waits[i];

		if (w->line > 0 && !w->is_told)
			continue;
		*w = (struct wait){.line = end_line(m)};
		assert_true(log_spool_await(m->log, on_told, w));
		return;
	}
}

static inline bool
is_listed(const struct model *m, const struct chunk *chunk)
{
	const struct chunk *c;

	TAILQ_FOREACH(c, &m->log->chunks, link)
	if (c == chunk)
		return true;
	return false;
}

/* The lines of chunks that are there before and not behind it were given up. */
static inline void
shed(struct model *m, struct cursor *judged)
{
	struct {
		const struct chunk *chunk;
		unsigned first, end;
	} before[1024];
	const struct chunk *c;
	unsigned n = 0;

	TAILQ_FOREACH(c, &m->log->chunks, link)
	{
		unsigned first = (unsigned)(c->first_line - SPOOL_ORIGIN);

		if (c->state != CHUNK_MEMORY || n == 1024)
			continue;
		before[n].chunk = c;
		before[n].first = first;
		before[n++].end = first + c->lines;
	}
	if (judged != NULL)
		cursor_judge(judged, one_in(3), m->now_ms);
	else
		log_shed(m->log, any(200 * 1000));
	for (unsigned i = 0; i < n; i++)
		for (unsigned k = before[i].first;
		     !is_listed(m, before[i].chunk) && k < before[i].end; k++)
			m->gone[k] = m->excused[k] = true;
}

/* -- readers */

static inline void
take_order(struct reader *r, const struct segment *s)
{
	unsigned first = segment_line(s), line = first;
	struct slice message;

	assert_non_null(s->chunk->data);
	for (uint32_t at = s->from; at < s->to; line++) {
		at = chunk_frame(s->chunk, at, &message);
		assert_int_equal(line_number(message), line);
		assert_int_equal(r->lines[line] & (PASSED | OTHERS), 0);
	}
	assert_int_equal(line, first + s->lines);
	assert_true(r->rewound || first >= r->next);
	for (unsigned i = r->next; i < first; i++)
		if ((r->lines[i] & TAKEN) == 0)
			r->lines[i] |= PASSED;
	r->rewound = false;
	r->next = line;
}

static inline void
send_one(struct model *m, struct reader *r)
{
	const struct segment *s = cursor_unsent(&r->c, 0, m->now_ms);

	if (s == NULL)
		return;
	if (one_in(3)) {
		cursor_split(&r->c, 1 + any(s->lines));
		s = cursor_unsent(&r->c, 0, m->now_ms);
	}
	take_order(r, s);
	unpin(r);
	r->tcp += s->to - s->from;
	cursor_sent(&r->c, r->kind == EXACT ? s->seq + s->lines : r->tcp, m->now_ms);
}

/* The next one is written in part. */
static inline void
begin_one(struct model *m, struct reader *r)
{
	const struct segment *s = cursor_unsent(&r->c, 0, m->now_ms);

	if (s == NULL || r->pinned != NULL)
		return;
	r->pinned = s->chunk;
	r->pinned->pins++;
}

/* Segments from that one on count as taken now. */
static inline uint64_t
mark_taken(struct reader *r, unsigned from)
{
	uint64_t lines = 0;

	for (unsigned i = from; i < r->c.taken; i++) {
		const struct segment *s = ring_at(&r->c, i);

		for (unsigned k = segment_line(s); k < segment_line(s) + s->lines; k++) {
			r->lines[k] |= ACKED;
			if (!wants_line(r, k) || (r->lines[k] & TAKEN) != 0)
				continue;
			lines++;
			r->lines[k] |= TAKEN;
		}
	}
	return lines;
}

static inline void
let_go_of(struct reader *r, void (*how)(struct reader *))
{
	uint64_t before = ring_wanted(r, 0, r->c.count, true);

	how(r);
	r->released += before - ring_wanted(r, 0, r->c.count, true);
}

static inline void
release_some(struct reader *r)
{
	if (r->kind != STREAM || one_in(4))
		cursor_release_all(&r->c);
	else
		cursor_release(&r->c, one_in(2) ? &hold_all : &hold_none, one_in(4), model->now_ms);
}

static inline void
ack_some(struct reader *r)
{
	const struct segment *s = cursor_in_flight(&r->c, 0);
	unsigned before = r->c.taken;
	uint64_t end, lines;

	if (s == NULL)
		return;
	s = cursor_in_flight(&r->c, any(r->c.sent - r->c.taken));
	end = s->end;
	if (r->kind == EXACT && one_in(2)) {
		end -= any(s->lines);
		cursor_cut(&r->c, end);
	} else if (one_in(3)) {
		end--;
	}
	lines = cursor_acked(&r->c, end).lines;
	assert_int_equal(lines, mark_taken(r, before));
	if (r->kind == EXACT || one_in(2))
		let_go_of(r, release_some);
}

static inline void
lose(struct reader *r)
{
	bool begun = r->pinned != NULL, stopped = one_in(2);

	unpin(r);
	if (r->kind == EXACT)
		cursor_unsend(&r->c);
	else
		cursor_lost(&r->c, &hold_all, begun, stopped, model->now_ms);
}

static inline void
be_refused(struct reader *r)
{
	struct cursor_taken untaken;
	uint64_t lines = 0;

	unpin(r);
	for (unsigned i = 0; i < r->c.taken; i++) {
		const struct segment *s = ring_at(&r->c, i);

		for (unsigned k = segment_line(s); k < segment_line(s) + s->lines; k++)
			if (s->resent == 0) {
				lines += wants_line(r, k);
				r->lines[k] &= (unsigned char)~TAKEN;
			}
	}
	(void)cursor_refused(&r->c, &untaken);
	assert_int_equal(untaken.lines, lines);
}

static inline void
lose_connection(struct reader *r)
{
	if (r->kind == TAP)
		return;
	/* All from here on goes out again, unless it is dropped. */
	if (r->c.taken < r->c.count)
		r->next = segment_line(ring_at(&r->c, r->c.taken));
	r->rewound = true;
	let_go_of(r, one_in(6) && r->kind == STREAM ? be_refused : lose);
	if (one_in(5))
		cursor_forgive(&r->c);
}

static inline void
flush_tap(struct model *m, struct reader *r)
{
	const struct segment *s;

	while ((s = cursor_unsent(&r->c, 0, m->now_ms)) != NULL) {
		take_order(r, s);
		cursor_sent(&r->c, ++r->tcp, m->now_ms);
		(void)cursor_acked(&r->c, r->tcp);
		(void)mark_taken(r, 0);
		let_go_of(r, release_some);
	}
	r->c.lags = true;
	app_log_weigh(m->log);
}

static inline void
use(struct model *m, struct reader *r)
{
	if (r->kind == TAP) {
		flush_tap(m, r);
		return;
	}
	switch (any(8)) {
	case 0:
	case 1:
	case 2:
		for (unsigned n = any(6); n > 0; n--)
			send_one(m, r);
		break;
	case 3:
	case 4:
		ack_some(r);
		break;
	case 5:
		let_go_of(r, release_some);
		break;
	case 6:
		if (one_in(4))
			lose_connection(r);
		else if (r->kind == STREAM)
			begin_one(m, r);
		break;
	default:
		shed(m, &r->c);
		if (one_in(2))
			cursor_skip_unwanted(&r->c);
		(void)cursor_is_away(&r->c);
	}
}

static inline struct reader *
free_reader(struct model *m)
{
	for (int i = 0; i < READERS; i++)
		if (m->readers[i].c.log == NULL)
			return &m->readers[i];
	return NULL;
}

static inline void
add_reader(struct model *m)
{
	struct reader *r = free_reader(m);

	if (r == NULL)
		return;
	r->kind = (enum reader_kind)(one_in(6) ? TAP : any(2));
	r->sieve = one_in(3) ? 2 + any(10) : 0;
	reader_open(m, r, ++m->drains);
	if (one_in(4))
		r->c.admit = on_admit;
}

static inline void
remove_reader(struct model *m, struct reader *r)
{
	uint64_t lost = cursor_waiting_lines(&r->c), taken_again = 0;

	unpin(r);
	for (unsigned i = r->c.sent; i < r->c.count; i++)
		if (ring_at(&r->c, i)->counted)
			taken_again += segment_wanted(ring_at(&r->c, i));
	for (unsigned i = r->c.taken; i < r->c.sent; i++)
		if (!ring_at(&r->c, i)->counted)
			lost += segment_wanted(ring_at(&r->c, i));
	m->log->ntaps -= r->kind == TAP;
	assert_int_equal(cursor_close(&r->c), lost - taken_again);
	assert_null(r->c.ring);
}

/* Lines of the old one's that the new one will not see any more. */
static inline void
inherit(const struct model *m, struct reader *to, const struct reader *from)
{
	unsigned end = plan_line(from);

	to->first = to->next = end;
	if (from->c.count > 0)
		to->first = to->next = segment_line(ring_at(&from->c, 0));
	for (unsigned i = to->first; i < end; i++)
		to->lines[i] = OTHERS;
	for (unsigned i = 0; i < from->c.count; i++) {
		const struct segment *s = ring_at(&from->c, i);

		for (unsigned k = segment_line(s); k < segment_line(s) + s->lines; k++)
			to->lines[k] = from->lines[k] & ACKED;
	}
	for (unsigned i = end; i < end_line(m); i++)
		to->lines[i] = m->gone[i] ? OTHERS : 0;
}

static inline void
replace_reader(struct model *m, struct reader *from)
{
	struct reader *to = free_reader(m);
	uint64_t lines;

	if (to == NULL || from->kind == TAP)
		return;
	if (from->kind == EXACT)
		cursor_unsend(&from->c);
	else if (one_in(2))
		cursor_release_all(&from->c);
	unpin(from);
	lines =
	    cursor_waiting_lines(&from->c) - ring_wanted(from, from->c.sent, from->c.count, true);
	for (unsigned i = 0; i < from->c.count; i++)
		lines += ring_at(&from->c, i)->lines;
	to->kind = (enum reader_kind)any(2);
	to->sieve = one_in(3) ? 2 + any(10) : 0;
	reader_open(m, to, from->c.drain);
	inherit(m, to, from);
	cursor_move(&to->c, &from->c);
	to->opened = (int64_t)(end_line(m) - lines);
}

#endif
