/*
 * fake_gateway -- the functions of whole/gateway.h that the admin API calls,
 * without workers: what is added and removed goes straight to the store.
 * Included once by a test program; the real gateway is then not linked.
 */
#ifndef FAKE_GATEWAY_H
#define FAKE_GATEWAY_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/xmalloc.h"
#include "store/store.h"
#include "whole/gateway.h"
#include "whole/gateway_numbers.h"
#include "whole/gateway_probe.h"
#include "whole/gateway_status.h"
#include "whole/gateway_tail.h"

struct gateway {
	struct store *store;
	enum gateway_code fail; /* what to answer instead; GATEWAY_OK: nothing */
	struct drain_status status[4];
	size_t nstatus;
	int added, removed, replaced; /* calls that changed something */
	uint64_t lines_in;	      /* what /metrics says of the one worker */
	const struct spooler_stats *spool;

	unsigned tails, tails_max;	 /* open ones, and how many there may be */
	struct drain_filter tail_filter; /* of the last one that was opened; its text is gone */

	/* The test line that is under way; a test ends it. */
	probe_done *probe_done;
	void *probe_arg;
	char probe_url[256]; /* of the last one asked for */
	int probes_cancelled;
};

static enum gateway_code
fake_code(enum store_code code)
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

enum gateway_code
gateway_app_add(struct gateway *g, struct app_record *app)
{
	return g->fail != GATEWAY_OK ? g->fail : fake_code(store_app_add(g->store, app));
}

enum gateway_code
gateway_app_remove(struct gateway *g, const char *app_id)
{
	return g->fail != GATEWAY_OK ? g->fail : fake_code(store_app_remove(g->store, app_id));
}

static struct drain_record
fake_record(const struct app_record *app, const struct drain_conf *conf)
{
	struct drain_record record = {.type = xstrdup(conf->type->name), .url = xstrdup(conf->url)};

	memcpy(record.app_id, app->id, sizeof(record.app_id));
	for (int k = 0; k < DRAIN_KEYS; k++) {
		if (conf->value[k] == NULL)
			continue;
		record.params[record.nparams].key = xstrdup(drain_key_name((enum drain_key)k));
		record.params[record.nparams++].value = xstrdup(conf->value[k]);
	}
	return record;
}

enum gateway_code
gateway_drain_add(struct gateway *g, struct app_record *app, bool new_app, struct drain_conf *conf)
{
	struct drain_record record;
	enum store_code code;

	if (g->fail != GATEWAY_OK)
		return g->fail;
	record = fake_record(app, conf);
	code = store_drain_add(g->store, new_app ? app : NULL, &record);
	drain_record_free(&record);
	if (code == STORE_OK) {
		g->added++;
		drain_conf_free(conf);
	}
	return fake_code(code);
}

enum gateway_code
gateway_drain_replace(struct gateway *g, const struct app_record *app, const char *url,
		      struct drain_conf *conf)
{
	struct drain_record old = {0}, record;
	enum store_code code;

	if (g->fail != GATEWAY_OK)
		return g->fail;
	code = store_drain_find(g->store, app->id, url, &old);
	if (code == STORE_OK) {
		record = fake_record(app, conf);
		code = store_drain_replace(g->store, old.id, &record);
		drain_record_free(&record);
	}
	drain_record_free(&old);
	if (code == STORE_OK) {
		g->replaced++;
		drain_conf_free(conf);
	}
	return fake_code(code);
}

enum gateway_code
gateway_drain_remove(struct gateway *g, const struct app_record *app, const char *url)
{
	struct drain_record record = {0};
	enum store_code code;

	if (g->fail != GATEWAY_OK)
		return g->fail;
	code = store_drain_find(g->store, app->id, url, &record);
	if (code == STORE_OK)
		code = store_drain_remove(g->store, app->id, record.id);
	if (code == STORE_OK)
		g->removed++;
	drain_record_free(&record);
	return fake_code(code);
}

enum gateway_code
gateway_app_status(struct gateway *g, const struct app_record *app, struct drain_status **out,
		   size_t *n)
{
	(void)app;
	if (g->fail != GATEWAY_OK)
		return g->fail;
	*out = xcalloc(g->nstatus + 1, sizeof(**out));
	memcpy(*out, g->status, g->nstatus * sizeof(**out));
	*n = g->nstatus;
	return GATEWAY_OK;
}

struct fake_walk {
	struct gateway *g;
	struct drain_brief *briefs;
	struct drain_detail *details;
	size_t n;
};

static bool
fake_on_drain(const struct drain_record *record, void *arg)
{
	struct fake_walk *walk = arg;
	struct drain_brief *brief;
	struct app_record app;
	size_t at = walk->n++;

	walk->briefs = xrealloc(walk->briefs, walk->n * sizeof(*walk->briefs));
	walk->details = xrealloc(walk->details, walk->n * sizeof(*walk->details));
	brief = &walk->briefs[at];
	*brief = (struct drain_brief){.id = record->id, .type = drain_type_find(record->type)};
	walk->details[at] = (struct drain_detail){.type = brief->type};
	if (store_app_by_id(walk->g->store, record->app_id, &app) != STORE_OK)
		abort();
	brief->app = app.serial;
	for (size_t i = 0; i < walk->g->nstatus; i++)
		if (walk->g->status[i].id == record->id)
			walk->details[at].status = walk->g->status[i];
	walk->details[at].status.id = record->id;
	brief->state = walk->details[at].status.state;
	snprintf(walk->details[at].app, sizeof(walk->details[at].app), "%s", app.name);
	walk->details[at].url = xstrdup(record->url);
	walk->details[at].redacted = xasprintf("redacted-%llu", (unsigned long long)record->id);
	return true;
}

static int
fake_lower_id_first(const void *a, const void *b)
{
	const struct drain_brief *x = a, *y = b;

	return (x->id > y->id) - (x->id < y->id);
}

/* What the store has; states are those of g->status. */
enum gateway_code
gateway_drains(struct gateway *g, struct drain_brief **out, size_t *n)
{
	struct fake_walk walk = {.g = g};

	if (g->fail != GATEWAY_OK)
		return g->fail;
	if (store_drain_walk(g->store, NULL, fake_on_drain, &walk) != STORE_OK)
		return GATEWAY_STORE;
	gateway_details_clear(walk.details, walk.n);
	free(walk.details);
	if (walk.n > 0)
		qsort(walk.briefs, walk.n, sizeof(*walk.briefs), fake_lower_id_first);
	*out = walk.briefs;
	*n = walk.n;
	return GATEWAY_OK;
}

enum gateway_code
gateway_drain_details(struct gateway *g, const struct drain_brief *briefs, size_t n,
		      struct drain_detail *out)
{
	struct fake_walk walk = {.g = g};

	memset(out, 0, n * sizeof(*out));
	if (store_drain_walk(g->store, NULL, fake_on_drain, &walk) != STORE_OK)
		return GATEWAY_STORE;
	for (size_t i = 0; i < n; i++) {
		for (size_t k = 0; k < walk.n; k++) {
			if (walk.details[k].status.id != briefs[i].id)
				continue;
			out[i] = walk.details[k];
			walk.details[k].url = walk.details[k].redacted = NULL;
		}
	}
	gateway_details_clear(walk.details, walk.n);
	free(walk.details);
	free(walk.briefs);
	return GATEWAY_OK;
}

enum gateway_code
gateway_numbers(struct gateway *g, struct gateway_numbers *out)
{
	*out = (struct gateway_numbers){0};
	if (g->fail != GATEWAY_OK)
		return g->fail;
	out->workers = xcalloc(1, sizeof(*out->workers));
	out->workers[0].count[WORKER_COUNT_lines_in] = g->lines_in;
	out->nworkers = 1;
	out->listeners = xcalloc(1, sizeof(*out->listeners));
	snprintf(out->listeners[0].label, sizeof(out->listeners[0].label), "%s",
		 "syslog+unix:///a\"b\\c\nd\xff");
	out->nlisteners = 1;
	return GATEWAY_OK;
}

const struct spooler_stats *
gateway_spool(const struct gateway *g)
{
	return g->spool;
}

enum gateway_code
gateway_unrouted(struct gateway *g, struct unrouted_name **out, size_t *n, uint64_t *others)
{
	static const struct unrouted_name names[] = {
	    {"rare", 1, 1000000}, {"frequent", 9, 2000000}, {"also \"rare\"", 1, 3000000}};

	if (g->fail != GATEWAY_OK)
		return g->fail;
	*n = sizeof(names) / sizeof(names[0]);
	*out = xcalloc(*n, sizeof(names[0]));
	memcpy(*out, names, sizeof(names));
	*others = 5;
	return GATEWAY_OK;
}

/* Tails open and stay silent; the real ones are tested end to end. */
bool
gateway_tails_full(const struct gateway *g, const struct app_record *app)
{
	(void)app;
	return g->tails == g->tails_max;
}

enum gateway_code
gateway_tail_open(struct gateway *g, const struct app_record *app, struct tap_filter *filter,
		  const struct gateway_tail_events *events, void *arg, struct gateway_tail **tail)
{
	(void)app;
	(void)events;
	(void)arg;
	g->tail_filter = filter->lines;
	free(filter->text);
	if (g->fail != GATEWAY_OK)
		return g->fail;
	g->tails++;
	*tail = (struct gateway_tail *)g;
	return GATEWAY_OK;
}

void
gateway_tail_next(struct gateway_tail *tail)
{
	(void)tail;
}

void
gateway_tail_close(struct gateway_tail *tail)
{
	((struct gateway *)tail)->tails--;
}

/* There is one at a time; anything but NULL will do for it. */
struct gateway_probe {
	struct gateway *g;
};
static struct gateway_probe fake_probe;

enum gateway_code
gateway_probe_start(struct gateway *g, const struct app_record *app,
		    const struct drain_record *drain, probe_done *done, void *arg,
		    struct gateway_probe **out)
{
	(void)app;
	if (g->fail != GATEWAY_OK)
		return g->fail;
	snprintf(g->probe_url, sizeof(g->probe_url), "%s", drain->url);
	g->probe_done = done;
	g->probe_arg = arg;
	fake_probe.g = g;
	*out = &fake_probe;
	return GATEWAY_OK;
}

void
gateway_probe_cancel(struct gateway_probe *p)
{
	p->g->probes_cancelled++;
	p->g->probe_done = NULL;
}

#endif
