#include "whole/worker_tail_calls.h"

#include <stdlib.h>

#include "base/xmalloc.h"
#include "whole/app_home.h"

struct tail_mail {
	struct mail mail;
	uint64_t app, id;
};

static struct app_home *
home_of(struct worker *w, uint64_t app)
{
	struct route *r = routes_by_app(w->routes, app);

	return r != NULL ? r->home_state : NULL;
}

static void
run_tail_open(struct call *call, struct worker *w)
{
	struct call_tail_open *c = (struct call_tail_open *)call;
	struct app_home *home = home_of(w, c->app);

	if (home == NULL)
		return;
	c->found = true;
	tap_new(&home->taps, home->log, c->id, &c->filter, w->setup->main, c->deliver);
}

static void
clear_tail_open(struct call *call)
{
	free(((struct call_tail_open *)call)->filter.text);
}

struct call_tail_open *
call_tail_open_new(uint64_t app, uint64_t id, struct tap_filter *filter,
		   void (*deliver)(struct mail *, void *owner))
{
	struct call_tail_open *c = call_new(sizeof(*c), run_tail_open, clear_tail_open);

	c->app = app;
	c->id = id;
	c->filter = *filter;
	*filter = (struct tap_filter){.text = NULL};
	c->deliver = deliver;
	return c;
}

/* The app, or the tap, may have gone while the mail was on its way. */
static struct tap *
tap_of(const struct tail_mail *m, struct worker *w, struct app_home **home)
{
	*home = home_of(w, m->app);
	return *home != NULL ? tap_find(&(*home)->taps, m->id) : NULL;
}

static void
on_next(struct mail *mail, void *owner)
{
	struct tail_mail *m = (struct tail_mail *)mail;
	struct app_home *home;
	struct tap *tap = tap_of(m, owner, &home);

	if (tap != NULL)
		tap_next(tap);
	free(m);
}

static void
on_close(struct mail *mail, void *owner)
{
	struct tail_mail *m = (struct tail_mail *)mail;
	struct app_home *home;
	struct tap *tap = tap_of(m, owner, &home);

	if (tap != NULL)
		tap_free(&home->taps, tap);
	free(m);
}

static void
post(struct worker *w, uint64_t app, uint64_t id, void (*deliver)(struct mail *, void *owner))
{
	struct tail_mail *m = xcalloc(1, sizeof(*m));

	m->mail.deliver = deliver;
	m->app = app;
	m->id = id;
	mailbox_push(w->mailbox, &m->mail);
}

void
worker_tail_next(struct worker *w, uint64_t app, uint64_t id)
{
	post(w, app, id, on_next);
}

void
worker_tail_close(struct worker *w, uint64_t app, uint64_t id)
{
	post(w, app, id, on_close);
}
