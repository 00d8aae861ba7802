#include "log/log_fetch.h"

#include <stdlib.h>

#include "base/clock.h"
#include "log/chunk_cache.h"
#include "log/cursor_place.h"
#include "log/cursor_ring.h"

static void
line_up(struct app_log *log)
{
	if (log->hungry || log->fetching)
		return;
	log->hungry = true;
	TAILQ_INSERT_TAIL(&log->pool->hungry, log, hungry_link);
}

void
log_fetch_want(struct cursor *c, uint64_t seq)
{
	c->hungry = true;
	c->hungry_seq = seq;
	line_up(c->log);
}

void
log_fetch_forget(struct app_log *log)
{
	if (log->hungry)
		TAILQ_REMOVE(&log->pool->hungry, log, hungry_link);
	log->hungry = false;
}

/* Cursors of a log take turns, as each may wait in another place. */
static struct cursor *
next_hungry(struct app_log *log)
{
	struct cursor *c;

	TAILQ_FOREACH(c, &log->cursors, link)
	if (c->hungry)
		break;
	if (c == NULL)
		return NULL;
	c->hungry = false;
	TAILQ_REMOVE(&log->cursors, c, link);
	TAILQ_INSERT_TAIL(&log->cursors, c, link);
	return c;
}

struct app_log *
log_fetch_next(struct log_pool *pool, uint64_t *seq)
{
	struct app_log *log;
	const struct cursor *c;

	while ((log = TAILQ_FIRST(&pool->hungry)) != NULL) {
		log_fetch_forget(log);
		c = next_hungry(log);
		if (c == NULL)
			continue;
		log->fetching = true;
		*seq = c->hungry_seq;
		return log;
	}
	return NULL;
}

/* One that was never filled may stand before it. */
static struct chunk *
chunk_at(const struct app_log *log, uint64_t base)
{
	struct chunk *c;

	TAILQ_FOREACH(c, &log->chunks, link)
	if (c->base >= base && c->used > 0)
		return c->base == base ? c : NULL;
	return NULL;
}

static void
wake(struct app_log *log, struct chunk *c, char *data)
{
	c->data = data;
	c->cap = c->used;
	log->pool->chunk_bytes += c->cap;
	chunk_cache_add(log->pool, c);
}

/* false: it would not stand between its neighbours. */
static bool
insert(struct app_log *log, struct chunk *c)
{
	struct chunk *before = NULL, *after;

	TAILQ_FOREACH(after, &log->chunks, link)
	{
		if (after->base > c->base)
			break;
		before = after;
	}
	if ((before != NULL && before->base + before->used > c->base) ||
	    (after != NULL && after->base < c->base + c->used))
		return false;
	if (after != NULL) {
		TAILQ_INSERT_BEFORE(after, c, link);
	} else {
		TAILQ_INSERT_TAIL(&log->chunks, c, link);
		log->last = c;
	}
	return true;
}

static void
bring_back(struct app_log *log, const struct spool_chunk *from)
{
	struct chunk *c = chunk_of((char *)(uintptr_t)from->data, from->size);
	int64_t age_ms = (clock_age_us() - from->first_us) / 1000;

	c->log = log;
	c->base = from->at.bytes;
	c->first_seq = from->at.seq;
	c->first_line = from->at.lines;
	c->first_ms = clock_mono_ms() - (age_ms > 0 ? age_ms : 0);
	c->used = from->size;
	c->lines = from->lines;
	c->sealed = true;
	c->state = CHUNK_SPOOLED;
	if (!insert(log, c)) {
		chunk_free(c);
		return;
	}
	log->pool->chunk_bytes += c->cap;
	chunk_cache_add(log->pool, c);
}

static bool
is_away(const struct cursor *c)
{
	return c->plan == NULL && !plan_is_at_end(c);
}

static void
take_damaged(struct app_log *log, const struct spool_chunk *from)
{
	struct spool_place end = {from->at.seq + from->lines, from->at.bytes + from->size,
				  from->at.lines + from->lines};
	struct chunk *c = chunk_at(log, from->at.bytes);
	struct cursor *cur;

	/* Here it is as it was. */
	if (c != NULL && c->data != NULL)
		return;
	TAILQ_FOREACH(cur, &log->cursors, link)
	if (c != NULL)
		cursor_spoil(cur, c, CURSOR_DAMAGED);
	else if (is_away(cur) && cur->plan_bytes >= from->at.bytes && cur->plan_bytes < end.bytes)
		cursor_jump(cur, &end, CURSOR_DAMAGED);
}

static void
take_chunk(struct app_log *log, struct spool_chunk *from)
{
	struct chunk *c;

	if (from->data == NULL) {
		take_damaged(log, from);
		return;
	}
	c = chunk_at(log, from->at.bytes);
	if (c == NULL)
		bring_back(log, from);
	else if (c->data == NULL && c->used == from->size)
		wake(log, c, (char *)(uintptr_t)from->data);
	else
		return;
	from->data = NULL;
}

/* Where the log goes on behind a line that is not in the spool. */
static struct spool_place
next_place(const struct app_log *log, const struct spool_fetch *f, uint64_t bytes)
{
	struct spool_place place = {log->end_seq, log->end_bytes, log->end_lines};
	const struct chunk *c;

	TAILQ_FOREACH(c, &log->chunks, link)
	if (c->base > bytes) {
		place = (struct spool_place){c->first_seq, c->base, c->first_line};
		break;
	}
	/* A damaged one is not in the list, and was passed already. */
	if (f->n > 0 && f->chunks[0].at.bytes > bytes && f->chunks[0].at.bytes < place.bytes)
		place = f->chunks[0].at;
	return place;
}

/*
 * Lines that nobody wanted, or that were over a rate, are not on disk between others that are;
 * after the next start a drain that chooses comes there once more.
 */
static bool
was_passed(const struct cursor *c, const struct spool_fetch *f)
{
	return (c->wants != NULL || c->admit != NULL) && f->code == SPOOL_OK && f->n > 0 &&
	       !f->left_out;
}

/* Who asked for a line that was not there must not ask for it again. */
static void
pass_missing(struct app_log *log, const struct spool_fetch *f)
{
	struct spool_place place;
	struct chunk *c, *next;
	struct cursor *cur;

	for (c = TAILQ_FIRST(&log->chunks); c != NULL; c = next) {
		next = TAILQ_NEXT(c, link);
		if (c->data != NULL || c->first_seq != f->seq)
			continue;
		TAILQ_FOREACH(cur, &log->cursors, link)
		cursor_spoil(cur, c, c->base < log->cut.bytes ? CURSOR_SPOOL : CURSOR_DAMAGED);
	}
	TAILQ_FOREACH(cur, &log->cursors, link)
	{
		plan_normalise(cur);
		if (!is_away(cur) || cur->plan_seq != f->seq)
			continue;
		place = next_place(log, f, cur->plan_bytes);
		if (was_passed(cur, f))
			cursor_pass(cur, &place);
		else
			cursor_jump(cur, &place, CURSOR_DAMAGED);
	}
}

/* The line is not here, and it has not gone on without it. */
static bool
still_wants(const struct cursor *c)
{
	const struct chunk *chunk;

	TAILQ_FOREACH(chunk, &c->log->chunks, link)
	if (c->hungry_seq - chunk->first_seq < chunk->lines)
		return chunk->data == NULL;
	return c->hungry_seq == c->plan_seq;
}

void
log_fetch_done(struct app_log *log, struct spool_fetch *f)
{
	struct cursor *c;

	log->fetching = false;
	for (size_t i = 0; i < f->n; i++)
		take_chunk(log, &f->chunks[i]);
	if (f->code != SPOOL_FAILED)
		pass_missing(log, f);
	/* Who asked meanwhile may have it now. */
	TAILQ_FOREACH(c, &log->cursors, link)
	{
		c->hungry = c->hungry && still_wants(c);
		if (c->hungry)
			line_up(log);
	}
	app_log_weigh(log);
}
