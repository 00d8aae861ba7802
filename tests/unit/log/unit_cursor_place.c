/* Where a cursor stands, as the spool says it, and putting it somewhere else. */
#include "log/cursor_ring.h"
#include "spooled_log.h"

static struct spool_place
place_of_line(unsigned line, size_t bytes)
{
	return (struct spool_place){((uint64_t)START << 40) + line, SPOOL_ORIGIN + line * bytes,
				    SPOOL_ORIGIN + line};
}

static void
assert_place(struct spool_place is, unsigned line)
{
	struct spool_place want = place_of_line(line, 54);

	assert_true(is.seq == want.seq);
	assert_true(is.bytes == want.bytes);
	assert_true(is.lines == want.lines);
}

/* Lines of 54 bytes with their counts. */
static void
append_short(struct fixture *f, unsigned from, unsigned to)
{
	append_many(f, from, to, 51);
}

static void
a_place_is_that_of_the_first_line_which_is_not_taken(void **state)
{
	struct fixture *f = *state;
	uint64_t first;

	append_short(f, 0, 10);
	assert_place(cursor_taken_place(&f->a), 0);
	send_lines(f, &f->a, 0, 4);
	first = f->tcp;
	f->a.ring[0].sent_ms = -1000;
	send_lines(f, &f->a, 4, 3);
	assert_place(cursor_taken_place(&f->a), 0);
	cursor_acked(&f->a, first);
	assert_place(cursor_taken_place(&f->a), 4);
	assert_place(cursor_kept_place(&f->a), 0);
	cursor_acked(&f->a, f->tcp);
	assert_place(cursor_taken_place(&f->a), 7);
	cursor_release_all(&f->a);
	assert_place(cursor_kept_place(&f->a), 7);
}

static void
a_cursor_goes_on_in_the_middle_of_a_chunk(void **state)
{
	struct fixture *f = *state;
	struct spool_place to = place_of_line(15, 54);

	append_short(f, 0, 30);
	cursor_put(&f->a, &to);
	assert_int_equal(cursor_waiting_lines(&f->a), 15);
	assert_int_equal(send_all(&f->a, 15, &f->tcp, 0), 30);
	assert_int_equal(dropped_in_all(), 0);
}

/* What its drain had taken was in memory only, for the sake of another drain. */
static void
a_mark_behind_what_is_on_disk_is_the_end(void **state)
{
	struct fixture *f = *state;
	struct spool_place end = {0}, mark = {0};

	join(f, &f->b, 2);
	append_short(f, 0, 18);
	commit_all(f);
	append_short(f, 18, 30);
	send_lines(f, &f->b, 0, 30);
	cursor_acked(&f->b, f->tcp);
	assert_true(commit_marks(f));
	end = f->spool.end;
	mark = *fake_mark(&f->spool, 2);
	assert_true(mark.bytes > end.bytes);
	cursor_close(&f->a);
	cursor_close(&f->b);
	app_log_free(f->log);

	f->pool.start = START + 1;
	f->log = app_log_new(&f->pool, 1, "web");
	app_log_restore(f->log, end.bytes, end.lines);
	join(f, &f->b, 2);
	cursor_resume(&f->b, &mark);
	assert_int_equal(cursor_waiting_lines(&f->b), 0);
	assert_int_equal(cursor_waiting_bytes(&f->b), 0);
	append_short(f, 30, 40);
	assert_int_equal(send_all(&f->b, 30, &f->tcp, 0), 40);
	join(f, &f->a, 1);
	mark = *fake_mark(&f->spool, 1);
	cursor_resume(&f->a, &mark);
	assert_int_equal(cursor_waiting_lines(&f->a), 28);
	assert_int_equal(dropped_in_all(), 0);
}

static void
a_jump_counts_what_lies_between(void **state)
{
	struct fixture *f = *state;
	struct spool_place to = place_of_line(20, 54);
	struct cursor_gap gap;

	append_short(f, 0, 30);
	cursor_jump(&f->a, &to, CURSOR_AGE);
	assert_int_equal(dropped[CURSOR_AGE], 20);
	assert_int_equal(cursor_waiting_lines(&f->a), 10);
	assert_non_null(cursor_unsent(&f->a, 0, 0));
	gap = cursor_take_gap(&f->a);
	assert_int_equal(gap.lines[CURSOR_AGE], 20);
	assert_true(gap.since_us > 0);
	assert_int_equal(send_all(&f->a, 20, &f->tcp, 0), 30);
}

static void
what_is_spoiled_leaves_the_ring_and_is_told_before_what_follows(void **state)
{
	struct fixture *f = *state;
	const struct chunk *first;
	struct cursor_gap gap;

	append_short(f, 0, 36);
	first = TAILQ_FIRST(&f->log->chunks);
	send_lines(f, &f->a, 0, 4);
	assert_non_null(cursor_unsent(&f->a, 1, 0));
	assert_int_equal(f->a.count, 3);
	f->log->dirty = false;
	cursor_spoil(&f->a, first, CURSOR_DAMAGED);
	assert_true(f->log->dirty);
	assert_int_equal(f->a.count, 2);
	assert_int_equal(f->a.sent, 1);
	assert_int_equal(dropped[CURSOR_DAMAGED], first->lines - 4);
	gap = cursor_take_gap(&f->a);
	assert_int_equal(gap.lines[CURSOR_DAMAGED], first->lines - 4);
	assert_int_equal(send_all(&f->a, first->lines, &f->tcp, 0), 36);
}

static void
a_ring_of_which_nothing_is_left_is_given_up(void **state)
{
	struct fixture *f = *state;

	append_short(f, 0, 10);
	assert_non_null(cursor_unsent(&f->a, 0, 0));
	assert_int_equal(f->pool.holders, 1);
	cursor_spoil(&f->a, TAILQ_FIRST(&f->log->chunks), CURSOR_DAMAGED);
	assert_null(f->a.ring);
	assert_int_equal(f->pool.holders, 0);
	assert_int_equal(cursor_waiting_lines(&f->a), 0);
	assert_int_equal(f->a.gap.lines[CURSOR_DAMAGED], 10);
}

static void
plan_jumps_over_what_is_spoiled(void **state)
{
	struct fixture *f = *state;
	const struct chunk *first;

	append_short(f, 0, 36);
	first = TAILQ_FIRST(&f->log->chunks);
	cursor_spoil(&f->a, first, CURSOR_DAMAGED);
	assert_int_equal(dropped[CURSOR_DAMAGED], first->lines);
	assert_int_equal(send_all(&f->a, first->lines, &f->tcp, 0), 36);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
	    TEST(a_place_is_that_of_the_first_line_which_is_not_taken),
	    TEST(a_cursor_goes_on_in_the_middle_of_a_chunk),
	    TEST(a_mark_behind_what_is_on_disk_is_the_end),
	    TEST(a_jump_counts_what_lies_between),
	    TEST(what_is_spoiled_leaves_the_ring_and_is_told_before_what_follows),
	    TEST(a_ring_of_which_nothing_is_left_is_given_up),
	    TEST(plan_jumps_over_what_is_spoiled),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
