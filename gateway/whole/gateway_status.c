#include "whole/gateway_status.h"

#include <stdlib.h>
#include <string.h>

#include "base/xmalloc.h"
#include "whole/gateway_internal.h"
#include "whole/worker_status_calls.h"

enum gateway_code
gateway_app_status(struct gateway *gw, const struct app_record *app, struct drain_status **out,
		   size_t *n)
{
	struct call_status *c = call_status_new(app->serial);

	call_post(&c->turns.call, gw->workers[gateway_home(gw, app->id)]);
	if (!call_wait(&c->turns.call, CALL_WAIT_MS))
		return GATEWAY_BUSY;
	*out = c->status;
	*n = c->n;
	c->status = NULL;
	call_free(&c->turns.call);
	return *out != NULL ? GATEWAY_OK : GATEWAY_NOT_FOUND;
}

struct briefs {
	struct drain_brief *at;
	size_t n;
};

static struct call *
make_briefs(void *arg)
{
	(void)arg;
	return &call_briefs_new()->turns.call;
}

static void
read_briefs(struct call *call, void *arg)
{
	const struct call_briefs *c = (const struct call_briefs *)call;
	struct briefs *all = arg;

	if (c->n == 0)
		return;
	all->at = xrealloc(all->at, (all->n + c->n) * sizeof(*all->at));
	memcpy(&all->at[all->n], c->briefs, c->n * sizeof(*all->at));
	all->n += c->n;
}

static int
lower_id_first(const void *a, const void *b)
{
	const struct drain_brief *x = a, *y = b;

	return (x->id > y->id) - (x->id < y->id);
}

enum gateway_code
gateway_drains(struct gateway *gw, struct drain_brief **out, size_t *n)
{
	struct briefs all = {NULL, 0};

	if (!call_all(gw->workers, gw->nworkers, make_briefs, read_briefs, &all)) {
		free(all.at);
		return GATEWAY_BUSY;
	}
	if (all.n > 0)
		qsort(all.at, all.n, sizeof(*all.at), lower_id_first);
	*out = all.at;
	*n = all.n;
	return GATEWAY_OK;
}

struct details {
	const struct drain_brief *briefs;
	size_t n;
	struct drain_detail *out;
};

static struct call *
make_details(void *arg)
{
	const struct details *d = arg;

	return &call_details_new(d->briefs, d->n, d->out)->turns.call;
}

enum gateway_code
gateway_drain_details(struct gateway *gw, const struct drain_brief *briefs, size_t n,
		      struct drain_detail *out)
{
	struct details d = {briefs, n, out};

	memset(out, 0, n * sizeof(*out));
	if (!call_all(gw->workers, gw->nworkers, make_details, NULL, &d))
		return GATEWAY_BUSY;
	return GATEWAY_OK;
}
