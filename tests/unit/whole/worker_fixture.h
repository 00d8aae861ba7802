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

/* They do not run yet. */
static inline struct fixture *
fixture_new(unsigned workers)
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
					 .host = SLICE("here"),
					 .start = 1,
					 .posts = f->posts,
					 .workers = workers,
					 .main = mailbox_new(f->main_base, f),
					 .unknown = on_fixture_unknown};
	for (unsigned i = 0; i < workers; i++) {
		f->workers[i] = worker_new(i, &f->setup);
		f->posts[i] = &f->workers[i]->post;
	}
	return f;
}

/* None runs any more. */
static inline void
fixture_free(struct fixture *f)
{
	for (unsigned i = 0; i < f->setup.workers; i++)
		worker_end(f->workers[i]);
	for (unsigned i = 0; i < f->setup.workers; i++)
		worker_free(f->workers[i]);
	mailbox_turn(f->setup.main);
	mailbox_free(f->setup.main);
	resolver_free(f->setup.resolver);
	event_base_free(f->main_base);
	free(f);
}

#endif
