/*
 * probe_http -- a test line as a batch of one entry.
 */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/hash.h"
#include "ends/drain_settle.h"
#include "ends/probe_internal.h"
#include "types/drain_http.h"
#include "wire/parse.h"

/* Of an answer's body: what a person needs to see. */
enum { SAID_BYTES = 256 };

/* A step before the answer; at: when it was done, -1: it was not. */
static bool
pass_step(struct probe *p, enum probe_step step, int64_t from, int64_t at, const char *detail)
{
	if (at < 0)
		return false;
	probe_begin(p, step, 0);
	probe_worked(p, at - from, "%s", detail);
	return true;
}

static void
judge(struct probe *p, const struct http_answer *a, int64_t ms)
{
	const struct drain_http *http = p->conf.type->http;
	struct drain_verdict v = http->judge != NULL ? http->judge(&p->conf, a->status, a->body)
						     : drain_judge(a->status);
	size_t n = a->body.n < SAID_BYTES ? a->body.n : SAID_BYTES;
	char body[SAID_BYTES];

	if (n > 0)
		memcpy(body, a->body.p, n);
	probe_make_printable(body, n);
	if (v.answer == DRAIN_ACCEPTED && v.rejected == 0) {
		probe_worked(p, ms, "HTTP %d%s%.*s", a->status, n > 0 ? ": " : "", (int)n, body);
		probe_finish(p);
		return;
	}
	probe_failed(p, ms, "HTTP %d%s%s%.*s", a->status,
		     v.answer == DRAIN_ACCEPTED ? ", but the line was thrown away" : "",
		     n > 0 ? ": " : "", (int)n, body);
}

static enum probe_step
step_of(enum http_step step)
{
	switch (step) {
	case HTTP_RESOLVE:
		return PROBE_RESOLVE;
	case HTTP_CONNECT:
		return PROBE_CONNECT;
	case HTTP_TLS:
		return PROBE_TLS;
	default:
		return PROBE_ANSWER;
	}
}

/* Of ADDR:PORT; the host's name if no address was got so far. */
static void
address_text(const struct probe *p, const struct http_answer *a, char *text, size_t size)
{
	char *colon;

	snprintf(text, size, "%s", a->address);
	colon = strrchr(text, ':');
	if (colon != NULL)
		*colon = '\0';
	else
		snprintf(text, size, "%s", p->conf.host);
}

static void
on_answer(const struct http_answer *a, void *arg)
{
	struct probe *p = arg;
	int64_t now = clock_mono_ms() - p->began_ms;
	char address[PROBE_DETAIL_BYTES];
	int64_t from = 0;

	p->call = NULL;
	address_text(p, a, address, sizeof(address));
	if (pass_step(p, PROBE_RESOLVE, from, a->resolved_ms, address))
		from = a->resolved_ms;
	if (pass_step(p, PROBE_CONNECT, from, a->connected_ms, a->address))
		from = a->connected_ms;
	if (pass_step(p, PROBE_TLS, from, a->tls_ms, "the certificate is good"))
		from = a->tls_ms;
	probe_begin(p, step_of(a->step), 0);
	if (a->status != 0)
		judge(p, a, (a->answered_ms >= 0 ? a->answered_ms : now) - from);
	else
		probe_failed(p, now - from, "%s", a->error);
}

static void
make_body(struct probe *p, const struct line *line, struct drain_batch *info, struct buf *body)
{
	const struct drain_http *http = p->conf.type->http;

	if (http->open != NULL)
		http->open(&p->conf, info, body);
	(void)http->entry(&p->conf, info, line, body);
	info->entries = 1;
	if (http->close != NULL)
		http->close(&p->conf, info, body);
	/* No batch of the drain has this id: its lines have times of their own. */
	snprintf(info->id, sizeof(info->id), "%016llx%016llx", (unsigned long long)info->now_us,
		 (unsigned long long)hash_slice(buf_slice(&p->line)));
}

void
probe_http_start(struct probe *p)
{
	struct drain_batch info = {.now_us = clock_wall_us()};
	struct drain_request request = {0};
	struct http_post post;
	struct buf body = {0};
	struct line line;

	parse_stored(buf_slice(&p->line), &line);
	make_body(p, &line, &info, p->conf.gzip ? &body : &p->out);
	if (p->conf.gzip)
		gzip_whole(p->env.gzip, buf_slice(&body), &p->out);
	buf_free(&body);
	p->conf.type->http->request(&p->conf, &info, &line, &request);
	post = (struct http_post){.app = p->app,
				  .host = p->conf.host,
				  .port = p->conf.port,
				  .url = buf_cstr(&request.url),
				  .headers = buf_slice(&request.headers),
				  .body = buf_slice(&p->out),
				  .gzip = p->conf.gzip,
				  .own = drain_has_tls_own(&p->conf) ? &p->own : NULL,
				  .fresh = true,
				  .timeout_ms = PROBE_MS};
	p->call = http_client_post(p->env.http, &post, on_answer, p);
	buf_free(&request.url);
	buf_free(&request.headers);
}
