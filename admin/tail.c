/*
 * GET /v1/apps/:app/tail: the app's lines as they come, until the client goes.
 *
 * Lines wait on the home worker (ends/tap.h), one batch of them here, and some
 * in the stream: what does not fit there goes on when the client has taken it.
 */
#include <stdlib.h>

#include "admin/handlers.h"
#include "admin/reply.h"
#include "admin/tail_query.h"
#include "admin/tails.h"
#include "base/log.h"
#include "base/xmalloc.h"
#include "io/http_stream.h"
#include "whole/gateway_tail.h"

/* Lines are written together up to so many bytes; for proxies between: a quiet one is no dead one.
 */
enum { PIECE_BYTES = 16 * 1024, KEEP_ALIVE_MS = 15 * 1000 };

struct tail {
	LIST_ENTRY(tail) link;
	struct gateway_tail *lines;
	struct http_stream *stream;
	enum tail_format format;
	const struct tap_batch *batch;	 /* being written; NULL: none */
	uint32_t at;			 /* of it */
	bool gap_said;			 /* what was dropped before it */
	const char *why_end;		 /* NULL: it goes on */
	uint64_t dropped;		 /* before that end */
	char token[RECORD_ID_BYTES + 1]; /* it was opened with; "": the operator's */
	char app[RECORD_NAME_MAX + 1];
};

static void
tail_free(struct tail *t)
{
	log_info("tail closed", "app", t->app, NULL);
	LIST_REMOVE(t, link);
	gateway_tail_close(t->lines);
	free(t);
}

/* The client went, or the gateway stops. */
static void
on_gone(void *arg)
{
	tail_free(arg);
}

static void write_batch(struct tail *);
static void write_end(struct tail *);

static void
on_empty(void *arg)
{
	struct tail *t = arg;

	if (t->why_end != NULL)
		write_end(t);
	else
		write_batch(t);
}

/* false: not now; it goes on when the client has taken what waits. */
static bool
write_or_wait(struct tail *t, const struct buf *text)
{
	if (http_stream_write(t->stream, text->p, text->n))
		return true;
	http_stream_when_empty(t->stream, on_empty);
	return false;
}

/* Adds the next lines; returns where they end. */
static uint32_t
add_lines(const struct tail *t, struct buf *text)
{
	const struct chunk *lines = t->batch->lines;
	uint32_t at = t->at;
	struct slice frame;

	while (at < lines->used && text->n < PIECE_BYTES) {
		at = chunk_frame(lines, at, &frame);
		tail_add_line(t->format, frame, text);
	}
	return at;
}

/* May end with t being freed. */
static void
write_batch(struct tail *t)
{
	struct buf text = {0};
	bool written = true;

	while (written && (!t->gap_said || t->at < t->batch->lines->used)) {
		uint32_t end;

		text.n = 0;
		if (!t->gap_said && t->batch->dropped > 0)
			tail_add_dropped(t->format, t->batch->dropped, &text);
		end = add_lines(t, &text);
		written = write_or_wait(t, &text);
		if (written) {
			t->gap_said = true;
			t->at = end;
		}
	}
	buf_free(&text);
	if (!written)
		return;
	t->batch = NULL;
	gateway_tail_next(t->lines);
}

static void
on_lines(const struct tap_batch *batch, void *arg)
{
	struct tail *t = arg;

	if (t->why_end != NULL)
		return;
	t->batch = batch;
	t->at = 0;
	t->gap_said = false;
	write_batch(t);
}

static void
write_end(struct tail *t)
{
	struct buf text = {0};

	if (t->dropped > 0)
		tail_add_dropped(t->format, t->dropped, &text);
	tail_add_end(t->format, t->why_end, &text);
	if (write_or_wait(t, &text)) {
		http_stream_end(t->stream);
		tail_free(t);
	}
	buf_free(&text);
}

static void
on_removed(uint64_t dropped, void *arg)
{
	struct tail *t = arg;

	t->dropped = dropped;
	t->why_end = "the app was removed";
	write_end(t);
}

void
tails_end_of_token(struct admin *admin, const char *token_id)
{
	struct tail *t, *next;

	for (t = LIST_FIRST(&admin->tails); t != NULL; t = next) {
		next = LIST_NEXT(t, link);
		if (strcmp(t->token, token_id) != 0)
			continue;
		t->why_end = "the token was removed";
		write_end(t);
	}
}

/* false: answered. */
static bool
open_lines(struct api_call *call, struct tail *t, struct tap_filter *filter)
{
	static const struct gateway_tail_events events = {.lines = on_lines, .removed = on_removed};
	struct gateway *gateway = call->admin->gateway;
	enum gateway_code code;

	if (gateway_tails_full(gateway, &call->app)) {
		free(filter->text);
		http_response_header(call->resp, "Retry-After", "10");
		reply_error(call->resp, 503,
			    "too many tails are open: %d of an app, %d in all, are the most",
			    GATEWAY_TAILS_APP_MAX, GATEWAY_TAILS_MAX);
		return false;
	}
	code = gateway_tail_open(gateway, &call->app, filter, &events, t, &t->lines);
	if (code == GATEWAY_NOT_FOUND)
		reply_not_found(call->resp, "app");
	else if (code != GATEWAY_OK)
		api_call_gateway_failed(call, code);
	return code == GATEWAY_OK;
}

static void
start_tail(struct api_call *call, struct tail_query *query)
{
	struct tail *t = xcalloc(1, sizeof(*t));

	t->format = query->format;
	memcpy(t->app, call->app.name, sizeof(t->app));
	memcpy(t->token, call->who.token.id, sizeof(t->token));
	if (!open_lines(call, t, &query->filter)) {
		free(t);
		return;
	}
	t->stream = http_response_stream(call->resp, on_gone, t);
	if (t->stream == NULL) {
		gateway_tail_close(t->lines);
		free(t);
		return;
	}
	LIST_INSERT_HEAD(&call->admin->tails, t, link);
	call->resp->content_type = tail_content_type(t->format);
	/* Neither may keep lines back: a cache, nor nginx in front of us. */
	http_response_header(call->resp, "Cache-Control", "no-store");
	http_response_header(call->resp, "X-Accel-Buffering", "no");
	if (t->format == TAIL_SSE)
		http_stream_keep_alive(t->stream, ": keep-alive\n\n", KEEP_ALIVE_MS);
	log_info("tail opened", "app", t->app, "by", principal_name(&call->who), NULL);
}

void
tail_show(struct api_call *call)
{
	struct tail_query query;
	json_t *errors;

	if (call->lookup != APP_FOUND) {
		reply_not_found(call->resp, "app");
		return;
	}
	errors =
	    tail_query_parse(call->req->query, http_request_header(call->req, "Accept"), &query);
	if (errors != NULL)
		reply_errors(call->resp, errors);
	else
		start_tail(call, &query);
}
