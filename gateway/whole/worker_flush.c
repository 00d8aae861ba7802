#include "whole/worker_flush.h"

#include <event2/event.h>
#include <stdlib.h>

#include "base/clock.h"
#include "whole/worker.h"

/*
 * A worker is busy once it left something unread in so many turns more than it read all that was
 * there: fewer are a burst.  What it counts is bounded, so that an end of it is soon seen.
 */
enum { BUSY_TURNS = 4, BUSY_TURNS_MOST = 8 };

/* Then lines gather so long, as far as memory allows. */
enum { BUSY_LINGER_MS = 200 };

/* So much of a log goes out at once. */
enum { PLENTY_BYTES = CHUNK_FULL_BYTES };

/* A log that has been idle this long gives up its chunk. */
enum { IDLE_LOG_MS = 2000 };

void
worker_touch(struct app_log *log, void *arg)
{
	struct worker *w = arg;

	if (log->touched || log->leaving)
		return;
	log->touched = true;
	TAILQ_INSERT_TAIL(&w->flush.touched, log, touched_link);
}

void
worker_flush_more(struct app_log *log, void *arg)
{
	log->flushed_ms = 0;
	worker_touch(log, arg);
}

static void
unlist_idle(struct worker *w, struct app_log *log)
{
	if (!log->idle)
		return;
	TAILQ_REMOVE(&w->flush.idle, log, idle_link);
	log->idle = false;
}

static void
unlist_due(struct worker *w, struct app_log *log)
{
	if (log->due)
		TAILQ_REMOVE(&w->flush.due, log, due_link);
	log->due = false;
}

void
worker_forget_log(struct worker *w, struct app_log *log)
{
	unlist_idle(w, log);
	worker_spool_forget(w, log, false);
	if (log->touched)
		TAILQ_REMOVE(&w->flush.touched, log, touched_link);
	log->touched = false;
	unlist_due(w, log);
}

void
worker_flush_rest(struct worker *w, struct app_log *log, int64_t now_ms)
{
	/* A drain that ends with its app may find that all was delivered. */
	if (log->idle || log->leaving || !app_log_is_idle(log))
		return;
	log->idle = true;
	log->idle_ms = now_ms;
	TAILQ_INSERT_TAIL(&w->flush.idle, log, idle_link);
}

void
worker_flush_rests(struct app_log *log, void *arg)
{
	worker_flush_rest(arg, log, clock_mono_ms());
}

void
worker_flush(struct worker *w, struct app_log *log, int64_t now_ms)
{
	struct cursor *c;

	log->flushed_ms = now_ms;
	log->flushed_bytes = log->end_bytes;
	TAILQ_FOREACH(c, &log->cursors, link)
	c->flush(c);
	worker_flush_rest(w, log, now_ms);
}

static bool
is_busy(const struct worker *w)
{
	return w->flush.more_turns >= BUSY_TURNS;
}

static int64_t
longest_linger(const struct worker *w)
{
	bool longer = is_busy(w) && w->flush.linger > 0 && w->flush.linger < BUSY_LINGER_MS;

	return longer ? BUSY_LINGER_MS : w->flush.linger;
}

/* A log got lines: out at once when it was quiet or has plenty, else after the linger time. */
static void
schedule_log(struct worker *w, struct app_log *log, int64_t now_ms)
{
	unlist_idle(w, log);
	worker_spool_lines(w, log);
	if (log->end_bytes - log->flushed_bytes >= PLENTY_BYTES ||
	    now_ms - log->flushed_ms >= longest_linger(w)) {
		unlist_due(w, log);
		worker_flush(w, log, now_ms);
	} else if (!log->due) {
		log->due = true;
		log->due_since_ms = now_ms;
		TAILQ_INSERT_TAIL(&w->flush.due, log, due_link);
	}
}

/*
 * With more to read than was read, sending costs what reading needs, and the more lines share a
 * send the fewer lines wait unread.  Near worker-memory the oldest go, one log after the other.
 */
static bool
is_due(const struct worker *w, const struct app_log *log, int64_t now_ms)
{
	size_t much = (size_t)w->setup->config->worker_memory / 4 * 3;
	int64_t linger = w->pool.pressure > much ? w->flush.linger : longest_linger(w);

	return now_ms - log->due_since_ms >= linger;
}

static void
flush_due(struct worker *w, int64_t now_ms)
{
	struct app_log *log;

	while ((log = TAILQ_FIRST(&w->flush.due)) != NULL && is_due(w, log, now_ms)) {
		unlist_due(w, log);
		if (log->end_bytes > log->flushed_bytes)
			worker_flush(w, log, now_ms);
	}
	/* A busy worker that finds nothing more to read comes by here until it is not busy. */
	if (log != NULL && !evtimer_pending(w->flush.due_timer, NULL)) {
		int64_t left_ms = log->due_since_ms + w->flush.linger - now_ms;
		int64_t ms = left_ms > 0 ? left_ms : 0;
		struct timeval tv = {.tv_sec = (time_t)(ms / 1000),
				     .tv_usec = (suseconds_t)(ms % 1000 * 1000)};

		event_add(w->flush.due_timer, &tv);
	}
}

static void
note_reading(struct worker *w)
{
	if (w->intake.more && w->flush.more_turns < BUSY_TURNS_MOST)
		w->flush.more_turns++;
	else if (!w->intake.more && w->flush.more_turns > 0)
		w->flush.more_turns--;
	w->intake.more = false;
}

void
worker_flush_turn(struct worker *w)
{
	struct app_log_list touched = TAILQ_HEAD_INITIALIZER(touched);
	int64_t now_ms = clock_mono_ms();
	struct app_log *log;

	note_reading(w);
	/* What is touched while flushing belongs to the next turn. */
	TAILQ_CONCAT(&touched, &w->flush.touched, touched_link);
	while ((log = TAILQ_FIRST(&touched)) != NULL) {
		TAILQ_REMOVE(&touched, log, touched_link);
		log->touched = false;
		schedule_log(w, log, now_ms);
	}
	flush_due(w, now_ms);
}

void
worker_flush_hibernate(struct worker *w, int64_t now_ms)
{
	struct app_log *log;

	while ((log = TAILQ_FIRST(&w->flush.idle)) != NULL &&
	       now_ms - log->idle_ms >= IDLE_LOG_MS) {
		unlist_idle(w, log);
		if (app_log_is_idle(log))
			app_log_hibernate(log);
	}
}

/* Its drains may be gathering a batch. */
static void
hurry_log(struct route *r, void *arg)
{
	if (r->log != NULL && !app_log_is_idle(r->log))
		worker_touch(r->log, arg);
}

void
worker_stop_lingering(struct worker *w)
{
	struct app_log *log;

	w->flush.linger = 0;
	w->drains.hurried = true;
	TAILQ_FOREACH(log, &w->flush.due, due_link)
	log->due_since_ms = 0;
	routes_walk(w->routes, hurry_log, w);
}

/* Its only use is to end the wait for events: the turn after it does the work. */
static void
on_due(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
}

void
worker_flush_init(struct worker *w)
{
	w->flush.linger = w->setup->config->linger;
	TAILQ_INIT(&w->flush.touched);
	TAILQ_INIT(&w->flush.due);
	TAILQ_INIT(&w->flush.idle);
	w->flush.due_timer = evtimer_new(w->base, on_due, w);
	if (w->flush.due_timer == NULL)
		abort();
}

void
worker_flush_clear(struct worker *w)
{
	event_free(w->flush.due_timer);
}
