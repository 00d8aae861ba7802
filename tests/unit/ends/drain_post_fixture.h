/*
 * A drain over HTTP with a client that the test answers for.  The drain mostly
 * is elk with format=json: a body is an array of documents.
 */
#ifndef DRAIN_POST_FIXTURE_H
#define DRAIN_POST_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <event2/event.h>

#include "base/clock.h"
#include "ends/drain_post.h"

enum { CALLS_MAX = 512 };

/* The requests that are under way, oldest first. */
struct http_call {
	char *body;
	char *url;
	char id[40]; /* Logplex-Frame-Id */
	http_answered *answered;
	void *arg;
};

static struct http_call *calls[CALLS_MAX];
static unsigned ncalls, cancelled, posts;

static inline void
read_id(struct slice headers, char *id, size_t size)
{
	static const char name[] = "Logplex-Frame-Id: ";
	const char *at = memmem(headers.p, headers.n, name, sizeof(name) - 1);

	snprintf(id, size, "%s", at != NULL ? at + sizeof(name) - 1 : "");
}

struct http_call *
http_client_post(struct http_client *client, const struct http_post *post, http_answered *answered,
		 void *arg)
{
	struct http_call *call = calloc(1, sizeof(*call));

	(void)client;
	assert_non_null(call);
	assert_true(ncalls < CALLS_MAX);
	call->body = strndup(post->body.p, post->body.n);
	call->url = strdup(post->url);
	read_id(post->headers, call->id, sizeof(call->id));
	call->answered = answered;
	call->arg = arg;
	calls[ncalls++] = call;
	posts++;
	return call;
}

static inline void
call_end(struct http_call *call)
{
	unsigned i = 0;

	while (calls[i] != call)
		i++;
	ncalls--;
	memmove(&calls[i], &calls[i + 1], (ncalls - i) * sizeof(calls[0]));
	free(call->body);
	free(call->url);
	free(call);
}

void
http_call_cancel(struct http_call *call)
{
	cancelled++;
	call_end(call);
}

static inline void
answer_retry_after(unsigned i, int status, const char *body, int64_t retry_after_ms)
{
	struct http_call *call = calls[i];
	struct http_answer answer = {.status = status,
				     .body = slice_str(body),
				     .retry_after_ms = retry_after_ms,
				     .step = HTTP_ANSWER,
				     .error = status == 0 ? "connection refused" : ""};
	http_answered *answered = call->answered;
	void *arg = call->arg;

	call_end(call);
	answered(&answer, arg);
}

static inline void
answer(unsigned i, int status, const char *body)
{
	answer_retry_after(i, status, body, -1);
}

struct fixture {
	struct config config;
	struct stats stats;
	struct drain_env env;
	struct log_pool pool;
	struct app_log *log;
	struct drain *d;
	unsigned rested, more;
	struct app_log *last_more;
};

static inline void
on_more(struct app_log *log, void *arg)
{
	struct fixture *f = arg;

	f->more++;
	f->last_more = log;
}

static inline void
on_rests(struct app_log *log, void *arg)
{
	(void)log;
	((struct fixture *)arg)->rested++;
}

static inline void
add_drain(struct fixture *f, const char *format, const char *concurrency)
{
	struct drain_input in[] = {
	    {"url", "http://127.0.0.1:8080/"}, {"format", format}, {"concurrency", concurrency}};
	struct drain_errors errors;
	struct drain_conf conf;

	assert_true(drain_conf_make(&conf, drain_type_find("elk"), in, 3, &errors));
	f->d = drain_new(&f->env, f->log, 42, &conf);
}

static inline void
add_logplex_drain(struct fixture *f, const char *rate)
{
	struct drain_input in[] = {{"url", "https://127.0.0.1:8080/"}, {"rate", rate}};
	struct drain_errors errors;
	struct drain_conf conf;

	assert_true(drain_conf_make(&conf, drain_type_find("https"), in, 2, &errors));
	f->d = drain_new(&f->env, f->log, 42, &conf);
}

static inline int
set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	f->config = (struct config){.worker_memory = 16 << 20, .app_memory = 1 << 20};
	f->env = (struct drain_env){.base = event_base_new(),
				    .config = &f->config,
				    .stats = &f->stats,
				    .host = SLICE("here"),
				    .gzip = gzip_new(),
				    .more = on_more,
				    .rests = on_rests,
				    .arg = f};
	TAILQ_INIT(&f->env.holding);
	TAILQ_INIT(&f->env.closing);
	log_pool_init(&f->pool, 1 << 20, 16 << 20, 7);
	f->log = app_log_new(&f->pool, 1, "app");
	ncalls = cancelled = posts = 0;
	*state = f;
	return 0;
}

static inline int
tear_down(void **state)
{
	struct fixture *f = *state;

	drain_abandon(f->d);
	assert_int_equal(ncalls, 0);
	assert_int_equal(f->env.posting, 0);
	app_log_free(f->log);
	log_pool_clear(&f->pool);
	gzip_free(f->env.gzip);
	buf_free(&f->env.scratch);
	event_base_free(f->env.base);
	free(f);
	return 0;
}

static inline void
append(struct fixture *f, const char *message)
{
	char frame[512];
	int size =
	    snprintf(frame, sizeof(frame), "<14>1 2020-05-14T09:12:44Z web app 1 - - %s", message);
	size_t n = chunk_count_size((size_t)size) + (size_t)size;
	char *dst = app_log_reserve(f->log, n, clock_mono_ms());

	dst += chunk_count_write(dst, (size_t)size);
	memcpy(dst, frame, (size_t)size);
	app_log_commit(f->log, n);
}

static inline void
append_many(struct fixture *f, unsigned first, unsigned end)
{
	char message[32];

	for (unsigned i = first; i < end; i++) {
		snprintf(message, sizeof(message), "line-%u.", i);
		append(f, message);
	}
}

static inline void
flush(struct fixture *f)
{
	f->env.encoded = 0;
	f->d->cursor.flush(&f->d->cursor);
}

/* As if the time for the next try had come. */
static inline void
try_again(struct fixture *f)
{
	f->env.encoded = 0;
	drain_on_timer(-1, 0, f->d);
}

static inline struct drain_status
status(struct fixture *f)
{
	struct drain_status s;

	drain_status(f->d, &s);
	return s;
}

static inline unsigned
documents(const char *body)
{
	unsigned n = 0;

	for (const char *at = body; (at = strstr(at, "\"message\"")) != NULL; at++)
		n++;
	return n;
}

/* Answers 400 to whatever has the word in it, until nothing is under way. */
static inline void
answer_by_word(struct fixture *f, const char *word)
{
	for (unsigned i = 0; i < 1000 && ncalls > 0; i++) {
		bool bad = strstr(calls[0]->body, word) != NULL;

		f->env.encoded = 0;
		answer(0, bad ? 400 : 200, bad ? "no such\nword" : "");
	}
}

#endif
