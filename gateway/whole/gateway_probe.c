#include "whole/gateway_probe.h"

#include <stdlib.h>

#include "base/xmalloc.h"
#include "whole/gateway_internal.h"

/* What probes go out with; made when the first one is asked for. */
struct gateway_prober {
	struct http_client *http;
	struct gzip *gzip;
	unsigned n; /* under way */
};

struct gateway_probe {
	struct gateway_prober *prober;
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

static void
on_done(const struct probe_report *report, void *arg)
{
	struct gateway_probe *p = arg;

	p->prober->n--;
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

	if (prober->n == GATEWAY_PROBES_MAX)
		return GATEWAY_BUSY;
	if (!gateway_conf_of(drain, &conf))
		return GATEWAY_NOT_FOUND;
	prober->n++;
	p = xcalloc(1, sizeof(*p));
	p->prober = prober;
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
	p->prober->n--;
	free(p);
}
