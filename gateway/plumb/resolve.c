#include "plumb/resolve.h"

#include <arpa/inet.h>
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/xmalloc.h"
#include "plumb/resolve_internal.h"

struct resolve_result *
resolve_result_new(void)
{
	struct resolve_result *result = xcalloc(1, sizeof(*result));

	result->refs = 1;
	return result;
}

static struct resolve_result *
resolve_result_error(const char *why)
{
	struct resolve_result *result = resolve_result_new();

	snprintf(result->error, sizeof(result->error), "%s", why);
	return result;
}

static void
resolve_result_put(struct resolve_result *result)
{
	if (result != NULL && --result->refs == 0)
		free(result);
}

void
resolve_result_add(struct resolve_result *result, const struct sockaddr_storage *addr)
{
	if (result->n == RESOLVE_ADDRS_MAX)
		return;
	if (addr->ss_family == AF_INET)
		memcpy(&result->addr[result->n++].v4, addr, sizeof(struct sockaddr_in));
	else if (addr->ss_family == AF_INET6)
		memcpy(&result->addr[result->n++].v6, addr, sizeof(struct sockaddr_in6));
}

static struct resolve_result *
resolve_literal(const char *host)
{
	struct sockaddr_in v4 = {.sin_family = AF_INET};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
	struct resolve_result *result;

	if (inet_pton(AF_INET, host, &v4.sin_addr) == 1) {
		result = resolve_result_new();
		result->addr[result->n++].v4 = v4;
		return result;
	}
	if (inet_pton(AF_INET6, host, &v6.sin6_addr) == 1) {
		result = resolve_result_new();
		result->addr[result->n++].v6 = v6;
		return result;
	}
	return NULL;
}

static struct resolve_name **
resolve_bucket(struct resolver *r, const char *host)
{
	return &r->bucket[hash_slice(slice_str(host)) % RESOLVE_BUCKETS];
}

static struct resolve_name *
resolve_name_find(struct resolver *r, const char *host)
{
	struct resolve_name *name = *resolve_bucket(r, host);

	while (name != NULL && strcmp(name->host, host) != 0)
		name = name->next;
	return name;
}

/* Unlinks it from its list and its bucket; nobody waits for it, nobody runs it. */
static void
resolve_name_free(struct resolver *r, struct resolve_name *name)
{
	struct resolve_name **at = resolve_bucket(r, name->host);

	assert(TAILQ_EMPTY(&name->waiting));
	if (name->state == RESOLVE_IDLE)
		TAILQ_REMOVE(&r->idle, name, link);
	else if (name->state == RESOLVE_QUEUED)
		TAILQ_REMOVE(&r->queue, name, link);
	while (*at != name)
		at = &(*at)->next;
	*at = name->next;
	r->names--;
	resolve_result_put(name->result);
	free(name);
}

/* In no list but its bucket yet.  NULL: all names are being looked up. */
static struct resolve_name *
resolve_name_new(struct resolver *r, const char *host)
{
	struct resolve_name *name, **at = resolve_bucket(r, host);
	size_t n = strlen(host) + 1;

	if (r->names == RESOLVE_NAMES_MAX && TAILQ_EMPTY(&r->idle))
		return NULL;
	if (r->names == RESOLVE_NAMES_MAX)
		resolve_name_free(r, TAILQ_FIRST(&r->idle));

	name = xcalloc(1, sizeof(*name) + n);
	memcpy(name->host, host, n);
	TAILQ_INIT(&name->waiting);
	name->next = *at;
	*at = name;
	r->names++;
	return name;
}

struct resolver *
resolver_new(void)
{
	struct resolver *r = xcalloc(1, sizeof(*r));
	pthread_condattr_t attr;

	r->refs = 1;
	TAILQ_INIT(&r->queue);
	TAILQ_INIT(&r->idle);
	pthread_mutex_init(&r->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&r->work, &attr);
	pthread_cond_init(&r->gone, &attr);
	pthread_condattr_destroy(&attr);
	return r;
}

void
resolve_put(struct resolver *r)
{
	bool last;

	pthread_mutex_lock(&r->lock);
	last = --r->refs == 0;
	pthread_mutex_unlock(&r->lock);
	if (!last)
		return;

	for (size_t i = 0; i < RESOLVE_BUCKETS; i++)
		while (r->bucket[i] != NULL)
			resolve_name_free(r, r->bucket[i]);
	pthread_cond_destroy(&r->work);
	pthread_cond_destroy(&r->gone);
	pthread_mutex_destroy(&r->lock);
	free(r);
}

void
resolver_free(struct resolver *r)
{
	if (r == NULL)
		return;
	pthread_mutex_lock(&r->lock);
	r->stopping = true;
	pthread_cond_broadcast(&r->work);
	/* Threads outside a look-up end at once. */
	while (r->threads > r->looking)
		pthread_cond_wait(&r->gone, &r->lock);
	pthread_mutex_unlock(&r->lock);
	resolve_put(r);
}

static void
resolve_set(struct sockaddr_storage *out, union resolve_addr addr, uint16_t port)
{
	if (addr.any.sa_family == AF_INET)
		addr.v4.sin_port = htons(port);
	else
		addr.v6.sin6_port = htons(port);
	memcpy(out, &addr, sizeof(addr));
}

static void
on_mail(struct mail *mail, void *owner)
{
	struct resolve_request *request = (struct resolve_request *)mail;
	struct resolver *r = request->resolver;
	const struct resolve_result *result = request->result;
	struct resolve_answer answer = {0};

	(void)owner;
	if (!request->cancelled) {
		answer.n = result->n;
		for (size_t i = 0; i < result->n; i++)
			resolve_set(&answer.addr[i], result->addr[i], request->port);
		memcpy(answer.error, result->error, sizeof(answer.error));
		request->answered(&answer, request->arg);
	}
	pthread_mutex_lock(&r->lock);
	resolve_result_put(request->result);
	pthread_mutex_unlock(&r->lock);
	free(request);
	resolve_put(r);
}

/*
 * Under the lock, so that a request that does not wait any more is in its
 * mailbox for sure: who cancels it can then turn and free the mailbox.
 */
static void
resolve_mail(struct resolve_request *request, struct resolve_result *result)
{
	result->refs++;
	request->result = result;
	request->name = NULL;
	mailbox_push(request->reply, &request->mail);
}

static void
resolve_answer_waiting(struct resolve_name *name, struct resolve_result *result)
{
	struct resolve_request *request;

	while ((request = TAILQ_FIRST(&name->waiting)) != NULL) {
		TAILQ_REMOVE(&name->waiting, request, link);
		resolve_mail(request, result);
	}
}

void
resolve_finish(struct resolver *r, struct resolve_name *name, struct resolve_result *result)
{
	name->state = RESOLVE_IDLE;
	TAILQ_INSERT_TAIL(&r->idle, name, link);
	/* A thread that resolver_free abandoned: mailboxes may be gone. */
	if (r->stopping) {
		resolve_result_put(result);
		return;
	}
	resolve_answer_waiting(name, result);
	if (result->n > 0) {
		resolve_result_put(name->result);
		name->result = result;
		name->looked_ms = clock_mono_ms();
		name->doubted = false;
		return;
	}
	resolve_result_put(result);
	if (name->result == NULL)
		resolve_name_free(r, name);
}

static void
resolve_queue(struct resolver *r, struct resolve_name *name, uint64_t app)
{
	struct resolve_result *failed;

	if (name->state != RESOLVE_QUEUED) {
		name->state = RESOLVE_QUEUED;
		name->asker = app;
		TAILQ_INSERT_TAIL(&r->queue, name, link);
	}
	if (!resolve_app_may(r, app))
		return;
	/* A refresh has nobody waiting: only the asker lets it run. */
	name->asker = app;
	if (resolve_staff(r))
		return;

	TAILQ_REMOVE(&r->queue, name, link);
	failed = resolve_result_error("cannot resolve: no thread could be started");
	resolve_finish(r, name, failed);
}

static bool
resolve_fresh(const struct resolve_name *name)
{
	return clock_mono_ms() - name->looked_ms <
	       (name->doubted ? RESOLVE_DOUBTED_MS : RESOLVE_FRESH_MS);
}

/* Answers from what is known; false: it is not. */
static bool
resolve_cached(struct resolver *r, struct resolve_name *name, struct resolve_request *request)
{
	if (name == NULL || name->result == NULL)
		return false;
	resolve_mail(request, name->result);
	if (name->state == RESOLVE_IDLE) {
		TAILQ_REMOVE(&r->idle, name, link);
		TAILQ_INSERT_TAIL(&r->idle, name, link);
	}
	if (!resolve_fresh(name) && name->state != RESOLVE_RUNNING) {
		if (name->state == RESOLVE_IDLE)
			TAILQ_REMOVE(&r->idle, name, link);
		resolve_queue(r, name, request->app);
	}
	return true;
}

static void
resolve_wait(struct resolver *r, struct resolve_name *name, struct resolve_request *request)
{
	request->name = name;
	TAILQ_INSERT_TAIL(&name->waiting, request, link);
	if (name->state != RESOLVE_RUNNING)
		resolve_queue(r, name, request->app);
}

/* false: no name is that long, or that short. */
static bool
resolve_lower(const char *host, char lower[RESOLVE_HOST_MAX + 1])
{
	size_t n = strlen(host);

	if (n == 0 || n > RESOLVE_HOST_MAX)
		return false;
	memcpy(lower, host, n + 1);
	for (size_t i = 0; i < n; i++)
		if (lower[i] >= 'A' && lower[i] <= 'Z')
			lower[i] = (char)(lower[i] - 'A' + 'a');
	return true;
}

static void
resolve_host(struct resolver *r, struct resolve_request *request, const char *host)
{
	struct resolve_result *result = NULL;
	struct resolve_name *name;
	char lower[RESOLVE_HOST_MAX + 1];

	if (!resolve_lower(host, lower)) {
		result = resolve_result_error("cannot resolve: the host name is empty or too long");
	} else {
		name = resolve_name_find(r, lower);
		if (resolve_cached(r, name, request))
			return;
		if (name == NULL)
			name = resolve_name_new(r, lower);
		if (name != NULL) {
			resolve_wait(r, name, request);
			return;
		}
		result = resolve_result_error("cannot resolve: too many look-ups wait");
	}
	resolve_mail(request, result);
	resolve_result_put(result);
}

struct resolve_request *
resolve_ask(struct resolver *r, struct mailbox *reply, uint64_t app, const char *host,
	    uint16_t port, void (*answered)(const struct resolve_answer *, void *arg), void *arg)
{
	struct resolve_request *request = xcalloc(1, sizeof(*request));
	struct resolve_result *literal = resolve_literal(host);

	request->mail.deliver = on_mail;
	request->resolver = r;
	request->reply = reply;
	request->app = app;
	request->port = port;
	request->answered = answered;
	request->arg = arg;

	pthread_mutex_lock(&r->lock);
	assert(!r->stopping);
	r->refs++;
	if (literal != NULL) {
		resolve_mail(request, literal);
		resolve_result_put(literal);
	} else {
		resolve_host(r, request, host);
	}
	pthread_mutex_unlock(&r->lock);
	return request;
}

void
resolve_doubt(struct resolver *r, const char *host)
{
	struct resolve_name *name;
	char lower[RESOLVE_HOST_MAX + 1];

	if (!resolve_lower(host, lower))
		return;
	pthread_mutex_lock(&r->lock);
	name = resolve_name_find(r, lower);
	if (name != NULL)
		name->doubted = true;
	pthread_mutex_unlock(&r->lock);
}

void
resolve_cancel(struct resolve_request *request)
{
	struct resolver *r;
	struct resolve_name *name;

	if (request == NULL)
		return;
	r = request->resolver;
	pthread_mutex_lock(&r->lock);
	name = request->name;
	if (name != NULL) {
		TAILQ_REMOVE(&name->waiting, request, link);
		/* Nobody wants to know any more. */
		if (name->state == RESOLVE_QUEUED && TAILQ_EMPTY(&name->waiting))
			resolve_name_free(r, name);
	}
	pthread_mutex_unlock(&r->lock);
	if (name == NULL) {
		request->cancelled = true;
		return;
	}
	free(request);
	resolve_put(r);
}
