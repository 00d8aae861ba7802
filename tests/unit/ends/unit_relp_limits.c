/* RELP sessions that have much under way, are not read by their senders, or meet a stop. */
#include "relp_fixture.h"

enum { OWED_BYTES = 4 * 1024 * 1024, LINE_BYTES = 900, MEBI = 1024 * 1024 };

/* Frames of n lines, or of nothing much, from 2 on. */
static struct buf
frames(unsigned n, int line_bytes)
{
	struct buf b = {0};

	for (unsigned i = 2; i < n + 2; i++)
		buf_addf(&b, "%u syslog %d %0*u\n", i, line_bytes, line_bytes, i);
	return b;
}

/* Sends as far as the connection takes it, and turns the loop, until nothing goes on. */
static void
send_all_that_goes(struct buf *b, size_t *at)
{
	int idle = 0;

	while (*at < b->n && idle < 100) {
		ssize_t n = send(client, b->p + *at, b->n - *at, MSG_DONTWAIT | MSG_NOSIGNAL);

		*at += n > 0 ? (size_t)n : 0;
		idle = n > 0 ? 0 : idle + 1;
		turn();
		if (n <= 0)
			usleep(200);
	}
}

/* The answers to the lines from 2 on. */
static void
expect_answers(unsigned n)
{
	struct buf want = {0};

	for (unsigned i = 2; i < n + 2; i++)
		buf_addf(&want, "%u rsp 6 200 OK\n", i);
	expect(buf_cstr(&want));
	buf_free(&want);
}

static void
what_is_not_answered_is_bounded(void **state)
{
	enum { LINES = 8 * MEBI / LINE_BYTES };
	struct buf b = frames(LINES, LINE_BYTES);
	uint64_t taken;
	size_t at = 0;

	(void)state;
	open_session();
	late = true;
	send_all_that_goes(&b, &at);
	taken = lines;
	assert_true(taken * LINE_BYTES > OWED_BYTES - MEBI);
	assert_true(taken * LINE_BYTES < OWED_BYTES + MEBI);
	expect_silence();
	assert_int_equal(lines, taken);
	/* It reads on as soon as some are answered. */
	while (nreleased < nheld / 2)
		release(nreleased++);
	UNTIL((send_all_that_goes(&b, &at), lines > taken));
	late = false;
	release_all();
	client_send(b.p + at, b.n - at);
	expect_answers(LINES);
	assert_int_equal(lines, LINES);
	buf_free(&b);
}

/* Each costs far more than its bytes. */
static void
events_of_one_line_are_bounded(void **state)
{
	enum { MOST = 15 * 1000 };
	char text[32];
	uint64_t taken;
	bool goes_on = true;

	(void)state;
	open_session();
	late = true;
	for (unsigned n = 0; n < MOST && goes_on; n++) {
		int64_t until_ms = clock_mono_ms() + 200;

		taken = lines;
		snprintf(text, sizeof(text), "%u syslog 1 a\n", n + 2);
		say(text);
		while (lines == taken && clock_mono_ms() < until_ms)
			turn();
		goes_on = lines > taken;
	}
	assert_in_range(lines, 1000, MOST - 1);
	release_all();
	late = false;
	expect_answers((unsigned)lines);
}

static void
while_the_spool_takes_nothing_one_event_is_under_way(void **state)
{
	(void)state;
	open_session();
	late = true;
	ingest.failing = true;
	say("2 syslog 1 a\n");
	UNTIL(nheld == 1);
	say("3 syslog 1 b\n");
	expect_silence();
	assert_int_equal(lines, 1);
	/* Delivered, say: it goes on, by one event. */
	release(0);
	expect("2 rsp 6 200 OK\n");
	UNTIL(nheld == 2);
	say("4 syslog 1 c\n");
	expect_silence();
	assert_int_equal(lines, 2);
	ingest.failing = false;
	release(1);
	expect("3 rsp 6 200 OK\n");
	UNTIL(nheld == 3);
	say("5 syslog 1 d\n");
	UNTIL(nheld == 4);
}

/* One that comes again and again while the disk is full would leave a session each time. */
static void
a_sender_that_leaves_while_it_is_not_read_is_missed(void **state)
{
	int64_t now_ms = clock_mono_ms();

	(void)state;
	open_session();
	late = true;
	ingest.failing = true;
	say("2 syslog 1 a\n");
	UNTIL(nheld == 1);
	say("3 syslog 1 b\n");
	expect_silence();
	intake_sweep(&intake, now_ms + 1000);
	shutdown(client, SHUT_WR);
	expect_silence();
	intake_sweep(&intake, now_ms + 2000);
	assert_int_equal(counts()->open, 1);
	/* It may listen still, for a while. */
	intake_sweep(&intake, now_ms + 9000);
	assert_int_equal(counts()->open, 1);
	intake_sweep(&intake, now_ms + 13000);
	assert_int_equal(counts()->open, 0);
	assert_int_equal(lines, 1);
	release(0);
}

/* Far more answers than the connection holds. */
enum { FLOOD = 100 * 1000 };

static void
a_sender_that_does_not_read_is_not_read(void **state)
{
	struct buf b = frames(FLOOD, 7);
	size_t at = 0;
	uint64_t taken;

	(void)state;
	open_session();
	send_all_that_goes(&b, &at);
	assert_true(at < b.n);
	taken = lines;
	assert_true(taken > 0 && taken < FLOOD);
	/* The deadline is told from when it last took something. */
	intake_sweep(&intake, clock_mono_ms() + 15 * 1000);
	assert_int_equal(counts()->open, 1);
	while (at < b.n) {
		bool eof;

		(void)client_read(&eof);
		send_all_that_goes(&b, &at);
	}
	expect_answers(FLOOD);
	assert_int_equal(lines, FLOOD);
	assert_int_equal(counts()->lines_acknowledged, FLOOD);
	buf_free(&b);
}

static void
a_sender_that_never_reads_is_closed(void **state)
{
	struct buf b = frames(FLOOD, 7);
	size_t at = 0;

	(void)state;
	open_session();
	late = true;
	UNTIL((send_all_that_goes(&b, &at), lines == FLOOD));
	/* All is safe at once, and the answers have nowhere to go. */
	release_all();
	assert_true(counts()->lines_acknowledged < FLOOD);
	intake_sweep(&intake, clock_mono_ms() + 21 * 1000);
	assert_int_equal(counts()->open, 0);
	assert_int_equal(counts()->sessions_timed_out, 1);
	buf_free(&b);
}

static void
a_stop_waits_for_what_was_taken(void **state)
{
	(void)state;
	open_session();
	late = true;
	say("2 syslog 1 a\n");
	UNTIL(nheld == 1);
	intake_end_reading(&intake);
	assert_int_equal(intake_acks_waiting(&intake), 1);
	/* What the sender goes on with it has still, and it does not cost the answers. */
	say("3 syslog 1 b\n");
	expect_silence();
	/* However long it takes: the stop has a limit of its own. */
	intake_sweep(&intake, clock_mono_ms() + 15 * 1000);
	assert_int_equal(intake_acks_waiting(&intake), 1);
	release(0);
	say("4 syslog 1 c\n");
	expect("2 rsp 6 200 OK\n0 serverclose 0\n");
	expect_end();
	assert_int_equal(intake_acks_waiting(&intake), 1);
	shutdown(client, SHUT_WR);
	UNTIL(intake_acks_waiting(&intake) == 0);
	assert_int_equal(counts()->open, 0);
	assert_int_equal(lines, 1);
}

static void
a_stop_does_not_wait_for_who_does_not_listen(void **state)
{
	(void)state;
	open_session();
	intake_end_reading(&intake);
	assert_int_equal(intake_acks_waiting(&intake), 1);
	UNTIL(intake_acks_waiting(&intake) == 0);
	expect("0 serverclose 0\n");
	expect_end();
}

static void
a_stop_ends_at_last(void **state)
{
	(void)state;
	open_session();
	late = true;
	say("2 syslog 1 a\n");
	UNTIL(nheld == 1);
	say("3 syslog 1 b\n");
	intake_end_reading(&intake);
	turn();
	intake_close_acknowledging(&intake);
	assert_int_equal(intake_acks_waiting(&intake), 0);
	expect("0 serverclose 0\n");
	expect_end();
	release_all();
}

static void
a_connection_that_has_not_begun_does_not_hold_up_a_stop(void **state)
{
	(void)state;
	UNTIL(counts()->connections == 1);
	intake_end_reading(&intake);
	UNTIL(intake_acks_waiting(&intake) == 0);
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, relp_setup, relp_teardown)
	const struct CMUnitTest tests[] = {
	    T(what_is_not_answered_is_bounded),
	    T(events_of_one_line_are_bounded),
	    T(while_the_spool_takes_nothing_one_event_is_under_way),
	    T(a_sender_that_leaves_while_it_is_not_read_is_missed),
	    T(a_sender_that_does_not_read_is_not_read),
	    T(a_sender_that_never_reads_is_closed),
	    T(a_stop_waits_for_what_was_taken),
	    T(a_stop_does_not_wait_for_who_does_not_listen),
	    T(a_stop_ends_at_last),
	    T(a_connection_that_has_not_begun_does_not_hold_up_a_stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
