#include "log/log_shed.h"

#include "log/chunk_cache.h"
#include "log/cursor_place.h"
#include "log/cursor_ring.h"
#include "log/log_hole.h"
#include "log/log_spool.h"

/* Bytes that are in memory only. */
static size_t
unsafe_bytes(const struct app_log *log)
{
	const struct chunk *c;
	size_t bytes = 0;

	TAILQ_FOREACH(c, &log->chunks, link)
	if (chunk_is_unsaved(c))
		bytes += c->used;
	return bytes;
}

/* Whether a segment stands in it, or somebody needs it who does not lag. */
static bool
is_needed(const struct app_log *log, const struct chunk *chunk)
{
	const struct cursor *c;
	uint32_t plans = 0;

	TAILQ_FOREACH(c, &log->cursors, link)
	{
		plans += c->plan == chunk;
		if (!c->lags && c->plan_bytes < chunk->base + chunk->used)
			return true;
	}
	return chunk->refs > plans;
}

static void
give_up(struct app_log *log, struct chunk *chunk)
{
	struct spool_place from = {chunk->first_seq, chunk->base, chunk->first_line};
	struct spool_place end = {chunk->first_seq + chunk->lines, chunk->base + chunk->used,
				  chunk->first_line + chunk->lines};
	struct cursor *c;

	TAILQ_FOREACH(c, &log->cursors, link)
	{
		if (c->plan_bytes >= end.bytes)
			continue;
		if (c->plan_bytes >= chunk->base)
			cursor_jump(c, &end, CURSOR_MEMORY);
		else
			c->dropped(c, CURSOR_MEMORY, chunk->lines);
	}
	log_hole_add(log, &from, &end);
	log_spool_lose(log, from.seq, end.seq);
	/* A plan at its very end stays nowhere. */
	TAILQ_FOREACH(c, &log->cursors, link)
	if (c->plan == chunk)
		cursor_put(c, &end);
	app_log_drop_chunk(log, chunk);
}

void
log_shed(struct app_log *log, size_t keep)
{
	size_t bytes = unsafe_bytes(log), before = bytes;
	struct chunk *c, *next;
	struct cursor *cur;

	if (!log->pool->spooling) {
		TAILQ_FOREACH(cur, &log->cursors, link)
		if (cur->lags)
			cursor_trim(cur, keep);
		return;
	}
	for (c = TAILQ_FIRST(&log->chunks); c != NULL && bytes > keep && c->sealed; c = next) {
		next = TAILQ_NEXT(c, link);
		if (c->state != CHUNK_MEMORY || is_needed(log, c))
			continue;
		bytes -= c->used;
		give_up(log, c);
	}
	if (bytes == before)
		return;
	app_log_stir(log);
	app_log_weigh(log);
	app_log_collect(log);
}

void
log_shed_cursor(struct cursor *c, size_t keep)
{
	if (!c->log->pool->spooling)
		cursor_trim(c, keep);
	else if (c->log->pool->failing)
		log_shed(c->log, keep);
}

/*
 * What was begun is finished, be it that its receiver takes nothing for days: its
 * bytes stay in memory then, and hold nothing on disk.
 */
static void
cut(struct app_log *log, const struct spool_place *to)
{
	struct chunk *c;

	if (to->bytes > log->cut.bytes)
		log->cut = *to;
	TAILQ_FOREACH(c, &log->chunks, link)
	{
		if (c->base + c->used > to->bytes)
			break;
		if (c->state == CHUNK_ASKED || c->data == NULL)
			continue;
		chunk_cache_forget(log->pool, c);
		c->state = CHUNK_CUT;
	}
}

void
log_shed_to(struct app_log *log, const struct spool_place *to, enum cursor_reason reason)
{
	struct cursor *c;

	TAILQ_FOREACH(c, &log->cursors, link)
	cursor_shed(c, to, reason);
	cut(log, to);
	app_log_stir(log);
	app_log_weigh(log);
	app_log_collect(log);
}
