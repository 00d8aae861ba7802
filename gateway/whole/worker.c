#include "whole/worker.h"

#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/xmalloc.h"
#include "whole/app_home.h"

/* Acknowledgements are asked for, and what is held is let go, this often. */
enum { TICK_MS = 250, SWEEP_MS = 1000 };

static void
on_unknown(struct slice name, void *arg)
{
	struct worker *w = arg;
	const struct unrouted_name *first = unrouted_count(&w->unrouted, name, w->ingest.now_us);
	struct unknown_app *u;

	if (first == NULL)
		return;
	u = xcalloc(1, sizeof(*u));
	u->mail.deliver = w->setup->unknown;
	memcpy(u->name, first->name, sizeof(u->name));
	mailbox_push(w->setup->main, &u->mail);
}

/* After each round of events. */
static void
worker_turn(struct worker *w)
{
	w->drains.encoded = 0;
	worker_flush_turn(w);
	worker_spool_turn(w);
	worker_weigh(w);
}

static void
poll_holding(struct worker *w, int64_t now_ms)
{
	struct drain *d, *next;

	for (d = TAILQ_FIRST(&w->drains.holding); d != NULL; d = next) {
		next = drain_next_holding(d);
		drain_poll(d);
		worker_flush_rest(w, drain_log(d), now_ms);
	}
}

static void
on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct worker *w = arg;
	int64_t now_ms = clock_mono_ms();

	(void)fd;
	(void)what;
	poll_holding(w, now_ms);
	worker_flush_hibernate(w, now_ms);
	worker_relieve(w);
	if (now_ms - w->swept_ms >= SWEEP_MS) {
		w->swept_ms = now_ms;
		intake_sweep(&w->intake, now_ms);
	}
}

static void
on_read_done(void *arg)
{
	struct worker *w = arg;

	ingest_end(&w->ingest);
	worker_post(w);
}

static void
on_bundle(struct mail *mail, void *owner)
{
	struct bundle *b = (struct bundle *)mail;
	struct worker *w = owner;

	ingest_bundle(&w->ingest, b);
	atomic_fetch_sub(&w->post.waiting, b->n);
	bundle_free(b);
}

static struct slice
app_name_or_none(const char *name)
{
	return name != NULL ? slice_str(name) : slice_of(NULL, 0);
}

static void
init_parts(struct worker *w)
{
	const struct worker_setup *setup = w->setup;
	const struct config *config = setup->config;

	log_pool_init(&w->pool, (size_t)config->app_memory, (size_t)config->worker_memory,
		      setup->start);
	worker_flush_init(w);
	worker_spool_init(w);
	worker_await_init(w);
	w->ingest = (struct ingest){.self = w->index,
				    .routes = w->routes,
				    .stats = &w->stats,
				    .catch_all = app_name_or_none(config->catch_all),
				    .copy_to = app_name_or_none(config->copy_to),
				    .touch = worker_touch,
				    .unknown = on_unknown,
				    .arg = w};
	outbox_init(&w->ingest.outbox, setup->posts, setup->workers, on_bundle);
	w->intake = (struct intake){.base = w->base,
				    .ingest = &w->ingest,
				    .config = config,
				    .stats = &w->stats,
				    .host = setup->host,
				    .read_done = on_read_done,
				    .arg = w};
	intake_init(&w->intake);
	w->drains = (struct drain_env){.base = w->base,
				       .mailbox = w->mailbox,
				       .resolver = setup->resolver,
				       .tls = setup->drain_tls,
				       .gzip = gzip_new(),
				       .config = config,
				       .stats = &w->stats,
				       .host = setup->host,
				       .more = worker_flush_more,
				       .rests = worker_flush_rests,
				       .arg = w};
	TAILQ_INIT(&w->drains.holding);
	TAILQ_INIT(&w->drains.closing);
}

struct worker *
worker_new(unsigned index, const struct worker_setup *setup)
{
	struct worker *w = xcalloc(1, sizeof(*w));
	struct timeval tick = {.tv_usec = TICK_MS * 1000};

	w->index = index;
	w->setup = setup;
	w->base = event_base_new();
	if (w->base == NULL)
		abort();
	w->mailbox = mailbox_new(w->base, w);
	if (w->mailbox == NULL)
		abort();
	w->post.mailbox = w->mailbox;
	w->routes = routes_new();
	w->tick = event_new(w->base, -1, EV_PERSIST, on_tick, w);
	if (w->tick == NULL || event_add(w->tick, &tick) < 0)
		abort();
	init_parts(w);
	return w;
}

static void
free_home(struct route *r, void *arg)
{
	struct worker *w = arg;

	if (r->home_state == NULL)
		return;
	worker_forget_log(w, r->log);
	app_home_abandon(r->home_state);
}

void
worker_hear(struct worker *w)
{
	w->drains.over = true;
	mailbox_turn(w->mailbox);
}

void
worker_end(struct worker *w)
{
	struct drain *d;

	if (w->routes == NULL)
		return;
	intake_clear(&w->intake);
	routes_walk(w->routes, free_home, w);
	while ((d = TAILQ_FIRST(&w->drains.closing)) != NULL)
		drain_free_closing(d);
	routes_free(w->routes);
	w->routes = NULL;
}

void
worker_empty(struct worker *w)
{
	http_client_free(w->drains.http);
	w->drains.http = NULL;
	/* Answers of the resolver and the spooler, and bundles, may still lie there. */
	w->ingest.routes = w->routes = routes_new();
	mailbox_turn(w->mailbox);
	routes_free(w->routes);
	w->ingest.routes = w->routes = NULL;
}

void
worker_free(struct worker *w)
{
	if (w == NULL)
		return;
	gzip_free(w->drains.gzip);
	mailbox_free(w->mailbox);
	worker_await_clear(w);
	worker_spool_clear(w);
	buf_free(&w->drains.scratch);
	buf_free(&w->drains.marked);
	ingest_clear(&w->ingest);
	log_pool_clear(&w->pool);
	unrouted_clear(&w->unrouted);
	worker_flush_clear(w);
	event_free(w->tick);
	event_base_free(w->base);
	free(w->stop);
	free(w);
}

static void *
worker_main(void *arg)
{
	struct worker *w = arg;

	while (!w->quit) {
		event_base_loop(w->base, TAILQ_EMPTY(&w->flush.touched)
					     ? EVLOOP_ONCE
					     : EVLOOP_ONCE | EVLOOP_NONBLOCK);
		worker_turn(w);
	}
	return NULL;
}

/* Last, as the rules name the ports that listeners were given. */
static void
init_clients(struct worker *w)
{
	const struct worker_setup *setup = w->setup;
	struct http_client_env env = {.base = w->base,
				      .mailbox = w->mailbox,
				      .resolver = setup->resolver,
				      .policy = setup->policy,
				      .config = setup->config,
				      .tls = setup->drain_tls};

	w->drains.policy = setup->policy;
	w->drains.http = http_client_new(&env);
}

bool
worker_run(struct worker *w)
{
	char name[16];

	init_clients(w);
	if (pthread_create(&w->thread, NULL, worker_main, w) != 0)
		return false;
	snprintf(name, sizeof(name), "worker-%u", w->index);
	pthread_setname_np(w->thread, name);
	return true;
}

void
worker_join(struct worker *w)
{
	pthread_join(w->thread, NULL);
}
