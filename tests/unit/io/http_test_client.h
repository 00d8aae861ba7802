/*
 * http_test_client -- for tests of http_server: a server on a loopback port and
 * clients for it, all in one thread.  Whoever waits turns the server's loop
 * meanwhile, so a test reads from top to bottom.
 */
#ifndef HTTP_TEST_CLIENT_H
#define HTTP_TEST_CLIENT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "io/http_server.h"

enum { WAIT_MS = 10000, BIG_BYTES = 10 * 1024 * 1024 };

struct fixture {
	struct event_base *base;
	struct http_server *server;
	struct sockaddr_in addr;
	int handled;
	struct buf last_body; /* of the last request */
	int family;	      /* of its peer */
	bool tls;
	int sleep_ms;	  /* the handler's */
	bool stop_inside; /* the handler stops the server */
};

struct client {
	struct fixture *f;
	int fd;
	SSL *ssl;      /* NULL: plain */
	struct buf in; /* received, not looked at yet */
	bool closed;   /* by the server, in order */
	bool reset;
};

struct answer {
	int status;
	struct buf head, body;
};

static inline struct http_limits
small_limits(void)
{
	return (struct http_limits){
	    .request_line = 1024,
	    .headers = 4096,
	    .body = 256 * 1024,
	    .request_ms = 400,
	    .idle_ms = 400,
	    .connections = 4,
	};
}

/* Paths: /echo (the body), /big, /none (204), /header; all others: {"path":...}. */
static inline void
handle(const struct http_request *request, struct http_response *response, void *arg)
{
	struct fixture *f = arg;

	f->handled++;
	buf_free(&f->last_body);
	buf_add_slice(&f->last_body, request->body);
	f->family = request->peer->sa_family;
	f->tls = request->tls;
	if (f->sleep_ms > 0)
		usleep((useconds_t)f->sleep_ms * 1000);
	if (f->stop_inside)
		http_server_stop(f->server);
	if (slice_is(request->path, "/echo")) {
		buf_add_slice(&response->body, request->body);
	} else if (slice_is(request->path, "/big")) {
		size_t i;

		buf_reserve(&response->body, BIG_BYTES);
		for (i = 0; i < BIG_BYTES; i++)
			response->body.p[i] = (char)('a' + i % 23);
		response->body.n = BIG_BYTES;
	} else if (slice_is(request->path, "/none")) {
		response->status = 204;
		buf_add_str(&response->body, "never seen");
	} else if (slice_is(request->path, "/header")) {
		http_response_header(response, "X-Test", "a\r\nInjected: b\tc");
	} else {
		buf_add_str(&response->body, "{\"path\":\"");
		buf_add_slice(&response->body, request->path);
		buf_add_str(&response->body, "\"}");
	}
}

static inline int
listen_on(struct sockaddr *addr, socklen_t len)
{
	int fd = socket(addr->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, addr, len), 0);
	assert_int_equal(listen(fd, 64), 0);
	return fd;
}

static inline struct fixture *
fixture_with(const struct http_limits *limits, SSL_CTX *ctx, http_handler *handler)
{
	struct fixture *f = calloc(1, sizeof(*f));
	socklen_t len = sizeof(f->addr);
	int fd;

	assert_non_null(f);
	signal(SIGPIPE, SIG_IGN);
	f->base = event_base_new();
	f->server = http_server_new(f->base, limits, handler, f);
	f->addr.sin_family = AF_INET;
	f->addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	fd = listen_on((struct sockaddr *)&f->addr, len);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&f->addr, &len), 0);
	http_server_listen(f->server, fd, ctx);
	return f;
}

static inline struct fixture *
fixture_new(const struct http_limits *limits, SSL_CTX *ctx)
{
	return fixture_with(limits, ctx, handle);
}

static inline void
fixture_free(struct fixture *f)
{
	http_server_free(f->server);
	event_base_free(f->base);
	buf_free(&f->last_body);
	free(f);
}

static inline void
turn(struct fixture *f)
{
	event_base_loop(f->base, EVLOOP_NONBLOCK);
}

static inline void
turn_for(struct fixture *f, int64_t ms)
{
	int64_t end = clock_mono_ms() + ms;

	while (clock_mono_ms() < end) {
		turn(f);
		usleep(500);
	}
}

static inline struct client
client_of(struct fixture *f, int fd)
{
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
	return (struct client){.f = f, .fd = fd};
}

static inline struct client
client_connect(struct fixture *f)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_true(fd >= 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&f->addr, sizeof(f->addr)), 0);
	return client_of(f, fd);
}

static inline void
client_free(struct client *c)
{
	SSL_free(c->ssl);
	close(c->fd);
	buf_free(&c->in);
}

static inline void
client_tls(struct client *c, SSL_CTX *ctx)
{
	int64_t end = clock_mono_ms() + WAIT_MS;

	c->ssl = SSL_new(ctx);
	SSL_set_fd(c->ssl, c->fd);
	while (SSL_connect(c->ssl) != 1) {
		assert_true(clock_mono_ms() < end);
		turn(c->f);
	}
}

/* False: the server's socket takes no more just now, or never again. */
static inline bool
client_try_send(struct client *c, const char *p, size_t n, size_t *sent)
{
	ssize_t got;

	*sent = 0;
	if (c->ssl != NULL)
		return SSL_write_ex(c->ssl, p, n, sent) == 1;
	got = send(c->fd, p, n, 0);
	if (got < 0 && errno != EAGAIN)
		c->reset = true;
	if (got > 0)
		*sent = (size_t)got;
	return got > 0;
}

static inline void
client_send(struct client *c, const char *p, size_t n)
{
	int64_t end = clock_mono_ms() + WAIT_MS;
	size_t sent;

	while (n > 0 && !c->reset) {
		assert_true(clock_mono_ms() < end);
		if (client_try_send(c, p, n, &sent)) {
			p += sent;
			n -= sent;
		}
		turn(c->f);
	}
}

static inline void
client_say(struct client *c, const char *text)
{
	client_send(c, text, strlen(text));
}

/* Takes what is there; false: nothing. */
static inline bool
client_receive(struct client *c)
{
	char *to = buf_reserve(&c->in, 65536);
	size_t got = 0;
	ssize_t n;

	if (c->ssl != NULL) {
		if (SSL_read_ex(c->ssl, to, 65536, &got) == 1)
			c->in.n += got;
		else if (SSL_get_error(c->ssl, 0) == SSL_ERROR_ZERO_RETURN)
			c->closed = true;
		return got > 0;
	}
	n = recv(c->fd, to, 65536, 0);
	if (n > 0)
		c->in.n += (size_t)n;
	else if (n == 0)
		c->closed = true;
	else if (errno != EAGAIN)
		c->reset = true;
	return n > 0;
}

static inline void
client_wait(struct client *c)
{
	turn(c->f);
	if (!client_receive(c))
		usleep(200);
}

/* Waits until the server closes; what came before stays in c->in. */
static inline void
client_wait_closed(struct client *c)
{
	int64_t end = clock_mono_ms() + WAIT_MS;

	while (!c->closed && !c->reset) {
		assert_true(clock_mono_ms() < end);
		client_wait(c);
	}
}

/* Waits for text; true and cut off from c->in up to its end. */
static inline bool
client_wait_for(struct client *c, const char *text, struct buf *before)
{
	int64_t end = clock_mono_ms() + WAIT_MS;
	const char *found;

	for (;;) {
		found = strstr(buf_cstr(&c->in), text);
		if (found != NULL || c->closed || c->reset)
			break;
		assert_true(clock_mono_ms() < end);
		client_wait(c);
	}
	if (found == NULL)
		return false;
	before->n = 0;
	buf_add(before, c->in.p, (size_t)(found - c->in.p) + strlen(text));
	buf_drain(&c->in, before->n);
	return true;
}

/* The value of a header in head; "" if absent. */
static inline const char *
head_value(struct buf *head, const char *name)
{
	static char value[256];
	char line[64];
	const char *at;

	snprintf(line, sizeof(line), "\r\n%s: ", name);
	at = strcasestr(buf_cstr(head), line);
	if (at == NULL)
		return "";
	at += strlen(line);
	snprintf(value, sizeof(value), "%.*s", (int)strcspn(at, "\r"), at);
	return value;
}

static inline struct answer
client_answer(struct client *c, bool is_head)
{
	int64_t end = clock_mono_ms() + WAIT_MS;
	struct answer a = {0};
	size_t length;

	assert_true(client_wait_for(c, "\r\n\r\n", &a.head));
	assert_int_equal(sscanf(buf_cstr(&a.head), "HTTP/1.1 %d ", &a.status), 1);
	length = is_head ? 0 : strtoul(head_value(&a.head, "Content-Length"), NULL, 10);
	while (c->in.n < length) {
		assert_false(c->closed || c->reset);
		assert_true(clock_mono_ms() < end);
		client_wait(c);
	}
	buf_add(&a.body, c->in.p, length);
	buf_drain(&c->in, length);
	return a;
}

static inline void
answer_free(struct answer *a)
{
	buf_free(&a->head);
	buf_free(&a->body);
}

/* The next answer has this status and this body (NULL: any). */
static inline void
expect_answer(struct client *c, int status, const char *body)
{
	struct answer a = client_answer(c, false);

	assert_int_equal(a.status, status);
	if (body != NULL)
		assert_string_equal(buf_cstr(&a.body), body);
	answer_free(&a);
}

/* The next answer is an error of the server's own, and the last on the connection. */
static inline void
expect_error(struct client *c, int status)
{
	struct answer a = client_answer(c, false);

	assert_int_equal(a.status, status);
	assert_memory_equal(a.body.p, "{\"error\":\"", 10);
	assert_memory_equal(a.body.p + a.body.n - 2, "\"}", 2);
	assert_string_equal(head_value(&a.head, "Content-Type"), "application/json");
	assert_string_equal(head_value(&a.head, "Connection"), "close");
	answer_free(&a);
	client_wait_closed(c);
	assert_true(c->closed);
	assert_int_equal(c->in.n, 0);
}

#endif
