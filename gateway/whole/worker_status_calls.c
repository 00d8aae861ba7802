#include "whole/worker_status_calls.h"

#include <stdlib.h>

#include "base/xmalloc.h"
#include "whole/app_home.h"

static struct app_home *
home_of(struct worker *w, uint64_t app)
{
	struct route *r = routes_by_app(w->routes, app);

	return r != NULL ? r->home_state : NULL;
}

static void
run_status(struct call *call, struct worker *w)
{
	struct call_status *c = (struct call_status *)call;
	struct app_home *home = home_of(w, c->app);

	if (home == NULL)
		return;
	c->status = xcalloc(home->n, sizeof(*c->status));
	c->n = home->n;
	for (size_t i = 0; i < home->n; i++)
		drain_status(home->drains[i], &c->status[i]);
}

static void
clear_status(struct call *call)
{
	free(((struct call_status *)call)->status);
}

struct call_status *
call_status_new(uint64_t app)
{
	struct call_status *c = call_new(sizeof(*c), run_status, clear_status);

	c->app = app;
	return c;
}
