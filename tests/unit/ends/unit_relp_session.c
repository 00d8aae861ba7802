/* What a RELP session takes, what it answers, and when. */
#include "relp_fixture.h"

static void
an_open_is_answered_with_our_offers(void **state)
{
	(void)state;
	open_session();
	assert_int_equal(counts()->open, 1);
	/* librelp may repeat it. */
	say("2 open 14 relp_version=0\n");
	expect("2 rsp 6 200 OK\n");
}

static void
lines_that_are_safe_are_answered_at_once(void **state)
{
	(void)state;
	open_session();
	say_line(2, "one");
	expect("2 rsp 6 200 OK\n");
	assert_string_equal(last, "one");
	say("3 syslog 20 <14>1 - h a - - - hi\n4 syslog 0\n5 syslog 5 hello\n");
	expect("3 rsp 6 200 OK\n4 rsp 6 200 OK\n5 rsp 6 200 OK\n");
	/* The empty one is none. */
	assert_int_equal(lines, 3);
	assert_int_equal(counts()->lines, 3);
	assert_int_equal(counts()->lines_acknowledged, 3);
	assert_int_equal(stats_get(&stats.lines_acknowledged), 3);
}

static void
numbers_go_round(void **state)
{
	(void)state;
	open_session();
	say("999999998 syslog 1 a\n999999999 syslog 1 b\n1 syslog 1 c\n2 syslog 1 d\n");
	expect("999999998 rsp 6 200 OK\n999999999 rsp 6 200 OK\n1 rsp 6 200 OK\n2 rsp 6 200 OK\n");
}

static void
single_bytes_come_to_the_same(void **state)
{
	static const char text[] = "1 open 14 relp_version=0\n2 syslog 20 <14>1 - h a - - - hi\n"
				   "3 nonsense 2 xy\n4 syslog 21 <14>1 - h b - - - hi\n\n"
				   "0 hint 0\n5 close 0\n";
	char answers[400];

	(void)state;
	for (size_t i = 0; i < sizeof(text) - 1; i++)
		client_send(text + i, 1);
	snprintf(answers, sizeof(answers),
		 "1 rsp %zu %s\n2 rsp 6 200 OK\n3 rsp 19 500 unknown command\n4 rsp 6 200 OK\n"
		 "5 rsp 6 200 OK\n",
		 strlen(offers), offers);
	expect(answers);
	expect_end();
	assert_int_equal(lines, 2);
	assert_string_equal(last, "b");
}

static void
the_lines_of_an_event_are_answered_when_all_are_safe(void **state)
{
	(void)state;
	open_session();
	late = true;
	say("2 syslog 1 a\n3 syslog 1 b\n");
	UNTIL(lines == 2);
	say("4 syslog 1 c\n");
	UNTIL(lines == 3);
	assert_int_equal(nheld, 2);
	expect_silence();
	/* In order, whatever is safe first. */
	release(1);
	expect_silence();
	release(0);
	expect("2 rsp 6 200 OK\n3 rsp 6 200 OK\n4 rsp 6 200 OK\n");
	assert_int_equal(counts()->lines_acknowledged, 3);
}

static void
other_answers_wait_for_those_before_them(void **state)
{
	(void)state;
	open_session();
	late = true;
	say("2 syslog 1 a\n");
	UNTIL(nheld == 1);
	say("3 nonsense 0\n4 open 0\n");
	expect_silence();
	release(0);
	expect("2 rsp 6 200 OK\n3 rsp 19 500 unknown command\n4 rsp 6 200 OK\n");
}

static void
more_than_a_window_is_under_way(void **state)
{
	char frame[32], answer[32];

	(void)state;
	open_session();
	late = true;
	for (unsigned i = 2; i < 602; i++) {
		snprintf(frame, sizeof(frame), "%u syslog 1 x\n", i);
		say(frame);
		UNTIL(lines == i - 1);
	}
	assert_int_equal(nheld, 600);
	expect_silence();
	release_all();
	for (unsigned i = 2; i < 602; i++) {
		snprintf(answer, sizeof(answer), "%u rsp 6 200 OK\n", i);
		expect(answer);
	}
}

static void
a_line_over_max_line_is_cut_and_counted(void **state)
{
	char *frame = xasprintf("2 syslog 70021 <14>1 - h long - - - %070000d\n", 0);

	(void)state;
	open_session();
	say(frame);
	free(frame);
	expect("2 rsp 6 200 OK\n");
	assert_string_equal(last, "long");
	say_line(3, "next");
	expect("3 rsp 6 200 OK\n");
	assert_string_equal(last, "next");
	assert_int_equal(counts()->lines_cut, 1);
	assert_int_equal(stats_get(&stats.lines_cut), 1);
	assert_int_equal(counts()->lines, 2);
}

static void
an_open_must_offer_what_we_need(void **state)
{
	(void)state;
	say("1 open 0\n");
	expect("1 rsp 30 500 no relp_version is offered\n");
	say("2 open 32 relp_version=0\ncommands=eventlog\n");
	expect("2 rsp 37 500 the command syslog is not offered\n");
	say("3 open 14 relp_version=1\n");
	UNTIL(came.n > 0 || (client_read(&(bool){false}), came.n > 0));
	assert_memory_equal(came.p, "3 rsp ", 6);
	assert_non_null(strstr(buf_cstr(&came), "relp_version=0\n"));
}

static void
what_is_no_relp_ends_the_session(void **state)
{
	(void)state;
	open_session();
	say("2 syslog 1 a\n3 syslog 1 bc\n4 syslog 1 d\n");
	expect("2 rsp 6 200 OK\n0 serverclose 0\n");
	expect_end();
	assert_int_equal(lines, 1);
	assert_int_equal(counts()->protocol_errors, 1);
	assert_int_equal(stats_get(&stats.protocol_errors), 1);
}

static void
lines_before_an_open_end_the_session(void **state)
{
	(void)state;
	say("1 syslog 1 a\n");
	expect("0 serverclose 0\n");
	expect_end();
	assert_int_equal(lines, 0);
	assert_int_equal(counts()->protocol_errors, 1);
}

static void
a_line_that_cannot_be_answered_ends_the_session(void **state)
{
	(void)state;
	open_session();
	say("0 hint 0\n0 serverclose 0\n");
	expect_silence();
	say("0 syslog 1 a\n");
	expect("0 serverclose 0\n");
	expect_end();
	assert_int_equal(lines, 0);
	assert_int_equal(counts()->protocol_errors, 1);
}

static void
what_was_taken_is_answered_before_a_fault_ends_it(void **state)
{
	(void)state;
	open_session();
	late = true;
	say("2 syslog 1 a\nrubbish");
	UNTIL(counts()->protocol_errors == 1);
	expect_silence();
	say("3 syslog 1 b\n");
	release(0);
	expect("2 rsp 6 200 OK\n0 serverclose 0\n");
	expect_end();
	assert_int_equal(lines, 1);
	shutdown(client, SHUT_WR);
	UNTIL(counts()->open == 0);
}

/* The sender has them still, and all that came behind them. */
static void
lines_that_are_given_up_are_never_answered(void **state)
{
	(void)state;
	open_session();
	late = true;
	say("2 syslog 1 a\n");
	UNTIL(nheld == 1);
	say("3 syslog 1 b\n");
	UNTIL(nheld == 2);
	say("4 syslog 1 c\n");
	UNTIL(nheld == 3);
	release(0);
	expect("2 rsp 6 200 OK\n");
	release(2);
	lose(1);
	expect("0 serverclose 0\n");
	expect_end();
	assert_int_equal(counts()->lines_acknowledged, 1);
	close(client);
	client = -1;
	UNTIL(counts()->open == 0);
}

static void
close_is_answered_last(void **state)
{
	(void)state;
	open_session();
	late = true;
	say("2 syslog 1 a\n3 close 0\n4 syslog 1 b\n");
	UNTIL(nheld == 1);
	expect_silence();
	release(0);
	expect("2 rsp 6 200 OK\n3 rsp 6 200 OK\n");
	expect_end();
	assert_int_equal(lines, 1);
	assert_int_equal(counts()->protocol_errors, 0);
	close(client);
	client = -1;
	UNTIL(counts()->open == 0);
}

static void
a_sender_that_has_ended_its_side_still_gets_its_answers(void **state)
{
	(void)state;
	open_session();
	late = true;
	/* What is not whole was never taken, nor is it answered. */
	say("2 syslog 1 a\n3 syslog 20 <14>1 - h");
	shutdown(client, SHUT_WR);
	UNTIL(nheld == 1);
	expect_silence();
	release(0);
	expect("2 rsp 6 200 OK\n");
	expect_end();
	assert_int_equal(counts()->open, 0);
	assert_int_equal(lines, 1);
}

static void
a_sender_that_is_gone_is_not_answered(void **state)
{
	struct linger reset = {.l_onoff = 1};

	(void)state;
	open_session();
	late = true;
	say("2 syslog 1 a\n");
	UNTIL(nheld == 1);
	say("3 syslog 1 b\n");
	UNTIL(nheld == 2);
	setsockopt(client, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	close(client);
	client = -1;
	UNTIL(counts()->open == 0);
	release_all();
	assert_int_equal(counts()->lines_acknowledged, 0);
}

static void
an_end_does_not_wait_for_ever(void **state)
{
	(void)state;
	open_session();
	late = true;
	say("2 syslog 1 a\n3 close 0\n");
	UNTIL(nheld == 1);
	intake_sweep(&intake, clock_mono_ms() + 9 * 1000);
	assert_int_equal(counts()->open, 1);
	intake_sweep(&intake, clock_mono_ms() + 11 * 1000);
	assert_int_equal(counts()->open, 0);
	assert_int_equal(counts()->sessions_timed_out, 1);
	expect_end();
	release(0);
}

static void
a_sender_that_does_not_end_its_side_is_closed(void **state)
{
	(void)state;
	open_session();
	say("2 close 0\n");
	expect("2 rsp 6 200 OK\n");
	expect_end();
	intake_sweep(&intake, clock_mono_ms() + 1000);
	assert_int_equal(counts()->open, 1);
	intake_sweep(&intake, clock_mono_ms() + 3000);
	assert_int_equal(counts()->open, 0);
	assert_int_equal(counts()->sessions_timed_out, 0);
}

static void
a_paused_gateway_reads_nothing_and_answers_on(void **state)
{
	(void)state;
	open_session();
	late = true;
	say("2 syslog 1 a\n");
	UNTIL(nheld == 1);
	intake_pause(&intake, true);
	say("3 syslog 1 b\n");
	release(0);
	expect("2 rsp 6 200 OK\n");
	expect_silence();
	assert_int_equal(lines, 1);
	late = false;
	intake_pause(&intake, false);
	expect("3 rsp 6 200 OK\n");
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, relp_setup, relp_teardown)
	const struct CMUnitTest tests[] = {
	    T(an_open_is_answered_with_our_offers),
	    T(lines_that_are_safe_are_answered_at_once),
	    T(numbers_go_round),
	    T(single_bytes_come_to_the_same),
	    T(the_lines_of_an_event_are_answered_when_all_are_safe),
	    T(other_answers_wait_for_those_before_them),
	    T(more_than_a_window_is_under_way),
	    T(a_line_over_max_line_is_cut_and_counted),
	    T(an_open_must_offer_what_we_need),
	    T(what_is_no_relp_ends_the_session),
	    T(lines_before_an_open_end_the_session),
	    T(a_line_that_cannot_be_answered_ends_the_session),
	    T(what_was_taken_is_answered_before_a_fault_ends_it),
	    T(lines_that_are_given_up_are_never_answered),
	    T(close_is_answered_last),
	    T(a_sender_that_has_ended_its_side_still_gets_its_answers),
	    T(a_sender_that_is_gone_is_not_answered),
	    T(an_end_does_not_wait_for_ever),
	    T(a_sender_that_does_not_end_its_side_is_closed),
	    T(a_paused_gateway_reads_nothing_and_answers_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
