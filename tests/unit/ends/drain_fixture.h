/*
 * drain_fixture -- one drain and its log, with numbered lines, and a receiver that reads when
 * the test says so, for tests.
 */
#ifndef DRAIN_FIXTURE_H
#define DRAIN_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/clock.h"
#include "ends/drain_internal.h"
#include "log/log_shed.h"

/* Longer than anything takes; a test that waits so long has failed. */
enum { WAIT_MS = 60000 };

enum { LINE_BYTES = 500, LINES_MAX = 100000, NOTICE_MAX = 16 };

/* What the receiver got, and what it was told to miss. */
struct got {
	unsigned next; /* the number that comes, if none is missing */
	unsigned lines;
	uint64_t said;
	bool gap; /* a notice stands before the next line */
};

struct fixture {
	struct config config;
	struct stats stats;
	struct drain_env env;
	struct address_policy *policy;
	struct log_pool pool;
	struct app_log *log;
	struct drain *d;
	unsigned appended;
	int listener, receiver;
	struct got got;
};

static inline void
take(struct got *got, const char *text, size_t n)
{
	char line[LINE_BYTES + 64], *at;
	unsigned number;

	assert_true(n < sizeof(line));
	memcpy(line, text, n);
	line[n] = '\0';
	if (strstr(line, " penstock drain - - Error: ") != NULL) {
		got->said += strtoull(strstr(line, "Error: ") + 7, NULL, 10);
		got->gap = true;
		return;
	}
	at = strstr(line, " line ");
	assert_non_null(at);
	assert_int_equal(sscanf(at, " line %u.", &number), 1);
	assert_true(n > LINE_BYTES - 100);
	assert_true(number == got->next || (got->gap && number > got->next));
	got->gap = false;
	got->next = number + 1;
	got->lines++;
}

static inline void
on_more(struct app_log *log, void *arg)
{
	(void)log;
	(void)arg;
}

static inline int
set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	f->config = (struct config){
	    .worker_memory = 256 << 20, .app_memory = 256 << 20, .resend_time = 5000};
	f->policy = address_policy_new(&f->config);
	f->env = (struct drain_env){.base = event_base_new(),
				    .resolver = resolver_new(),
				    .policy = f->policy,
				    .config = &f->config,
				    .stats = &f->stats,
				    .host = SLICE("here"),
				    .more = on_more,
				    .rests = on_more,
				    .arg = f};
	f->env.mailbox = mailbox_new(f->env.base, f);
	TAILQ_INIT(&f->env.holding);
	TAILQ_INIT(&f->env.closing);
	log_pool_init(&f->pool, 256 << 20, 256 << 20, 7);
	f->log = app_log_new(&f->pool, 1, "app");
	f->listener = f->receiver = -1;
	*state = f;
	return 0;
}

static inline int
tear_down(void **state)
{
	struct fixture *f = *state;

	drain_abandon(f->d);
	app_log_free(f->log);
	assert_int_equal(f->pool.chunk_bytes, 0);
	log_pool_clear(&f->pool);
	buf_free(&f->env.scratch);
	mailbox_turn(f->env.mailbox);
	mailbox_free(f->env.mailbox);
	resolver_free(f->env.resolver);
	address_policy_free(f->policy);
	event_base_free(f->env.base);
	if (f->receiver >= 0)
		close(f->receiver);
	if (f->listener >= 0)
		close(f->listener);
	free(f);
	return 0;
}

static inline void
add_drain(struct fixture *f, const char *protocol, const char *framing, unsigned port)
{
	char number[8];
	const struct drain_input in[] = {
	    {"host", "127.0.0.1"}, {"port", number}, {"protocol", protocol}, {"framing", framing}};
	struct drain_errors errors = {.n = 0};
	struct drain_conf conf;

	snprintf(number, sizeof(number), "%u", port);
	assert_true(drain_conf_make(&conf, drain_type_find("syslog"), in, framing != NULL ? 4 : 3,
				    &errors));
	f->d = drain_new(&f->env, f->log, 42, &conf);
}

/* A receiver that takes little as long as it does not read. */
static inline unsigned
listen_here(struct fixture *f)
{
	struct sockaddr_in addr = {.sin_family = AF_INET,
				   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(addr);
	int bytes = 16 * 1024;

	f->listener = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(setsockopt(f->listener, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes)), 0);
	assert_int_equal(bind(f->listener, (struct sockaddr *)&addr, len), 0);
	assert_int_equal(listen(f->listener, 1), 0);
	assert_int_equal(getsockname(f->listener, (struct sockaddr *)&addr, &len), 0);
	return ntohs(addr.sin_port);
}

static inline void
append_many(struct fixture *f, unsigned lines)
{
	char frame[LINE_BYTES + 1];

	for (; lines > 0; lines--) {
		size_t n = chunk_count_size(LINE_BYTES) + LINE_BYTES;
		char *dst = app_log_reserve(f->log, n, clock_mono_ms());
		int head = snprintf(frame, sizeof(frame),
				    "<14>1 2020-05-14T09:12:44Z web app 1 "
				    "- - line %u.",
				    f->appended++);

		memset(frame + head, 'x', (size_t)(LINE_BYTES - head));
		dst += chunk_count_write(dst, LINE_BYTES);
		memcpy(dst, frame, LINE_BYTES);
		app_log_commit(f->log, n);
	}
}

static inline void
turn(struct fixture *f)
{
	event_base_loop(f->env.base, EVLOOP_NONBLOCK);
	f->d->cursor.flush(&f->d->cursor);
}

static inline void
wait_open(struct fixture *f)
{
	int64_t until_ms = clock_mono_ms() + WAIT_MS;

	while (f->d->phase != PHASE_OPEN && clock_mono_ms() < until_ms) {
		turn(f);
		usleep(1000);
	}
	assert_int_equal(f->d->phase, PHASE_OPEN);
}

/* Takes whole frames from the front; returns the bytes of them. */
static inline size_t
take_frames(struct got *got, char *bytes, size_t n, bool counted)
{
	size_t at = 0;

	for (;;) {
		char *end = memchr(bytes + at, counted ? ' ' : '\n', n - at);
		size_t size;

		if (end == NULL)
			return at;
		if (!counted) {
			take(got, bytes + at, (size_t)(end - bytes) - at);
			at = (size_t)(end - bytes) + 1;
			continue;
		}
		size = strtoul(bytes + at, NULL, 10);
		assert_in_range(size, 50, LINE_BYTES + 50);
		if ((size_t)(end - bytes) + 1 + size > n)
			return at;
		take(got, end + 1, size);
		at = (size_t)(end - bytes) + 1 + size;
	}
}

static inline void
read_all(struct fixture *f, bool counted)
{
	int64_t until_ms = clock_mono_ms() + WAIT_MS;
	char bytes[64 * 1024];
	size_t n = 0, taken;
	ssize_t got;

	while (f->got.next < f->appended && clock_mono_ms() < until_ms) {
		got = read(f->receiver, bytes + n, sizeof(bytes) - n);
		assert_true(got > 0 || (got < 0 && errno == EAGAIN));
		n += got > 0 ? (size_t)got : 0;
		taken = take_frames(&f->got, bytes, n, counted);
		n -= taken;
		memmove(bytes, bytes + taken, n);
		turn(f);
	}
	assert_int_equal(n, 0);
}

#endif
