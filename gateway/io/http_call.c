#include "io/http_call.h"

#include <arpa/inet.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/xmalloc.h"

static void
call_free(struct http_call *c)
{
	event_del(&c->timer);
	if (c->request != NULL)
		resolve_cancel(c->request);
	if (c->easy != NULL)
		http_multi_give(c->client->multi, c->easy);
	LIST_REMOVE(c, entry);
	curl_slist_free_all(c->headers);
	curl_slist_free_all(c->connect_to);
	tls_fault_free(c->fault);
	free(c->identity);
	free(c->url);
	free(c);
}

/* The one way out but for cancel. */
static void
call_tell(struct http_call *c)
{
	c->answered(&c->answer, c->arg);
	call_free(c);
}

static void
call_send(struct http_call *c)
{
	c->sent_ms = clock_mono_ms();
	c->tried++;
	if (c->easy == NULL)
		c->easy = http_multi_take(c->client->multi);
	else
		curl_easy_reset(c->easy);
	http_answer_reset(c);
	tls_fault_free(c->fault);
	c->fault = c->tls ? tls_fault_new() : NULL;
	http_call_setup(c);
	http_multi_add(c->client->multi, c->easy);
}

/* Whether another address may do better, and c has moved to it. */
static bool
call_next_address(struct http_call *c)
{
	c->at = (c->at + 1) % c->naddr;
	http_turns_set(c->client->turns, c->host, c->port, &c->addr[c->at]);
	return c->answer.step < HTTP_ANSWER && c->tried < c->naddr;
}

void
http_call_done(CURL *easy, CURLcode code)
{
	struct http_call *c;
	bool whole;

	curl_easy_getinfo(easy, CURLINFO_PRIVATE, &c);
	http_answer_facts(c);
	/* What was cut off by us, behind the status, is an answer all the same. */
	whole = code == CURLE_OK || (code == CURLE_WRITE_ERROR && c->body_bytes > HTTP_BODY_BYTES);
	if (whole && c->head_whole && c->answer.status >= 200) {
		c->answer.step = HTTP_ANSWER;
		http_turns_set(c->client->turns, c->host, c->port, &c->addr[c->at]);
		call_tell(c);
		return;
	}
	http_call_fault(c, code);
	if (call_next_address(c))
		call_send(c);
	else
		call_tell(c);
}

/* All of it took too long. */
static void
on_late(evutil_socket_t fd, short what, void *arg)
{
	struct http_call *c = arg;

	(void)fd, (void)what;
	if (c->easy != NULL) {
		http_answer_facts(c);
		http_multi_remove(c->client->multi, c->easy);
		(void)call_next_address(c);
	}
	http_call_late(c);
	call_tell(c);
}

static void
on_resolved(const struct resolve_answer *answer, void *arg)
{
	struct http_call *c = arg;
	struct resolve_answer allowed = *answer;

	c->request = NULL;
	/* The proxy's address is the operator's own choice. */
	if (c->client->proxy.host == NULL)
		address_policy_filter(c->client->env.policy, &allowed, false);
	if (allowed.n == 0) {
		http_call_fail(c, allowed.error);
		call_tell(c);
		return;
	}
	c->answer.resolved_ms = clock_mono_ms() - c->start_ms;
	c->naddr = allowed.n;
	memcpy(c->addr, allowed.addr, allowed.n * sizeof(allowed.addr[0]));
	c->at = http_turns_first(c->client->turns, c->host, c->port, c->addr, c->naddr);
	call_send(c);
}

/* What a proxy is to connect to, if it is an address and not a name; false: it may not. */
static bool
literal_is_allowed(struct http_call *c, char why[ADDRESS_POLICY_WHY_BYTES])
{
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(c->port)};
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons(c->port)};
	const struct sockaddr *sa = NULL;

	/* inet_aton: the proxy may read 127.1 and 0x7f000001 as addresses too. */
	if (inet_pton(AF_INET6, c->host, &in6.sin6_addr) == 1)
		sa = (const struct sockaddr *)(const void *)&in6;
	else if (inet_aton(c->host, &in.sin_addr) != 0)
		sa = (const struct sockaddr *)(const void *)&in;
	return sa == NULL || address_policy_allows(c->client->env.policy, sa, false, why);
}

/* A refusal is told at a later turn of the loop, as everything is. */
static void
on_refused(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	call_tell(arg);
}

static void
call_start(struct http_call *c, uint64_t app)
{
	const struct http_client_env *env = &c->client->env;
	const struct proxy_url *proxy = &c->client->proxy;
	char why[ADDRESS_POLICY_WHY_BYTES];
	struct timeval tv = {.tv_sec = c->timeout_ms / 1000,
			     .tv_usec = c->timeout_ms % 1000 * 1000};

	if (proxy->host != NULL && !literal_is_allowed(c, why)) {
		http_call_fail(c, why);
		evtimer_assign(&c->timer, env->base, on_refused, c);
		tv = (struct timeval){0};
	} else {
		evtimer_assign(&c->timer, env->base, on_late, c);
		c->request = resolve_ask(
		    env->resolver, env->mailbox, app, proxy->host != NULL ? proxy->host : c->host,
		    proxy->host != NULL ? proxy->port : c->port, on_resolved, c);
	}
	if (event_add(&c->timer, &tv) < 0)
		abort();
}

struct http_call *
http_client_post(struct http_client *client, const struct http_post *post, http_answered *answered,
		 void *arg)
{
	struct http_call *c = xcalloc(1, sizeof(*c));

	c->client = client;
	c->answered = answered;
	c->arg = arg;
	c->host = post->host;
	c->port = post->port;
	c->url = xstrdup(post->url);
	c->tls = strncmp(post->url, "https:", 6) == 0;
	c->body = post->body;
	c->headers = http_call_headers(post);
	c->own = post->own;
	c->fresh = post->fresh;
	c->timeout_ms = post->timeout_ms > 0 ? post->timeout_ms : client->env.config->http_timeout;
	c->start_ms = clock_mono_ms();
	c->answer.resolved_ms = -1;
	http_answer_reset(c);
	LIST_INSERT_HEAD(&client->calls, c, entry);
	call_start(c, post->app);
	return c;
}

void
http_call_cancel(struct http_call *c)
{
	if (c->easy != NULL)
		http_multi_remove(c->client->multi, c->easy);
	call_free(c);
}
