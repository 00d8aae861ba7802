/*
 * Lines are given up, as there are too many of them on disk, while their drain
 * is in the middle of some: what was begun is finished, and only that.  Over TCP to
 * a receiver that does not read for a while; the kernel's part over UDP is the test's.
 */
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

static void
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

/* -- the kernel's part over UDP */

static struct got *datagrams;
static unsigned room; /* datagrams that may be sent before there is none */
static void (*writable)(void *arg);
static void *writable_arg;

struct datagram *
datagram_new(struct event_base *base, const struct sockaddr *addr, socklen_t len,
	     void (*on_writable)(void *arg), void *arg)
{
	static char it;

	(void)base;
	(void)addr;
	(void)len;
	writable = on_writable;
	writable_arg = arg;
	return (struct datagram *)(void *)&it;
}

void
datagram_free(struct datagram *d)
{
	(void)d;
}

int
datagram_take_error(struct datagram *d)
{
	(void)d;
	return 0;
}

unsigned
datagram_send(struct datagram *d, struct iovec *iov, unsigned n, int *err)
{
	unsigned sent = n < room ? n : room;

	(void)d;
	for (unsigned i = 0; i < sent; i++)
		take(datagrams, iov[i].iov_base, iov[i].iov_len);
	room -= sent;
	*err = sent < n ? EAGAIN : 0;
	return sent;
}

/* -- the drain */

static void
on_more(struct app_log *log, void *arg)
{
	(void)log;
	(void)arg;
}

static int
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
	datagrams = &f->got;
	*state = f;
	return 0;
}

static int
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

static void
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
static unsigned
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

static void
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

static void
turn(struct fixture *f)
{
	event_base_loop(f->env.base, EVLOOP_NONBLOCK);
	f->d->cursor.flush(&f->d->cursor);
}

static void
wait_open(struct fixture *f)
{
	int64_t until_ms = clock_mono_ms() + WAIT_MS;

	while (f->d->phase != PHASE_OPEN && clock_mono_ms() < until_ms) {
		turn(f);
		usleep(1000);
	}
	assert_int_equal(f->d->phase, PHASE_OPEN);
}

/* All but the last two chunks, as if they were on disk, and too much there. */
static void
give_up(struct fixture *f)
{
	const struct chunk *last = TAILQ_LAST(&f->log->chunks, chunk_list);
	const struct chunk *c = TAILQ_PREV(last, chunk_list, link);
	struct spool_place to = {c->first_seq, c->base, c->first_line};

	log_shed_to(f->log, &to, CURSOR_SPOOL);
	assert_true(f->d->lines_dropped[CURSOR_SPOOL] > 0);
}

static void
check_account(const struct fixture *f)
{
	assert_int_equal(f->got.next, f->appended);
	assert_int_equal(f->got.said, f->d->lines_dropped[CURSOR_SPOOL]);
	assert_int_equal(f->got.lines + f->got.said, f->appended);
}

static void
over_udp_the_rest_of_a_segment_goes_out(void **state)
{
	struct fixture *f = *state;

	add_drain(f, "udp", NULL, 9);
	append_many(f, 2000);
	room = 10;
	wait_open(f);
	assert_int_equal(f->got.lines, 10);
	assert_true(f->d->begun > 0);
	give_up(f);
	room = 1000 * 1000;
	writable(writable_arg);
	check_account(f);
	assert_int_equal(f->d->npinned, 0);
}

/* The kernel takes the notice, and not the line behind it. */
static void
over_udp_a_notice_stands_at_its_own_gap(void **state)
{
	struct fixture *f = *state;

	add_drain(f, "udp", NULL, 9);
	append_many(f, 2000);
	give_up(f);
	append_many(f, 2000);
	room = 1;
	wait_open(f);
	assert_true(f->d->noticed && f->d->begun == 0);
	give_up(f);
	room = 1000 * 1000;
	/* Gaps are told once a second. */
	f->d->cursor.gap_next_ms = 0;
	writable(writable_arg);
	check_account(f);
}

/* Until TCP takes no more, in the middle of a segment. */
static void
block(struct fixture *f, const char *framing)
{
	add_drain(f, "tcp", framing, listen_here(f));
	append_many(f, 20);
	wait_open(f);
	f->receiver = accept(f->listener, NULL, NULL);
	assert_true(f->receiver >= 0);
	assert_int_equal(fcntl(f->receiver, F_SETFL, O_NONBLOCK), 0);
	while (!f->d->full) {
		assert_true(f->appended < LINES_MAX / 2);
		append_many(f, 100);
		turn(f);
	}
	append_many(f, 2000);
	turn(f);
	assert_true(f->d->full);
}

/* Takes whole frames from the front; returns the bytes of them. */
static size_t
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

static void
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

static void
begun_and_given_up(struct fixture *f, const char *framing)
{
	block(f, framing);
	give_up(f);
	read_all(f, strcmp(framing, "octet-counting") == 0);
	check_account(f);
	assert_int_equal(f->d->npinned, 0);
}

static void
an_encoded_segment_goes_out_whole(void **state)
{
	begun_and_given_up(*state, "lf");
}

static void
a_segment_that_goes_out_as_it_is_goes_out_whole(void **state)
{
	begun_and_given_up(*state, "octet-counting");
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	    TEST(over_udp_the_rest_of_a_segment_goes_out),
	    TEST(over_udp_a_notice_stands_at_its_own_gap),
	    TEST(an_encoded_segment_goes_out_whole),
	    TEST(a_segment_that_goes_out_as_it_is_goes_out_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
