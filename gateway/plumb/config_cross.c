#include <string.h>

#include "plumb/config_table.h"

static const char *
key_of(const struct config *c, const struct listen_url *u)
{
	return u >= c->listen && u < c->listen + CONFIG_LISTENERS_MAX ? "listen" : "admin";
}

/* All listeners, then all admin listeners; NULL behind the last. */
static const struct listen_url *
nth_url(const struct config *c, size_t i)
{
	if (i < c->nlisten)
		return &c->listen[i];
	i -= c->nlisten;
	return i < c->nadmin ? &c->admin[i] : NULL;
}

static bool
check_tls(const struct config *c, char *err)
{
	const struct listen_url *u;

	if ((c->tls_cert == NULL) != (c->tls_key == NULL)) {
		snprintf(err, CONFIG_ERROR_BYTES, "%s: \"%.200s\": given without %s; give both",
			 c->tls_cert != NULL ? "tls-cert" : "tls-key",
			 c->tls_cert != NULL ? c->tls_cert : c->tls_key,
			 c->tls_cert != NULL ? "tls-key" : "tls-cert");
		return false;
	}
	for (size_t i = 0; (u = nth_url(c, i)) != NULL; i++) {
		if (!listen_url_is_tls(u))
			continue;
		if (c->tls_cert == NULL) {
			snprintf(
			    err, CONFIG_ERROR_BYTES,
			    "%s: \"%.200s\": TLS needs a certificate; give tls-cert and tls-key",
			    key_of(c, u), u->text);
			return false;
		}
		if (u->auth != TLS_CLIENT_NONE && c->tls_client_ca == NULL) {
			snprintf(err, CONFIG_ERROR_BYTES,
				 "%s: \"%.200s\": asks for client certificates, but none can be "
				 "verified; give tls-client-ca",
				 key_of(c, u), u->text);
			return false;
		}
	}
	return true;
}

static bool
check_addresses(const struct config *c, char *err)
{
	const struct listen_url *a, *b;

	for (size_t i = 0; (a = nth_url(c, i)) != NULL; i++) {
		for (size_t j = 0; j < i; j++) {
			b = nth_url(c, j);
			if (!listen_url_conflicts(a, b))
				continue;
			snprintf(err, CONFIG_ERROR_BYTES,
				 "%s: \"%.150s\": %s \"%.150s\" has this address already; change "
				 "or remove "
				 "one of the two",
				 key_of(c, a), a->text, key_of(c, b), b->text);
			return false;
		}
	}
	return true;
}

bool
config_cross_check(const struct config *c, char *err)
{
	const char *fault = NULL;

	if (c->resend_max < c->resend_bytes)
		fault =
		    "resend-max: less than resend-bytes; raise resend-max or lower resend-bytes";
	else if (c->app_memory < c->max_line)
		fault = "app-memory: less than max-line; raise app-memory or lower max-line";
	else if (c->worker_memory < c->app_memory)
		fault =
		    "worker-memory: less than app-memory; raise worker-memory or lower app-memory";
	else if (c->spool_size > 0 && c->spool_after > 0 && c->batch_wait >= c->spool_after)
		fault = "batch-wait: not less than spool-after, so every batch would be committed "
			"to disk first; lower batch-wait or raise spool-after";
	else if (c->catch_all != NULL && c->copy_to != NULL &&
		 strcmp(c->catch_all, c->copy_to) == 0)
		fault = "catch-all: the same app as copy-to, which gets every line already; remove "
			"catch-all or name another app";
	if (fault == NULL)
		return check_tls(c, err) && check_addresses(c, err);
	snprintf(err, CONFIG_ERROR_BYTES, "%s", fault);
	return false;
}
