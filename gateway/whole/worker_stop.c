#include "whole/worker_stop.h"

#include <event2/event.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/xmalloc.h"
#include "ends/listener.h"
#include "ends/session.h"
#include "whole/app_home.h"

/* Reading goes on while lines still come, at most for READ_MS, looked at every STEP_MS. */
enum { READ_MS = 1000, STEP_MS = 20, QUIET_STEPS = 3 };

/* A commit that takes longer is not waited for by its worker, but by the spooler's end. */
enum { COMMIT_MS = 3000 };

struct worker_stop {
	struct call *call; /* the step that main waits for */
	struct event *timer;
	int64_t until_ms;
	uint64_t lines; /* read when last looked at */
	int quiet;	/* steps without a new line */
};

static void
arm(struct worker *w)
{
	struct timeval tv = {.tv_usec = STEP_MS * 1000};

	event_add(w->stop->timer, &tv);
}

static void
end_step(struct worker *w)
{
	event_free(w->stop->timer);
	w->stop->timer = NULL;
	call_answer(w->stop->call);
}

static void
begin_step(struct worker *w, struct call *c, int64_t ms, event_callback_fn each)
{
	if (w->stop == NULL)
		w->stop = xcalloc(1, sizeof(*w->stop));
	/* Main waits for a step no longer than its time: an unfinished one gives way. */
	if (w->stop->timer != NULL)
		end_step(w);
	c->later = true;
	w->stop->call = c;
	w->stop->until_ms = clock_mono_ms() + ms;
	w->stop->timer = evtimer_new(w->base, each, w);
	if (w->stop->timer == NULL)
		abort();
	arm(w);
}

static void
on_read_step(evutil_socket_t fd, short what, void *arg)
{
	struct worker *w = arg;
	uint64_t lines = stats_get(&w->stats.lines_in);

	(void)fd;
	(void)what;
	if (lines == w->stop->lines && !intake_is_opening(&w->intake))
		w->stop->quiet++;
	else
		w->stop->quiet = 0;
	w->stop->lines = lines;
	if (w->stop->quiet < QUIET_STEPS && clock_mono_ms() < w->stop->until_ms) {
		arm(w);
		return;
	}
	intake_read_rest(&w->intake);
	intake_end_reading(&w->intake);
	worker_post(w);
	end_step(w);
}

void
worker_stop_reading(struct call *c, struct worker *w)
{
	while (!TAILQ_EMPTY(&w->intake.listeners))
		listener_close(TAILQ_FIRST(&w->intake.listeners));
	begin_step(w, c, READ_MS, on_read_step);
}

static void
on_commit_step(evutil_socket_t fd, short what, void *arg)
{
	struct worker *w = arg;

	(void)fd;
	(void)what;
	if ((!worker_spool_is_done(w) || intake_acks_waiting(&w->intake) > 0) &&
	    clock_mono_ms() < w->stop->until_ms) {
		arm(w);
		return;
	}
	end_step(w);
}

void
worker_stop_committing(struct call *c, struct worker *w)
{
	worker_spool_hurry(w);
	begin_step(w, c, COMMIT_MS, on_commit_step);
}

static void
look_at_home(struct route *r, void *arg)
{
	struct app_home *h = r->home_state;
	bool *done = arg;

	for (size_t i = 0; h != NULL && i < h->n && *done; i++)
		*done = drain_is_done(h->drains[i]);
}

static void
on_deliver_step(evutil_socket_t fd, short what, void *arg)
{
	struct worker *w = arg;
	bool done = TAILQ_EMPTY(&w->drains.closing);

	(void)fd;
	(void)what;
	routes_walk(w->routes, look_at_home, &done);
	if (!done && clock_mono_ms() < w->stop->until_ms)
		arm(w);
	else
		end_step(w);
}

void
worker_stop_delivering(struct call *c, struct worker *w)
{
	worker_stop_lingering(w);
	begin_step(w, c, w->setup->config->stop_timeout, on_deliver_step);
}

void
worker_stop_loop(struct call *c, struct worker *w)
{
	(void)c;
	/* Who was not told by now sends its lines again, to the next start. */
	intake_close_acknowledging(&w->intake);
	w->quit = true;
}
