#include "whole/gateway_tail.h"

#include <stdlib.h>

#include "base/xmalloc.h"
#include "whole/gateway_internal.h"
#include "whole/worker_tail_calls.h"

struct gateway_tail {
	TAILQ_ENTRY(gateway_tail) link;
	struct gateway *gw;
	uint64_t app;
	uint64_t id;
	struct worker *home;
	struct gateway_tail_events events;
	void *arg;
	struct tap_batch *shown;       /* with the owner */
	struct tap_batch_list waiting; /* one at most, and the last */
};

/* events.removed is the end: the owner closes the tail, then or later. */
static void
show_next(struct gateway_tail *t)
{
	struct tap_batch *b = TAILQ_FIRST(&t->waiting);
	uint64_t dropped;

	if (b == NULL || t->shown != NULL)
		return;
	TAILQ_REMOVE(&t->waiting, b, link);
	if (b->last) {
		dropped = b->dropped;
		tap_batch_free(b);
		t->events.removed(dropped, t->arg);
	} else {
		t->shown = b;
		t->events.lines(b, t->arg);
	}
}

/* Main: a worker sent lines.  Who wanted them may have gone meanwhile. */
static void
on_batch(struct mail *mail, void *owner)
{
	struct tap_batch *b = (struct tap_batch *)mail;
	struct gateway *gw = owner;
	struct gateway_tail *t;

	TAILQ_FOREACH(t, &gw->tails, link)
	if (t->id == b->tap)
		break;
	if (t == NULL) {
		tap_batch_free(b);
		return;
	}
	TAILQ_INSERT_TAIL(&t->waiting, b, link);
	show_next(t);
}

bool
gateway_tails_full(const struct gateway *gw, const struct app_record *app)
{
	const struct gateway_tail *t;
	unsigned all = 0, of_app = 0;

	TAILQ_FOREACH(t, &gw->tails, link)
	{
		all++;
		of_app += t->app == app->serial;
	}
	return all >= GATEWAY_TAILS_MAX || of_app >= GATEWAY_TAILS_APP_MAX;
}

static enum gateway_code
open_tap(struct gateway *gw, struct gateway_tail *t, struct tap_filter *filter)
{
	struct call_tail_open *c = call_tail_open_new(t->app, t->id, filter, on_batch);
	enum gateway_code code;

	call_post(&c->call, t->home);
	if (!call_wait(&c->call, CALL_WAIT_MS))
		return GATEWAY_BUSY;
	code = c->found ? GATEWAY_OK : GATEWAY_NOT_FOUND;
	call_free(&c->call);
	if (code == GATEWAY_OK)
		TAILQ_INSERT_TAIL(&gw->tails, t, link);
	return code;
}

enum gateway_code
gateway_tail_open(struct gateway *gw, const struct app_record *app, struct tap_filter *filter,
		  const struct gateway_tail_events *events, void *arg, struct gateway_tail **tail)
{
	struct gateway_tail *t;
	enum gateway_code code;

	*tail = NULL;
	if (gateway_tails_full(gw, app)) {
		free(filter->text);
		*filter = (struct tap_filter){.text = NULL};
		return GATEWAY_BUSY;
	}
	t = xcalloc(1, sizeof(*t));
	t->gw = gw;
	t->app = app->serial;
	t->id = ++gw->tail_ids;
	t->home = gw->workers[gateway_home(gw, app->id)];
	t->events = *events;
	t->arg = arg;
	TAILQ_INIT(&t->waiting);
	code = open_tap(gw, t, filter);
	if (code == GATEWAY_OK)
		*tail = t;
	else
		free(t);
	return code;
}

void
gateway_tail_next(struct gateway_tail *t)
{
	tap_batch_free(t->shown);
	t->shown = NULL;
	worker_tail_next(t->home, t->app, t->id);
	show_next(t);
}

void
gateway_tail_close(struct gateway_tail *t)
{
	struct tap_batch *b;

	if (t == NULL)
		return;
	worker_tail_close(t->home, t->app, t->id);
	TAILQ_REMOVE(&t->gw->tails, t, link);
	tap_batch_free(t->shown);
	while ((b = TAILQ_FIRST(&t->waiting)) != NULL) {
		TAILQ_REMOVE(&t->waiting, b, link);
		tap_batch_free(b);
	}
	free(t);
}
