/*
 * http_fixture -- a worker's HTTP intake in one loop with clients on plain sockets.
 * Lines are of apps that nobody knows, so that they are seen on their way to the
 * catch-all; the test says when they are safe.  One file of a program includes it.
 */
#ifndef HTTP_FIXTURE_H
#define HTTP_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/xmalloc.h"
#include "ends/http_intake.h"
#include "ends/http_post.h"
#include "plumb/gzip.h"

enum { PATIENCE_MS = 20000, HELD_MAX = 64 };

static struct stats stats;
static struct config config = {.max_line = 1000};
static struct ingest ingest;
static struct intake intake;
static struct log_pool pool;
static struct listen_url url;
static struct listener_share share;
static struct app_log *rest;

static size_t lines, read_events;
/* Lines are safe when the test says so; else at once. */
static bool late;
static struct receipt *held[HELD_MAX];
static size_t nheld;

struct client {
	int fd;
	struct buf in; /* received, not looked at yet */
};

static inline void
on_line(struct slice name, void *arg)
{
	(void)name;
	(void)arg;
	/* That a name was asked for in vain is told without a line. */
	if (ingest.receipt == NULL)
		return;
	lines++;
	if (!late || (nheld > 0 && held[nheld - 1] == ingest.receipt))
		return;
	assert_true(nheld < HELD_MAX);
	receipt_hold(ingest.receipt);
	held[nheld++] = ingest.receipt;
}

static inline void
on_read_done(void *arg)
{
	(void)arg;
	assert_null(ingest.receipt);
	ingest_end(&ingest);
	read_events++;
}

static inline void
on_touch(struct app_log *log, void *arg)
{
	(void)log;
	(void)arg;
}

/* The lines of the n-th request that is held are safe. */
static inline void
release(size_t n)
{
	assert_true(n < nheld && held[n] != NULL);
	receipt_release(held[n]);
	held[n] = NULL;
}

/* They are given up. */
static inline void
lose(size_t n)
{
	receipt_lose(held[n]);
	release(n);
}

static inline void
release_all(void)
{
	for (size_t n = 0; n < nheld; n++)
		if (held[n] != NULL)
			release(n);
	nheld = 0;
}

/* Requests come by that listener from now on. */
static inline void
listen_at(const char *text)
{
	char err[256];

	tag_rule_free(share.rule);
	listen_url_free(&url);
	share.rule = NULL;
	if (!listen_url_parse(text, false, &url, err, sizeof(err)))
		fail_msg("%s", err);
	if (url.app != NULL)
		share.rule = tag_rule_new(url.app, err, sizeof(err));
	share.url = &url;
}

static inline int
setup(void **state)
{
	(void)state;
	memset(&share, 0, sizeof(share));
	memset(&stats, 0, sizeof(stats));
	lines = read_events = nheld = 0;
	late = false;
	listen_at("http://127.0.0.1:0");
	log_pool_init(&pool, 1024 * 1024, 1024 * 1024, 1);
	ingest = (struct ingest){.routes = routes_new(),
				 .stats = &stats,
				 .catch_all = SLICE("rest"),
				 .touch = on_touch,
				 .unknown = on_line};
	rest = app_log_new(&pool, 1, "rest");
	routes_add(ingest.routes, SLICE("rest"), 1, 0)->log = rest;
	intake = (struct intake){.base = event_base_new(),
				 .ingest = &ingest,
				 .config = &config,
				 .stats = &stats,
				 .host = SLICE("here"),
				 .read_done = on_read_done};
	intake_init(&intake);
	intake.http = http_intake_new(&intake);
	return 0;
}

static inline int
teardown(void **state)
{
	(void)state;
	intake_clear(&intake);
	release_all();
	assert_int_equal(share.counts.open, 0);
	app_log_free(rest);
	routes_free(ingest.routes);
	ingest_clear(&ingest);
	log_pool_clear(&pool);
	event_base_free(intake.base);
	tag_rule_free(share.rule);
	share.rule = NULL;
	listen_url_free(&url);
	return 0;
}

/* As a worker does: what one turn brings about belongs to the next. */
static inline void
turn(void)
{
	event_base_loop(intake.base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
}

/* Turns the loop until the condition holds. */
#define UNTIL(condition)                                               \
	do {                                                           \
		int64_t until_ = clock_mono_ms() + PATIENCE_MS;        \
                                                                       \
		while (!(condition) && clock_mono_ms() < until_)       \
			turn();                                        \
		if (!(condition))                                      \
			fail_msg("line %d: %s", __LINE__, #condition); \
	} while (0)

static inline struct client
client_new(void)
{
	struct sockaddr_in peer = {.sin_family = AF_INET};
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	fcntl(fds[0], F_SETFL, O_NONBLOCK);
	fcntl(fds[1], F_SETFL, O_NONBLOCK);
	peer.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	http_intake_take(intake.http, &share, fds[1], (struct sockaddr *)&peer, NULL);
	return (struct client){.fd = fds[0]};
}

static inline void
client_free(struct client *c)
{
	close(c->fd);
	buf_free(&c->in);
}

static inline void
client_send(struct client *c, struct slice bytes)
{
	int64_t until = clock_mono_ms() + PATIENCE_MS;

	while (bytes.n > 0) {
		ssize_t n = send(c->fd, bytes.p, bytes.n, MSG_NOSIGNAL);

		assert_true(clock_mono_ms() < until);
		if (n > 0)
			bytes = slice_skip(bytes, (size_t)n);
		else
			turn();
	}
}

/* POST PATH with these header lines (each with its CRLF) and this body. */
static inline void
post(struct client *c, const char *path, const char *headers, struct slice body)
{
	struct buf head = {0};

	buf_addf(&head, "POST %s HTTP/1.1\r\nHost: h\r\nContent-Length: %zu\r\n%s\r\n", path,
		 body.n, headers);
	client_send(c, buf_slice(&head));
	client_send(c, body);
	buf_free(&head);
}

#define TEXT "Content-Type: text/plain\r\n"
#define NDJSON "Content-Type: application/x-ndjson\r\n"
#define LOGPLEX "Content-Type: application/logplex-1\r\n"
#define GZIP "Content-Encoding: gzip\r\n"
#define LOGS "/v1/apps/shop/logs"

/* Takes what has come by now.  false: the other side has closed. */
static inline bool
client_read(struct client *c)
{
	ssize_t n = recv(c->fd, buf_reserve(&c->in, 4096), 4096, 0);

	c->in.n += n > 0 ? (size_t)n : 0;
	return n != 0;
}

/* Bytes of the answer at the start of what came; 0: it is not whole. */
static inline size_t
answer_size(struct client *c)
{
	const char *text = buf_cstr(&c->in), *end = strstr(text, "\r\n\r\n");
	const char *length = strcasestr(text, "\r\nContent-Length: ");
	size_t n;

	if (end == NULL)
		return 0;
	n = (size_t)(end + 4 - text);
	if (length != NULL && length < end)
		n += strtoul(length + strlen("\r\nContent-Length: "), NULL, 10);
	return n <= c->in.n ? n : 0;
}

/* The next answer has that status, and these words somewhere (NULL: any). */
static inline void
expect(struct client *c, int status, const char *words)
{
	char start[32], *text;
	size_t n;

	UNTIL((client_read(c), (n = answer_size(c)) > 0));
	text = xstrndup(c->in.p, n);
	buf_drain(&c->in, n);
	snprintf(start, sizeof(start), "HTTP/1.1 %d ", status);
	if (strncmp(text, start, strlen(start)) != 0 ||
	    (words != NULL && strstr(text, words) == NULL))
		fail_msg("wanted %d %s, got %s", status, words != NULL ? words : "", text);
	free(text);
}

/* Nothing comes now. */
static inline void
expect_silence(struct client *c)
{
	for (int i = 0; i < 30; i++) {
		turn();
		usleep(500);
		assert_true(client_read(c));
	}
	if (c->in.n > 0)
		fail_msg("got %.*s", (int)c->in.n, c->in.p);
}

/* Lines of text, n of them. */
static inline struct buf
text_of(size_t n)
{
	struct buf text = {0};

	for (size_t i = 0; i < n; i++)
		buf_addf(&text, "line %zu of the body, some words and a number: %zu\n", i, i * i);
	return text;
}

#endif
