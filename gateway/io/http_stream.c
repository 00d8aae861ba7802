#include "io/http_stream.h"

#include <event2/event.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>

#include "base/xmalloc.h"
#include "io/http_conn_internal.h"
#include "io/http_parse.h"
#include "io/http_write.h"
#include "io/stream.h"

enum {
	STALL_MS = 30 * 1000,
	/* In the kernel, on top of our buffer: a slow client is to be told soon what it missed. */
	SEND_BUFFER_BYTES = 128 * 1024,
	/* A client that is gone without a word, while there is nothing to send. */
	KEEP_IDLE_S = 30,
	KEEP_INTERVAL_S = 10,
	KEEP_PROBES = 3,
};

struct http_stream {
	struct http_conn *conn;
	struct buf out; /* the first `sent` bytes of it are with the client */
	size_t sent;
	bool chunked;
	bool mute; /* HEAD: what is written goes nowhere */
	bool ended;
	struct event *kick; /* sends at the next turn what was written in this one */
	void (*on_empty)(void *arg);
	struct event *quiet; /* nothing was written for long; NULL: nobody minds */
	struct timeval quiet_after;
	const char *quiet_text;
	http_gone_cb *gone; /* NULL: was called, or the owner ended it */
	void *arg;
};

static int64_t
stall_ms(const struct http_conn *c)
{
	return c->conns->limits.stall_ms > 0 ? c->conns->limits.stall_ms : STALL_MS;
}

static void
on_kick(evutil_socket_t fd, short what, void *arg)
{
	struct http_conn *c = arg;

	(void)fd;
	(void)what;
	conn_stream_flush(c);
	conn_settle(c);
}

static bool
stream_refuse(struct http_response *response, const char *text)
{
	http_response_header(response, "Retry-After", "10");
	http_response_error(response, 503, text);
	return false;
}

static bool
may_stream(struct http_response *response)
{
	const struct http_conns *conns = response->conn != NULL ? response->conn->conns : NULL;

	if (conns == NULL || conns->stopping)
		return stream_refuse(response, "the gateway is stopping");
	if (conns->streams >= conns->limits.connections / 2)
		return stream_refuse(response, "too many live answers are open; try again later");
	return true;
}

struct http_stream *
http_response_stream(struct http_response *response, http_gone_cb *gone, void *arg)
{
	struct http_conn *c = response->conn;
	struct http_stream *s;

	if (!may_stream(response))
		return NULL;
	s = xcalloc(1, sizeof(*s));
	s->conn = c;
	s->chunked = !http_parse_is_1_0(c->parse);
	s->mute = http_parse_is_head(c->parse);
	s->kick = event_new(c->conns->base, -1, 0, on_kick, c);
	s->gone = gone;
	s->arg = arg;
	c->answer = s;
	c->conns->streams++;
	return s;
}

size_t
http_stream_buffered(const struct http_stream *s)
{
	return s->out.n - s->sent;
}

/* Bytes are in the buffer: they go out at the next turn, and a clock runs. */
static void
stream_filled(struct http_stream *s, bool was_empty)
{
	if (s->conn->state != CONN_STREAMING)
		return; /* still in the handler; conn_stream sees to it */
	if (was_empty)
		conn_deadline(s->conn, stall_ms(s->conn));
	event_active(s->kick, EV_TIMEOUT, 0);
}

bool
http_stream_write(struct http_stream *s, const void *p, size_t n)
{
	size_t waiting = http_stream_buffered(s);

	if (waiting > 0 && (n > HTTP_STREAM_BYTES || waiting > HTTP_STREAM_BYTES - n))
		return false;
	if (n == 0 || s->mute)
		return true;
	if (s->quiet != NULL)
		event_add(s->quiet, &s->quiet_after);
	/* So that a client that never catches up does not make it grow. */
	if (s->sent >= HTTP_STREAM_BYTES) {
		buf_drain(&s->out, s->sent);
		s->sent = 0;
	}
	if (s->chunked)
		http_write_chunk(&s->out, p, n);
	else
		buf_add(&s->out, p, n);
	stream_filled(s, waiting == 0);
	return true;
}

void
http_stream_when_empty(struct http_stream *s, void (*on_empty)(void *arg))
{
	s->on_empty = on_empty;
	event_active(s->kick, EV_TIMEOUT, 0);
}

static void
on_quiet(evutil_socket_t fd, short what, void *arg)
{
	struct http_stream *s = arg;

	(void)fd;
	(void)what;
	/* Behind what a slow client has not taken it would say nothing. */
	if (http_stream_buffered(s) > 0 ||
	    !http_stream_write(s, s->quiet_text, strlen(s->quiet_text)))
		event_add(s->quiet, &s->quiet_after);
}

void
http_stream_keep_alive(struct http_stream *s, const char *text, int64_t ms)
{
	s->quiet_text = text;
	s->quiet_after = (struct timeval){.tv_sec = (time_t)(ms / 1000),
					  .tv_usec = (suseconds_t)(ms % 1000 * 1000)};
	if (s->quiet == NULL)
		s->quiet = evtimer_new(s->conn->conns->base, on_quiet, s);
	event_add(s->quiet, &s->quiet_after);
}

void
http_stream_end(struct http_stream *s)
{
	bool was_empty = http_stream_buffered(s) == 0;

	if (s->quiet != NULL)
		event_del(s->quiet);
	s->gone = NULL;
	s->on_empty = NULL;
	s->ended = true;
	if (s->chunked && !s->mute)
		buf_add_str(&s->out, http_write_last_chunk);
	stream_filled(s, was_empty);
}

void
http_stream_gone(struct http_stream *s)
{
	if (s == NULL)
		return;
	s->conn->conns->streams--;
	if (s->gone != NULL)
		s->gone(s->arg);
	event_free(s->kick);
	if (s->quiet != NULL)
		event_free(s->quiet);
	buf_free(&s->out);
	free(s);
}

void
conn_stream_stop(struct http_conn *c)
{
	struct http_stream *s = c->answer;
	http_gone_cb *gone = s->gone;

	if (s->ended)
		return;
	http_stream_end(s);
	gone(s->arg);
}

/* The kernel finds a dead client, and keeps little for a slow one. */
static void
tune_socket(struct http_conn *c)
{
	int fd = stream_fd(c->stream);
	int bytes = SEND_BUFFER_BYTES, on = 1;
	int idle = KEEP_IDLE_S, interval = KEEP_INTERVAL_S, probes = KEEP_PROBES;
	unsigned timeout = (unsigned)stall_ms(c);

	(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
	if (c->peer.ss_family == AF_UNIX)
		return;
	(void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	(void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof(idle));
	(void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval, sizeof(interval));
	(void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof(probes));
	(void)setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &timeout, sizeof(timeout));
}

void
conn_stream(struct http_conn *c, struct http_response *response)
{
	struct http_stream *s = c->answer;
	struct buf written = s->out; /* by the handler already */

	/* A "100 Continue" may be on its way still. */
	s->out = c->head;
	s->sent = c->sent;
	c->head = (struct buf){0};
	c->sent = 0;
	http_write_stream_head(&s->out, response, s->chunked);
	buf_add_slice(&s->out, buf_slice(&written));
	buf_free(&written);
	http_response_free(response);
	c->last = true;
	c->state = CONN_STREAMING;
	tune_socket(c);
	stream_want_read(c->stream, true);
	conn_deadline(c, stall_ms(c));
	if (s->mute || c->conns->stopping)
		conn_stream_stop(c);
	conn_stream_flush(c);
}

/* All is with the client. */
static void
stream_empty(struct http_stream *s)
{
	struct http_conn *c = s->conn;

	buf_free(&s->out);
	s->sent = 0;
	event_del(c->timer);
	if (s->ended)
		conn_drain(c);
}

void
conn_stream_flush(struct http_conn *c)
{
	struct http_stream *s = c->answer;
	void (*on_empty)(void *);

	if (c->state != CONN_STREAMING)
		return;
	if (http_stream_buffered(s) > 0) {
		struct iovec iov = {s->out.p + s->sent, http_stream_buffered(s)};
		ssize_t n = stream_writev(c->stream, &iov, 1);

		if (n <= 0 && n != STREAM_AGAIN) {
			conn_end(c, stream_error(c->stream));
			return;
		}
		if (n > 0) {
			s->sent += (size_t)n;
			conn_deadline(c, stall_ms(c));
		}
	}
	if (http_stream_buffered(s) > 0)
		return;
	stream_empty(s);
	on_empty = s->on_empty;
	s->on_empty = NULL;
	if (on_empty != NULL)
		on_empty(s->arg);
}
