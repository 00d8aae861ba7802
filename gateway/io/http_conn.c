#include "io/http_conn.h"

#include <event2/event.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/xmalloc.h"
#include "io/http_conn_internal.h"
#include "io/http_parse.h"
#include "io/http_write.h"
#include "io/stream.h"

enum {
	READ_BYTES = 16 * 1024,
	/* What one event reads before others get their turn. */
	TURN_BYTES = 256 * 1024,
	HANDSHAKE_MS = 10000,
	/* An answer may take so long on top of request_ms: a slow line, not a stalled one. */
	WRITE_BYTES_PER_MS = 64,
	/* How long, and for how much, a peer that was told off is still listened to:
	 * closing on unread bytes would reset the connection and lose the answer, and
	 * many clients read none before they have sent all of a body. */
	DRAIN_MS = 2000,
	DRAIN_BYTES = 64 * 1024 * 1024,
	/* What may come while an answer goes out bit by bit. */
	STREAMING_BYTES = 4 * 1024 * 1024,
	/* Over the cap, this many at once are told so; more are just closed. */
	REFUSED_AT_ONCE = 16,
	/* What a client may send ahead while its answer is waited for. */
	AHEAD_BYTES = 64 * 1024,
};

void
conn_deadline(struct http_conn *c, int64_t ms)
{
	struct timeval tv;

	if (ms < 0)
		ms = 0;
	tv.tv_sec = (time_t)(ms / 1000);
	tv.tv_usec = (suseconds_t)(ms % 1000 * 1000);
	evtimer_add(c->timer, &tv);
}

/* false: all connections together hold more bytes of bodies than they may. */
static bool
conn_count_body(struct http_conn *c)
{
	struct http_conns *conns = c->conns;
	size_t n = http_parse_body_bytes(c->parse);

	conns->bodies += n - c->body_bytes;
	c->body_bytes = n;
	return conns->limits.bodies == 0 || conns->bodies <= conns->limits.bodies;
}

/* The request is over, and what is kept of it goes. */
static void
conn_forget_request(struct http_conn *c)
{
	http_parse_next(c->parse);
	(void)conn_count_body(c);
}

static void
conn_free(struct http_conn *c)
{
	LIST_REMOVE(c, link);
	c->conns->bodies -= c->body_bytes;
	if (c->conns->closed != NULL && !c->refused)
		c->conns->closed(c->origin, c->end, c->conns->arg);
	c->conns->n--;
	c->conns->refused -= c->refused;
	event_free(c->timer);
	stream_free(c->stream);
	http_parse_free(c->parse);
	buf_free(&c->pending);
	buf_free(&c->head);
	buf_free(&c->body);
	http_response_free(&c->ready);
	http_later_gone(c->later);
	http_stream_gone(c->answer);
	free(c);
}

void
conn_end(struct http_conn *c, const char *why)
{
	c->state = CONN_GONE;
	if (why != NULL)
		log_debug("http connection closed", "reason", why, NULL);
}

void
conn_settle(struct http_conn *c)
{
	if (c->state == CONN_GONE)
		conn_free(c);
}

void
conn_drain(struct http_conn *c)
{
	c->state = CONN_DRAINING;
	buf_free(&c->pending);
	conn_forget_request(c);
	stream_shutdown(c->stream);
	stream_want_read(c->stream, true);
	conn_deadline(c, DRAIN_MS);
}

static void
conn_answered(struct http_conn *c)
{
	if (c->last) {
		conn_drain(c);
		return;
	}
	conn_forget_request(c);
	c->state = CONN_TURN;
	conn_deadline(c, 0);
}

/* A stalled peer has request_ms, all of the answer a little more for its size. */
static void
conn_write_deadline(struct http_conn *c)
{
	int64_t left = c->write_deadline - clock_mono_ms();

	conn_deadline(c, left < c->conns->limits.request_ms ? left : c->conns->limits.request_ms);
}

static void
conn_flush(struct http_conn *c)
{
	struct iovec iov[2];
	size_t in_head = c->sent < c->head.n ? c->head.n - c->sent : 0;
	size_t in_body = c->body.n - (c->sent > c->head.n ? c->sent - c->head.n : 0);
	int parts = 0;
	ssize_t n;

	if (in_head > 0)
		iov[parts++] = (struct iovec){c->head.p + c->sent, in_head};
	if (in_body > 0)
		iov[parts++] = (struct iovec){c->body.p + (c->body.n - in_body), in_body};
	if (parts == 0)
		return;
	n = stream_writev(c->stream, iov, parts);
	if (n == STREAM_AGAIN)
		return;
	if (n <= 0) {
		conn_end(c, stream_error(c->stream));
		return;
	}
	c->sent += (size_t)n;
	if (c->sent < c->head.n + c->body.n) {
		if (c->state == CONN_ANSWERING)
			conn_write_deadline(c);
		return;
	}
	buf_free(&c->head);
	buf_free(&c->body);
	c->sent = 0;
	if (c->state == CONN_ANSWERING)
		conn_answered(c);
}

void
conn_answer(struct http_conn *c, struct http_response *response)
{
	bool is_head = http_parse_is_head(c->parse);

	c->state = CONN_ANSWERING;
	c->last = c->last || c->conns->stopping;
	stream_want_read(c->stream, false);
	http_write_head(&c->head, response, !c->last);
	if (!is_head && http_status_has_body(response->status)) {
		c->body = response->body;
		response->body = (struct buf){0};
	}
	http_response_free(response);
	c->write_deadline = clock_mono_ms() + c->conns->limits.request_ms +
			    (int64_t)(c->body.n / WRITE_BYTES_PER_MS);
	conn_write_deadline(c);
	conn_flush(c);
}

static void
conn_refuse(struct http_conn *c, int status, const char *text)
{
	struct http_response response;

	log_debug("http request refused", "status", log_i64(status), "error", text, NULL);
	http_response_init(&response);
	http_response_error(&response, status, text);
	if (status == 503)
		http_response_header(&response, "Retry-After", "1");
	c->last = true;
	conn_answer(c, &response);
}

static void
conn_handle(struct http_conn *c)
{
	struct http_request request = *http_parse_request(c->parse);
	struct http_response response;

	request.peer = (const struct sockaddr *)&c->peer;
	request.ssl = stream_ssl(c->stream);
	request.tls = request.ssl != NULL;
	request.origin = c->origin;
	http_response_init(&response);
	response.conn = c;
	/* Whatever the handler does to the server, this connection is not idle. */
	c->state = CONN_HANDLING;
	c->conns->handler(&request, &response, c->conns->arg);
	(void)conn_count_body(c);
	/* It may have taken seconds: deadlines count from now, not from the turn's start. */
	event_base_update_cache_time(c->conns->base);
	c->last = !http_parse_keep_alive(c->parse);
	if (c->later != NULL) {
		http_response_free(&response);
		conn_wait(c);
	} else if (c->answer != NULL) {
		conn_stream(c, &response);
	} else {
		conn_answer(c, &response);
	}
}

static void
conn_continue(struct http_conn *c)
{
	buf_add_str(&c->head, http_write_continue);
	conn_flush(c);
}

static bool
conn_reads(const struct http_conn *c)
{
	switch (c->state) {
	case CONN_READING:
	case CONN_DRAINING:
	case CONN_STREAMING:
		return true;
	case CONN_WAITING:
	case CONN_READY:
		return c->pending.n < AHEAD_BYTES;
	default:
		return false;
	}
}

/* Bytes behind the current request: kept, unless no other request can follow. */
static void
conn_ahead(struct http_conn *c, const char *p, size_t n)
{
	if (c->state == CONN_STREAMING || c->state == CONN_DRAINING) {
		c->drained += n;
		if (c->drained > (c->state == CONN_DRAINING ? DRAIN_BYTES : STREAMING_BYTES))
			conn_end(c, "peer goes on sending where no other request is taken");
		return;
	}
	buf_add(&c->pending, p, n);
	if ((c->state == CONN_WAITING || c->state == CONN_READY) && !conn_reads(c))
		stream_want_read(c->stream, false);
}

/* Bytes of the current request, and maybe of more behind it. */
static void
conn_take(struct http_conn *c, const char *p, size_t n)
{
	size_t used;

	if (n > 0 && !http_parse_started(c->parse))
		conn_deadline(c, c->conns->limits.request_ms);
	while (n > 0 && c->state == CONN_READING) {
		enum http_parse_result result = http_parse_feed(c->parse, p, n, &used);

		p += used;
		n -= used;
		if (!conn_count_body(c) && result != HTTP_PARSE_BAD)
			conn_refuse(c, 503, "too many requests at once; try again in a moment");
		else if (result == HTTP_PARSE_DONE)
			conn_handle(c);
		else if (result == HTTP_PARSE_BAD)
			conn_refuse(c, http_parse_status(c->parse), http_parse_error(c->parse));
		else if (result == HTTP_PARSE_CONTINUE && n == 0)
			conn_continue(c);
	}
	if (c->state != CONN_READING && c->state != CONN_GONE)
		conn_ahead(c, p, n);
}

static void
conn_read(struct http_conn *c)
{
	char bytes[READ_BYTES];
	size_t got = 0;
	ssize_t n = 1;

	while (n > 0 && got < TURN_BYTES && conn_reads(c)) {
		n = stream_read(c->stream, bytes, sizeof(bytes));
		got += n > 0 ? (size_t)n : 0;
		if (n == STREAM_EOF || n == STREAM_ERROR)
			conn_end(c, n == STREAM_EOF ? NULL : stream_error(c->stream));
		else if (n > 0 && c->state == CONN_READING)
			conn_take(c, bytes, (size_t)n);
		else if (n > 0)
			conn_ahead(c, bytes, (size_t)n);
	}
}

/* The next request: what came ahead of its time first. */
static void
conn_turn(struct http_conn *c)
{
	struct buf ahead = c->pending;

	if (c->conns->stopping && ahead.n == 0) {
		conn_end(c, NULL);
		return;
	}
	c->pending = (struct buf){0};
	c->state = CONN_READING;
	conn_deadline(c, c->conns->limits.idle_ms);
	conn_take(c, ahead.p, ahead.n);
	buf_free(&ahead);
	if (c->state == CONN_READING)
		stream_want_read(c->stream, true);
}

static void
conn_opened(struct http_conn *c)
{
	if (c->refused) {
		conn_refuse(c, 503, "too many connections; try again in a moment");
		return;
	}
	c->state = CONN_READING;
	conn_deadline(c, c->conns->limits.idle_ms);
	stream_want_read(c->stream, true);
}

/* A reset, so that the kernel does not go on offering what nobody reads. */
void
conn_cut(struct http_conn *c)
{
	stream_abort(c->stream);
	c->stream = NULL;
	c->end = HTTP_END_TIMED_OUT;
	conn_end(c, "peer does not read its answer");
}

static void
conn_too_slow(struct http_conn *c)
{
	c->end = HTTP_END_TIMED_OUT;
	conn_refuse(c, 408, "request took too long; send it whole without pauses");
}

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct http_conn *c = arg;

	(void)fd;
	(void)what;
	if (c->state == CONN_TURN)
		conn_turn(c);
	else if (c->state == CONN_READING && http_parse_started(c->parse))
		conn_too_slow(c);
	else if (c->state == CONN_WAITING)
		conn_wait_over(c);
	else if (c->state == CONN_READY)
		conn_answer(c, &c->ready);
	else if (c->state == CONN_ANSWERING || c->state == CONN_STREAMING)
		conn_cut(c);
	else
		conn_end(c, NULL);
	conn_settle(c);
}

static void
on_stream(struct stream *stream, enum stream_event event, void *arg)
{
	struct http_conn *c = arg;

	switch (event) {
	case STREAM_OPEN:
		conn_opened(c);
		break;
	case STREAM_READABLE:
		conn_read(c);
		break;
	case STREAM_WRITABLE:
		if (c->state == CONN_STREAMING)
			conn_stream_flush(c);
		else
			conn_flush(c);
		break;
	case STREAM_FAILED:
		c->end = HTTP_END_HANDSHAKE;
		conn_end(c, stream_error(stream));
		break;
	}
	conn_settle(c);
}

bool
http_conn_open(struct http_conns *conns, int fd, SSL_CTX *ctx, const struct sockaddr_storage *peer,
	       void *origin)
{
	bool full = conns->n - conns->refused >= conns->limits.connections;
	struct http_conn *c;
	int on = 1;

	if (full && conns->refused >= REFUSED_AT_ONCE) {
		close(fd);
		return false;
	}
	/* Without it the tail of an answer may wait for the peer's acknowledgement. */
	if (peer->ss_family != AF_UNIX)
		(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	c = xcalloc(1, sizeof(*c));
	c->conns = conns;
	c->peer = *peer;
	c->origin = origin;
	c->refused = full;
	c->parse = http_parse_new(&conns->limits);
	c->timer = evtimer_new(conns->base, on_timer, c);
	c->stream = stream_accepted(conns->base, fd, ctx, HANDSHAKE_MS, on_stream, c);
	LIST_INSERT_HEAD(&conns->list, c, link);
	conns->n++;
	conns->refused += full;
	return !full;
}

static bool
conn_is_idle(const struct http_conn *c)
{
	switch (c->state) {
	case CONN_OPENING:
		return true;
	case CONN_READING:
		return !http_parse_started(c->parse);
	case CONN_TURN:
		return c->pending.n == 0;
	default:
		return false;
	}
}

void
http_conns_stop(struct http_conns *conns)
{
	struct http_conn *c, *next;

	for (c = LIST_FIRST(&conns->list); c != NULL; c = next) {
		next = LIST_NEXT(c, link);
		if (conn_is_idle(c))
			conn_free(c);
		else if (c->state == CONN_STREAMING)
			conn_stream_stop(c);
	}
}

size_t
http_conns_answers(const struct http_conns *conns)
{
	const struct http_conn *c;
	size_t n = 0;

	LIST_FOREACH(c, &conns->list, link)
	n += c->state == CONN_HANDLING || c->state == CONN_WAITING || c->state == CONN_READY ||
	     c->state == CONN_ANSWERING;
	return n;
}

void
http_conns_close(struct http_conns *conns)
{
	struct http_conn *c;

	while ((c = LIST_FIRST(&conns->list)) != NULL)
		conn_free(c);
}
