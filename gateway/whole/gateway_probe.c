#include "whole/gateway_probe.h"

#include <stdlib.h>
#include <sys/queue.h>

#include "base/xmalloc.h"
#include "whole/gateway_internal.h"

/* What probes go out with; made when the first one is asked for. */
struct gateway_prober {
	struct http_client *http;
	struct gzip *gzip;
	unsigned n; /* under way */
	LIST_HEAD(gateway_probe_list, gateway_probe) probes;
};

struct gateway_probe {
	LIST_ENTRY(gateway_probe) link;
	struct gateway_prober *prober;
	uint64_t app;
	struct probe *probe;
	probe_done *done;
	void *arg;
};

static struct gateway_prober *
prober_of(struct gateway *gw)
{
	struct http_client_env env = {.base = gw->base,
				      .mailbox = gw->mailbox,
				      .resolver = gw->setup.resolver,
				      .policy = gw->policy,
				      .config = gw->config,
				      .tls = gw->drain_tls};

	if (gw->prober == NULL) {
		gw->prober = xcalloc(1, sizeof(*gw->prober));
		gw->prober->http = http_client_new(&env);
		gw->prober->gzip = gzip_new();
		LIST_INIT(&gw->prober->probes);
	}
	return gw->prober;
}

void
gateway_prober_free(struct gateway_prober *prober)
{
	if (prober == NULL)
		return;
	http_client_free(prober->http);
	gzip_free(prober->gzip);
	free(prober);
}

void
gateway_prober_set_tls(struct gateway_prober *prober, SSL_CTX *tls)
{
	if (prober != NULL)
		http_client_set_tls(prober->http, tls);
}

/* Of all apps at once, and so that one app leaves room for the others. */
static bool
is_full(const struct gateway_prober *prober, uint64_t app)
{
	const struct gateway_probe *p;
	unsigned of_app = 0;

	LIST_FOREACH(p, &prober->probes, link)
	of_app += p->app == app;
	return prober->n == GATEWAY_PROBES_MAX || of_app == GATEWAY_PROBES_APP_MAX;
}

static void
probe_over(struct gateway_probe *p)
{
	LIST_REMOVE(p, link);
	p->prober->n--;
}

static void
on_done(const struct probe_report *report, void *arg)
{
	struct gateway_probe *p = arg;

	probe_over(p);
	p->done(report, p->arg);
	free(p);
}

enum gateway_code
gateway_probe_start(struct gateway *gw, const struct app_record *app,
		    const struct drain_record *drain, probe_done *done, void *arg,
		    struct gateway_probe **out)
{
	struct gateway_prober *prober = prober_of(gw);
	struct probe_env env = {.base = gw->base,
				.mailbox = gw->mailbox,
				.resolver = gw->setup.resolver,
				.policy = gw->policy,
				.tls = gw->drain_tls,
				.http = prober->http,
				.gzip = prober->gzip,
				.config = gw->config,
				.host = gw->setup.host};
	struct drain_conf conf;
	struct gateway_probe *p;

	if (is_full(prober, app->serial))
		return GATEWAY_BUSY;
	if (!gateway_conf_of(drain, &conf))
		return GATEWAY_NOT_FOUND;
	prober->n++;
	p = xcalloc(1, sizeof(*p));
	p->prober = prober;
	p->app = app->serial;
	LIST_INSERT_HEAD(&prober->probes, p, link);
	p->done = done;
	p->arg = arg;
	p->probe = probe_new(&env, app->serial, app->name, &conf, on_done, p);
	*out = p;
	return GATEWAY_OK;
}

void
gateway_probe_cancel(struct gateway_probe *p)
{
	probe_cancel(p->probe);
	probe_over(p);
	free(p);
}
