#include "log/log_spool.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/xmalloc.h"
#include "log/chunk_cache.h"
#include "log/cursor_place.h"
#include "log/log_hole.h"

/* The first line that some drain has not taken. */
static uint64_t
taken_seq(const struct app_log *log)
{
	uint64_t seq = log->end_seq;
	const struct cursor *c;

	TAILQ_FOREACH(c, &log->cursors, link)
	{
		uint64_t taken = cursor_taken_place(c).seq;

		if (!c->tap && taken < seq)
			seq = taken;
	}
	return seq;
}

/*
 * The chunk that the first line lies in that some drain has not taken, or the first behind it. What
 * is held to be sent again may be many chunks, and lies before: it is looked for from the end.
 */
static struct chunk *
first_untaken(const struct app_log *log, uint64_t taken)
{
	struct chunk *first = NULL, *c;

	TAILQ_FOREACH_REVERSE(c, &log->chunks, chunk_list, link)
	{
		if (c->first_seq + c->lines <= taken)
			break;
		first = c;
	}
	return first;
}

static const struct chunk *
first_unsafe(const struct app_log *log, uint64_t taken)
{
	const struct chunk *c = first_untaken(log, taken);

	while (c != NULL && !chunk_is_unsaved(c))
		c = TAILQ_NEXT(c, link);
	return c;
}

uint64_t
log_spool_safe_seq(const struct app_log *log)
{
	uint64_t taken = taken_seq(log);
	const struct chunk *c = first_unsafe(log, taken);

	if (c == NULL)
		return log->end_seq;
	return c->first_seq > taken ? c->first_seq : taken;
}

struct spool_place
log_spool_safe_place(const struct app_log *log)
{
	const struct chunk *c = first_unsafe(log, taken_seq(log));

	if (c == NULL)
		return (struct spool_place){log->end_seq, log->end_bytes, log->end_lines};
	return (struct spool_place){c->first_seq, c->base, c->first_line};
}

bool
log_spool_await(struct app_log *log, void (*told)(void *arg, bool safe), void *arg)
{
	struct log_wait *last = TAILQ_LAST(&log->waits, log_wait_list);

	if (last != NULL && last->arg == arg && last->told == told) {
		last->seq = log->end_seq;
		return false;
	}
	last = xcalloc(1, sizeof(*last));
	*last = (struct log_wait){.from = log->end_seq - 1,
				  .seq = log->end_seq,
				  .since_ms = clock_mono_ms(),
				  .told = told,
				  .arg = arg};
	TAILQ_INSERT_TAIL(&log->waits, last, link);
	log->pool->await(log, log->pool->arg);
	return true;
}

/* Lines of others may lie between those of one who waits: then it sends again what was kept. */
void
log_spool_lose(struct app_log *log, uint64_t from, uint64_t to)
{
	struct log_wait *w;

	TAILQ_FOREACH(w, &log->waits, link)
	if (w->from < to && w->seq > from)
		w->lost = true;
}

static void
settle_to(struct app_log *log, uint64_t seq)
{
	struct log_wait *w;

	while ((w = TAILQ_FIRST(&log->waits)) != NULL && w->seq <= seq) {
		TAILQ_REMOVE(&log->waits, w, link);
		w->told(w->arg, !w->lost);
		free(w);
	}
}

void
log_spool_settle(struct app_log *log)
{
	if (!TAILQ_EMPTY(&log->waits))
		settle_to(log, log_spool_safe_seq(log));
}

void
log_spool_settle_all(struct app_log *log)
{
	settle_to(log, UINT64_MAX);
}

bool
log_spool_look(struct app_log *log)
{
	uint64_t then = log->looks[0];

	memmove(log->looks, log->looks + 1, sizeof(log->looks) - sizeof(log->looks[0]));
	log->looks[LOG_LOOKS - 1] = log->end_seq;
	return log_spool_safe_seq(log) < then;
}

/* Nobody of the log's cursors comes back to what lies before. */
static struct spool_place
head_of(const struct app_log *log)
{
	struct spool_place head = {log->end_seq, log->end_bytes, log->end_lines};
	const struct cursor *c;

	TAILQ_FOREACH(c, &log->cursors, link)
	{
		struct spool_place kept = cursor_kept_place(c);

		if (!c->tap && kept.bytes < head.bytes)
			head = kept;
	}
	return head.bytes > log->cut.bytes ? head : log->cut;
}

static void
add_marks(struct app_log *log, struct spool_commit *commit, const struct spool_place *head)
{
	const struct cursor *c;

	TAILQ_FOREACH(c, &log->cursors, link)
	{
		struct spool_place taken = cursor_taken_place(c);

		if (!c->tap)
			spool_commit_mark(commit, c->drain, &taken);
	}
	log->moved = false;
	log->kept = head->bytes < log->asked_bytes;
}

static void
add_chunk(struct spool_commit *commit, struct chunk *c, int64_t now_ms, int64_t now_us)
{
	struct spool_chunk put = {.app = c->log->app,
				  .at = {c->first_seq, c->base, c->first_line},
				  .lines = c->lines,
				  .size = c->used,
				  .first_us = now_us - (now_ms - c->first_ms) * 1000,
				  .last_us = now_us,
				  .data = c->data};

	spool_commit_chunk(commit, &put);
	c->sealed = true;
	c->state = CHUNK_ASKED;
	if (c->base + c->used > c->log->asked_bytes)
		c->log->asked_bytes = c->base + c->used;
}

bool
log_spool_gather(struct app_log *log, struct spool_commit *commit, size_t limit, bool *more)
{
	int64_t now_ms = clock_mono_ms(), now_us = clock_age_us();
	uint64_t taken = taken_seq(log);
	struct spool_place head = head_of(log);
	bool begun = false;
	struct chunk *c;

	*more = false;
	for (c = first_untaken(log, taken); c != NULL; c = TAILQ_NEXT(c, link)) {
		if (c->state != CHUNK_MEMORY || c->lines == 0)
			continue;
		if (begun && commit->data.n >= limit) {
			*more = true;
			break;
		}
		if (!begun)
			spool_commit_part(commit, log->app, &head);
		begun = true;
		add_chunk(commit, c, now_ms, now_us);
	}
	if (!begun)
		return false;
	add_marks(log, commit, &head);
	log->kept = true;
	return true;
}

bool
log_spool_gather_marks(struct app_log *log, struct spool_commit *commit)
{
	struct spool_place head;

	if (!log->kept || !log->moved)
		return false;
	head = head_of(log);
	spool_commit_part(commit, log->app, &head);
	add_marks(log, commit, &head);
	return true;
}

static void
parts_done(struct app_log *log, const struct spool_chunk *last)
{
	if (last->at.bytes + last->size > log->spooled_bytes)
		log->spooled_bytes = last->at.bytes + last->size;
	/* It may all have been delivered meanwhile, and the spool not told. */
	log->kept = log->moved = true;
}

void
log_spool_done(struct app_log *log, const struct spool_commit *commit,
	       const struct spool_part *part)
{
	const struct spool_chunk *put = commit->chunks + part->chunk;
	const struct spool_chunk *end = put + part->nchunks;
	bool ok = commit->code == SPOOL_OK;
	struct chunk *c = put < end ? first_untaken(log, put->at.seq) : NULL;

	/* Both in order; some may have been delivered and freed meanwhile. */
	for (; c != NULL; c = TAILQ_NEXT(c, link)) {
		while (put < end && put->at.seq < c->first_seq)
			put++;
		if (put == end || put->at.seq != c->first_seq || c->state != CHUNK_ASKED)
			continue;
		c->state = ok ? CHUNK_SPOOLED : CHUNK_MEMORY;
		if (ok)
			chunk_cache_add(log->pool, c);
	}
	if (ok && part->nchunks > 0)
		parts_done(log, end - 1);
	/* Its marks are not on disk either; or, rarely, all of it is. */
	if (!ok) {
		log->kept = true;
		app_log_stir(log);
	}
	app_log_weigh(log);
	log_spool_settle(log);
}

uint64_t
log_spool_kept_bytes(const struct app_log *log)
{
	uint64_t from = head_of(log).bytes, to = log->asked_bytes;

	return from < to ? to - from - log_hole_bytes(log, from, to) : 0;
}

bool
log_spool_is_settled(const struct app_log *log)
{
	return TAILQ_EMPTY(&log->waits) && !(log->kept && log->moved) &&
	       log_spool_safe_seq(log) == log->end_seq;
}
