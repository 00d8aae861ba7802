#include "whole/worker_await.h"

#include <event2/event.h>
#include <stdlib.h>

#include "base/clock.h"
#include "ends/drain.h"
#include "log/log_spool.h"
#include "whole/worker.h"

/* How often receivers are asked, and of how many logs at once. */
enum { POLL_MS = 3, POLL_LOGS = 1024 };

/*
 * A receiver that is well has acknowledged what was sent so long ago; and no matter when it was,
 * after a long turn of the loop, what came so long ago has waited enough.
 */
enum { ANSWER_MS = 7, LATE_ANSWER_MS = 30 };

/* Without a spool somebody may wait for as long as a receiver stands still: asked in few rounds. */
enum { OLD_MS = 250, OLD_ROUNDS = 17 };

static void
arm(struct worker *w)
{
	static const struct timeval tv = {.tv_usec = POLL_MS * 1000};

	event_add(w->await.timer, &tv);
}

void
worker_await_forget(struct worker *w, struct app_log *log)
{
	if (log->awaited)
		TAILQ_REMOVE(&w->await.logs, log, awaited_link);
	log->awaited = false;
}

/* Over HTTP a batch gathers, and is answered when its receiver is done with it. */
static bool
has_slow_drain(const struct app_log *log)
{
	const struct cursor *c;

	TAILQ_FOREACH(c, &log->cursors, link)
	if (c->exact)
		return true;
	return false;
}

/* Nobody will take its lines soon, or all of them are to be on disk. */
static bool
is_hopeless(const struct worker *w, const struct app_log *log)
{
	return w->setup->config->spool_after == 0 || w->pool.failing || app_log_lags(log) ||
	       has_slow_drain(log);
}

static void
on_await(struct app_log *log, void *arg)
{
	struct worker *w = arg;

	if (log->awaited || log->leaving)
		return;
	if (w->pool.spooling && is_hopeless(w, log)) {
		worker_spool_urge(w, log);
		return;
	}
	/* Not again for each, or it would never come. */
	if (TAILQ_EMPTY(&w->await.logs))
		arm(w);
	log->awaited = true;
	TAILQ_INSERT_TAIL(&w->await.logs, log, awaited_link);
}

/* Its receivers took too long, or seem to: it is to be committed. */
static bool
is_urgent(struct log_wait *first, int64_t now_ms)
{
	if (first->out_ms == 0)
		first->out_ms = now_ms;
	return now_ms - first->out_ms > ANSWER_MS || now_ms - first->since_ms > LATE_ANSWER_MS;
}

static void
ask_receivers(struct worker *w, struct app_log *log, int64_t now_ms)
{
	struct log_wait *first;
	struct cursor *c;

	TAILQ_FOREACH(c, &log->cursors, link)
	if (!c->tap)
		drain_poll(drain_of(c));
	log_spool_settle(log);
	first = TAILQ_FIRST(&log->waits);
	if (first == NULL) {
		worker_await_forget(w, log);
	} else if (w->pool.spooling && is_urgent(first, now_ms)) {
		worker_await_forget(w, log);
		worker_spool_urge(w, log);
	}
}

static bool
is_old(const struct app_log *log, int64_t now_ms)
{
	const struct log_wait *first = TAILQ_FIRST(&log->waits);

	return first != NULL && now_ms - first->since_ms > OLD_MS;
}

/*
 * What somebody waits for does not linger: until it is answered no more may come to
 * gather with it.  Nobody else asks as often what the receivers have taken.
 */
static void
look_after(struct worker *w, struct app_log *log, bool old_too, int64_t now_ms)
{
	if (log->end_bytes > log->flushed_bytes)
		worker_flush(w, log, now_ms);
	if (old_too || !is_old(log, now_ms))
		ask_receivers(w, log, now_ms);
}

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct worker *w = arg;
	struct app_log_list *logs = &w->await.logs;
	struct app_log *log, *last = TAILQ_LAST(logs, app_log_list);
	int64_t now_ms = clock_mono_ms();
	bool old_too = ++w->await.rounds % OLD_ROUNDS == 0;

	(void)fd;
	(void)what;
	for (unsigned n = 0; n < POLL_LOGS && (log = TAILQ_FIRST(logs)) != NULL; n++) {
		TAILQ_REMOVE(logs, log, awaited_link);
		TAILQ_INSERT_TAIL(logs, log, awaited_link);
		look_after(w, log, old_too, now_ms);
		if (log == last)
			break;
	}
	if (!TAILQ_EMPTY(logs))
		arm(w);
}

void
worker_await_init(struct worker *w)
{
	TAILQ_INIT(&w->await.logs);
	w->pool.await = on_await;
	w->await.timer = evtimer_new(w->base, on_timer, w);
	if (w->await.timer == NULL)
		abort();
}

void
worker_await_clear(struct worker *w)
{
	event_free(w->await.timer);
}
