/*
 * One drain in place of another.  Whatever fails, the old one goes on: a busy
 * worker is found out before anything is changed, then the records are swapped
 * in one transaction, and only what is on disk is done in the worker.
 */
#include <stdlib.h>
#include <string.h>

#include "whole/gateway_internal.h"
#include "whole/gateway_status.h"
#include "whole/worker_calls.h"

/* Also in what its URL does not show: certificates and keys. */
static bool
is_same_drain(const struct drain_record *a, const struct drain_record *b)
{
	if (strcmp(a->type, b->type) != 0 || strcmp(a->url, b->url) != 0 ||
	    a->nparams != b->nparams)
		return false;
	for (size_t i = 0; i < a->nparams; i++)
		if (strcmp(a->params[i].key, b->params[i].key) != 0 ||
		    strcmp(a->params[i].value, b->params[i].value) != 0)
			return false;
	return true;
}

static enum gateway_code
home_answers(struct gateway *gw, const struct app_record *app)
{
	struct drain_status *status = NULL;
	enum gateway_code code;
	size_t n;

	code = gateway_app_status(gw, app, &status, &n);
	free(status);
	return code;
}

/* What the store says must come to be: a worker that is busy now does it later. */
static void
swap(struct gateway *gw, const struct app_record *app, const char *url,
     const struct drain_record *record, struct drain_conf *conf)
{
	struct call_drain_replace *c = call_drain_replace_new(app->serial, url, record, conf);

	c->call.insist = true;
	call_post(&c->call, gw->workers[gateway_home(gw, app->id)]);
	if (call_wait(&c->call, CALL_WAIT_MS))
		call_free(&c->call);
}

enum gateway_code
gateway_drain_replace(struct gateway *gw, const struct app_record *app, const char *url,
		      struct drain_conf *conf)
{
	struct drain_record old, record;
	enum gateway_code code = gateway_code_of(store_drain_find(gw->store, app->id, url, &old));

	if (code != GATEWAY_OK)
		return code;
	gateway_record_of(conf, app->id, &record);
	record.position = old.position;
	/* What waits on disk for the one waits for the other, whenever the process ends. */
	record.mark = old.mark;
	code = is_same_drain(&old, &record) ? GATEWAY_EXISTS : home_answers(gw, app);
	if (code == GATEWAY_OK)
		code = gateway_code_of(store_drain_replace(gw->store, old.id, &record));
	if (code == GATEWAY_OK)
		swap(gw, app, url, &record, conf);
	drain_record_free(&old);
	drain_record_free(&record);
	return code;
}
