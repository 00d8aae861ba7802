#include "whole/gateway.h"

#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/xmalloc.h"
#include "plumb/resolve.h"
#include "whole/gateway_internal.h"
#include "whole/sockets.h"
#include "whole/worker_calls.h"
#include "whole/worker_stop.h"
#include "wire/ascii.h"

unsigned
gateway_home(const struct gateway *gw, const char *app_id)
{
	return (unsigned)(hash_slice(slice_str(app_id)) % gw->nworkers);
}

/* Runs on main: the first line of an app that nobody knows, said once a name. */
static void
on_unknown(struct mail *mail, void *owner)
{
	struct unknown_app *u = (struct unknown_app *)mail;
	struct gateway *gw = owner;

	/* Each worker tells its first one. */
	if (unrouted_count(&gw->unknown, slice_str(u->name), clock_wall_us()) == NULL)
		goto out;
	if (u->name[0] == '\0')
		log_warn("lines that name no app: see the listener's app= option", "goes_to",
			 gw->config->catch_all, NULL);
	else
		log_warn("lines of an app that nobody knows: add a drain to it with POST "
			 "/v1/apps/NAME/log_drains, or set catch-all",
			 "app", u->name, "goes_to", gw->config->catch_all, NULL);
out:
	free(u);
}

static void
free_parts(struct gateway *gw)
{
	/* A worker that ends may still post to the others. */
	for (unsigned i = 0; i < gw->nworkers; i++)
		worker_end(gw->workers[i]);
	for (unsigned i = 0; i < gw->nworkers; i++)
		worker_empty(gw->workers[i]);
	/* What they found there may have been answered to another. */
	for (unsigned i = 0; i < gw->nworkers; i++)
		worker_empty(gw->workers[i]);
	for (unsigned i = 0; i < gw->nworkers; i++)
		worker_free(gw->workers[i]);
	gateway_prober_free(gw->prober);
	if (gw->mailbox != NULL) {
		mailbox_turn(gw->mailbox);
		mailbox_free(gw->mailbox);
	}
	if (gw->setup.resolver != NULL)
		resolver_free(gw->setup.resolver);
	gateway_close_spool(gw);
	if (gw->rules != NULL)
		gateway_free_listener_parts(gw->config->nlisten, gw->ctxs, gw->rules);
	SSL_CTX_free(gw->drain_tls);
	address_policy_free(gw->policy);
	free(gw->setup.posts);
	free(gw->workers);
	unrouted_clear(&gw->unknown);
	free(gw);
}

static void
make_workers(struct gateway *gw)
{
	unsigned n = (unsigned)gw->config->workers;

	gw->workers = xcalloc(n, sizeof(struct worker *));
	gw->setup.posts = xcalloc(n, sizeof(struct post *));
	gw->setup.workers = n;
	for (unsigned i = 0; i < n; i++) {
		gw->workers[i] = worker_new(i, &gw->setup);
		gw->setup.posts[i] = &gw->workers[i]->post;
	}
	gw->nworkers = n;
}

/* Before the threads run, main may do a worker's work itself. */
static void
run_now(struct call *c, struct worker *w)
{
	c->run(c, w);
	call_free(c);
}

/* What the spool has of it; its thread does not run yet. */
static void
find_log(const struct gateway *gw, uint64_t app, struct call_app_add *c)
{
	const struct spool_log *log = gw->spool != NULL ? spool_log_of(gw->spool, app) : NULL;

	if (log == NULL)
		return;
	c->restored = true;
	c->end = log->end;
}

static void
find_mark(const struct gateway *gw, uint64_t app, struct call_drain_add *c)
{
	const struct spool_log *log = gw->spool != NULL ? spool_log_of(gw->spool, app) : NULL;

	if (log == NULL || spool_mark_of(gw->spool, app, c->mark, &c->place) != SPOOL_OK)
		return;
	c->placed = true;
	c->came_us = log->first_us > 0 ? log->first_us : clock_age_us();
}

static bool
load_app(const struct app_record *app, void *arg)
{
	struct gateway *gw = arg;
	unsigned home = gateway_home(gw, app->id);

	for (unsigned i = 0; i < gw->nworkers; i++) {
		struct call_app_add *c = call_app_add_new(app, home);

		if (i == home)
			find_log(gw, app->serial, c);
		run_now(&c->call, gw->workers[i]);
	}
	if (gw->setup.spooler != NULL)
		spooler_know(gw->setup.spooler, app->serial, gw->workers[home]->mailbox);
	return true;
}

static bool
load_drain(const struct drain_record *drain, void *arg)
{
	struct gateway *gw = arg;
	struct call_drain_add *c;
	struct app_record app;
	struct drain_conf conf;

	if (store_app_by_id(gw->store, drain->app_id, &app) != STORE_OK)
		return true;
	if (!gateway_conf_of(drain, &conf)) {
		log_error("stored drain is not understood by this version and stays unused", "app",
			  app.name, "type", drain->type, NULL);
		return true;
	}
	c = call_drain_add_new(app.serial, drain->id, &conf);
	c->mark = drain->mark;
	find_mark(gw, app.serial, c);
	run_now(&c->call, gw->workers[gateway_home(gw, app.id)]);
	return true;
}

static bool
load_store(struct gateway *gw, char *err)
{
	if (store_app_walk(gw->store, load_app, gw) == STORE_OK &&
	    store_drain_walk(gw->store, NULL, load_drain, gw) == STORE_OK)
		return true;
	snprintf(err, CONFIG_ERROR_BYTES, "data-dir: the store cannot be read: %s",
		 store_error(gw->store));
	return false;
}

static bool
open_listener(struct gateway *gw, size_t i, char *err)
{
	struct listen_url *url = &gw->config->listen[i];
	int fds[64] = {0};
	unsigned n = socket_open_shared(url, "listen", fds, gw->nworkers, err);
	char name[256];

	if (n == 0)
		return false;
	for (unsigned w = 0; w < n; w++)
		run_now(&call_listen_new(url, fds[w], gw->ctxs[i], gw->rules[i])->call,
			gw->workers[w]);
	socket_name(url, name, sizeof(name));
	log_info("listening", "listener", url->text, "address", name, NULL);
	return true;
}

/* As a HOSTNAME: the kernel takes any bytes. */
static void
take_host_name(char *host, size_t size)
{
	if (gethostname(host, size - 1) < 0 || host[0] == '\0')
		snprintf(host, size, "localhost");
	for (char *p = host; *p != '\0'; p++)
		if (!ascii_printable(*p))
			*p = '-';
}

static bool
start_parts(struct gateway *gw, struct event_base *base, char *err)
{
	size_t nlisten = gw->config->nlisten;

	if (!gateway_open_spool(gw, err))
		return false;
	gw->drain_tls = tls_client_ctx(gw->config->ca_file, err);
	if (gw->drain_tls == NULL)
		return false;
	gw->ctxs = xcalloc(nlisten, sizeof(SSL_CTX *));
	gw->rules = xcalloc(nlisten, sizeof(struct tag_rule *));
	if (!gateway_make_listener_parts(gw->config, gw->ctxs, gw->rules, err))
		return false;
	gw->mailbox = mailbox_new(base, gw);
	take_host_name(gw->host, sizeof(gw->host));
	gw->setup = (struct worker_setup){.config = gw->config,
					  .resolver = resolver_new(),
					  .drain_tls = gw->drain_tls,
					  .host = slice_str(gw->host),
					  .main = gw->mailbox,
					  .unknown = on_unknown};
	if (gw->mailbox == NULL || gw->setup.resolver == NULL)
		abort();
	if (store_raise_start(gw->store, &gw->setup.start) != STORE_OK) {
		snprintf(err, CONFIG_ERROR_BYTES, "data-dir: %s", store_error(gw->store));
		return false;
	}
	gateway_make_spooler(gw);
	make_workers(gw);
	if (!load_store(gw, err))
		return false;
	gateway_tidy_spool(gw);
	for (size_t i = 0; i < nlisten; i++)
		if (!open_listener(gw, i, err))
			return false;
	gw->policy = address_policy_new(gw->config);
	gw->setup.policy = gw->policy;
	return true;
}

struct gateway *
gateway_start(struct config *config, struct store *store, struct event_base *base,
	      char err[CONFIG_ERROR_BYTES])
{
	struct gateway *gw = xcalloc(1, sizeof(*gw));

	gw->config = config;
	gw->base = base;
	gw->store = store;
	TAILQ_INIT(&gw->tails);
	if (!start_parts(gw, base, err)) {
		free_parts(gw);
		return NULL;
	}
	if (gw->setup.spooler != NULL && !spooler_run(gw->setup.spooler)) {
		snprintf(err, CONFIG_ERROR_BYTES,
			 "workers: the spool's thread could not be started");
		free_parts(gw);
		return NULL;
	}
	for (; gw->nrunning < gw->nworkers; gw->nrunning++)
		if (!worker_run(gw->workers[gw->nrunning])) {
			snprintf(err, CONFIG_ERROR_BYTES,
				 "workers: thread %u could not be started; lower the number",
				 gw->nrunning);
			gateway_stop(gw);
			return NULL;
		}
	return gw;
}

/* One step of stopping, by all workers at the same time. */
static void
stop_step(struct gateway *gw, void (*step)(struct call *, struct worker *), int64_t ms)
{
	struct call *calls[64];

	for (unsigned i = 0; i < gw->nrunning; i++) {
		calls[i] = call_new(sizeof(struct call), step, NULL);
		calls[i]->insist = true;
		call_post(calls[i], gw->workers[i]);
	}
	for (unsigned i = 0; i < gw->nrunning; i++)
		if (call_wait(calls[i], ms))
			call_free(calls[i]);
}

static void
log_abandoned(const struct gateway *gw, uint64_t before)
{
	uint64_t lines = 0;

	for (unsigned i = 0; i < gw->nworkers; i++)
		lines += stats_get(&gw->workers[i]->stats.lines_dropped_stop);
	if (lines > before)
		log_warn("stopped with lines that their receivers had not taken", "lines_abandoned",
			 log_u64(lines - before), NULL);
}

static void
unlink_sockets(const struct config *config)
{
	for (size_t i = 0; i < config->nlisten; i++)
		if (listen_url_is_unix(&config->listen[i]))
			unlink(config->listen[i].path);
}

void
gateway_stop(struct gateway *gw)
{
	stop_step(gw, worker_stop_reading, CALL_WAIT_MS);
	stop_step(gw, worker_stop_committing, CALL_WAIT_MS);
	stop_step(gw, worker_stop_delivering, gw->config->stop_timeout + CALL_WAIT_MS);
	stop_step(gw, worker_stop_committing, CALL_WAIT_MS);
	stop_step(gw, worker_stop_loop, CALL_WAIT_MS);
	for (unsigned i = 0; i < gw->nrunning; i++)
		worker_join(gw->workers[i]);
	if (gw->setup.spooler != NULL)
		spooler_stop(gw->setup.spooler);
	/* A slow disk may have answered only now, and what is there is not abandoned. */
	for (unsigned i = 0; i < gw->nrunning; i++)
		worker_hear(gw->workers[i]);
	for (unsigned i = 0; i < gw->nworkers; i++)
		worker_end(gw->workers[i]);
	log_abandoned(gw, 0);
	unlink_sockets(gw->config);
	free_parts(gw);
}
