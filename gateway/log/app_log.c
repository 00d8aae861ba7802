#include "log/app_log.h"

#include <assert.h>
#include <stdlib.h>

#include "base/xmalloc.h"
#include "log/cursor.h"

/* Full-size chunks kept for reuse: enough that a busy worker does not go to malloc each 64 KiB. */
enum { SPARES_MAX = 32 };

/* The upper 24 bits of a sequence are the start number, the lower 40 the counter. */
enum { SEQ_COUNTER_BITS = 40 };

void
log_pool_init(struct log_pool *pool, size_t app_memory, size_t hold_budget, uint64_t start)
{
	*pool =
	    (struct log_pool){.app_memory = app_memory, .hold_budget = hold_budget, .start = start};
	TAILQ_INIT(&pool->spare);
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
	*c = (struct chunk){.cap = cap};
	return c;
}

static void
pool_give(struct log_pool *pool, struct chunk *c)
{
	pool->chunk_bytes -= c->cap;
	if (c->cap != CHUNK_FULL_BYTES || pool->spares >= SPARES_MAX) {
		chunk_free(c);
		return;
	}
	TAILQ_INSERT_HEAD(&pool->spare, c, link);
	pool->spares++;
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
	return log;
}

uint64_t
app_log_lines(const struct app_log *log)
{
	return log->end_seq - (log->pool->start << SEQ_COUNTER_BITS) + log->unkept;
}

static void
log_drop_chunk(struct app_log *log, struct chunk *c)
{
	TAILQ_REMOVE(&log->chunks, c, link);
	pool_give(log->pool, c);
}

void
app_log_free(struct app_log *log)
{
	struct chunk *c;

	assert(log->ncursors == 0);
	while ((c = TAILQ_FIRST(&log->chunks)) != NULL)
		log_drop_chunk(log, c);
	free(log->name);
	free(log);
}

/* A log without chunks got its first: cursors that stood at its end stand at its start. */
static void
log_place_cursors(struct app_log *log, struct chunk *c)
{
	struct cursor *cur;

	TAILQ_FOREACH(cur, &log->cursors, link)
	{
		if (cur->plan != NULL)
			continue;
		cur->plan = c;
		cur->plan_at = 0;
		c->refs++;
	}
}

static struct chunk *
log_grow(struct app_log *log, size_t n, int64_t now_ms)
{
	uint32_t cap = log->next_cap;
	struct chunk *c;

	/* A line larger than a chunk gets a chunk of its own. */
	if (cap < n)
		cap = n <= CHUNK_FULL_BYTES ? CHUNK_FULL_BYTES : (uint32_t)n;
	if (log->next_cap < CHUNK_FULL_BYTES)
		log->next_cap *= 2;
	c = pool_take(log->pool, cap);
	c->base = log->end_bytes;
	c->first_seq = log->end_seq;
	c->first_ms = now_ms;
	TAILQ_INSERT_TAIL(&log->chunks, c, link);
	log_place_cursors(log, c);
	return c;
}

char *
app_log_reserve(struct app_log *log, size_t n, int64_t now_ms)
{
	struct chunk *c = TAILQ_LAST(&log->chunks, chunk_list);

	assert(log->ncursors > 0);
	if (log->end_bytes == log->flushed_bytes) {
		log->fresh_bytes = log->end_bytes;
		log->fresh_ms = now_ms;
	}
	if (c == NULL || c->cap - c->used < n)
		c = log_grow(log, n, now_ms);
	else if (c->lines == 0)
		c->first_ms = now_ms;
	return c->data + c->used;
}

void
app_log_commit(struct app_log *log, size_t n)
{
	struct chunk *c = TAILQ_LAST(&log->chunks, chunk_list);

	c->used += (uint32_t)n;
	c->lines++;
	log->end_bytes += n;
	log->end_seq++;
	if (log->nlagging < log->ncursors) {
		log->pressure += n;
		log->pool->pressure += n;
	}
	if (log->nlagging > 0) {
		log->lagging += n;
		log->pool->lagging += n;
	}
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

void
app_log_hibernate(struct app_log *log)
{
	struct cursor *cur;
	struct chunk *c;

	assert(app_log_is_idle(log));
	TAILQ_FOREACH(cur, &log->cursors, link)
	cur->plan = NULL;
	while ((c = TAILQ_FIRST(&log->chunks)) != NULL)
		log_drop_chunk(log, c);
	log->next_cap = CHUNK_FIRST_BYTES;
}

/* Everything in the open chunk was released: write over it instead of moving on. */
static void
log_reuse_open(struct app_log *log)
{
	struct chunk *c = TAILQ_LAST(&log->chunks, chunk_list);
	struct cursor *cur;

	if (c == NULL || c->used == 0 || c->refs > log->ncursors || !app_log_is_idle(log))
		return;
	TAILQ_FOREACH(cur, &log->cursors, link)
	if (cur->plan != c)
		return;
	TAILQ_FOREACH(cur, &log->cursors, link)
	cur->plan_at = 0;
	c->base = log->end_bytes;
	c->first_seq = log->end_seq;
	c->used = c->lines = 0;
}

void
app_log_collect(struct app_log *log)
{
	struct chunk *open = TAILQ_LAST(&log->chunks, chunk_list);
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
			log_drop_chunk(log, c);
	}
	log_reuse_open(log);
}

void
app_log_weigh(struct app_log *log)
{
	const struct cursor *cur;
	size_t pressure = 0;
	size_t lagging = 0;

	log->nlagging = 0;
	TAILQ_FOREACH(cur, &log->cursors, link)
	{
		size_t unsent = cursor_waiting_bytes(cur);

		log->nlagging += cur->lags;
		if (cur->lags && unsent > lagging)
			lagging = unsent;
		if (!cur->lags && unsent > pressure)
			pressure = unsent;
	}
	log->pool->pressure += pressure - log->pressure;
	log->pool->lagging += lagging - log->lagging;
	log->pressure = pressure;
	log->lagging = lagging;
}
