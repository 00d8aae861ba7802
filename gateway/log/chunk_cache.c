#include "log/chunk_cache.h"

#include <stdlib.h>

static bool
is_cached(const struct chunk *c)
{
	return c->state == CHUNK_SPOOLED && c->data != NULL;
}

void
chunk_cache_add(struct log_pool *pool, struct chunk *c)
{
	TAILQ_INSERT_TAIL(&pool->cache, c, cache_link);
	pool->cache_bytes += c->cap;
}

void
chunk_cache_forget(struct log_pool *pool, struct chunk *c)
{
	if (!is_cached(c))
		return;
	TAILQ_REMOVE(&pool->cache, c, cache_link);
	pool->cache_bytes -= c->cap;
}

static void
fall_asleep(struct log_pool *pool, struct chunk *c)
{
	chunk_cache_forget(pool, c);
	pool->chunk_bytes -= c->cap;
	free(c->data);
	c->data = NULL;
}

void
chunk_cache_trim(struct log_pool *pool)
{
	struct chunk *c, *next;

	for (c = TAILQ_FIRST(&pool->cache); c != NULL && pool->cache_bytes > pool->cache_limit;
	     c = next) {
		next = TAILQ_NEXT(c, cache_link);
		if (c->pins > 0)
			continue;
		if (c->refs == 0)
			app_log_drop_chunk(c->log, c);
		else
			fall_asleep(pool, c);
	}
}
