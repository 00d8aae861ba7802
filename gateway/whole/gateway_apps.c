/*
 * Apps and drains while the gateway runs.  The order of steps is what makes
 * the answers true: a record is on disk before a 201, and a drain is gone from
 * its log before a 204.
 */
#include <stdlib.h>
#include <string.h>

#include "base/xmalloc.h"
#include "whole/gateway_internal.h"
#include "whole/worker_calls.h"

/* A drain that has no record yet: an id that no record will ever have. */
static const uint64_t TICKET = UINT64_C(1) << 63;

enum gateway_code
gateway_code_of(enum store_code code)
{
	switch (code) {
	case STORE_OK:
		return GATEWAY_OK;
	case STORE_NOT_FOUND:
		return GATEWAY_NOT_FOUND;
	case STORE_EXISTS:
		return GATEWAY_EXISTS;
	default:
		return GATEWAY_STORE;
	}
}

bool
gateway_conf_of(const struct drain_record *r, struct drain_conf *conf)
{
	const struct drain_type *type = drain_type_find(r->type);
	struct drain_input in[RECORD_PARAMS_MAX];
	struct drain_errors errors = {.n = 0};

	if (type == NULL)
		return false;
	for (size_t i = 0; i < r->nparams; i++)
		in[i] = (struct drain_input){r->params[i].key, r->params[i].value};
	return drain_conf_make(conf, type, in, r->nparams, &errors);
}

void
gateway_record_of(const struct drain_conf *conf, const char *app_id, struct drain_record *r)
{
	*r = (struct drain_record){.type = xstrdup(conf->type->name), .url = xstrdup(conf->url)};
	memcpy(r->app_id, app_id, sizeof(r->app_id));
	for (int k = 0; k < DRAIN_KEYS; k++) {
		if (conf->value[k] == NULL)
			continue;
		r->params[r->nparams++] = (struct record_param){
		    xstrdup(drain_key_name((enum drain_key)k)), xstrdup(conf->value[k])};
	}
}

struct new_route {
	const struct app_record *app;
	unsigned home;
};

static struct call *
make_app_add(void *arg)
{
	const struct new_route *r = arg;

	return &call_app_add_new(r->app, r->home)->call;
}

static bool
add_routes(struct gateway *gw, const struct app_record *app)
{
	struct new_route r = {app, gateway_home(gw, app->id)};

	return call_all(gw->workers, gw->nworkers, make_app_add, NULL, &r);
}

static struct call *
make_app_remove(void *arg)
{
	struct call *c = &call_app_remove_new(*(uint64_t *)arg)->call;

	c->insist = true;
	return c;
}

/* A worker that is busy now removes them when it comes to it: nothing is undone for that. */
static void
remove_routes(struct gateway *gw, uint64_t app)
{
	(void)!call_all(gw->workers, gw->nworkers, make_app_remove, NULL, &app);
}

enum gateway_code
gateway_app_add(struct gateway *gw, struct app_record *app)
{
	enum store_code code = store_app_add(gw->store, app);

	if (code != STORE_OK)
		return gateway_code_of(code);
	if (add_routes(gw, app))
		return GATEWAY_OK;
	remove_routes(gw, app->serial);
	if (store_app_remove(gw->store, app->id) != STORE_OK)
		return GATEWAY_STORE;
	return GATEWAY_BUSY;
}

enum gateway_code
gateway_app_remove(struct gateway *gw, const char *app_id)
{
	struct app_record app;
	enum store_code code = store_app_by_id(gw->store, app_id, &app);

	if (code != STORE_OK)
		return gateway_code_of(code);
	code = store_app_remove(gw->store, app_id);
	if (code != STORE_OK)
		return gateway_code_of(code);
	remove_routes(gw, app.serial);
	return GATEWAY_OK;
}

/* Home worker: puts the drain at its log's end. */
static enum gateway_code
place_drain(struct gateway *gw, const struct app_record *app, uint64_t id, struct drain_conf *conf,
	    uint64_t *position)
{
	struct worker *home = gw->workers[gateway_home(gw, app->id)];
	struct call_drain_add *c = call_drain_add_new(app->serial, id, conf);
	bool found;

	call_post(&c->call, home);
	if (!call_wait(&c->call, CALL_WAIT_MS))
		return GATEWAY_BUSY;
	found = c->found;
	*position = c->position;
	call_free(&c->call);
	return found ? GATEWAY_OK : GATEWAY_NOT_FOUND;
}

static void
displace_drain(struct gateway *gw, const struct app_record *app, const char *url)
{
	struct call_drain_remove *c = call_drain_remove_new(app->serial, url);

	c->call.insist = true;
	call_post(&c->call, gw->workers[gateway_home(gw, app->id)]);
	if (call_wait(&c->call, CALL_WAIT_MS))
		call_free(&c->call);
}

static void
name_drain(struct gateway *gw, const struct app_record *app, const char *url, uint64_t id)
{
	struct call_drain_name *c = call_drain_name_new(app->serial, url, id);

	/* Else its status would be nobody's until the next start. */
	c->call.insist = true;
	call_post(&c->call, gw->workers[gateway_home(gw, app->id)]);
	if (call_wait(&c->call, CALL_WAIT_MS))
		call_free(&c->call);
}

/* A new app has no lines yet: record first, then the routes with the drain already in place. */
static enum gateway_code
add_with_app(struct gateway *gw, struct app_record *app, struct drain_conf *conf)
{
	struct drain_record record;
	enum gateway_code code;
	enum store_code stored;

	gateway_record_of(conf, app->id, &record);
	record.position = gw->setup.start << 40;
	stored = store_drain_add(gw->store, app, &record);
	if (stored != STORE_OK) {
		drain_record_free(&record);
		return gateway_code_of(stored);
	}
	code = add_routes(gw, app) ? GATEWAY_OK : GATEWAY_BUSY;
	if (code == GATEWAY_OK)
		code = place_drain(gw, app, record.id, conf, &record.position);
	drain_record_free(&record);
	if (code == GATEWAY_OK)
		return GATEWAY_OK;
	remove_routes(gw, app->serial);
	return store_app_remove(gw->store, app->id) == STORE_OK ? code : GATEWAY_STORE;
}

/* A known app: the drain stands at the log's end first, then the record has that position. */
static enum gateway_code
add_to_app(struct gateway *gw, const struct app_record *app, struct drain_conf *conf)
{
	struct drain_record record, there = {0};
	enum gateway_code code;
	enum store_code stored;

	stored = store_drain_find(gw->store, app->id, conf->url, &there);
	drain_record_free(&there);
	if (stored != STORE_NOT_FOUND)
		return stored == STORE_OK ? GATEWAY_EXISTS : GATEWAY_STORE;
	gateway_record_of(conf, app->id, &record);
	code = place_drain(gw, app, TICKET | ++gw->tickets, conf, &record.position);
	if (code == GATEWAY_OK) {
		stored = store_drain_add(gw->store, NULL, &record);
		code = gateway_code_of(stored);
		if (stored == STORE_OK)
			name_drain(gw, app, record.url, record.id);
		else
			displace_drain(gw, app, record.url);
	}
	drain_record_free(&record);
	return code;
}

enum gateway_code
gateway_drain_add(struct gateway *gw, struct app_record *app, bool new_app, struct drain_conf *conf)
{
	return new_app ? add_with_app(gw, app, conf) : add_to_app(gw, app, conf);
}

enum gateway_code
gateway_drain_remove(struct gateway *gw, const struct app_record *app, const char *url)
{
	struct drain_record record = {0};
	enum store_code code = store_drain_find(gw->store, app->id, url, &record);
	uint64_t id = record.id;

	drain_record_free(&record);
	if (code != STORE_OK)
		return gateway_code_of(code);
	/* What the store has forgotten must not go on: a busy worker does it later. */
	code = store_drain_remove(gw->store, app->id, id);
	if (code == STORE_OK)
		displace_drain(gw, app, url);
	return gateway_code_of(code);
}

struct gathering {
	struct unrouted_name *names;
	size_t n;
	uint64_t others;
};

static struct call *
make_unrouted(void *arg)
{
	(void)arg;
	return &call_unrouted_new()->call;
}

static struct unrouted_name *
gathered(struct gathering *g, const char *name)
{
	for (size_t i = 0; i < g->n; i++)
		if (strcmp(g->names[i].name, name) == 0)
			return &g->names[i];
	return NULL;
}

/* A name may have come to several workers. */
static void
read_unrouted(struct call *call, void *arg)
{
	const struct call_unrouted *c = (const struct call_unrouted *)call;
	struct gathering *g = arg;
	struct unrouted_name *there;

	g->others += c->others;
	g->names = xrealloc(g->names, (g->n + c->n) * sizeof(*g->names));
	for (size_t i = 0; i < c->n; i++) {
		there = gathered(g, c->names[i].name);
		if (there == NULL) {
			g->names[g->n++] = c->names[i];
			continue;
		}
		there->lines += c->names[i].lines;
		if (c->names[i].last_us > there->last_us)
			there->last_us = c->names[i].last_us;
	}
}

enum gateway_code
gateway_unrouted(struct gateway *gw, struct unrouted_name **out, size_t *n, uint64_t *others)
{
	struct gathering g = {NULL, 0, 0};

	if (!call_all(gw->workers, gw->nworkers, make_unrouted, read_unrouted, &g)) {
		free(g.names);
		return GATEWAY_BUSY;
	}
	*out = g.names;
	*n = g.n;
	*others = g.others;
	return GATEWAY_OK;
}
