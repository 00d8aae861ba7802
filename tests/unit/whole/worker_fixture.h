/*
 * worker_fixture -- workers without listeners, stores or drains' receivers, as
 * many as asked for.  One file of a program includes it.
 */
#ifndef WORKER_FIXTURE_H
#define WORKER_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <event2/event.h>

#include "plumb/resolve.h"
#include "whole/app_home.h"
#include "whole/worker.h"

enum { FIXTURE_WORKERS_MAX = 3 };

struct fixture {
	struct config config;
	struct event_base *main_base;
	struct worker_setup setup;
	struct post *posts[FIXTURE_WORKERS_MAX];
	struct worker *workers[FIXTURE_WORKERS_MAX];
};

static inline void
on_fixture_unknown(struct mail *mail, void *owner)
{
	(void)owner;
	free(mail);
}

/* Without workers: their setup may still be changed. */
static inline struct fixture *
fixture_prepare(unsigned workers)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	f->config = (struct config){.workers = workers,
				    .max_line = 64 * 1024,
				    .app_memory = 1024 * 1024,
				    .worker_memory = 64 * 1024,
				    .stop_timeout = 1000};
	f->main_base = event_base_new();
	f->setup = (struct worker_setup){.config = &f->config,
					 .resolver = resolver_new(),
					 .drain_tls = SSL_CTX_new(TLS_client_method()),
					 .host = SLICE("here"),
					 .start = 1,
					 .posts = f->posts,
					 .workers = workers,
					 .main = mailbox_new(f->main_base, f),
					 .unknown = on_fixture_unknown};
	return f;
}

/* They do not run yet. */
static inline void
fixture_make_workers(struct fixture *f)
{
	for (unsigned i = 0; i < f->setup.workers; i++) {
		f->workers[i] = worker_new(i, &f->setup);
		f->posts[i] = &f->workers[i]->post;
	}
}

static inline struct fixture *
fixture_new(unsigned workers)
{
	struct fixture *f = fixture_prepare(workers);

	fixture_make_workers(f);
	return f;
}

/* A drain to that port of this machine, as the admin API would make it. */
static inline struct drain *
fixture_drain(struct worker *w, struct app_log *log, uint64_t id, const char *port)
{
	const struct drain_input in[] = {{"host", "127.0.0.1"}, {"port", port}};
	struct drain_errors errors = {.n = 0};
	struct drain_conf conf;

	if (!drain_conf_make(&conf, drain_type_find("syslog"), in, 2, &errors))
		fail_msg("%s: %s", errors.at[0].key, errors.at[0].text);
	return drain_new(&w->drains, log, id, &conf);
}

/* An app at home on w, as call_app_add makes it. */
static inline struct app_home *
fixture_app(struct worker *w, const char *name, uint64_t app)
{
	struct app_home *home = app_home_new(&w->pool, app, name);
	struct route *r = routes_add(w->routes, slice_str(name), app, w->index);

	r->home_state = home;
	r->log = home->log;
	return home;
}

/* None runs any more. */
static inline void
fixture_free(struct fixture *f)
{
	for (unsigned i = 0; i < f->setup.workers; i++)
		worker_end(f->workers[i]);
	for (unsigned i = 0; i < f->setup.workers; i++)
		worker_empty(f->workers[i]);
	for (unsigned i = 0; i < f->setup.workers; i++)
		worker_free(f->workers[i]);
	mailbox_turn(f->setup.main);
	mailbox_free(f->setup.main);
	resolver_free(f->setup.resolver);
	SSL_CTX_free(f->setup.drain_tls);
	event_base_free(f->main_base);
	free(f);
}

#endif
