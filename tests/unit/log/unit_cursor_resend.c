/* What goes out again after a lost connection, and what is kept for it. */
#include "cursor_fixture.h"

static void
what_was_not_acknowledged_goes_out_again(void **state)
{
	struct fixture *f = *state;
	uint64_t first;

	append_many(f, 0, 10, 100);
	send_all(&f->a, 0, &f->tcp, 0);
	first = f->tcp;
	append_many(f, 10, 20, 100);
	send_all(&f->a, 10, &f->tcp, 200);
	cursor_acked(&f->a, first);
	assert_int_equal(cursor_lost(&f->a, &hold_none, false, false, 300), 10);
	assert_int_equal(cursor_waiting_lines(&f->a), 10);
	f->tcp = 0;
	assert_int_equal(send_all(&f->a, 10, &f->tcp, 400), 20);
}

static void
acknowledged_lines_inside_the_blind_zone_go_out_again(void **state)
{
	struct fixture *f = *state;

	append_many(f, 0, 10, 100);
	send_all(&f->a, 0, &f->tcp, 0);
	cursor_acked(&f->a, f->tcp);
	cursor_release(&f->a, &hold_all, false, 4999);
	assert_int_equal(cursor_lost(&f->a, &hold_all, false, false, 4999), 10);
	f->tcp = 0;
	assert_int_equal(send_all(&f->a, 0, &f->tcp, 5000), 10);
}

static void
what_was_sent_long_ago_is_let_go(void **state)
{
	struct fixture *f = *state;

	append_many(f, 0, 10, 100);
	send_all(&f->a, 0, &f->tcp, 0);
	cursor_acked(&f->a, f->tcp);
	cursor_release(&f->a, &hold_all, false, 5000);
	assert_int_equal(f->a.count, 0);
	assert_int_equal(cursor_lost(&f->a, &hold_all, false, false, 5000), 0);
}

static void
no_more_than_the_blind_zone_is_held_of_a_prompt_receiver(void **state)
{
	struct fixture *f = *state;

	append_many(f, 0, 5000, 1000);
	send_all(&f->a, 0, &f->tcp, 0);
	cursor_acked(&f->a, f->tcp);
	cursor_release(&f->a, &hold_all, false, 1);
	assert_in_range(f->a.held_bytes, hold_all.bytes, hold_all.bytes + CHUNK_FULL_BYTES);
	assert_in_range(f->pool.chunk_bytes, hold_all.bytes, hold_all.bytes + 2 * CHUNK_FULL_BYTES);
}

static void
more_is_held_of_a_receiver_that_stopped_reading(void **state)
{
	struct fixture *f = *state;

	append_many(f, 0, 5000, 1000);
	send_all(&f->a, 0, &f->tcp, 0);
	cursor_acked(&f->a, f->tcp);
	cursor_release(&f->a, &hold_all, true, 60 * 1000);
	assert_in_range(f->a.held_bytes, hold_all.max_bytes, hold_all.max_bytes + CHUNK_FULL_BYTES);
	assert_true(cursor_lost(&f->a, &hold_all, false, true, 60 * 1000) >= 1000);
}

/* The rule as it is when the last bytes of the stream may not be read. */
static struct resend_rule
in_doubt(uint64_t unread)
{
	struct resend_rule rule = hold_all;

	rule.unread = unread;
	return rule;
}

static void
what_may_be_unread_is_held_beyond_the_blind_zone(void **state)
{
	struct fixture *f = *state;
	struct resend_rule rule = in_doubt(600 * 1000), more = in_doubt(UINT64_MAX);

	append_many(f, 0, 5000, 1000);
	send_all(&f->a, 0, &f->tcp, 0);
	cursor_acked(&f->a, f->tcp);
	cursor_release(&f->a, &more, false, 1);
	assert_in_range(f->a.held_bytes, more.max_bytes, more.max_bytes + CHUNK_FULL_BYTES);
	cursor_release(&f->a, &rule, false, 1);
	assert_in_range(f->a.held_bytes, 600 * 1000, 600 * 1000 + CHUNK_FULL_BYTES);
	assert_true(cursor_lost(&f->a, &rule, false, false, 2) >= 600 * 1000 / 1005);
}

/* Bytes of the stream count, whatever the drain makes of a line; here twice as many. */
static void
the_stream_says_what_may_be_unread(void **state)
{
	struct fixture *f = *state;
	struct resend_rule rule = in_doubt(600 * 1000);

	append_many(f, 0, 5000, 1000);
	while (cursor_unsent(&f->a, 0, 0) != NULL) {
		const struct segment *s = cursor_unsent(&f->a, 0, 0);

		f->tcp += 2 * (uint64_t)(s->to - s->from);
		cursor_sent(&f->a, f->tcp, 0);
	}
	cursor_acked(&f->a, f->tcp);
	cursor_release(&f->a, &rule, false, 1);
	assert_in_range(f->a.held_bytes, 300 * 1000, 300 * 1000 + CHUNK_FULL_BYTES);
}

static void
what_may_be_unread_is_let_go_in_time_and_under_pressure(void **state)
{
	struct fixture *f = *state;
	struct resend_rule rule = in_doubt(600 * 1000);

	append_many(f, 0, 5000, 1000);
	send_all(&f->a, 0, &f->tcp, 0);
	cursor_acked(&f->a, f->tcp);
	f->pool.hold_budget = 200 * 1000;
	cursor_release(&f->a, &rule, false, 1);
	assert_in_range(f->a.held_bytes, 100 * 1000, 200 * 1000 + CHUNK_FULL_BYTES);
	cursor_release(&f->a, &rule, false, rule.time_ms);
	assert_int_equal(f->a.held_bytes, 0);
}

/* What is sent at once is longer than what is to go out again. */
static void
no_more_lines_go_out_again_than_the_zone_has(void **state)
{
	struct fixture *f = *state;
	struct resend_rule few = {.bytes = 8 * 1024, .time_ms = 5000, .max_bytes = 1024 * 1024};
	uint64_t again;

	append_many(f, 0, 2000, 100);
	send_all(&f->a, 0, &f->tcp, 0);
	cursor_acked(&f->a, f->tcp);
	again = cursor_lost(&f->a, &few, false, false, 1);
	assert_in_range(again, few.bytes / 104, few.bytes / 104 + 12);
	f->tcp = 0;
	assert_int_equal(send_all(&f->a, (unsigned)(2000 - again), &f->tcp, 1), 2000);
	cursor_acked(&f->a, f->tcp);
	cursor_release(&f->a, &hold_none, false, 1);
	assert_int_equal(f->a.count, 0);
}

/* Its lines cannot be counted now, so it goes out again as a whole. */
static void
a_segment_that_is_asleep_is_not_cut(void **state)
{
	struct fixture *f = *state;
	struct resend_rule few = {.bytes = 8 * 1024, .time_ms = 5000, .max_bytes = 1024 * 1024};
	struct chunk *chunk;
	uint32_t lines;
	char *data;

	append_many(f, 0, 2000, 100);
	send_all(&f->a, 0, &f->tcp, 0);
	cursor_acked(&f->a, f->tcp);
	cursor_release(&f->a, &few, false, 1);
	chunk = cursor_oldest(&f->a)->chunk;
	lines = cursor_oldest(&f->a)->lines;
	assert_true(lines > few.bytes / 104 + 12);
	data = chunk->data;
	chunk->data = NULL;
	assert_int_equal(cursor_lost(&f->a, &few, false, false, 1), lines);
	chunk->data = data;
}

static void
held_lines_go_first_when_many_hold(void **state)
{
	struct fixture *f = *state;

	f->pool.hold_budget = 100 * 1024;
	append_many(f, 0, 5000, 1000);
	send_all(&f->a, 0, &f->tcp, 0);
	cursor_acked(&f->a, f->tcp);
	cursor_release(&f->a, &hold_all, false, 1);
	assert_true(f->a.held_bytes <= 100 * 1024 + CHUNK_FULL_BYTES);
}

static void
an_acknowledged_line_goes_out_again_three_times_at_most(void **state)
{
	struct fixture *f = *state;

	append_many(f, 0, 10, 100);
	for (int i = 0; i <= CURSOR_RESENDS_MAX; i++) {
		f->tcp = 0;
		assert_int_equal(send_all(&f->a, 0, &f->tcp, i), 10);
		cursor_acked(&f->a, f->tcp);
		cursor_lost(&f->a, &hold_all, false, false, i);
	}
	assert_int_equal(cursor_waiting_lines(&f->a), 0);
	append_many(f, 10, 20, 100);
	f->tcp = 0;
	assert_int_equal(send_all(&f->a, 10, &f->tcp, 10), 20);
}

static void
an_unacknowledged_line_goes_out_again_for_ever(void **state)
{
	struct fixture *f = *state;

	append_many(f, 0, 10, 100);
	for (int i = 0; i < 300; i++) {
		f->tcp = 0;
		assert_int_equal(send_all(&f->a, 0, &f->tcp, i), 10);
		assert_int_equal(cursor_lost(&f->a, &hold_none, false, false, i), 10);
	}
}

static void
a_resent_line_is_counted_as_delivered_once(void **state)
{
	struct fixture *f = *state;

	append_many(f, 0, 10, 100);
	send_all(&f->a, 0, &f->tcp, 0);
	assert_int_equal(cursor_acked(&f->a, f->tcp).lines, 10);
	cursor_lost(&f->a, &hold_all, false, false, 1);
	f->tcp = 0;
	send_all(&f->a, 0, &f->tcp, 2);
	assert_int_equal(cursor_acked(&f->a, f->tcp).lines, 0);
}

static void
a_refused_connection_costs_no_line_and_no_try(void **state)
{
	struct fixture *f = *state;
	struct cursor_taken untaken;

	append_many(f, 0, 10, 100);
	for (int i = 0; i < 20; i++) {
		f->tcp = 0;
		assert_int_equal(send_all(&f->a, 0, &f->tcp, i), 10);
		assert_int_equal(cursor_acked(&f->a, f->tcp).lines, 10);
		assert_int_equal(cursor_refused(&f->a, &untaken), 10);
		assert_int_equal(untaken.lines, 10);
	}
	f->tcp = 0;
	assert_int_equal(cursor_unsent(&f->a, 0, 20)->resent, 0);
	assert_int_equal(send_all(&f->a, 0, &f->tcp, 20), 10);
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
	    T(what_was_not_acknowledged_goes_out_again),
	    T(acknowledged_lines_inside_the_blind_zone_go_out_again),
	    T(what_was_sent_long_ago_is_let_go),
	    T(no_more_than_the_blind_zone_is_held_of_a_prompt_receiver),
	    T(more_is_held_of_a_receiver_that_stopped_reading),
	    T(what_may_be_unread_is_held_beyond_the_blind_zone),
	    T(the_stream_says_what_may_be_unread),
	    T(what_may_be_unread_is_let_go_in_time_and_under_pressure),
	    T(no_more_lines_go_out_again_than_the_zone_has),
	    T(a_segment_that_is_asleep_is_not_cut),
	    T(held_lines_go_first_when_many_hold),
	    T(an_acknowledged_line_goes_out_again_three_times_at_most),
	    T(an_unacknowledged_line_goes_out_again_for_ever),
	    T(a_resent_line_is_counted_as_delivered_once),
	    T(a_refused_connection_costs_no_line_and_no_try),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
