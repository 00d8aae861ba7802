#include "io/http_client.h"

#include <assert.h>
#include <stdlib.h>

#include "base/xmalloc.h"
#include "io/http_call.h"

void
http_client_global_init(void)
{
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		abort();
}

void
http_client_global_end(void)
{
	curl_global_cleanup();
}

struct http_client *
http_client_new(const struct http_client_env *env)
{
	struct http_client *client = xcalloc(1, sizeof(*client));
	char fault[CONFIG_ERROR_BYTES];

	client->env = *env;
	client->tls = env->tls;
	SSL_CTX_up_ref(client->tls);
	client->multi = http_multi_new(env->base, http_call_done);
	client->turns = http_turns_new();
	/* The configuration was checked; past a proxy that it asks for nothing may go. */
	if (env->config->http_proxy != NULL &&
	    !proxy_url_parse(env->config->http_proxy, &client->proxy, fault, sizeof(fault)))
		abort();
	LIST_INIT(&client->calls);
	return client;
}

void
http_client_free(struct http_client *client)
{
	if (client == NULL)
		return;
	assert(LIST_EMPTY(&client->calls));
	http_multi_free(client->multi);
	http_turns_free(client->turns);
	proxy_url_free(&client->proxy);
	SSL_CTX_free(client->tls);
	free(client);
}

void
http_client_set_tls(struct http_client *client, SSL_CTX *tls)
{
	SSL_CTX_up_ref(tls);
	SSL_CTX_free(client->tls);
	client->tls = tls;
}
