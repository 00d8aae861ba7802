#include "cursor_fixture.h"

static void
lines_come_out_in_order_whatever_their_size(void **state)
{
	struct fixture *f = *state;

	for (unsigned i = 0; i < 3000; i++)
		append_line(f->log, i, i % 7 == 0 ? 70000 + i : 20 + i % 900, 0);
	assert_int_equal(send_all(&f->a, 0, &f->tcp, 0), 3000);
	assert_int_equal(f->tcp, f->log->end_bytes);
	assert_int_equal(f->pool.pressure, 0);
}

static void
a_cursor_sees_lines_from_its_opening_on(void **state)
{
	struct fixture *f = *state;
	uint64_t tcp = 0;

	append_many(f, 0, 10, 100);
	open_cursor(&f->b, f->log);
	append_many(f, 10, 20, 100);
	assert_int_equal(send_all(&f->b, 10, &tcp, 0), 20);
	assert_int_equal(send_all(&f->a, 0, &f->tcp, 0), 20);
	cursor_close(&f->b);
}

static void
sequences_carry_the_start_number(void **state)
{
	struct fixture *f = *state;

	append_many(f, 0, 5, 100);
	assert_true(f->log->end_seq == (UINT64_C(3) << 40) + 5);
}

static void
taken_lines_are_counted_once_and_only_up_to_the_acknowledgement(void **state)
{
	struct fixture *f = *state;
	struct cursor_taken taken;
	uint64_t first;

	append_many(f, 0, 10, 100);
	send_all(&f->a, 0, &f->tcp, 0);
	first = f->tcp;
	append_many(f, 10, 30, 100);
	send_all(&f->a, 10, &f->tcp, 500);
	taken = cursor_acked(&f->a, first + 5);
	assert_int_equal(taken.lines, 10);
	assert_int_equal(cursor_acked(&f->a, first + 6).lines, 0);
	taken = cursor_acked(&f->a, f->tcp);
	assert_int_equal(taken.lines, 20);
	assert_int_equal(f->a.flight_bytes, 0);
}

static void
a_split_segment_keeps_its_lines_and_their_order(void **state)
{
	struct fixture *f = *state;

	append_many(f, 0, 100, 300);
	for (unsigned i = 1; i < 20; i++) {
		const struct segment *s = cursor_unsent(&f->a, 0, 0);
		uint32_t before = s->lines;

		cursor_split(&f->a, i);
		s = cursor_unsent(&f->a, 0, 0);
		assert_int_equal(s->lines, before < i ? before : i);
	}
	assert_int_equal(send_all(&f->a, 0, &f->tcp, 0), 100);
}

static void
a_trimmed_cursor_loses_the_oldest_and_says_how_many(void **state)
{
	struct fixture *f = *state;
	const struct segment *s;
	uint64_t first;

	append_many(f, 0, 2000, 1000);
	cursor_trim(&f->a, 256 * 1024);
	assert_in_range(test_dropped, 1700, 1999);
	first = test_dropped;
	s = cursor_unsent(&f->a, 0, 0);
	assert_int_equal(s->gap.lines[CURSOR_MEMORY], first);
	assert_int_equal(s->gap.lines[CURSOR_RATE], 0);
	assert_true(clock_wall_us() - s->gap.since_us < 10 * 1000000);
	assert_int_equal(send_all(&f->a, (unsigned)first, &f->tcp, 0), 2000);
}

static void
a_trim_frees_memory_behind_lines_that_are_held(void **state)
{
	struct fixture *f = *state;

	append_many(f, 0, 10, 1000);
	send_all(&f->a, 0, &f->tcp, 0);
	for (unsigned i = 10; i < 20000; i++) {
		append_line(f->log, i, 1000, 0);
		if (i % 100 == 0)
			cursor_trim(&f->a, 256 * 1024);
	}
	assert_true(f->pool.chunk_bytes < 512 * 1024);
	assert_int_equal(cursor_lost(&f->a, &hold_none, false, false, 0), 10);
}

static void
another_drains_trim_does_not_touch_this_one(void **state)
{
	struct fixture *f = *state;

	open_cursor(&f->b, f->log);
	append_many(f, 0, 2000, 1000);
	cursor_trim(&f->b, 256 * 1024);
	assert_int_equal(send_all(&f->a, 0, &f->tcp, 0), 2000);
	assert_int_equal(cursor_close(&f->b) + test_dropped, 2000);
}

static void
only_a_cursor_that_is_old_and_large_lags(void **state)
{
	struct fixture *f = *state;

	append_many(f, 0, 200, 1000);
	cursor_judge(&f->a, false, 5000);
	assert_false(f->a.lags);
	append_many(f, 200, 400, 1000);
	cursor_judge(&f->a, false, 999);
	assert_false(f->a.lags);
	cursor_judge(&f->a, false, 1001);
	assert_true(f->a.lags);
	assert_int_equal(f->pool.pressure, 0);
	assert_true(f->pool.lagging > 0 && f->pool.lagging <= 256 * 1024);
	assert_true(test_dropped > 0);
}

/* A large burst after a pause, into a chunk that is held from before it. */
static void
a_cursor_that_had_nothing_to_do_does_not_lag_at_once(void **state)
{
	struct fixture *f = *state;

	append_line(f->log, 0, 100, 0);
	f->log->flushed_bytes = f->log->end_bytes;
	send_all(&f->a, 0, &f->tcp, 0);
	for (unsigned i = 1; i < 400; i++)
		append_line(f->log, i, 1000, 2000);
	f->log->flushed_bytes = f->log->end_bytes;
	cursor_judge(&f->a, true, 2010);
	assert_false(f->a.lags);
	assert_int_equal(test_dropped, 0);
	assert_int_equal(cursor_waiting_ms(&f->a, 2010), 10);
	cursor_judge(&f->a, false, 3001);
	assert_true(f->a.lags);
}

/* Else enough small dead logs would hold up all others for good. */
static void
under_pressure_a_small_old_cursor_lags_too(void **state)
{
	struct fixture *f = *state;

	append_many(f, 0, 10, 1000);
	cursor_judge(&f->a, true, 1001);
	assert_true(f->a.lags);
	assert_int_equal(f->pool.pressure, 0);
	assert_int_equal(test_dropped, 0);
	send_all(&f->a, 0, &f->tcp, 1002);
	cursor_judge(&f->a, true, 1003);
	assert_false(f->a.lags);
}

/* A receiver that reads and stops by turns holds up the others once, not each time. */
static void
a_cursor_that_lagged_lags_again_sooner(void **state)
{
	struct fixture *f = *state;

	append_many(f, 0, 400, 1000);
	cursor_judge(&f->a, false, 1001);
	assert_true(f->a.lags);
	while (cursor_unsent(&f->a, 0, 1002) != NULL)
		cursor_sent(&f->a, 0, 1002);
	cursor_judge(&f->a, false, 1002);
	assert_false(f->a.lags);
	f->log->flushed_bytes = f->log->end_bytes;
	for (unsigned i = 0; i < 400; i++)
		append_line(f->log, i, 1000, 1010);
	cursor_judge(&f->a, false, 1109);
	assert_false(f->a.lags);
	cursor_judge(&f->a, false, 1111);
	assert_true(f->a.lags);
}

/* What is planned, or waits to go out again, is still memory. */
static void
pressure_counts_lines_until_they_are_sent(void **state)
{
	struct fixture *f = *state;

	append_many(f, 0, 100, 1000);
	cursor_unsent(&f->a, 0, 0);
	assert_int_equal(f->pool.pressure, 100 * 1005);
	send_all(&f->a, 0, &f->tcp, 0);
	assert_int_equal(f->pool.pressure, 0);
	cursor_lost(&f->a, &hold_none, false, false, 0);
	assert_int_equal(f->pool.pressure, 100 * 1005);
}

static void
a_lagging_drain_does_not_hide_the_others_backlog(void **state)
{
	struct fixture *f = *state;

	open_cursor(&f->b, f->log);
	append_many(f, 0, 1000, 1000);
	send_all(&f->b, 0, &f->tcp, 500);
	cursor_judge(&f->a, false, 2000);
	assert_true(f->a.lags);
	append_many(f, 1000, 1100, 1000);
	assert_int_equal(f->pool.pressure, 100 * 1005);
	cursor_close(&f->b);
}

static void
a_delivered_log_keeps_no_memory(void **state)
{
	struct fixture *f = *state;

	append_many(f, 0, 2000, 1000);
	send_all(&f->a, 0, &f->tcp, 0);
	assert_false(app_log_is_idle(f->log));
	cursor_acked(&f->a, f->tcp);
	cursor_release_all(&f->a);
	assert_true(app_log_is_idle(f->log));
	app_log_hibernate(f->log);
	assert_int_equal(f->pool.chunk_bytes, 0);
	append_many(f, 2000, 2009, 100);
	assert_int_equal(f->pool.chunk_bytes, CHUNK_FIRST_BYTES);
	assert_int_equal(send_all(&f->a, 2000, &f->tcp, 0), 2009);
}

static void
a_close_counts_what_was_never_taken(void **state)
{
	struct fixture *f = *state;

	open_cursor(&f->b, f->log);
	append_many(f, 0, 10, 100);
	send_all(&f->b, 0, &f->tcp, 0);
	append_many(f, 10, 15, 100);
	assert_int_equal(cursor_close(&f->b), 15);
}

static void
a_close_does_not_count_lines_that_only_wait_to_go_out_again(void **state)
{
	struct fixture *f = *state;

	open_cursor(&f->b, f->log);
	append_many(f, 0, 10, 100);
	send_all(&f->b, 0, &f->tcp, 0);
	cursor_acked(&f->b, f->tcp);
	assert_int_equal(cursor_lost(&f->b, &hold_all, false, false, 1), 10);
	append_many(f, 10, 13, 100);
	assert_int_equal(cursor_close(&f->b), 3);
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
	    T(lines_come_out_in_order_whatever_their_size),
	    T(a_cursor_sees_lines_from_its_opening_on),
	    T(sequences_carry_the_start_number),
	    T(taken_lines_are_counted_once_and_only_up_to_the_acknowledgement),
	    T(a_split_segment_keeps_its_lines_and_their_order),
	    T(a_trimmed_cursor_loses_the_oldest_and_says_how_many),
	    T(a_trim_frees_memory_behind_lines_that_are_held),
	    T(another_drains_trim_does_not_touch_this_one),
	    T(only_a_cursor_that_is_old_and_large_lags),
	    T(a_cursor_that_had_nothing_to_do_does_not_lag_at_once),
	    T(under_pressure_a_small_old_cursor_lags_too),
	    T(a_cursor_that_lagged_lags_again_sooner),
	    T(pressure_counts_lines_until_they_are_sent),
	    T(a_lagging_drain_does_not_hide_the_others_backlog),
	    T(a_delivered_log_keeps_no_memory),
	    T(a_close_counts_what_was_never_taken),
	    T(a_close_does_not_count_lines_that_only_wait_to_go_out_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
