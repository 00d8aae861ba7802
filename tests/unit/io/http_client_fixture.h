/*
 * http_client_fixture -- an HTTP client and receivers for it, all in one
 * thread and one loop; names are looked up by the test.  One file of a program
 * includes it.
 */
#ifndef HTTP_CLIENT_FIXTURE_H
#define HTTP_CLIENT_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/xmalloc.h"
#include "io/http_client.h"
#include "io/stream.h"
#include "plumb/lookup.h"
#include "test_certs.h"

enum { FAKE_MAX = 4, CONNS_MAX = 192 };

/* What every look-up finds: n addresses; none: no such name. */
static const char *_Atomic fake_addr[FAKE_MAX];
static _Atomic size_t fake_n;
static _Atomic bool fake_hangs;
static _Atomic int fake_calls;
static _Atomic int64_t clock_skip_ms;

int64_t
clock_mono_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000 + clock_skip_ms;
}

int64_t
clock_wall_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

int
lookup_host(const char *host, struct sockaddr_storage *out, size_t max, size_t *n, char *err,
	    size_t len)
{
	struct sockaddr_in in;
	struct sockaddr_in6 in6;

	(void)host;
	fake_calls++;
	while (fake_hangs)
		usleep(500);
	*n = 0;
	for (size_t i = 0; i < fake_n && i < max; i++) {
		memset(&in, 0, sizeof(in));
		memset(&in6, 0, sizeof(in6));
		memset(&out[i], 0, sizeof(out[i]));
		in.sin_family = AF_INET;
		in6.sin6_family = AF_INET6;
		if (inet_pton(AF_INET, fake_addr[i], &in.sin_addr) == 1)
			memcpy(&out[i], &in, sizeof(in));
		else if (inet_pton(AF_INET6, fake_addr[i], &in6.sin6_addr) == 1)
			memcpy(&out[i], &in6, sizeof(in6));
		*n = i + 1;
	}
	if (*n > 0)
		return 0;
	snprintf(err, len, "no such host");
	return -1;
}

static inline void
names_are(const char *a, const char *b)
{
	fake_n = 0;
	fake_addr[0] = a;
	fake_addr[1] = b;
	fake_n = a == NULL ? 0 : b == NULL ? 1 : 2;
}

struct receiver;

/* A connection that the receiver accepted. */
struct conn {
	struct receiver *receiver;
	struct stream *s;
	struct buf in;
};

enum receiver_does {
	DOES_ANSWER,	    /* what r->answer says, to each request */
	DOES_ANSWER_CLOSE,  /* and then closes */
	DOES_HANG,	    /* takes all and says nothing */
	DOES_CLOSE,	    /* when the request came */
	DOES_CLOSE_AT_ONCE, /* when the connection came */
	DOES_RESET,	    /* when the request came */
	DOES_TRICKLE,	    /* r->answer a byte at a time, for ever */
	DOES_ENDLESS,	    /* r->answer, then r->more for ever */
};

struct receiver {
	struct event_base *base;
	struct evconnlistener *listener;
	SSL_CTX *tls;
	uint16_t port;
	enum receiver_does does;
	const char *answer, *more;
	struct event *tick;
	struct conn conns[CONNS_MAX];
	size_t at; /* of a trickle */
	int accepted, requests;
	struct buf request; /* the last one, whole */
	struct buf body;
};

static inline void
conn_close(struct conn *c, bool reset)
{
	if (reset)
		stream_abort(c->s);
	else
		stream_free(c->s);
	c->s = NULL;
	buf_free(&c->in);
	c->in = (struct buf){0};
}

static inline void
conn_say(struct conn *c, const char *p, size_t n)
{
	struct iovec iov = {.iov_base = (void *)(uintptr_t)p, .iov_len = n};
	ssize_t did;

	while (n > 0 && (did = stream_writev(c->s, &iov, 1)) > 0) {
		n -= (size_t)did;
		iov.iov_base = (char *)iov.iov_base + did;
		iov.iov_len = n;
	}
}

static inline void
conn_answer(struct conn *c)
{
	struct receiver *r = c->receiver;

	r->requests++;
	switch (r->does) {
	case DOES_ANSWER:
	case DOES_ENDLESS:
		conn_say(c, r->answer, strlen(r->answer));
		break;
	case DOES_ANSWER_CLOSE:
		conn_say(c, r->answer, strlen(r->answer));
		conn_close(c, false);
		break;
	case DOES_CLOSE:
	case DOES_RESET:
		conn_close(c, r->does == DOES_RESET);
		break;
	case DOES_HANG:
	case DOES_TRICKLE:
	case DOES_CLOSE_AT_ONCE:
		break;
	}
}

/* A whole request lies in c->in: keep it, answer it. */
static inline void
conn_requests(struct conn *c)
{
	struct receiver *r = c->receiver;
	const char *end, *length;
	size_t head, all;

	while (c->s != NULL && (end = strstr(buf_cstr(&c->in), "\r\n\r\n")) != NULL) {
		head = (size_t)(end - c->in.p) + 4;
		length = strcasestr(c->in.p, "\nContent-Length:");
		all = head + (length != NULL && length < end ? strtoul(length + 16, NULL, 10) : 0);
		if (c->in.n < all)
			return;
		r->request.n = 0;
		buf_add(&r->request, c->in.p, head);
		buf_cstr(&r->request);
		r->body.n = 0;
		buf_add(&r->body, c->in.p + head, all - head);
		buf_drain(&c->in, all);
		conn_answer(c);
	}
}

static inline void
on_conn(struct stream *s, enum stream_event event, void *arg)
{
	struct conn *c = arg;
	char piece[65536];
	ssize_t n;

	if (event == STREAM_FAILED) {
		conn_close(c, false);
		return;
	}
	if (event == STREAM_OPEN) {
		stream_want_read(s, true);
		return;
	}
	while (c->s != NULL && (n = stream_read(s, piece, sizeof(piece))) != STREAM_AGAIN) {
		if (n <= 0) {
			conn_close(c, false);
			return;
		}
		buf_add(&c->in, piece, (size_t)n);
		conn_requests(c);
	}
}

static inline void
on_accepted(struct evconnlistener *l, evutil_socket_t fd, struct sockaddr *sa, int len, void *arg)
{
	struct receiver *r = arg;
	struct conn *c = r->conns;

	(void)l, (void)sa, (void)len;
	r->accepted++;
	if (r->does == DOES_CLOSE_AT_ONCE) {
		close(fd);
		return;
	}
	while (c->s != NULL)
		c++;
	assert_true(c < r->conns + CONNS_MAX);
	c->receiver = r;
	c->s = stream_accepted(r->base, fd, r->tls, 5000, on_conn, c);
}

static inline void
on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct receiver *r = arg;

	(void)fd, (void)what;
	for (size_t i = 0; i < CONNS_MAX; i++) {
		if (r->conns[i].s == NULL || r->requests == 0)
			continue;
		if (r->does == DOES_TRICKLE && r->at < strlen(r->answer))
			conn_say(&r->conns[i], r->answer + r->at++, 1);
		if (r->does == DOES_ENDLESS)
			conn_say(&r->conns[i], r->more, strlen(r->more));
	}
}

/* addr: of loopback, IPv4 or ::1; port 0: any. */
static inline struct receiver *
receiver_at(struct event_base *base, const char *addr, uint16_t port, SSL_CTX *tls)
{
	struct receiver *r = xcalloc(1, sizeof(*r));
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(port)};
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
	bool v6 = inet_pton(AF_INET6, addr, &in6.sin6_addr) == 1;
	struct sockaddr *sa = v6 ? (struct sockaddr *)&in6 : (struct sockaddr *)&in;
	socklen_t len = v6 ? sizeof(in6) : sizeof(in);
	struct timeval tv = {.tv_usec = 1000};

	r->base = base;
	r->tls = tls;
	r->answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
	assert_true(v6 || inet_pton(AF_INET, addr, &in.sin_addr) == 1);
	r->listener = evconnlistener_new_bind(
	    base, on_accepted, r, LEV_OPT_CLOSE_ON_FREE | LEV_OPT_REUSEABLE, 16, sa, (int)len);
	assert_non_null(r->listener);
	getsockname(evconnlistener_get_fd(r->listener), sa, &len);
	r->port = ntohs(v6 ? in6.sin6_port : in.sin_port);
	r->tick = event_new(base, -1, EV_PERSIST, on_tick, r);
	event_add(r->tick, &tv);
	return r;
}

static inline void
receiver_drop(struct receiver *r)
{
	for (size_t i = 0; i < CONNS_MAX; i++)
		if (r->conns[i].s != NULL)
			conn_close(&r->conns[i], false);
}

static inline void
receiver_free(struct receiver *r)
{
	receiver_drop(r);
	evconnlistener_free(r->listener);
	event_free(r->tick);
	buf_free(&r->request);
	buf_free(&r->body);
	free(r);
}

struct fixture {
	struct event_base *base;
	struct mailbox *box;
	struct resolver *resolver;
	struct config config;
	struct address_policy *policy;
	SSL_CTX *tls;
	struct http_client *client;
	struct receiver *r;
	struct event *turn; /* counts the loop's turns */
	int turns;
};

static inline void
on_turn(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	((struct fixture *)arg)->turns++;
}

static inline void
fixture_client(struct fixture *f, SSL_CTX *tls)
{
	struct http_client_env env = {.base = f->base,
				      .mailbox = f->box,
				      .resolver = f->resolver,
				      .config = &f->config,
				      .tls = tls};

	http_client_free(f->client);
	address_policy_free(f->policy);
	f->policy = address_policy_new(&f->config);
	env.policy = f->policy;
	f->client = http_client_new(&env);
}

static inline int
setup(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));
	struct timeval tv = {.tv_usec = 2000};
	char err[TLS_ERROR_BYTES];

	signal(SIGPIPE, SIG_IGN);
	names_are(NULL, NULL);
	fake_hangs = false;
	fake_calls = 0;
	clock_skip_ms = 0;
	f->base = event_base_new();
	f->box = mailbox_new(f->base, f);
	f->resolver = resolver_new();
	f->config.http_timeout = 3000;
	f->tls = tls_client_ctx(NULL, err);
	f->turn = event_new(f->base, -1, EV_PERSIST, on_turn, f);
	event_add(f->turn, &tv);
	fixture_client(f, f->tls);
	f->r = receiver_at(f->base, "127.0.0.1", 0, NULL);
	*state = f;
	return 0;
}

static inline int
teardown(void **state)
{
	struct fixture *f = *state;

	http_client_free(f->client);
	address_policy_free(f->policy);
	receiver_free(f->r);
	resolver_free(f->resolver);
	mailbox_turn(f->box);
	mailbox_free(f->box);
	SSL_CTX_free(f->tls);
	event_free(f->turn);
	event_base_free(f->base);
	free(f);
	return 0;
}

/* A call and what became of it. */
struct got {
	struct http_call *call;
	int answers;
	struct http_answer answer; /* body and error are the copies below */
	char body[HTTP_ANSWER_BYTES + 1];
	char error[400];
};

static inline void
on_got(const struct http_answer *answer, void *arg)
{
	struct got *g = arg;

	g->answers++;
	g->answer = *answer;
	assert_true(answer->body.n <= HTTP_ANSWER_BYTES);
	if (answer->body.n > 0)
		memcpy(g->body, answer->body.p, answer->body.n);
	g->body[answer->body.n] = '\0';
	snprintf(g->error, sizeof(g->error), "%s", answer->error);
}

static inline void
post_start(struct fixture *f, struct got *g, const struct http_post *given)
{
	struct http_post post = *given;
	char *url = given->url == NULL
			? xasprintf("http://%s:%u/in?x=1", post.host, (unsigned)post.port)
			: NULL;

	memset(g, 0, sizeof(*g));
	if (url != NULL)
		post.url = url;
	g->call = http_client_post(f->client, &post, on_got, g);
	assert_int_equal(g->answers, 0);
	free(url);
}

/* Turns the loop until cond holds, for 20 s at most. */
#define UNTIL(f, cond)                                           \
	do {                                                     \
		int64_t until_ = clock_mono_ms() + 20000;        \
		while (!(cond) && clock_mono_ms() < until_)      \
			event_base_loop((f)->base, EVLOOP_ONCE); \
		assert_true(cond);                               \
	} while (0)

static inline struct got
post_wait(struct fixture *f, const struct http_post *post)
{
	struct got g;

	post_start(f, &g, post);
	UNTIL(f, g.answers > 0);
	assert_int_equal(g.answers, 1);
	return g;
}

#define LINES SLICE_INIT("one\ntwo\n")

/* To f->r, by its address. */
static inline struct got
post(struct fixture *f)
{
	return post_wait(f, &(struct http_post){
				.app = 1, .host = "127.0.0.1", .port = f->r->port, .body = LINES});
}

/* To f->r, by a name. */
static inline struct got
post_name(struct fixture *f, const char *name)
{
	return post_wait(
	    f, &(struct http_post){.app = 1, .host = name, .port = f->r->port, .body = LINES});
}

static inline void
assert_error(const struct got *g, enum http_step step, const char *words)
{
	if (strstr(g->error, words) == NULL || g->answer.status != 0)
		fail_msg("status %d, error: %s", g->answer.status, g->error);
	assert_int_equal(g->answer.step, step);
}

static inline void
linger_for(struct fixture *f, int64_t ms)
{
	int64_t until = clock_mono_ms() + ms;

	while (clock_mono_ms() < until)
		event_base_loop(f->base, EVLOOP_ONCE);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

#endif
