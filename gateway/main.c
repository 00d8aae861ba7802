/*
 * penstockd -- reads the configuration, opens the store, starts the gateway
 * and the admin API, and waits for signals.  The one file that sees both the
 * gateway and admin/.
 */
#include <errno.h>
#include <event2/event.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "admin/admin.h"
#include "base/log.h"
#include "io/http_client.h"
#include "io/http_server.h"
#include "plumb/config.h"
#include "plumb/tls.h"
#include "store/store.h"
#include "whole/check_spool.h"
#include "whole/data_dir.h"
#include "whole/gateway.h"
#include "whole/sockets.h"

/* Chunks come and go by 64 KiB: keep them off mmap, and the heap's top in place. */
enum {
	MALLOC_MMAP_BYTES = 4 * 1024 * 1024,
	MALLOC_TRIM_BYTES = 64 * 1024 * 1024,
	MALLOC_PAD_BYTES = 1024 * 1024
};

/* Answers that are on their way when the process is told to stop. */
enum { ADMIN_STOP_MS = 1000, ADMIN_STOP_STEP_MS = 20 };

static const struct http_limits admin_limits = {.request_line = 8 * 1024,
						.headers = 16 * 1024,
						.body = 1024 * 1024,
						.request_ms = 10 * 1000,
						.idle_ms = 60 * 1000,
						.connections = 256};

struct daemon {
	int argc;
	char **argv;
	struct config config;
	char err[CONFIG_ERROR_BYTES];
	int lock;
	struct event_base *base;
	struct event *signals[3];
	struct store *store;
	struct gateway *gateway;
	struct admin *admin;
	struct http_server *http;
	SSL_CTX *ctxs[CONFIG_LISTENERS_MAX]; /* by configured admin listener; NULL: plain */
	size_t nopen; /* of the configured admin listeners, those that are ours by now */
};

static int
fail(const char *err)
{
	log_error("cannot start", "error", err, NULL);
	return EXIT_FAILURE;
}

static SSL_CTX *
admin_ctx(struct daemon *d, const struct listen_url *url)
{
	return tls_server_ctx(d->config.tls_cert, d->config.tls_key, d->config.tls_client_ca,
			      url->auth, d->err);
}

static bool
open_admin_listener(struct daemon *d, size_t i)
{
	struct listen_url *url = &d->config.admin[i];
	char name[256];
	int fd;

	if (url->kind == LISTEN_HTTPS) {
		d->ctxs[i] = admin_ctx(d, url);
		if (d->ctxs[i] == NULL)
			return false;
	}
	fd = socket_open_alone(url, "admin", d->err);
	if (fd < 0)
		return false;
	d->nopen = i + 1;
	http_server_listen(d->http, fd, d->ctxs[i]);
	socket_name(url, name, sizeof(name));
	log_info("admin API listening", "address", name, NULL);
	return true;
}

static bool
start_admin(struct daemon *d)
{
	d->admin = admin_new(&d->config, d->store, d->gateway, d->err);
	if (d->admin == NULL)
		return false;
	d->http = http_server_new(d->base, &admin_limits, admin_handle, d->admin);
	for (size_t i = 0; i < d->config.nadmin; i++)
		if (!open_admin_listener(d, i))
			return false;
	return true;
}

static void
on_stop(evutil_socket_t signal, short what, void *arg)
{
	struct daemon *d = arg;

	(void)what;
	log_info("stopping", "signal", strsignal((int)signal), NULL);
	event_base_loopbreak(d->base);
}

/* gateway_reload has said what is wrong with a broken certificate. */
static void
renew_admin_ctx(struct daemon *d, size_t i)
{
	SSL_CTX *now = d->ctxs[i] != NULL ? admin_ctx(d, &d->config.admin[i]) : NULL;

	if (now == NULL)
		return;
	http_server_set_ctx(d->http, d->ctxs[i], now);
	SSL_CTX_free(d->ctxs[i]);
	d->ctxs[i] = now;
}

/* A key that needs a restart is named; certificates and maps are read again. */
static void
on_hangup(evutil_socket_t signal, short what, void *arg)
{
	struct daemon *d = arg;
	struct config now;
	const char *key;

	(void)signal;
	(void)what;
	if (config_load(d->argc, d->argv, &now, d->err) != CONFIG_OK) {
		log_error("reload refused, the old configuration stays", "error", d->err, NULL);
		return;
	}
	key = config_needs_restart(&d->config, &now);
	if (key != NULL)
		log_warn("a changed key takes effect at the next start only", "key", key, NULL);
	config_free(&now);
	gateway_reload(d->gateway);
	for (size_t i = 0; i < d->config.nadmin; i++)
		renew_admin_ctx(d, i);
}

static void
watch_signals(struct daemon *d)
{
	d->signals[0] = evsignal_new(d->base, SIGTERM, on_stop, d);
	d->signals[1] = evsignal_new(d->base, SIGINT, on_stop, d);
	d->signals[2] = evsignal_new(d->base, SIGHUP, on_hangup, d);
	for (size_t i = 0; i < 3; i++)
		if (d->signals[i] == NULL || event_add(d->signals[i], NULL) < 0)
			abort();
}

static bool
start(struct daemon *d)
{
	char err[CONFIG_ERROR_BYTES];

	d->lock = data_dir_take(d->config.data_dir, d->err);
	if (d->lock < 0)
		return false;
	if (store_open(d->config.data_dir, &d->store, err, sizeof(err)) != STORE_OK) {
		snprintf(d->err, sizeof(d->err), "data-dir: %.480s", err);
		return false;
	}
	d->gateway = gateway_start(&d->config, d->store, d->base, d->err);
	return d->gateway != NULL && start_admin(d);
}

static void
on_step(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	event_base_loopbreak(arg);
}

/* No new requests; those that were begun get their answer. */
static void
stop_admin(struct daemon *d)
{
	struct timeval step = {.tv_usec = ADMIN_STOP_STEP_MS * 1000};
	struct event *timer = event_new(d->base, -1, EV_PERSIST, on_step, d->base);

	if (timer == NULL || event_add(timer, &step) < 0)
		abort();
	http_server_stop(d->http);
	for (int ms = 0; ms < ADMIN_STOP_MS && http_server_connections(d->http) > 0;
	     ms += ADMIN_STOP_STEP_MS)
		event_base_loop(d->base, 0);
	event_free(timer);
}

static void
stop(struct daemon *d)
{
	if (d->http != NULL)
		stop_admin(d);
	/* Before the gateway: late answers and tails of the API still point into it. */
	http_server_free(d->http);
	if (d->gateway != NULL)
		gateway_stop(d->gateway);
	admin_free(d->admin);
	store_close(d->store);
	for (size_t i = 0; i < d->config.nadmin; i++)
		SSL_CTX_free(d->ctxs[i]);
	/* A start that was refused leaves the sockets of the one that runs alone. */
	for (size_t i = 0; i < d->nopen; i++)
		if (listen_url_is_unix(&d->config.admin[i]))
			unlink(d->config.admin[i].path);
	for (size_t i = 0; i < 3; i++)
		event_free(d->signals[i]);
	log_info("stopped", NULL);
	if (d->lock >= 0)
		close(d->lock);
}

/* A connection is a descriptor: take as many as we may have. */
static void
raise_descriptor_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

static int
run(struct daemon *d)
{
	int status = EXIT_FAILURE;

	mallopt(M_MMAP_THRESHOLD, MALLOC_MMAP_BYTES);
	mallopt(M_TRIM_THRESHOLD, MALLOC_TRIM_BYTES);
	mallopt(M_TOP_PAD, MALLOC_PAD_BYTES);
	/* OpenSSL writes to sockets by write(2): a peer that is gone must be an error, not a
	 * signal. */
	signal(SIGPIPE, SIG_IGN);
	/* A store over a file size limit is to say so, and the rest is to go on. */
	signal(SIGXFSZ, SIG_IGN);
	raise_descriptor_limit();
	http_client_global_init();
	d->base = event_base_new();
	if (d->base == NULL)
		return fail("no event loop: out of memory or descriptors");
	watch_signals(d);
	if (start(d)) {
		log_info("started", "version", PENSTOCK_VERSION, "workers",
			 log_i64(d->config.workers), NULL);
		event_base_dispatch(d->base);
		status = EXIT_SUCCESS;
	} else {
		fail(d->err);
	}
	stop(d);
	event_base_free(d->base);
	http_client_global_end();
	return status;
}

int
main(int argc, char **argv)
{
	struct daemon d = {.argc = argc, .argv = argv, .lock = -1};
	int status = EXIT_SUCCESS;

	switch (config_load(argc, argv, &d.config, d.err)) {
	case CONFIG_EXIT_OK:
		return EXIT_SUCCESS;
	case CONFIG_BAD:
		return fail(d.err);
	case CONFIG_OK:
		break;
	}
	if (d.config.check_spool)
		status = check_spool(&d.config);
	else if (!config_check_files(&d.config, d.err))
		status = fail(d.err);
	else if (d.config.check_only)
		puts("configuration is good");
	else
		status = run(&d);
	config_free(&d.config);
	return status;
}
