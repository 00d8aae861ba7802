/*
 * A log, its readers and a spool in memory, with an account of every line: which
 * reader took it, was told that it was dropped or filtered, or still waits for
 * it.  For tests only.
 */
#ifndef LOG_MODEL_H
#define LOG_MODEL_H

#include "log_test.h"

#include "fake_spool.h"
#include "log/chunk_cache.h"
#include "log/cursor_place.h"
#include "log/cursor_ring.h"
#include "log/log_fetch.h"
#include "log/log_hole.h"
#include "log/log_shed.h"
#include "log/log_spool.h"
#include "spool_calls.h"

enum { LINES_MAX = 20000, READERS = 6, WAITS_MAX = 64, PENDING_MAX = 8 };

enum reader_kind { STREAM, EXACT, TAP };

/* What a reader knows of a line. */
enum {
	TAKEN = 1,  /* it was acknowledged */
	PASSED = 2, /* a later one came without it */
	OTHERS = 4, /* it was dropped or filtered for the drain that this one replaced */
	ACKED = 8,  /* it was taken once, as its receiver said */
};

struct reader {
	struct cursor c; /* log NULL: there is none */
	enum reader_kind kind;
	unsigned sieve; /* wants no multiples of it; 0: wants all */
	unsigned first; /* line that it saw first, or may see */
	unsigned
	    next;     /* the one that should come now, or one behind it if those between are lost */
	bool rewound; /* or one before it */
	unsigned char lines[LINES_MAX];
	uint64_t tcp;
	int64_t opened; /* lines that were, are or will be its business count from here */
	/* Lines that were let go, that went without a word as they were taken once, and told. */
	uint64_t released, vanished, dropped, filtered;
	struct chunk *pinned; /* its next unsent segment was begun */
};

struct wait {
	unsigned line; /* behind the one */
	unsigned told;
	bool is_told;
};

struct pending {
	struct spool_commit *commit; /* or */
	struct spool_fetch *fetch;
	bool chunks;  /* not marks alone */
	bool written; /* or read */
};

struct model {
	struct log_pool pool;
	struct app_log *log;
	struct fake_spool spool;
	struct reader readers[READERS];
	uint64_t drains; /* ids given so far */
	int64_t now_ms;
	struct pending pending[PENDING_MAX]; /* with the spooler, in order */
	unsigned npending;
	bool committing;
	size_t size[LINES_MAX];	 /* of each line, with its count */
	bool gone[LINES_MAX];	 /* given up in memory, in this life */
	bool excused[LINES_MAX]; /* safe once, and given up since */
	unsigned safe;		 /* all before it were said to be safe */
	struct wait waits[WAITS_MAX];
	unsigned nwaits;
	bool ending; /* what is said to be safe now is so because nobody needs it */
};

static struct model *model; /* of hooks that know a cursor only */
static unsigned seed;

static inline unsigned
any(unsigned n)
{
	seed = seed * 1103515245 + 12345;
	return (seed >> 8) % n;
}

static inline bool
one_in(unsigned n)
{
	return any(n) == 0;
}

static inline struct reader *
reader_of(struct cursor *c)
{
	return (struct reader *)c;
}

static inline unsigned
end_line(const struct model *m)
{
	return (unsigned)(m->log->end_lines - SPOOL_ORIGIN);
}

static inline unsigned
plan_line(const struct reader *r)
{
	return (unsigned)(r->c.plan_lines - SPOOL_ORIGIN);
}

static inline unsigned
segment_line(const struct segment *s)
{
	return (unsigned)(s->chunk->first_line + (s->seq - s->chunk->first_seq) - SPOOL_ORIGIN);
}

static inline bool
wants_line(const struct reader *r, unsigned line)
{
	return r->sieve == 0 || line % r->sieve != 0;
}

static inline bool
on_wants(struct cursor *c, struct slice message)
{
	return wants_line(reader_of(c), line_number(message));
}

static inline void
on_filtered(struct cursor *c, uint64_t lines)
{
	reader_of(c)->filtered += lines;
}

static inline void
on_lines_dropped(struct cursor *c, enum cursor_reason reason, uint64_t lines)
{
	(void)reason;
	reader_of(c)->dropped += lines;
}

static inline uint32_t
on_admit(struct cursor *c, uint32_t lines, int64_t now_ms)
{
	(void)c;
	(void)now_ms;
	return one_in(3) ? any(lines + 1) : lines;
}

/* A reader at the log's end. */
static inline void
reader_open(struct model *m, struct reader *r, uint64_t drain)
{
	r->c = (struct cursor){.drain = drain,
			       .tap = r->kind == TAP,
			       .exact = r->kind == EXACT,
			       .dropped = on_lines_dropped,
			       .filtered = on_filtered,
			       .wants = r->sieve > 0 ? on_wants : NULL};
	cursor_open(&r->c, m->log, m->now_ms);
	m->log->ntaps += r->kind == TAP;
	r->first = r->next = end_line(m);
	r->opened = r->first;
	r->rewound = false;
	r->pinned = NULL;
	r->released = r->vanished = r->dropped = r->filtered = 0;
	memset(r->lines, 0, sizeof(r->lines));
}

static inline void
unpin(struct reader *r)
{
	if (r->pinned != NULL)
		r->pinned->pins--;
	r->pinned = NULL;
}

static inline uint64_t
ring_wanted(const struct reader *r, unsigned from, unsigned to, bool counted_too)
{
	uint64_t lines = 0;

	for (unsigned i = from; i < to; i++)
		if (counted_too || ring_at(&r->c, i)->counted)
			lines += segment_wanted(ring_at(&r->c, i));
	return lines;
}

/* Each line is in one place: it waits, is on its way, was let go, or told of. */
static inline void
check_lines(const struct model *m, const struct reader *r)
{
	uint64_t known = cursor_waiting_lines(&r->c) + ring_wanted(r, 0, r->c.sent, true) +
			 r->released + r->vanished + r->dropped + r->filtered;

	assert_int_equal((int64_t)end_line(m) - r->opened, known);
}

static inline void
check_bytes(const struct model *m, const struct reader *r)
{
	size_t bytes = 0;

	for (unsigned i = plan_line(r); i < end_line(m); i++)
		if (!m->gone[i])
			bytes += m->size[i];
	for (unsigned i = r->c.sent; i < r->c.count; i++)
		bytes += segment_bytes(ring_at(&r->c, i));
	assert_int_equal(cursor_waiting_bytes(&r->c), bytes);
}

static inline void
check_chunk(const struct model *m, const struct chunk *c)
{
	uint32_t refs = 0, pins = 0;

	for (int i = 0; i < READERS; i++) {
		const struct reader *r = &m->readers[i];

		if (r->c.log == NULL)
			continue;
		refs += r->c.plan == c;
		pins += r->pinned == c;
		for (unsigned k = 0; k < r->c.count; k++) {
			refs += ring_at(&r->c, k)->chunk == c;
			pins += ring_at(&r->c, k)->chunk == c && r->kind == EXACT;
		}
	}
	assert_int_equal(c->refs, refs);
	assert_int_equal(c->pins, pins);
	assert_true(c->data != NULL || c->state == CHUNK_SPOOLED);
	assert_true(c->data == NULL || c->used <= c->cap);
}

static inline void
check_chunks(const struct model *m)
{
	const struct chunk *c, *before = NULL;
	size_t cached = 0, bytes = 0;

	TAILQ_FOREACH(c, &m->log->chunks, link)
	{
		check_chunk(m, c);
		if (before != NULL)
			assert_true(before->base + before->used <= c->base &&
				    before->first_seq + before->lines <= c->first_seq);
		before = c;
		if (c->data == NULL)
			continue;
		bytes += c->cap;
		if (c->state == CHUNK_SPOOLED)
			cached += c->cap;
	}
	assert_int_equal(m->pool.chunk_bytes, bytes);
	assert_int_equal(m->pool.cache_bytes, cached);
}

static inline void
check_sums(struct model *m)
{
	size_t pressure = m->pool.pressure, lagging = m->pool.lagging;
	unsigned holders = 0;

	app_log_weigh(m->log);
	assert_int_equal(m->pool.pressure, pressure);
	assert_int_equal(m->pool.lagging, lagging);
	for (int i = 0; i < READERS; i++)
		if (m->readers[i].c.log != NULL && m->readers[i].kind != EXACT)
			holders += m->readers[i].c.count > 0;
	assert_int_equal(m->pool.holders, holders);
}

static inline void
check_model(struct model *m)
{
	for (int i = 0; i < READERS; i++) {
		struct reader *r = &m->readers[i];

		if (r->c.log == NULL)
			continue;
		check_lines(m, r);
		if (one_in(20))
			check_bytes(m, r);
	}
	check_chunks(m);
	check_sums(m);
}

/* The line is still a reader's business: not taken, not told of. */
static inline bool
is_owed(const struct reader *r, unsigned line)
{
	if (r->c.log == NULL || r->kind == TAP || line < r->first || !wants_line(r, line) ||
	    (r->lines[line] & TAKEN) != 0)
		return false;
	if (line >= plan_line(r))
		return true;
	for (unsigned i = r->c.taken; i < r->c.count; i++) {
		const struct segment *s = ring_at(&r->c, i);

		if (line - segment_line(s) < s->lines)
			return true;
	}
	return false;
}

static inline bool
is_on_disk(const struct model *m, unsigned line)
{
	for (size_t i = 0; i < m->spool.n; i++) {
		const struct spool_chunk *c = &m->spool.chunks[i].is;

		if (SPOOL_ORIGIN + line - c->at.lines < c->lines)
			return true;
	}
	return false;
}

/* Every line that is said to be safe is taken by all, on disk, or was given up. */
static inline void
check_safe(const struct model *m, unsigned from, unsigned to)
{
	for (unsigned line = from; line < to; line++)
		for (int i = 0; i < READERS; i++)
			if (is_owed(&m->readers[i], line) && !m->excused[line])
				assert_true(is_on_disk(m, line));
}

/* Where a reader goes on after the next start; behind the log's end: at its end. */
static inline struct spool_place
resume_place(const struct model *m, const struct reader *r)
{
	const struct spool_place *mark = fake_mark(&m->spool, r->c.drain);
	struct spool_place end = {UINT64_MAX, UINT64_MAX, UINT64_MAX};

	return mark != NULL ? *mark : end;
}

/* When the gateway dies now, each drain gets what was safe after the next start. */
static inline void
check_survival(const struct model *m)
{
	for (int i = 0; i < READERS; i++) {
		const struct reader *r = &m->readers[i];

		if (r->c.log == NULL || r->kind == TAP)
			continue;
		for (unsigned line = r->first; line < m->safe; line++) {
			if (!is_owed(r, line) || m->excused[line] || (r->lines[line] & ACKED) != 0)
				continue;
			assert_true(is_on_disk(m, line));
			assert_true(resume_place(m, r).lines <= SPOOL_ORIGIN + line);
		}
	}
}

#endif
