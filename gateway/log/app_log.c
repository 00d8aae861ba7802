#include "log/app_log.h"

#include <assert.h>
#include <stdlib.h>

#include "base/xmalloc.h"
#include "log/chunk_cache.h"
#include "log/cursor_place.h"
#include "log/log_fetch.h"
#include "log/log_hole.h"
#include "log/log_spool.h"

/* Full-size chunks kept for reuse: enough that a busy worker does not go to malloc each 64 KiB. */
enum { SPARES_MAX = 32 };

enum { CACHE_LINE_BYTES = 64, EXPECT_BYTES = 512 };

/* The upper 24 bits of a sequence are the start number, the lower 40 the counter. */
enum { SEQ_COUNTER_BITS = 40 };

void
log_pool_init(struct log_pool *pool, size_t app_memory, size_t hold_budget, uint64_t start)
{
	*pool =
	    (struct log_pool){.app_memory = app_memory, .hold_budget = hold_budget, .start = start};
	TAILQ_INIT(&pool->spare);
	TAILQ_INIT(&pool->cache);
	TAILQ_INIT(&pool->hungry);
}

void
log_pool_clear(struct log_pool *pool)
{
	struct chunk *c;

	while ((c = TAILQ_FIRST(&pool->spare)) != NULL) {
		TAILQ_REMOVE(&pool->spare, c, link);
		chunk_free(c);
	}
	pool->spares = 0;
}

static struct chunk *
pool_take(struct log_pool *pool, uint32_t cap)
{
	struct chunk *c = TAILQ_FIRST(&pool->spare);

	pool->chunk_bytes += cap;
	if (cap != CHUNK_FULL_BYTES || c == NULL)
		return chunk_new(cap);
	TAILQ_REMOVE(&pool->spare, c, link);
	pool->spares--;
	chunk_clear(c);
	return c;
}

static void
pool_give(struct log_pool *pool, struct chunk *c)
{
	if (c->data == NULL) {
		chunk_free(c);
		return;
	}
	pool->chunk_bytes -= c->cap;
	if (c->cap != CHUNK_FULL_BYTES || pool->spares >= SPARES_MAX) {
		chunk_free(c);
		return;
	}
	TAILQ_INSERT_HEAD(&pool->spare, c, link);
	pool->spares++;
}

static void
set_origin(struct app_log *log, uint64_t bytes, uint64_t lines)
{
	log->end_bytes = log->flushed_bytes = bytes;
	log->spooled_bytes = log->asked_bytes = bytes;
	log->end_lines = lines;
}

struct app_log *
app_log_new(struct log_pool *pool, uint64_t app, const char *name)
{
	struct app_log *log = xcalloc(1, sizeof(*log));

	log->pool = pool;
	log->app = app;
	log->name = xstrdup(name);
	log->next_cap = CHUNK_FIRST_BYTES;
	log->end_seq = pool->start << SEQ_COUNTER_BITS;
	TAILQ_INIT(&log->chunks);
	TAILQ_INIT(&log->cursors);
	TAILQ_INIT(&log->waits);
	TAILQ_INIT(&log->holes);
	if (pool->spooling)
		set_origin(log, SPOOL_ORIGIN, SPOOL_ORIGIN);
	return log;
}

void
app_log_restore(struct app_log *log, uint64_t bytes, uint64_t lines)
{
	assert(TAILQ_EMPTY(&log->chunks) && log->ncursors == 0);
	set_origin(log, bytes, lines);
	log->kept = true;
	app_log_stir(log);
}

uint64_t
app_log_lines(const struct app_log *log)
{
	return log->end_seq - (log->pool->start << SEQ_COUNTER_BITS) + log->unkept;
}

void
app_log_drop_chunk(struct app_log *log, struct chunk *c)
{
	assert(c->pins == 0);
	chunk_cache_forget(log->pool, c);
	TAILQ_REMOVE(&log->chunks, c, link);
	if (c == log->last)
		log->last = TAILQ_LAST(&log->chunks, chunk_list);
	pool_give(log->pool, c);
}

void
app_log_free(struct app_log *log)
{
	struct chunk *c;

	assert(log->ncursors == 0);
	log_fetch_forget(log);
	log_spool_settle_all(log);
	while ((c = TAILQ_FIRST(&log->chunks)) != NULL)
		app_log_drop_chunk(log, c);
	log_hole_forget(log, log->end_bytes);
	free(log->name);
	free(log);
}

/* Cursors that stood at the log's end without a chunk stand at its new chunk's start. */
static void
log_place_cursors(struct app_log *log, struct chunk *c)
{
	struct cursor *cur;

	TAILQ_FOREACH(cur, &log->cursors, link)
	{
		if (cur->plan != NULL || cur->plan_bytes != c->base)
			continue;
		cur->plan = c;
		cur->plan_at = 0;
		cur->plan_seq = c->first_seq;
		c->refs++;
	}
}

/*
 * Chunks double as long as they get full; those that were committed before
 * they were make the next ones smaller.  Of many logs that lag each has small ones: it is
 * what a drain that is away keeps in memory.
 */
static uint32_t
log_next_cap(const struct app_log *log)
{
	const struct chunk *last = log->last;
	const struct log_pool *pool = log->pool;
	uint32_t cap = log->next_cap, most = CHUNK_FULL_BYTES;

	if (last != NULL && last->sealed && last->used < last->cap / 4)
		cap /= 4;
	if (log->nlagging > 0 && pool->spooling && pool->cache_limit / pool->laggards < most)
		most = (uint32_t)(pool->cache_limit / pool->laggards);
	if (cap > most)
		cap = most;
	return cap < CHUNK_FIRST_BYTES ? CHUNK_FIRST_BYTES : cap;
}

static uint32_t
doubled(uint32_t cap)
{
	return cap <= CHUNK_FULL_BYTES / 2 ? cap * 2 : CHUNK_FULL_BYTES;
}

static struct chunk *
log_grow(struct app_log *log, size_t n, int64_t now_ms)
{
	uint32_t cap = log_next_cap(log);
	struct chunk *c;

	while (cap < n && cap < CHUNK_FULL_BYTES)
		cap = doubled(cap);
	log->next_cap = doubled(cap);
	/* A line larger than a chunk gets a chunk of its own. */
	if (cap < n)
		cap = (uint32_t)n;
	app_log_seal(log);
	c = pool_take(log->pool, cap);
	c->log = log;
	c->base = log->end_bytes;
	c->first_seq = log->end_seq;
	c->first_line = log->end_lines;
	c->first_ms = now_ms;
	TAILQ_INSERT_TAIL(&log->chunks, c, link);
	log->last = c;
	log_place_cursors(log, c);
	return c;
}

char *
app_log_reserve(struct app_log *log, size_t n, int64_t now_ms)
{
	struct chunk *c = log->last;

	assert(log->ncursors > 0);
	if (log->end_bytes == log->flushed_bytes) {
		log->fresh_bytes = log->end_bytes;
		log->fresh_ms = now_ms;
	}
	if (c == NULL || c->sealed || c->cap - c->used < n)
		c = log_grow(log, n, now_ms);
	else if (c->lines == 0)
		c->first_ms = now_ms;
	return c->data + c->used;
}

/* The disk has to keep up with a cursor that lags; one that takes nothing does not. */
static bool
lag_presses(const struct log_pool *pool)
{
	return pool->spooling && !pool->failing;
}

/*
 * The log's next line will be about as long, and with many apps its place is out of
 * the caches by then: waiting for it cost a third of all time that a line takes.
 */
static void
expect_line(const struct chunk *c, size_t n)
{
	if (c->cap - c->used < n)
		return;
	for (size_t i = 0; i < n && i < EXPECT_BYTES; i += CACHE_LINE_BYTES)
		__builtin_prefetch(c->data + c->used + i, 1);
}

void
app_log_commit(struct app_log *log, size_t n)
{
	struct chunk *c = log->last;

	c->used += (uint32_t)n;
	c->lines++;
	expect_line(c, n);
	log->end_bytes += n;
	log->end_seq++;
	log->end_lines++;
	app_log_stir(log);
	/* As app_log_weigh will find. */
	if (log->nlagging < log->ncursors || lag_presses(log->pool)) {
		log->pressure += n;
		log->pool->pressure += n;
	}
	if (log->nlagging > 0 && !lag_presses(log->pool)) {
		log->lagging += n;
		log->pool->lagging += n;
	}
}

void
app_log_seal(struct app_log *log)
{
	struct chunk *c = log->last;

	if (c != NULL)
		c->sealed = true;
}

void
app_log_stir(struct app_log *log)
{
	log->moved = true;
	if (log->pool->spooling && !log->dirty)
		log->pool->stir(log, log->pool->arg);
}

bool
app_log_is_idle(const struct app_log *log)
{
	const struct cursor *cur;

	TAILQ_FOREACH(cur, &log->cursors, link)
	if (cur->count > 0 || cur->plan_bytes != log->end_bytes)
		return false;
	return true;
}

bool
app_log_lags(const struct app_log *log)
{
	const struct cursor *cur;

	TAILQ_FOREACH(cur, &log->cursors, link)
	if (cur->lags && !cur->tap)
		return true;
	return false;
}

void
app_log_hibernate(struct app_log *log)
{
	struct cursor *cur;
	struct chunk *c;

	assert(app_log_is_idle(log));
	TAILQ_FOREACH(cur, &log->cursors, link)
	cur->plan = NULL;
	while ((c = TAILQ_FIRST(&log->chunks)) != NULL)
		app_log_drop_chunk(log, c);
	log->next_cap = CHUNK_FIRST_BYTES;
}

/* Everything in the open chunk was released: write over it instead of moving on. */
static void
log_reuse_open(struct app_log *log)
{
	struct chunk *c = log->last;
	struct cursor *cur;
	uint32_t refs;

	if (c == NULL || c->used == 0 || c->data == NULL || c->refs > log->ncursors ||
	    !app_log_is_idle(log))
		return;
	TAILQ_FOREACH(cur, &log->cursors, link)
	if (cur->plan != c)
		return;
	TAILQ_FOREACH(cur, &log->cursors, link)
	{
		cur->plan_at = 0;
		/* The chunk may be of an earlier start, which numbered its lines otherwise. */
		cur->plan_seq = log->end_seq;
	}
	chunk_cache_forget(log->pool, c);
	refs = c->refs;
	TAILQ_REMOVE(&log->chunks, c, link);
	chunk_clear(c);
	TAILQ_INSERT_TAIL(&log->chunks, c, link);
	c->refs = refs;
	c->log = log;
	c->base = log->end_bytes;
	c->first_seq = log->end_seq;
	c->first_line = log->end_lines;
}

void
app_log_collect(struct app_log *log)
{
	struct chunk *open = log->last;
	struct chunk *c, *next;
	const struct cursor *cur;
	uint64_t needed = log->end_bytes;

	TAILQ_FOREACH(cur, &log->cursors, link)
	if (cur->plan_bytes < needed)
		needed = cur->plan_bytes;
	for (c = TAILQ_FIRST(&log->chunks); c != NULL && c != open; c = next) {
		next = TAILQ_NEXT(c, link);
		if (c->base + c->used > needed)
			break;
		if (c->refs == 0)
			app_log_drop_chunk(log, c);
	}
	log_hole_forget(log, needed);
	log_reuse_open(log);
}

/* What must be in memory for it: with a spool, unsent lines that are not on disk. */
static size_t
log_unsent(const struct app_log *log, const struct cursor *cur)
{
	uint64_t from = cur->plan_bytes;

	if (!log->pool->spooling)
		return cursor_waiting_bytes(cur);
	if (log->spooled_bytes > from)
		from = log->spooled_bytes;
	return (size_t)(log->end_bytes - from - log_hole_bytes(log, from, log->end_bytes)) +
	       cursor_unsaved_bytes(cur);
}

void
app_log_weigh(struct app_log *log)
{
	const struct cursor *cur;
	struct log_pool *pool = log->pool;
	size_t pressure = 0;
	size_t lagging = 0;
	unsigned lag = 0;

	TAILQ_FOREACH(cur, &log->cursors, link)
	{
		size_t unsent = log_unsent(log, cur);
		bool presses = !cur->lags || lag_presses(pool);

		lag += cur->lags;
		if (!presses && unsent > lagging)
			lagging = unsent;
		if (presses && unsent > pressure)
			pressure = unsent;
	}
	pool->laggards += lag > 0;
	pool->laggards -= log->nlagging > 0;
	log->nlagging = lag;
	pool->pressure += pressure - log->pressure;
	pool->lagging += lagging - log->lagging;
	log->pressure = pressure;
	log->lagging = lagging;
}
