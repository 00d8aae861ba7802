/*
 * relp_fixture -- a RELP listener's intake in one loop with a client on a plain
 * socket.  Lines are of apps that nobody knows, so that what became of them is
 * seen; the test says when they are safe.  One file of a program includes it.
 */
#ifndef RELP_FIXTURE_H
#define RELP_FIXTURE_H

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <event2/event.h>

#include "base/clock.h"
#include "base/xmalloc.h"
#include "ends/intake.h"
#include "ends/listener.h"

enum { MAX_LINE = 1000, PATIENCE_MS = 10000 };

static struct stats stats;
static struct config config = {.max_line = MAX_LINE};
static struct ingest ingest;
static struct intake intake;
static struct listen_url url;
static struct tag_rule *rule;
static struct sockaddr_in addr;
static int client = -1;
static struct buf came; /* to the client, and not looked at yet */

static uint64_t lines;
static char last[64]; /* APP-NAME of the last line */
/* Lines are safe when the test says so; else at once. */
static bool late;
static struct receipt *held[16 * 1024];
static size_t nheld, nreleased;

static inline void
on_line(struct slice name, void *arg)
{
	(void)arg;
	lines++;
	snprintf(last, sizeof(last), "%.*s", (int)name.n, name.p);
	assert_non_null(ingest.receipt);
	/* Once for a read event, as a log does. */
	if (!late || (nheld > nreleased && held[nheld - 1] == ingest.receipt))
		return;
	assert_true(nheld < sizeof(held) / sizeof(held[0]));
	receipt_hold(ingest.receipt);
	held[nheld++] = ingest.receipt;
}

static inline void
on_read_done(void *arg)
{
	(void)arg;
	assert_null(ingest.receipt);
}

/* The lines of the n-th event that is held are safe. */
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
	for (; nreleased < nheld; nreleased++)
		if (held[nreleased] != NULL)
			release(nreleased);
}

static inline void
turn(void)
{
	event_base_loop(intake.base, EVLOOP_NONBLOCK);
}

/* Takes what has come to the client by now.  false: nothing; *eof: and nothing will. */
static inline bool
client_read(bool *eof)
{
	ssize_t n = recv(client, buf_reserve(&came, 1 << 16), 1 << 16, MSG_DONTWAIT);

	if (n < 0 && errno != EAGAIN)
		fail_msg("the client's connection: %s", strerror(errno));
	*eof = n == 0;
	came.n += n > 0 ? (size_t)n : 0;
	return n > 0;
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

/* The client gets these bytes next. */
static inline void
expect(const char *text)
{
	size_t n = strlen(text);
	bool eof = false;

	UNTIL((client_read(&eof), came.n >= n || eof));
	if (came.n < n || memcmp(came.p, text, n) != 0)
		fail_msg("wanted \"%s\", got \"%.*s\"", text, (int)came.n, came.p);
	buf_drain(&came, n);
}

/* Nothing comes now. */
static inline void
expect_silence(void)
{
	bool eof = false;

	for (int i = 0; i < 20; i++) {
		turn();
		usleep(500);
		(void)client_read(&eof);
	}
	if (came.n > 0 || eof)
		fail_msg("got \"%.*s\"%s", (int)came.n, came.p, eof ? " and the end" : "");
}

static inline void
expect_end(void)
{
	bool eof = false;

	UNTIL((client_read(&eof), eof));
	if (came.n > 0)
		fail_msg("got \"%.*s\" before the end", (int)came.n, came.p);
}

static inline void
client_send(const char *p, size_t n)
{
	int64_t until = clock_mono_ms() + PATIENCE_MS;

	while (n > 0) {
		ssize_t sent = send(client, p, n, MSG_DONTWAIT | MSG_NOSIGNAL);

		assert_true(clock_mono_ms() < until);
		assert_true(sent > 0 || errno == EAGAIN);
		p += sent > 0 ? sent : 0;
		n -= sent > 0 ? (size_t)sent : 0;
		turn();
	}
}

static inline void
say(const char *text)
{
	client_send(text, strlen(text));
}

/* A line of that app. */
static inline void
say_line(unsigned txnr, const char *app)
{
	char line[128], frame[192];

	snprintf(line, sizeof(line), "<14>1 - h %s - - - hello", app);
	snprintf(frame, sizeof(frame), "%u syslog %zu %s\n", txnr, strlen(line), line);
	say(frame);
}

static const char offers[] =
    "200 OK\nrelp_version=0\nrelp_software=penstock," PENSTOCK_VERSION "\ncommands=syslog";

static inline void
open_session(void)
{
	char answer[200];

	say("1 open 30 relp_version=0\ncommands=syslog\n");
	snprintf(answer, sizeof(answer), "1 rsp %zu %s\n", strlen(offers), offers);
	expect(answer);
}

static inline const struct listener_counts *
counts(void)
{
	return listener_counts(TAILQ_FIRST(&intake.listeners));
}

/* Little, so that what is not read soon holds up who writes it. */
static inline void
set_buffers(int fd)
{
	int bytes = 64 * 1024;

	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes)), 0);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes)), 0);
}

static inline int
listening_socket(void)
{
	socklen_t len = sizeof(addr);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

	addr = (struct sockaddr_in){.sin_family = AF_INET};
	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	set_buffers(fd);
	assert_int_equal(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&addr, &len), 0);
	assert_int_equal(listen(fd, 8), 0);
	return fd;
}

static inline int
relp_setup(void **state)
{
	char err[256];
	int one = 1;

	(void)state;
	assert_true(listen_url_parse("relp://127.0.0.1:0", false, &url, err, sizeof(err)));
	rule = tag_rule_new("app-name", err, sizeof(err));
	assert_non_null(rule);
	lines = 0;
	nheld = nreleased = 0;
	late = false;
	stats = (struct stats){0};
	ingest = (struct ingest){.routes = routes_new(), .stats = &stats, .unknown = on_line};
	outbox_init(&ingest.outbox, NULL, 0, NULL);
	intake = (struct intake){.base = event_base_new(),
				 .ingest = &ingest,
				 .config = &config,
				 .stats = &stats,
				 .host = SLICE("here"),
				 .read_done = on_read_done};
	intake_init(&intake);
	listener_new(&intake, &url, listening_socket(), NULL, rule);
	client = socket(AF_INET, SOCK_STREAM, 0);
	set_buffers(client);
	assert_int_equal(connect(client, (struct sockaddr *)&addr, sizeof(addr)), 0);
	setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	return 0;
}

static inline int
relp_teardown(void **state)
{
	(void)state;
	intake_clear(&intake);
	release_all();
	routes_free(ingest.routes);
	ingest_clear(&ingest);
	event_base_free(intake.base);
	tag_rule_free(rule);
	listen_url_free(&url);
	buf_free(&came);
	if (client >= 0)
		close(client);
	return 0;
}

#endif
