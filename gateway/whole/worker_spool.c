#include "whole/worker_spool.h"

#include <event2/event.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/xmalloc.h"
#include "log/chunk_cache.h"
#include "log/log_fetch.h"
#include "log/log_shed.h"
#include "log/log_spool.h"
#include "whole/worker.h"

/*
 * How old the lines of dirty logs are is looked at LOG_LOOKS times in spool-after, but no more
 * often than this; whether they are safe by now, with every tick.
 */
enum { LOOK_MIN_MS = 10, TICK_MAX_MS = 250 };

/*
 * What one commit of a worker holds, as a turn of the loop makes it, and the least of a lagging
 * log that is worth one.
 */
enum { COMMIT_BYTES = 4 * 1024 * 1024, COMMIT_LOGS = 4096, LAG_COMMIT_BYTES = 256 * 1024 };

/* Marks alone are told so often: what a crash costs in lines sent twice. */
enum { MARKS_MS = 1000 };

/* A spool that failed is tried again after this. */
enum { RETRY_MS = 1000 };

/* Requests that are not answered, and what each may bring. */
enum { FETCHES_MAX = 8, FETCH_BYTES = 256 * 1024 };

static struct app_log *
log_of(const struct worker *w, uint64_t app)
{
	const struct route *r = routes_by_app(w->routes, app);

	return r != NULL ? r->log : NULL;
}

static void
on_stir(struct app_log *log, void *arg)
{
	struct worker *w = arg;

	if (log->leaving)
		return;
	log->dirty = true;
	TAILQ_INSERT_TAIL(&w->spool.dirty, log, dirty_link);
}

void
worker_spool_urge(struct worker *w, struct app_log *log)
{
	if (log->urgent || log->leaving)
		return;
	log->urgent = true;
	TAILQ_INSERT_TAIL(&w->spool.urgent, log, urgent_link);
}

static void
calm(struct worker *w, struct app_log *log)
{
	if (log->urgent)
		TAILQ_REMOVE(&w->spool.urgent, log, urgent_link);
	log->urgent = false;
}

static void
clean(struct worker *w, struct app_log *log)
{
	if (log->dirty)
		TAILQ_REMOVE(&w->spool.dirty, log, dirty_link);
	log->dirty = false;
}

void
worker_spool_forget(struct worker *w, struct app_log *log, bool drop)
{
	worker_await_forget(w, log);
	calm(w, log);
	clean(w, log);
	/* Its cursors close behind this: no list takes it any more. */
	log->leaving = true;
	if (drop && w->spool.spooler != NULL)
		spooler_drop(w->spool.spooler, log->app);
}

static void
weigh_route(struct route *r, void *arg)
{
	(void)arg;
	if (r->log != NULL)
		app_log_weigh(r->log);
}

struct failing_mail {
	struct mail mail;
	int change; /* +1 or -1 */
};

static void
count_failing(struct worker *w, int change)
{
	w->spool.failing = (unsigned)((int)w->spool.failing + change);
	w->ingest.failing = w->spool.failing > 0;
}

static void
on_failing_mail(struct mail *mail, void *owner)
{
	struct failing_mail *f = (struct failing_mail *)mail;

	count_failing(owner, f->change);
	free(f);
}

/* Any of them may be reading lines for the logs of this one. */
static void
tell_failing(struct worker *w, int change)
{
	struct failing_mail *f;

	for (unsigned i = 0; i < w->setup->workers; i++) {
		if (i == w->index) {
			count_failing(w, change);
			continue;
		}
		f = xcalloc(1, sizeof(*f));
		f->mail.deliver = on_failing_mail;
		f->change = change;
		mailbox_push(w->setup->posts[i]->mailbox, &f->mail);
	}
}

/* What lags in memory presses on senders, or is trimmed, as the spool works or not. */
static void
set_failing(struct worker *w, bool failing)
{
	if (w->pool.failing == failing)
		return;
	w->pool.failing = failing;
	tell_failing(w, failing ? +1 : -1);
	routes_walk(w->routes, weigh_route, NULL);
}

static void
on_committed(struct mail *mail, void *owner)
{
	struct spool_commit *commit = (struct spool_commit *)mail;
	struct worker *w = owner;
	struct app_log *log;

	w->spool.committing = false;
	set_failing(w, commit->code != SPOOL_OK);
	if (commit->code != SPOOL_OK)
		w->spool.commit_after_ms = clock_mono_ms() + RETRY_MS;
	for (size_t i = 0; i < commit->nparts; i++) {
		log = log_of(w, commit->parts[i].app);
		if (log == NULL)
			continue;
		log_spool_done(log, commit, &commit->parts[i]);
		if (commit->code != SPOOL_OK)
			worker_spool_urge(w, log);
	}
	spool_commit_free(commit);
}

static void
on_marked(struct mail *mail, void *owner)
{
	struct spool_commit *commit = (struct spool_commit *)mail;
	struct worker *w = owner;
	struct app_log *log;

	w->spool.marking--;
	for (size_t i = 0; commit->code != SPOOL_OK && i < commit->nparts; i++) {
		log = log_of(w, commit->parts[i].app);
		if (log == NULL)
			continue;
		log->kept = true;
		app_log_stir(log);
	}
	spool_commit_free(commit);
}

static void
commit_urgent(struct worker *w)
{
	struct spool_commit *commit = spool_commit_new(w->mailbox, on_committed);
	struct app_log *log;
	bool more = false;

	while (!more && commit->data.n < COMMIT_BYTES && commit->nparts < COMMIT_LOGS &&
	       (log = TAILQ_FIRST(&w->spool.urgent)) != NULL) {
		calm(w, log);
		(void)log_spool_gather(log, commit, COMMIT_BYTES, &more);
		if (more)
			worker_spool_urge(w, log);
		/* What it waits for may have been delivered. */
		log_spool_settle(log);
	}
	if (commit->nparts == 0) {
		spool_commit_free(commit);
		return;
	}
	w->spool.committing = true;
	spooler_commit(w->spool.spooler, commit);
}

static void
on_fetched(struct mail *mail, void *owner)
{
	struct spool_fetch *f = (struct spool_fetch *)mail;
	struct worker *w = owner;
	struct app_log *log = log_of(w, f->app);

	w->spool.fetches--;
	if (f->code == SPOOL_FAILED)
		w->spool.fetch_after_ms = clock_mono_ms() + RETRY_MS;
	if (log != NULL) {
		log_fetch_done(log, f);
		log->flushed_ms = 0;
		worker_touch(log, w);
	}
	spool_fetch_free(f);
}

static void
fetch_hungry(struct worker *w)
{
	struct app_log *log;
	uint64_t seq;

	while (w->spool.fetches < FETCHES_MAX && (log = log_fetch_next(&w->pool, &seq)) != NULL) {
		w->spool.fetches++;
		spooler_fetch(w->spool.spooler,
			      spool_fetch_new(log->app, seq, FETCH_BYTES, w->mailbox, on_fetched));
	}
}

void
worker_spool_turn(struct worker *w)
{
	struct worker_spool *s = &w->spool;

	if (s->spooler == NULL)
		return;
	if (!s->committing && !TAILQ_EMPTY(&s->urgent) && clock_mono_ms() >= s->commit_after_ms)
		commit_urgent(w);
	if (!TAILQ_EMPTY(&w->pool.hungry) && clock_mono_ms() >= s->fetch_after_ms)
		fetch_hungry(w);
	chunk_cache_trim(&w->pool);
}

void
worker_spool_relieve(struct worker *w, struct app_log *log)
{
	if (w->spool.spooler != NULL && log->pressure > 0 && app_log_lags(log))
		worker_spool_urge(w, log);
}

void
worker_spool_lines(struct worker *w, struct app_log *log)
{
	if (w->spool.spooler == NULL || log->urgent)
		return;
	if (w->setup->config->spool_after == 0 ||
	    (log->nlagging > 0 && log->end_bytes - log->spooled_bytes >= LAG_COMMIT_BYTES &&
	     app_log_lags(log)))
		worker_spool_urge(w, log);
}

static void
send_marks(struct worker *w, int64_t now_ms)
{
	struct spool_commit *marks = spool_commit_new(w->mailbox, on_marked);
	struct app_log *log;

	TAILQ_FOREACH(log, &w->spool.dirty, dirty_link)
	(void)log_spool_gather_marks(log, marks);
	if (marks->nparts == 0) {
		spool_commit_free(marks);
		return;
	}
	w->spool.marking++;
	w->spool.marked_ms = now_ms;
	spooler_commit(w->spool.spooler, marks);
}

static void
look_at_dirty(struct worker *w)
{
	bool look = ++w->spool.ticks % w->spool.look_ticks == 0;
	struct app_log *log, *next;

	for (log = TAILQ_FIRST(&w->spool.dirty); log != NULL; log = next) {
		next = TAILQ_NEXT(log, dirty_link);
		log_spool_settle(log);
		if (look && log_spool_look(log))
			worker_spool_urge(w, log);
		else if (log_spool_is_settled(log))
			clean(w, log);
	}
}

static void
on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct worker *w = arg;
	int64_t now_ms = clock_mono_ms();

	(void)fd;
	(void)what;
	look_at_dirty(w);
	/* All was delivered: only lines that come can show whether it works again. */
	if (w->pool.failing && TAILQ_EMPTY(&w->spool.urgent) && !w->spool.committing &&
	    now_ms >= w->spool.commit_after_ms)
		set_failing(w, false);
	if (w->spool.marking == 0 && now_ms - w->spool.marked_ms >= MARKS_MS)
		send_marks(w, now_ms);
}

void
worker_spool_hurry(struct worker *w)
{
	struct app_log *log;

	if (w->spool.spooler == NULL)
		return;
	TAILQ_FOREACH(log, &w->spool.dirty, dirty_link)
	if (log_spool_safe_seq(log) < log->end_seq)
		worker_spool_urge(w, log);
	send_marks(w, clock_mono_ms());
}

bool
worker_spool_is_done(const struct worker *w)
{
	const struct worker_spool *s = &w->spool;

	return s->spooler == NULL ||
	       (!s->committing && (TAILQ_EMPTY(&s->urgent) || w->pool.failing));
}

/* Lines that were given up before they were on disk take no room there. */
static bool
is_over_cap(const struct worker *w, const struct app_log *log)
{
	return log_spool_kept_bytes(log) > (uint64_t)w->setup->config->spool_cap;
}

void
worker_spool_on_trim(struct mail *mail, void *owner)
{
	struct spool_trim *t = (struct spool_trim *)mail;
	struct worker *w = owner;
	struct app_log *log = log_of(w, t->app);

	if (log != NULL && (t->reason != SPOOL_TRIM_CAP || is_over_cap(w, log))) {
		log_shed_to(log, &t->to, t->reason == SPOOL_TRIM_AGE ? CURSOR_AGE : CURSOR_SPOOL);
		worker_touch(log, w);
	}
	free(t);
}

void
worker_spool_init(struct worker *w)
{
	const struct config *config = w->setup->config;
	int64_t ms = config->spool_after / LOG_LOOKS;
	struct timeval tick = {0};

	w->spool.spooler = w->setup->spooler;
	TAILQ_INIT(&w->spool.dirty);
	TAILQ_INIT(&w->spool.urgent);
	w->pool.spooling = w->spool.spooler != NULL;
	w->pool.cache_limit = (size_t)config->worker_memory / 2;
	w->pool.stir = on_stir;
	w->pool.arg = w;
	/* With 0 every line is urgent by itself. */
	if (ms == 0)
		ms = TICK_MAX_MS;
	if (ms < LOOK_MIN_MS)
		ms = LOOK_MIN_MS;
	w->spool.look_ticks = (unsigned)((ms + TICK_MAX_MS - 1) / TICK_MAX_MS);
	tick.tv_usec = (suseconds_t)(ms / w->spool.look_ticks * 1000);
	w->spool.tick = event_new(w->base, -1, EV_PERSIST, on_tick, w);
	if (w->spool.tick == NULL || (w->pool.spooling && event_add(w->spool.tick, &tick) < 0))
		abort();
}

void
worker_spool_clear(struct worker *w)
{
	event_free(w->spool.tick);
}
