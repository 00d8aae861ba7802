#include "whole/worker_status_calls.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/xmalloc.h"

static bool
step_status(struct call_turns *turns, struct worker *w)
{
	struct call_status *c = (struct call_status *)turns;
	struct app_home *home = worker_home_of(w, c->app);

	if (home == NULL)
		return false;
	if (c->status == NULL)
		c->status = xcalloc(home->n, sizeof(*c->status));
	if (c->n == home->n)
		return false;
	drain_status(home->drains[c->n], &c->status[c->n]);
	c->n++;
	return true;
}

static void
clear_status(struct call *call)
{
	free(((struct call_status *)call)->status);
}

struct call_status *
call_status_new(uint64_t app)
{
	struct call_status *c = call_turns_new(sizeof(*c), step_status, clear_status);

	c->app = app;
	return c;
}

static void
add_brief(struct call_briefs *c, const struct worker *w)
{
	const struct drain *d = c->walk.home->drains[c->walk.at];

	if (c->n == c->cap) {
		c->cap = c->cap > 0 ? c->cap * 2 : 256;
		c->briefs = xrealloc(c->briefs, c->cap * sizeof(*c->briefs));
	}
	c->briefs[c->n++] = (struct drain_brief){.id = drain_id(d),
						 .app = c->walk.route->app,
						 .type = drain_conf_of(d)->type,
						 .state = drain_state(d),
						 .worker = (uint16_t)w->index,
						 .at = (uint32_t)c->walk.at};
}

static bool
step_briefs(struct call_turns *turns, struct worker *w)
{
	struct call_briefs *c = (struct call_briefs *)turns;
	enum home_found found = home_walk_next(&c->walk, w);

	if (found == HOME_DRAIN)
		add_brief(c, w);
	return found != HOME_END;
}

static void
clear_briefs(struct call *call)
{
	free(((struct call_briefs *)call)->briefs);
}

struct call_briefs *
call_briefs_new(void)
{
	return call_turns_new(sizeof(struct call_briefs), step_briefs, clear_briefs);
}

static void
fill_detail(struct worker *w, const struct drain_brief *brief, struct drain_detail *out)
{
	struct app_home *home = worker_home_of(w, brief->app);
	const struct drain_conf *conf;
	struct drain *d;

	if (home == NULL || brief->at >= home->n)
		return;
	d = home->drains[brief->at];
	if (drain_id(d) != brief->id)
		return;
	conf = drain_conf_of(d);
	drain_status(d, &out->status);
	snprintf(out->app, sizeof(out->app), "%s", home->log->name);
	out->type = conf->type;
	out->url = xstrdup(conf->url);
	out->redacted = xstrdup(conf->redacted);
}

static bool
step_details(struct call_turns *turns, struct worker *w)
{
	struct call_details *c = (struct call_details *)turns;
	size_t i;

	if (c->next == c->n)
		return false;
	i = c->next++;
	if (c->briefs[i].worker == w->index)
		fill_detail(w, &c->briefs[i], &c->out[i]);
	return true;
}

struct call_details *
call_details_new(const struct drain_brief *briefs, size_t n, struct drain_detail *out)
{
	struct call_details *c = call_turns_new(sizeof(*c), step_details, NULL);

	c->briefs = briefs;
	c->n = n;
	c->out = out;
	return c;
}
