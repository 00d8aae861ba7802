/*
 * stream_pair -- two streams that talk over loopback in one loop, for tests.
 * An end collects what comes and sends what it is given, in random pieces,
 * each from memory of its exact size; a test may take its events over.
 */
#ifndef STREAM_PAIR_H
#define STREAM_PAIR_H

#include <arpa/inet.h>
#include <errno.h>
#include <event2/event.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "io/stream.h"

struct end {
	struct stream *s;
	int opened, failed, readable, writable;
	bool eof, error, echo;
	char why[STREAM_ERROR_BYTES]; /* of error or failed */
	char *got;
	size_t ngot;
	const char *out; /* to be sent */
	size_t nout, sent;
	size_t piece;				       /* largest of an iovec */
	void (*hook)(struct end *, enum stream_event); /* instead of the usual */
};

struct pair {
	struct event_base *base;
	struct end client, server;
	int listener;
	struct sockaddr_in addr;
};

static inline void
end_send(struct end *e)
{
	struct iovec iov[40];
	ssize_t n = 1;

	while (e->sent < e->nout && n > 0) {
		size_t at = e->sent;
		int pieces = 0;

		for (; pieces < 40 && at < e->nout; pieces++) {
			size_t len = (size_t)rand() % e->piece + 1;

			if (len > e->nout - at)
				len = e->nout - at;
			iov[pieces].iov_base = malloc(len);
			iov[pieces].iov_len = len;
			memcpy(iov[pieces].iov_base, e->out + at, len);
			at += len;
		}
		/* What TLS has encrypted must be offered whole again: add the rest in one. */
		if (at < e->nout && pieces == 40) {
			free(iov[39].iov_base);
			at -= iov[39].iov_len;
			iov[39].iov_len = e->nout - at < 40000 ? e->nout - at : 40000;
			iov[39].iov_base = malloc(iov[39].iov_len);
			memcpy(iov[39].iov_base, e->out + at, iov[39].iov_len);
		}
		n = stream_writev(e->s, iov, pieces);
		for (int i = 0; i < pieces; i++)
			free(iov[i].iov_base);
		if (n > 0)
			e->sent += (size_t)n;
	}
	if (n == STREAM_ERROR) {
		e->error = true;
		snprintf(e->why, sizeof(e->why), "%s", stream_error(e->s));
	}
}

static inline ssize_t
end_receive(struct end *e, size_t len)
{
	char *buf = malloc(len);
	ssize_t n = stream_read(e->s, buf, len);

	if (n > 0) {
		e->got = realloc(e->got, e->ngot + (size_t)n);
		memcpy(e->got + e->ngot, buf, (size_t)n);
		e->ngot += (size_t)n;
	}
	free(buf);
	if (n == STREAM_EOF)
		e->eof = true;
	if (n == STREAM_ERROR) {
		e->error = true;
		snprintf(e->why, sizeof(e->why), "%s", stream_error(e->s));
	}
	return n;
}

static inline void
on_end(struct stream *s, enum stream_event event, void *arg)
{
	struct end *e = arg;

	assert_ptr_equal(s, e->s);
	e->opened += event == STREAM_OPEN;
	e->failed += event == STREAM_FAILED;
	e->readable += event == STREAM_READABLE;
	e->writable += event == STREAM_WRITABLE;
	if (event == STREAM_FAILED)
		snprintf(e->why, sizeof(e->why), "%s", stream_error(s));
	if (e->hook != NULL) {
		e->hook(e, event);
		return;
	}
	if (event == STREAM_OPEN)
		stream_want_read(s, true);
	if (event == STREAM_READABLE)
		while (end_receive(e, (size_t)rand() % 100000 + 1) > 0)
			;
	if (e->echo) {
		e->out = e->got;
		e->nout = e->ngot;
	}
	if (event == STREAM_OPEN || event == STREAM_WRITABLE || (e->echo && !e->error))
		if (e->sent < e->nout)
			end_send(e);
}

static inline void
pair_listen(struct pair *p, int backlog)
{
	socklen_t len = sizeof(p->addr);

	memset(p, 0, sizeof(*p));
	p->base = event_base_new();
	p->client.piece = p->server.piece = 30000;
	p->listener = socket(AF_INET, SOCK_STREAM, 0);
	p->addr.sin_family = AF_INET;
	p->addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(0, bind(p->listener, (struct sockaddr *)&p->addr, len));
	assert_int_equal(0, listen(p->listener, backlog));
	/* A connection that does not come fails the test instead of hanging it. */
	setsockopt(p->listener, SOL_SOCKET, SO_RCVTIMEO, &(struct timeval){5, 0},
		   sizeof(struct timeval));
	assert_int_equal(0, getsockname(p->listener, (struct sockaddr *)&p->addr, &len));
}

static inline void
pair_connect(struct pair *p, SSL_CTX *ctx, const char *host)
{
	p->client.s = stream_connect(p->base, (struct sockaddr *)&p->addr, sizeof(p->addr), ctx,
				     host, 200, 400, on_end, &p->client);
}

static inline void
pair_accept(struct pair *p, SSL_CTX *ctx)
{
	int fd = accept4(p->listener, NULL, NULL, SOCK_NONBLOCK);

	assert_true(fd >= 0);
	p->server.s = stream_accepted(p->base, fd, ctx, 400, on_end, &p->server);
}

static inline void
pair_open(struct pair *p, SSL_CTX *server, SSL_CTX *client, const char *host)
{
	pair_listen(p, 5);
	pair_connect(p, client, host);
	pair_accept(p, server);
}

static inline void
end_free(struct end *e)
{
	stream_free(e->s);
	e->s = NULL;
	free(e->got);
	e->got = NULL;
}

static inline void
pair_close(struct pair *p)
{
	end_free(&p->client);
	end_free(&p->server);
	close(p->listener);
	event_base_free(p->base);
}

static inline void
on_nothing(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what, (void)arg;
}

/* Turns the loop for that long. */
static inline void
pair_run(struct pair *p, int ms)
{
	struct timeval tv = {ms / 1000, ms % 1000 * 1000};

	event_base_loopexit(p->base, &tv);
	event_base_dispatch(p->base);
}

/* Turns the loop until the condition holds; fails the test after 10 s. */
#define PAIR_UNTIL(p, condition)                                                              \
	do {                                                                                  \
		struct event *tick_ = event_new((p)->base, -1, EV_PERSIST, on_nothing, NULL); \
		int64_t end_ = clock_mono_ms() + 10000;                                       \
                                                                                              \
		event_add(tick_, &(struct timeval){0, 5000});                                 \
		while (!(condition) && clock_mono_ms() < end_)                                \
			event_base_loop((p)->base, EVLOOP_ONCE);                              \
		event_free(tick_);                                                            \
		assert_true(condition);                                                       \
	} while (0)

/* Bytes that show a place that was lost, doubled or exchanged. */
static inline char *
random_bytes(size_t n)
{
	char *p = malloc(n);

	for (size_t i = 0; i < n; i++)
		p[i] = (char)rand();
	return p;
}

#endif
