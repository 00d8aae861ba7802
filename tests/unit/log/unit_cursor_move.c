/* A cursor goes on where another stood: nothing between the two is lost. */
#include "log/cursor_move.h"

#include "cursor_fixture.h"

/* Hands over so many segments of a. */
static void
send_some(struct fixture *f, unsigned segments)
{
	for (unsigned i = 0; i < segments; i++) {
		const struct segment *s = cursor_unsent(&f->a, 0, 0);

		assert_non_null(s);
		f->tcp += s->to - s->from;
		cursor_sent(&f->a, f->tcp, 0);
	}
}

static void
move(struct fixture *f)
{
	open_cursor(&f->b, f->log);
	cursor_move(&f->b, &f->a);
	assert_null(f->a.log);
	assert_null(f->a.ring);
	assert_int_equal(f->log->ncursors, 1);
}

static uint64_t
first_number(const struct segment *s)
{
	return s->seq - (UINT64_C(3) << 40);
}

static void
what_was_not_read_from_the_log_waits_for_the_other(void **state)
{
	struct fixture *f = *state;
	uint64_t tcp = 0;

	append_many(f, 0, 5000, 100);
	move(f);
	assert_int_equal(cursor_waiting_lines(&f->b), 5000);
	assert_int_equal(f->pool.pressure, f->log->end_bytes);
	append_many(f, 5000, 5010, 100);
	assert_int_equal(send_all(&f->b, 0, &tcp, 0), 5010);
}

static void
what_is_in_flight_goes_out_again_and_what_was_released_does_not(void **state)
{
	struct fixture *f = *state;
	uint64_t tcp = 0, from;

	append_many(f, 0, 3000, 100);
	send_some(f, 5);
	/* Two of five are acknowledged. */
	cursor_acked(&f->a, f->a.ring[1].end);
	from = first_number(&f->a.ring[2]);
	assert_true(from > 0);
	cursor_release_all(&f->a);
	move(f);
	assert_int_equal(cursor_waiting_lines(&f->b), 3000 - from);
	assert_int_equal(send_all(&f->b, (unsigned)from, &tcp, 0), 3000);
}

static void
what_is_held_for_a_resend_goes_to_the_other(void **state)
{
	struct fixture *f = *state;
	struct cursor_taken taken;
	uint64_t tcp = 0;

	append_many(f, 0, 500, 100);
	send_all(&f->a, 0, &f->tcp, 0);
	assert_int_equal(cursor_acked(&f->a, f->tcp).lines, 500);
	assert_int_equal(f->a.flight_bytes, 0);
	move(f);
	assert_int_equal(send_all(&f->b, 0, &tcp, 0), 500);
	/* This receiver takes them for the first time. */
	taken = cursor_acked(&f->b, tcp);
	assert_int_equal(taken.lines, 500);
	assert_int_equal(taken.bytes, f->log->end_bytes);
}

static void
tries_on_the_one_receiver_do_not_count_for_the_other(void **state)
{
	struct fixture *f = *state;
	uint64_t tcp = 0;

	append_many(f, 0, 100, 100);
	for (int i = 0; i < CURSOR_RESENDS_MAX; i++) {
		send_all(&f->a, 0, &f->tcp, 0);
		cursor_acked(&f->a, f->tcp);
		cursor_lost(&f->a, &hold_all, false, false, 0);
	}
	move(f);
	for (int i = 0; i < CURSOR_RESENDS_MAX; i++) {
		assert_int_equal(send_all(&f->b, 0, &tcp, 0), 100);
		cursor_acked(&f->b, tcp);
		assert_int_equal(cursor_lost(&f->b, &hold_all, false, false, 0), 100);
	}
}

static void
a_gap_is_said_to_the_other(void **state)
{
	struct fixture *f = *state;
	const struct segment *s;
	uint64_t in_ring, behind;

	append_many(f, 0, 2000, 1000);
	cursor_trim(&f->a, 64 * 1024);
	in_ring = test_dropped;
	assert_true(in_ring > 0);
	/* One gap is in the ring with its segment, and one behind it. */
	send_some(f, 1);
	append_many(f, 2000, 4000, 1000);
	cursor_trim(&f->a, 64 * 1024);
	behind = test_dropped - in_ring;
	assert_true(behind > 0);
	move(f);
	s = cursor_unsent(&f->b, 0, 0);
	assert_int_equal(s->gap.lines[CURSOR_MEMORY], in_ring);
	assert_int_equal(first_number(s), in_ring);
	s = cursor_unsent(&f->b, 1, 0);
	assert_int_equal(s->gap.lines[CURSOR_MEMORY], behind);
}

static void
a_lagging_cursor_lags_under_its_new_name(void **state)
{
	struct fixture *f = *state;

	append_many(f, 0, 400, 1000);
	cursor_judge(&f->a, false, 5000);
	assert_true(f->a.lags);
	move(f);
	assert_true(f->b.lags);
	assert_int_equal(f->pool.pressure, 0);
	assert_true(f->pool.lagging > 0);
	assert_int_equal(cursor_waiting_ms(&f->b, 5000), 5000);
}

static uint64_t test_filtered;

static void
on_filtered(struct cursor *c, uint64_t lines)
{
	(void)c;
	test_filtered += lines;
}

/* Only lines from 200 on, and of those the even ones. */
static bool
wants_some(struct cursor *c, struct slice message)
{
	unsigned number = 0;

	(void)c;
	assert_int_equal(sscanf(message.p, "line %u", &number), 1);
	return number >= 200 && number % 2 == 0;
}

static void
the_other_gets_what_it_wants_of_it(void **state)
{
	struct fixture *f = *state;
	const struct segment *s;
	uint64_t lines = 0;

	test_filtered = 0;
	append_many(f, 0, 1000, 100);
	send_all(&f->a, 0, &f->tcp, 0);
	f->b = (struct cursor){
	    .dropped = test_on_dropped, .wants = wants_some, .filtered = on_filtered};
	cursor_open(&f->b, f->log, 0);
	cursor_move(&f->b, &f->a);
	assert_int_equal(cursor_waiting_lines(&f->b), 400);
	assert_int_equal(test_filtered, 600);
	while ((s = cursor_unsent(&f->b, 0, 0)) != NULL) {
		/* None is without a line to send. */
		assert_true(s->lines > s->skipped);
		lines += s->lines - s->skipped;
		cursor_sent(&f->b, 1, 0);
	}
	assert_int_equal(lines, 400);
	assert_int_equal(cursor_acked(&f->b, 1).lines, 400);
}

/* A drain that wants nothing of it still says what was dropped. */
static bool
wants_late(struct cursor *c, struct slice message)
{
	unsigned number = 0;

	(void)c;
	assert_int_equal(sscanf(message.p, "line %u", &number), 1);
	return number >= 2000;
}

static void
a_gap_moves_on_to_the_next_line_that_is_wanted(void **state)
{
	struct fixture *f = *state;
	const struct segment *s;

	append_many(f, 0, 2000, 1000);
	cursor_trim(&f->a, 64 * 1024);
	send_all(&f->a, (unsigned)test_dropped, &f->tcp, 0);
	f->b = (struct cursor){
	    .dropped = test_on_dropped, .wants = wants_late, .filtered = on_filtered};
	cursor_open(&f->b, f->log, 0);
	cursor_move(&f->b, &f->a);
	assert_int_equal(f->b.count, 0);
	assert_int_equal(f->pool.holders, 0);
	append_many(f, 2000, 2010, 1000);
	s = cursor_unsent(&f->b, 0, 0);
	assert_int_equal(first_number(s), 2000);
	assert_int_equal(s->gap.lines[CURSOR_MEMORY], test_dropped);
}

static void
in_a_log_that_rests_nothing_moves(void **state)
{
	struct fixture *f = *state;
	uint64_t tcp = 0;

	/* Never had a line. */
	move(f);
	append_many(f, 0, 10, 100);
	assert_int_equal(send_all(&f->b, 0, &tcp, 0), 10);
	cursor_acked(&f->b, tcp);
	cursor_release_all(&f->b);
	/* Gave its chunk up. */
	app_log_hibernate(f->log);
	open_cursor(&f->a, f->log);
	cursor_move(&f->a, &f->b);
	append_many(f, 10, 20, 100);
	assert_int_equal(send_all(&f->a, 10, &f->tcp, 0), 20);
}

static void
other_cursors_of_the_log_see_nothing_of_it(void **state)
{
	struct fixture *f = *state;
	struct cursor other;
	uint64_t tcp = 0;

	open_cursor(&other, f->log);
	append_many(f, 0, 1000, 100);
	send_some(f, 3);
	open_cursor(&f->b, f->log);
	cursor_move(&f->b, &f->a);
	assert_int_equal(f->log->ncursors, 2);
	append_many(f, 1000, 1100, 100);
	assert_int_equal(send_all(&other, 0, &tcp, 0), 1100);
	cursor_close(&other);
	tcp = 0;
	assert_int_equal(send_all(&f->b, 0, &tcp, 0), 1100);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(what_was_not_read_from_the_log_waits_for_the_other),
	    TEST(what_is_in_flight_goes_out_again_and_what_was_released_does_not),
	    TEST(what_is_held_for_a_resend_goes_to_the_other),
	    TEST(tries_on_the_one_receiver_do_not_count_for_the_other),
	    TEST(a_gap_is_said_to_the_other),
	    TEST(a_lagging_cursor_lags_under_its_new_name),
	    TEST(the_other_gets_what_it_wants_of_it),
	    TEST(a_gap_moves_on_to_the_next_line_that_is_wanted),
	    TEST(in_a_log_that_rests_nothing_moves),
	    TEST(other_cursors_of_the_log_see_nothing_of_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
