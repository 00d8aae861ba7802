/*
 * A log with a spool in memory, and the test in the part of the worker: what is
 * committed and read when is said by it.  For tests only.
 */
#ifndef SPOOLED_LOG_H
#define SPOOLED_LOG_H

#include "log_test.h"

#include "fake_spool.h"
#include "log/chunk_cache.h"
#include "log/cursor_place.h"
#include "log/log_fetch.h"
#include "log/log_shed.h"
#include "log/log_spool.h"
#include "spool_calls.h"

enum { APP_MEMORY = 256 * 1024, FETCH_LIMIT = 64 * 1024, START = 3 };

struct fixture {
	struct log_pool pool;
	struct app_log *log;
	struct cursor a, b, c;
	struct fake_spool spool;
	uint64_t tcp; /* of a */
};

static uint64_t dropped[CURSOR_REASONS];

static inline void
on_reason(struct cursor *c, enum cursor_reason reason, uint64_t lines)
{
	(void)c;
	dropped[reason] += lines;
}

static inline uint64_t
dropped_in_all(void)
{
	uint64_t lines = 0;

	for (int i = 0; i < CURSOR_REASONS; i++)
		lines += dropped[i];
	return lines;
}

static inline void
join(struct fixture *f, struct cursor *c, uint64_t drain)
{
	*c = (struct cursor){.dropped = on_reason, .drain = drain};
	cursor_open(c, f->log, 0);
}

static inline int
setup(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));

	log_pool_init(&f->pool, APP_MEMORY, 16 * 1024 * 1024, START);
	f->pool.spooling = true;
	f->pool.cache_limit = 8 * 1024 * 1024;
	f->pool.stir = note_stir;
	f->pool.await = note_await;
	f->log = app_log_new(&f->pool, 1, "web");
	join(f, &f->a, 1);
	memset(dropped, 0, sizeof(dropped));
	*state = f;
	return 0;
}

/* Everything that was counted has gone again. */
static inline int
teardown(void **state)
{
	struct fixture *f = *state;
	struct cursor *all[] = {&f->a, &f->b, &f->c};

	for (int i = 0; i < 3; i++)
		if (all[i]->log != NULL)
			cursor_close(all[i]);
	if (f->log != NULL)
		app_log_free(f->log);
	log_pool_clear(&f->pool);
	assert_int_equal(f->pool.chunk_bytes + f->pool.cache_bytes, 0);
	assert_int_equal(f->pool.pressure + f->pool.lagging, 0);
	assert_int_equal(f->pool.holders + f->pool.laggards, 0);
	assert_true(TAILQ_EMPTY(&f->pool.cache) && TAILQ_EMPTY(&f->pool.hungry));
	fake_clear(&f->spool);
	free(f);
	return 0;
}

static inline void
append_many(struct fixture *f, unsigned from, unsigned to, size_t size)
{
	for (unsigned i = from; i < to; i++)
		append_line(f->log, i, size, 0);
}

/* Sends so many lines, which begin with that one. */
static inline void
send_lines(struct fixture *f, struct cursor *c, unsigned first, uint32_t lines)
{
	const struct segment *s;
	struct slice message;

	while (lines > 0) {
		assert_non_null(cursor_unsent(c, 0, 0));
		cursor_split(c, lines);
		s = cursor_unsent(c, 0, 0);
		(void)chunk_frame(s->chunk, s->from, &message);
		assert_int_equal(line_number(message), first);
		first += s->lines;
		lines -= s->lines;
		f->tcp += s->to - s->from;
		cursor_sent(c, f->tcp, 0);
	}
}

/* What is to be committed now; NULL: nothing. */
static inline struct spool_commit *
gather(struct fixture *f)
{
	struct spool_commit *commit = spool_commit_new(NULL, NULL);
	bool more;

	if (log_spool_gather(f->log, commit, SIZE_MAX, &more)) {
		assert_false(more);
		return commit;
	}
	spool_commit_free(commit);
	return NULL;
}

static inline void
answer(struct fixture *f, struct spool_commit *commit, enum spool_code code)
{
	if (code == SPOOL_OK)
		fake_write(&f->spool, commit);
	commit->code = code;
	log_spool_done(f->log, commit, &commit->parts[0]);
	spool_commit_free(commit);
}

/* All that is not safe gets on disk. */
static inline void
commit_all(struct fixture *f)
{
	struct spool_commit *commit = gather(f);

	assert_non_null(commit);
	answer(f, commit, SPOOL_OK);
}

/* Marks alone; false: there is nothing to tell. */
static inline bool
commit_marks(struct fixture *f)
{
	struct spool_commit *marks = spool_commit_new(NULL, NULL);
	bool any = log_spool_gather_marks(f->log, marks);

	if (any)
		fake_write(&f->spool, marks);
	spool_commit_free(marks);
	return any;
}

/* Nothing that is on disk stays in memory, unless it is pinned. */
static inline void
let_go(struct fixture *f)
{
	size_t limit = f->pool.cache_limit;

	f->pool.cache_limit = 0;
	chunk_cache_trim(&f->pool);
	f->pool.cache_limit = limit;
}

/* What a cursor waits for; NULL: nothing. */
static inline struct spool_fetch *
ask(struct fixture *f)
{
	struct app_log *log;
	uint64_t seq;

	log = log_fetch_next(&f->pool, &seq);
	if (log == NULL)
		return NULL;
	assert_ptr_equal(log, f->log);
	return spool_fetch_new(log->app, seq, FETCH_LIMIT, NULL, NULL);
}

static inline void
come(struct fixture *f, struct spool_fetch *fetch)
{
	log_fetch_done(f->log, fetch);
	spool_fetch_free(fetch);
}

static inline bool
fetch_once(struct fixture *f)
{
	struct spool_fetch *fetch = ask(f);

	if (fetch == NULL)
		return false;
	fake_read(&f->spool, fetch);
	come(f, fetch);
	return true;
}

/* As send_all, with what has to be read from the spool. */
static inline unsigned
read_all(struct fixture *f, struct cursor *c, unsigned first)
{
	uint64_t *tcp = &f->tcp;

	do
		first = send_all(c, first, tcp, 0);
	while (fetch_once(f));
	return first;
}

#endif
