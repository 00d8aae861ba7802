/*
 * Lines are given up, as there are too many of them on disk, while their drain
 * is in the middle of some: what was begun is finished, and only that.  Over TCP to
 * a receiver that does not read for a while; the kernel's part over UDP is the test's.
 */
#include "ends/drain_fixture.h"

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

	datagrams = &f->got;
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

	datagrams = &f->got;
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
