#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/xmalloc.h"
#include "whole/gateway_internal.h"
#include "whole/worker_calls.h"

static SSL_CTX *
listener_ctx(const struct config *config, const struct listen_url *url, char *err)
{
	return tls_server_ctx(config->tls_cert, config->tls_key, config->tls_client_ca, url->auth,
			      err);
}

bool
gateway_make_listener_parts(const struct config *config, SSL_CTX **ctxs, struct tag_rule **rules,
			    char err[CONFIG_ERROR_BYTES])
{
	for (size_t i = 0; i < config->nlisten; i++) {
		const struct listen_url *url = &config->listen[i];

		if (url->app != NULL) {
			rules[i] = tag_rule_new(url->app, err, CONFIG_ERROR_BYTES);
			if (rules[i] == NULL)
				return false;
		}
		if (!listen_url_is_tls(url))
			continue;
		ctxs[i] = listener_ctx(config, url, err);
		if (ctxs[i] == NULL)
			return false;
	}
	return true;
}

void
gateway_free_listener_parts(size_t n, SSL_CTX **ctxs, struct tag_rule **rules)
{
	for (size_t i = 0; i < n; i++) {
		SSL_CTX_free(ctxs[i]);
		if (rules[i] != NULL)
			tag_rule_free(rules[i]);
	}
	free(ctxs);
	free(rules);
}

struct renewal {
	const struct config *config;
	SSL_CTX **ctxs;
	struct tag_rule **rules;
	SSL_CTX *drain_tls;
};

static struct call *
make_renew(void *arg)
{
	const struct renewal *r = arg;
	struct call_renew *c = call_renew_new(r->config, r->ctxs, r->rules);

	c->drain_tls = r->drain_tls;
	return &c->call;
}

void
gateway_reload(struct gateway *gw)
{
	size_t n = gw->config->nlisten;
	SSL_CTX **ctxs = xcalloc(n, sizeof(SSL_CTX *));
	struct tag_rule **rules = xcalloc(n, sizeof(struct tag_rule *));
	char err[CONFIG_ERROR_BYTES];
	struct renewal r = {gw->config, ctxs, rules, NULL};

	if (gateway_make_listener_parts(gw->config, ctxs, rules, err))
		r.drain_tls = tls_client_ctx(gw->config->ca_file, err);
	if (r.drain_tls == NULL) {
		log_error("reload refused, the old certificates and maps stay", "error", err, NULL);
		gateway_free_listener_parts(n, ctxs, rules);
		return;
	}
	/* A busy worker still reads the old ones: then all are kept, and none is freed. */
	if (!call_all(gw->workers, gw->nworkers, make_renew, NULL, &r)) {
		log_error("reload reached only some workers; send SIGHUP again", NULL);
		return;
	}
	gateway_free_listener_parts(n, gw->ctxs, gw->rules);
	SSL_CTX_free(gw->drain_tls);
	gw->ctxs = ctxs;
	gw->rules = rules;
	gw->drain_tls = r.drain_tls;
	gateway_prober_set_tls(gw->prober, gw->drain_tls);
	log_info("reloaded certificates and maps", NULL);
}
