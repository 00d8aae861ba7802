#include "whole/worker_calls.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/xmalloc.h"
#include "ends/drain_replace.h"
#include "ends/listener.h"
#include "whole/app_home.h"

static struct app_home *
home_of(struct worker *w, uint64_t app)
{
	struct route *r = routes_by_app(w->routes, app);

	return r != NULL ? r->home_state : NULL;
}

static void
run_app_add(struct call *call, struct worker *w)
{
	struct call_app_add *c = (struct call_app_add *)call;
	struct app_home *home;
	struct route *r;

	r = routes_add(w->routes, slice_str(c->name), c->app, c->home);
	memcpy(r->id, c->id, sizeof(r->id));
	if (c->home != w->index)
		return;
	home = app_home_new(&w->pool, c->app, c->name);
	r->home_state = home;
	r->log = home->log;
	if (c->restored)
		app_log_restore(home->log, c->end.bytes, c->end.lines);
}

struct call_app_add *
call_app_add_new(const struct app_record *app, unsigned home)
{
	struct call_app_add *c = call_new(sizeof(*c), run_app_add, NULL);

	c->app = app->serial;
	c->home = home;
	snprintf(c->name, sizeof(c->name), "%s", app->name);
	memcpy(c->id, app->id, sizeof(c->id));
	return c;
}

static void
run_app_remove(struct call *call, struct worker *w)
{
	struct call_app_remove *c = (struct call_app_remove *)call;
	struct route *r = routes_by_app(w->routes, c->app);

	if (r == NULL)
		return;
	if (r->home_state != NULL) {
		worker_spool_forget(w, r->log, true);
		worker_forget_log(w, r->log);
		app_home_remove(r->home_state);
	}
	routes_remove(w->routes, r);
}

struct call_app_remove *
call_app_remove_new(uint64_t app)
{
	struct call_app_remove *c = call_new(sizeof(*c), run_app_remove, NULL);

	c->app = app;
	return c;
}

static void
run_drain_add(struct call *call, struct worker *w)
{
	struct call_drain_add *c = (struct call_drain_add *)call;
	struct app_home *home = home_of(w, c->app);
	struct drain *d;

	if (home == NULL)
		return;
	c->found = true;
	c->position = home->log->end_seq;
	d = drain_new(&w->drains, home->log, c->drain, &c->conf);
	app_home_add(home, d);
	if (c->mark != 0)
		drain_set_mark(d, c->mark);
	if (c->placed)
		drain_place(d, &c->place, c->came_us);
}

static void
clear_drain_add(struct call *call)
{
	drain_conf_free(&((struct call_drain_add *)call)->conf);
}

struct call_drain_add *
call_drain_add_new(uint64_t app, uint64_t drain, struct drain_conf *conf)
{
	struct call_drain_add *c = call_new(sizeof(*c), run_drain_add, clear_drain_add);

	c->app = app;
	c->drain = drain;
	c->conf = *conf;
	*conf = (struct drain_conf){0};
	return c;
}

static void
run_drain_replace(struct call *call, struct worker *w)
{
	struct call_drain_replace *c = (struct call_drain_replace *)call;
	struct app_home *home = home_of(w, c->app);
	struct drain *old, *d;

	if (home == NULL)
		return;
	old = app_home_find(home, c->url);
	/* A record that this version does not understand has no drain. */
	if (old == NULL) {
		d = drain_new(&w->drains, home->log, c->drain, &c->conf);
	} else {
		app_home_take(home, old);
		d = drain_replace(old, c->drain, &c->conf);
	}
	drain_set_mark(d, c->mark);
	app_home_add(home, d);
}

static void
clear_drain_replace(struct call *call)
{
	struct call_drain_replace *c = (struct call_drain_replace *)call;

	free(c->url);
	drain_conf_free(&c->conf);
}

struct call_drain_replace *
call_drain_replace_new(uint64_t app, const char *url, const struct drain_record *record,
		       struct drain_conf *conf)
{
	struct call_drain_replace *c = call_new(sizeof(*c), run_drain_replace, clear_drain_replace);

	c->app = app;
	c->url = xstrdup(url);
	c->drain = record->id;
	c->mark = record->mark;
	c->conf = *conf;
	*conf = (struct drain_conf){0};
	return c;
}

static void
run_drain_remove(struct call *call, struct worker *w)
{
	struct call_drain_remove *c = (struct call_drain_remove *)call;
	struct app_home *home = home_of(w, c->app);
	struct drain *d = home != NULL ? app_home_find(home, c->url) : NULL;

	if (d == NULL)
		return;
	app_home_take(home, d);
	drain_remove(d);
}

static void
clear_drain_remove(struct call *call)
{
	free(((struct call_drain_remove *)call)->url);
}

struct call_drain_remove *
call_drain_remove_new(uint64_t app, const char *url)
{
	struct call_drain_remove *c = call_new(sizeof(*c), run_drain_remove, clear_drain_remove);

	c->app = app;
	c->url = xstrdup(url);
	return c;
}

static void
run_drain_name(struct call *call, struct worker *w)
{
	struct call_drain_name *c = (struct call_drain_name *)call;
	struct app_home *home = home_of(w, c->app);
	struct drain *d = home != NULL ? app_home_find(home, c->url) : NULL;

	if (d != NULL)
		drain_set_id(d, c->drain);
}

static void
clear_drain_name(struct call *call)
{
	free(((struct call_drain_name *)call)->url);
}

struct call_drain_name *
call_drain_name_new(uint64_t app, const char *url, uint64_t drain)
{
	struct call_drain_name *c = call_new(sizeof(*c), run_drain_name, clear_drain_name);

	c->app = app;
	c->url = xstrdup(url);
	c->drain = drain;
	return c;
}

static void
run_unrouted(struct call *call, struct worker *w)
{
	struct call_unrouted *c = (struct call_unrouted *)call;

	c->others = w->unrouted.others;
	c->names = xcalloc(w->unrouted.n, sizeof(*c->names));
	for (size_t i = 0; i < UNROUTED_NAMES_MAX * 2; i++)
		if (w->unrouted.names[i] != NULL)
			c->names[c->n++] = *w->unrouted.names[i];
}

static void
clear_unrouted(struct call *call)
{
	free(((struct call_unrouted *)call)->names);
}

struct call_unrouted *
call_unrouted_new(void)
{
	return call_new(sizeof(struct call_unrouted), run_unrouted, clear_unrouted);
}

static void
run_listen(struct call *call, struct worker *w)
{
	struct call_listen *c = (struct call_listen *)call;

	listener_new(&w->intake, c->url, c->fd, c->ctx, c->rule);
}

struct call_listen *
call_listen_new(const struct listen_url *url, int fd, SSL_CTX *ctx, struct tag_rule *rule)
{
	struct call_listen *c = call_new(sizeof(*c), run_listen, NULL);

	c->url = url;
	c->fd = fd;
	c->ctx = ctx;
	c->rule = rule;
	return c;
}

static void
run_renew(struct call *call, struct worker *w)
{
	struct call_renew *c = (struct call_renew *)call;
	struct listener *l;
	size_t i;

	for (l = TAILQ_FIRST(&w->intake.listeners); l != NULL; l = listener_next(l)) {
		i = (size_t)(listener_url(l) - c->config->listen);
		listener_renew(l, c->ctxs[i], c->rules[i]);
	}
	if (c->drain_tls == NULL)
		return;
	w->drains.tls = c->drain_tls;
	http_client_set_tls(w->drains.http, c->drain_tls);
}

struct call_renew *
call_renew_new(const struct config *config, SSL_CTX **ctxs, struct tag_rule **rules)
{
	struct call_renew *c = call_new(sizeof(*c), run_renew, NULL);

	c->config = config;
	c->ctxs = ctxs;
	c->rules = rules;
	return c;
}
