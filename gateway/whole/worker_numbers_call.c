#include "whole/worker_numbers_call.h"

#include <stdio.h>

#include "base/xmalloc.h"
#include "ends/listener.h"

static void
read_listeners(struct call_numbers *c, const struct worker *w)
{
	const struct config *config = w->setup->config;
	struct listener *l;

	c->listeners = xcalloc(config->nlisten, sizeof(*c->listeners));
	for (l = TAILQ_FIRST(&w->intake.listeners); l != NULL; l = listener_next(l)) {
		const struct listener_counts *from = listener_counts(l);
		struct listener_numbers *to = &c->listeners[listener_url(l) - config->listen];

#define READ(name, text) to->count[LISTENER_COUNT_##name] = from->name;
		LISTENER_COUNTERS(READ)
#undef READ
		to->open = from->open;
	}
}

static void
read_worker(struct call_numbers *c, const struct worker *w)
{
	c->index = w->index;
#define READ(name, text) c->worker.count[WORKER_COUNT_##name] = stats_get(&w->stats.name);
	STATS_COUNTERS(READ)
#undef READ
	c->worker.unsent_bytes = w->pool.pressure;
	c->worker.lagging_bytes = w->pool.lagging;
	c->worker.chunk_bytes = w->pool.chunk_bytes;
	c->worker.paused = w->paused_by > 0;
}

static void
add_app(struct call_numbers *c)
{
	const struct app_home *home = c->walk.home;
	struct app_numbers *app;

	if (c->napps == c->apps_cap) {
		c->apps_cap = c->apps_cap > 0 ? c->apps_cap * 2 : 64;
		c->apps = xrealloc(c->apps, c->apps_cap * sizeof(*c->apps));
	}
	app = &c->apps[c->napps++];
	*app = (struct app_numbers){.serial = home->log->app, .drains = home->n};
	snprintf(app->name, sizeof(app->name), "%s", home->log->name);
	app->count[APP_LINES] = app_log_lines(home->log);
	app->count[APP_BYTES] = home->log->end_bytes;
	app->count[APP_NO_DRAIN] = home->log->undrained;
	app->count[APP_DROPPED] = home->dropped_before;
}

static void
add_drain(struct call_numbers *c)
{
	struct drain *d = c->walk.home->drains[c->walk.at];
	struct drain_status s;
	struct drain_numbers *to;

	if (c->ndrains == c->drains_cap) {
		c->drains_cap = c->drains_cap > 0 ? c->drains_cap * 2 : 64;
		c->drains = xrealloc(c->drains, c->drains_cap * sizeof(*c->drains));
	}
	drain_status(d, &s);
	to = &c->drains[c->ndrains++];
	*to = (struct drain_numbers){.id = s.id,
				     .app = c->napps - 1,
				     .type = drain_conf_of(d)->type,
				     .state = s.state,
				     .count = {[DRAIN_DELIVERED_LINES] = s.lines_delivered,
					       [DRAIN_DELIVERED_BYTES] = s.bytes_delivered,
					       [DRAIN_FILTERED] = s.lines_filtered,
					       [DRAIN_CUT] = s.lines_cut,
					       [DRAIN_OLD] = s.lines_old,
					       [DRAIN_DROPPED_MEMORY] = s.lines_dropped_memory,
					       [DRAIN_DROPPED_RATE] = s.lines_dropped_rate,
					       [DRAIN_DROPPED_SPOOL] = s.lines_dropped_spool,
					       [DRAIN_DROPPED_AGE] = s.lines_dropped_age,
					       [DRAIN_DROPPED_DAMAGED] = s.lines_dropped_damaged,
					       [DRAIN_DROPPED_TOO_LONG] = s.lines_dropped_size,
					       [DRAIN_DROPPED_REFUSED] = s.lines_dropped_refused,
					       [DRAIN_RESENT] = s.lines_resent,
					       [DRAIN_RETRIES] = s.retries},
				     .lines_waiting = s.lines_waiting,
				     .bytes_waiting = s.bytes_waiting,
				     .oldest_waiting_ms = s.oldest_waiting_ms};
	c->apps[c->napps - 1].count[APP_DROPPED] += app_home_dropped(&s);
}

static bool
step_numbers(struct call_turns *turns, struct worker *w)
{
	struct call_numbers *c = (struct call_numbers *)turns;
	enum home_found found;

	if (!c->begun) {
		c->begun = true;
		read_worker(c, w);
		read_listeners(c, w);
		return true;
	}
	found = home_walk_next(&c->walk, w);
	if (found == HOME_APP)
		add_app(c);
	else if (found == HOME_DRAIN)
		add_drain(c);
	return found != HOME_END;
}

static void
clear_numbers(struct call *call)
{
	struct call_numbers *c = (struct call_numbers *)call;

	free(c->listeners);
	free(c->apps);
	free(c->drains);
}

struct call_numbers *
call_numbers_new(void)
{
	return call_turns_new(sizeof(struct call_numbers), step_numbers, clear_numbers);
}
