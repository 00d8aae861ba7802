/*
 * Which lines of a drain over HTTP count as what, and when; batches that are
 * answered out of order, halved, or taken back.
 */
#include "drain_post_fixture.h"

static void
the_mark_moves_over_the_accepted_front_only(void **state)
{
	struct fixture *f = *state;

	add_drain(f, "line", "4");
	append_many(f, 0, 4);
	flush(f);
	assert_int_equal(ncalls, 4);
	answer(3, 200, "");
	answer(1, 200, "");
	assert_int_equal(status(f).lines_delivered, 0);
	assert_int_equal(status(f).lines_waiting, 2);
	answer(0, 200, "");
	assert_int_equal(status(f).lines_delivered, 2);
	answer(0, 200, "");
	assert_int_equal(status(f).lines_delivered, 4);
}

static void
dropped_lines_are_said_in_a_request_of_their_own(void **state)
{
	struct fixture *f = *state;

	add_drain(f, "json", "1");
	append_many(f, 0, 5000);
	cursor_trim(&f->d->cursor, 64 * 1024);
	flush(f);
	assert_int_equal(documents(calls[0]->body), 1);
	assert_non_null(strstr(calls[0]->body, "lines dropped since"));
	f->env.encoded = 0;
	answer(0, 200, "");
	assert_int_equal(ncalls, 1);
	assert_null(strstr(calls[0]->body, "lines dropped since"));
	answer_by_word(f, "nothing");
	assert_int_equal(status(f).lines_delivered + status(f).lines_dropped_memory, 5000);
}

static void
a_notice_that_is_refused_is_not_a_lost_line(void **state)
{
	struct fixture *f = *state;

	add_drain(f, "json", "1");
	append_many(f, 0, 5000);
	cursor_trim(&f->d->cursor, 64 * 1024);
	flush(f);
	answer_by_word(f, "lines dropped");
	assert_int_equal(status(f).lines_dropped_refused, 0);
	assert_int_equal(status(f).letter.at_us, 0);
	assert_int_equal(status(f).lines_delivered + status(f).lines_dropped_memory, 5000);
}

static void
a_removed_drain_cancels_what_is_under_way(void **state)
{
	struct fixture *f = *state;

	add_drain(f, "line", "4");
	append_many(f, 0, 10);
	flush(f);
	drain_remove(f->d);
	assert_int_equal(cancelled, 4);
	assert_int_equal(stats_get(&f->stats.lines_dropped_removed), 10);
	add_drain(f, "line", "1");
}

static void
batches_that_are_wound_back_are_unsent_again(void **state)
{
	struct fixture *f = *state;

	add_drain(f, "line", "4");
	append_many(f, 0, 10);
	flush(f);
	answer(2, 200, "");
	drain_post_wind_back(f->d);
	assert_int_equal(ncalls, 0);
	assert_int_equal(cursor_waiting_lines(&f->d->cursor), 10);
}

static void
lines_accepted_one_after_the_other_are_taken_one_by_one(void **state)
{
	struct fixture *f = *state;

	add_drain(f, "line", "2");
	append(f, "one");
	flush(f);
	append(f, "two");
	flush(f);
	assert_int_equal(ncalls, 2);
	answer(0, 200, "");
	assert_int_equal(status(f).lines_delivered, 1);
	drain_remove(f->d);
	assert_int_equal(stats_get(&f->stats.lines_dropped_removed), 1);
	add_drain(f, "line", "1");
}

static void
the_accepted_half_of_a_batch_is_taken_before_the_other(void **state)
{
	struct fixture *f = *state;

	add_drain(f, "json", "1");
	append_many(f, 0, 8);
	flush(f);
	answer(0, 400, "");
	answer(0, 200, "");
	assert_int_equal(status(f).lines_delivered, 4);
	answer(0, 400, "");
	answer(0, 400, "");
	answer(0, 400, "");
	assert_int_equal(status(f).lines_dropped_refused, 1);
	assert_int_equal(status(f).lines_waiting, 3);
	drain_remove(f->d);
	assert_int_equal(stats_get(&f->stats.lines_dropped_removed), 3);
	assert_int_equal(stats_get(&f->stats.lines_delivered), 4);
	add_drain(f, "line", "1");
}

static void
what_was_accepted_behind_a_gap_counts_as_delivered_at_the_end(void **state)
{
	struct fixture *f = *state;

	add_drain(f, "line", "4");
	append_many(f, 0, 4);
	flush(f);
	answer(3, 200, "");
	answer(2, 400, "");
	drain_remove(f->d);
	assert_int_equal(stats_get(&f->stats.lines_delivered), 1);
	assert_int_equal(stats_get(&f->stats.lines_dropped_refused), 1);
	assert_int_equal(stats_get(&f->stats.lines_dropped_removed), 2);
	add_drain(f, "line", "1");
}

static void
a_line_that_was_given_up_behind_a_gap_and_goes_out_again_is_not_lost(void **state)
{
	struct fixture *f = *state;

	add_drain(f, "line", "4");
	append_many(f, 0, 4);
	flush(f);
	answer(2, 400, "");
	assert_int_equal(status(f).lines_dropped_refused, 1);
	drain_post_wind_back(f->d);
	assert_int_equal(status(f).lines_dropped_refused, 0);
	assert_int_equal(stats_get(&f->stats.lines_dropped_refused), 0);
	flush(f);
	while (ncalls > 0)
		answer(0, 200, "");
	assert_int_equal(status(f).lines_delivered, 4);
}

static void
a_notice_that_was_not_delivered_is_said_again_after_winding_back(void **state)
{
	struct fixture *f = *state;

	add_drain(f, "json", "1");
	append_many(f, 0, 5000);
	cursor_trim(&f->d->cursor, 64 * 1024);
	flush(f);
	assert_non_null(strstr(calls[0]->body, "lines dropped since"));
	drain_post_wind_back(f->d);
	flush(f);
	assert_int_equal(ncalls, 1);
	assert_non_null(strstr(calls[0]->body, "lines dropped since"));
	f->env.encoded = 0;
	answer(0, 200, "");
	answer_by_word(f, "nothing");
	assert_int_equal(status(f).lines_delivered + status(f).lines_dropped_memory, 5000);
}

static void
each_notice_has_an_id_of_its_own(void **state)
{
	struct fixture *f = *state;
	char first[40];

	add_logplex_drain(f, "1000");
	append_many(f, 0, 5000);
	cursor_trim(&f->d->cursor, 128 * 1024);
	f->d->cursor.gap.lines[CURSOR_RATE] = 3;
	flush(f);
	snprintf(first, sizeof(first), "%s", calls[0]->id);
	assert_int_equal(strlen(first), 32);
	answer(0, 200, "");
	assert_int_equal(strlen(calls[0]->id), 32);
	assert_string_not_equal(calls[0]->id, first);
}

/* What the receiver takes was learned in between, and is less. */
static void
a_batch_goes_out_again_whole_however_large(void **state)
{
	struct fixture *f = *state;
	unsigned first, second;

	add_drain(f, "json", "2");
	append_many(f, 0, 1500);
	flush(f);
	assert_int_equal(ncalls, 2);
	first = documents(calls[0]->body);
	second = documents(calls[1]->body);
	answer(0, 503, "");
	answer(0, 503, "");
	f->d->post->limits.bytes = 100;
	try_again(f);
	assert_int_equal(documents(calls[0]->body), first);
	f->env.encoded = 0;
	answer(0, 200, "");
	assert_int_equal(documents(calls[0]->body), second);
	f->env.encoded = 0;
	answer(0, 200, "");
	assert_int_equal(status(f).lines_delivered, 1500);
}

static void
a_batch_keeps_its_id_when_the_drain_gets_its_own(void **state)
{
	struct fixture *f = *state;
	char first[40];

	add_logplex_drain(f, "1000");
	append_many(f, 0, 5);
	flush(f);
	snprintf(first, sizeof(first), "%s", calls[0]->id);
	answer(0, 503, "");
	drain_set_id(f->d, 4711);
	try_again(f);
	assert_string_equal(calls[0]->id, first);
}

static void
what_waits_for_answers_takes_no_part_of_what_may_be_held(void **state)
{
	struct fixture *f = *state;

	add_drain(f, "json", "1");
	append_many(f, 0, 20);
	flush(f);
	assert_int_equal(ncalls, 1);
	assert_int_equal(f->pool.holders, 0);
	answer(0, 200, "");
	assert_int_equal(f->pool.holders, 0);
}

static void
a_clock_that_was_read_before_admits_no_more_and_no_less(void **state)
{
	struct fixture *f = *state;

	add_logplex_drain(f, "1000");
	append_many(f, 0, 5);
	f->d->admitted = 0;
	assert_int_equal(f->d->cursor.admit(&f->d->cursor, 5, f->d->admitted_ms - 4000), 0);
	assert_true(f->d->admitted >= 0);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	    TEST(the_mark_moves_over_the_accepted_front_only),
	    TEST(dropped_lines_are_said_in_a_request_of_their_own),
	    TEST(a_notice_that_is_refused_is_not_a_lost_line),
	    TEST(a_removed_drain_cancels_what_is_under_way),
	    TEST(batches_that_are_wound_back_are_unsent_again),
	    TEST(lines_accepted_one_after_the_other_are_taken_one_by_one),
	    TEST(the_accepted_half_of_a_batch_is_taken_before_the_other),
	    TEST(what_was_accepted_behind_a_gap_counts_as_delivered_at_the_end),
	    TEST(a_line_that_was_given_up_behind_a_gap_and_goes_out_again_is_not_lost),
	    TEST(a_notice_that_was_not_delivered_is_said_again_after_winding_back),
	    TEST(each_notice_has_an_id_of_its_own),
	    TEST(a_batch_goes_out_again_whole_however_large),
	    TEST(a_batch_keeps_its_id_when_the_drain_gets_its_own),
	    TEST(what_waits_for_answers_takes_no_part_of_what_may_be_held),
	    TEST(a_clock_that_was_read_before_admits_no_more_and_no_less),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
