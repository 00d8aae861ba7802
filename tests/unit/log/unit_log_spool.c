/* What of a log is committed, and which of its lines are safe. */
#include "spooled_log.h"

static void
unsafe_lines_are_committed_in_order_with_all_marks(void **state)
{
	struct fixture *f = *state;
	struct spool_commit *commit;

	join(f, &f->b, 2);
	append_many(f, 0, 300, 1000);
	send_lines(f, &f->a, 0, 10);
	cursor_acked(&f->a, f->tcp);
	commit = gather(f);
	assert_non_null(commit);
	assert_int_equal(commit->nparts, 1);
	assert_int_equal(commit->nmarks, 2);
	answer(f, commit, SPOOL_OK);
	assert_true(f->spool.end.seq == f->log->end_seq);
	assert_true(fake_mark(&f->spool, 1)->lines == SPOOL_ORIGIN + 10);
	assert_true(fake_mark(&f->spool, 2)->lines == SPOOL_ORIGIN);
	assert_true(f->spool.head.lines == SPOOL_ORIGIN);
	assert_null(gather(f));
	assert_true(log_spool_safe_seq(f->log) == f->log->end_seq);
}

static void
what_every_drain_has_taken_is_not_committed(void **state)
{
	struct fixture *f = *state;

	append_many(f, 0, 10, 40);
	send_lines(f, &f->a, 0, 10);
	cursor_acked(&f->a, f->tcp);
	assert_null(gather(f));
	assert_true(log_spool_safe_seq(f->log) == f->log->end_seq);
	/* Held for a resend, it is still there for what comes behind it. */
	append_many(f, 10, 20, 40);
	commit_all(f);
	assert_int_equal(f->spool.n, 1);
	assert_true(f->spool.head.lines == SPOOL_ORIGIN);
}

static void
a_commit_ends_at_its_limit(void **state)
{
	struct fixture *f = *state;
	struct spool_commit *commit = spool_commit_new(NULL, NULL);
	bool more;

	append_many(f, 0, 300, 1000);
	assert_true(log_spool_gather(f->log, commit, 100 * 1000, &more));
	assert_true(more);
	assert_in_range(commit->data.n, 100 * 1000, 100 * 1000 + CHUNK_FULL_BYTES);
	answer(f, commit, SPOOL_OK);
	assert_in_range(log_spool_safe_seq(f->log), f->log->end_seq - 250, f->log->end_seq - 50);
	commit_all(f);
	assert_true(log_spool_safe_seq(f->log) == f->log->end_seq);
}

static void
a_commit_that_failed_is_gathered_again(void **state)
{
	struct fixture *f = *state;

	append_many(f, 0, 10, 40);
	answer(f, gather(f), SPOOL_FULL);
	assert_true(log_spool_safe_seq(f->log) < f->log->end_seq);
	assert_int_equal(f->pool.cache_bytes, 0);
	append_many(f, 10, 20, 40);
	commit_all(f);
	assert_int_equal(f->spool.n, 2);
	assert_true(log_spool_safe_seq(f->log) == f->log->end_seq);
}

static void
lines_that_come_while_a_commit_is_under_way_are_not_safe_with_it(void **state)
{
	struct fixture *f = *state;
	struct spool_commit *commit;
	uint64_t before;

	append_many(f, 0, 3, 40);
	before = f->log->end_seq;
	commit = gather(f);
	append_many(f, 3, 6, 40);
	answer(f, commit, SPOOL_OK);
	assert_true(log_spool_safe_seq(f->log) == before);
	commit_all(f);
	assert_int_equal(read_all(f, &f->a, 0), 6);
}

/* The open chunk is written over while a copy of it is with the spooler. */
static void
a_commit_of_a_chunk_that_was_written_over_makes_nothing_safe(void **state)
{
	struct fixture *f = *state;
	struct spool_commit *commit;
	uint64_t before;

	append_many(f, 0, 5, 40);
	commit = gather(f);
	assert_int_equal(send_all(&f->a, 0, &f->tcp, 0), 5);
	cursor_acked(&f->a, f->tcp);
	cursor_release_all(&f->a);
	before = f->log->end_seq;
	append_many(f, 5, 10, 40);
	answer(f, commit, SPOOL_OK);
	assert_true(log_spool_safe_seq(f->log) == before);
	commit_all(f);
	assert_true(log_spool_safe_seq(f->log) == f->log->end_seq);
	let_go(f);
	assert_int_equal(read_all(f, &f->a, 5), 10);
}

static unsigned told;

static void
on_told(void *arg, bool safe)
{
	assert_true(safe);
	told++;
	assert_true(arg == &told || arg == &dropped);
}

static void
who_waits_is_told_once_and_not_too_soon(void **state)
{
	struct fixture *f = *state;

	told = 0;
	append_many(f, 0, 1, 40);
	assert_true(log_spool_await(f->log, on_told, &told));
	assert_true(f->log->urgent);
	append_many(f, 1, 2, 40);
	assert_false(log_spool_await(f->log, on_told, &told));
	assert_true(log_spool_await(f->log, on_told, &dropped));
	send_lines(f, &f->a, 0, 1);
	cursor_acked(&f->a, f->tcp);
	log_spool_settle(f->log);
	assert_int_equal(told, 0);
	send_lines(f, &f->a, 1, 1);
	log_spool_settle(f->log);
	assert_int_equal(told, 0);
	cursor_acked(&f->a, f->tcp);
	log_spool_settle(f->log);
	assert_int_equal(told, 2);
	log_spool_settle(f->log);
	assert_int_equal(told, 2);
}

static void
who_waits_is_told_when_no_drain_is_left(void **state)
{
	struct fixture *f = *state;

	told = 0;
	append_many(f, 0, 1, 40);
	assert_true(log_spool_await(f->log, on_told, &told));
	f->log->dirty = false;
	cursor_close(&f->a);
	assert_true(f->log->dirty);
	log_spool_settle(f->log);
	assert_int_equal(told, 1);
}

static void
who_waits_is_told_when_the_log_goes(void **state)
{
	struct fixture *f = *state;

	told = 0;
	append_many(f, 0, 1, 40);
	assert_true(log_spool_await(f->log, on_told, &told));
	cursor_close(&f->a);
	app_log_free(f->log);
	f->log = NULL;
	assert_int_equal(told, 1);
}

static void
a_line_that_waited_for_all_looks_is_found(void **state)
{
	struct fixture *f = *state;

	append_many(f, 0, 1, 40);
	for (int i = 0; i < LOG_LOOKS; i++)
		assert_false(log_spool_look(f->log));
	assert_true(log_spool_look(f->log));
	commit_all(f);
	assert_false(log_spool_look(f->log));
	append_many(f, 1, 2, 40);
	for (int i = 0; i < LOG_LOOKS; i++)
		assert_false(log_spool_look(f->log));
	assert_true(log_spool_look(f->log));
}

/* Acknowledged is not read: a receiver that closes gives its lines back. */
static void
lines_that_come_back_from_a_lost_connection_are_unsafe_again(void **state)
{
	struct fixture *f = *state;

	append_many(f, 0, 10, 40);
	send_lines(f, &f->a, 0, 10);
	cursor_acked(&f->a, f->tcp);
	assert_true(log_spool_is_settled(f->log));
	f->log->dirty = false;
	assert_int_equal(cursor_lost(&f->a, &hold_all, false, false, 1), 10);
	assert_true(f->log->dirty);
	assert_false(log_spool_is_settled(f->log));
	commit_all(f);
	assert_true(fake_mark(&f->spool, 1)->lines == SPOOL_ORIGIN);
}

/* They lie before others that are on disk. */
static void
lines_that_come_back_are_put_into_the_hole_that_they_left(void **state)
{
	struct fixture *f = *state;
	struct cursor_taken untaken;

	append_many(f, 0, 10, 40);
	send_lines(f, &f->a, 0, 10);
	cursor_acked(&f->a, f->tcp);
	app_log_seal(f->log);
	append_many(f, 10, 20, 40);
	commit_all(f);
	assert_true(fake_mark(&f->spool, 1)->lines == SPOOL_ORIGIN + 10);
	assert_int_equal(cursor_refused(&f->a, &untaken), 10);
	assert_int_equal(untaken.lines, 10);
	assert_true(log_spool_safe_seq(f->log) == f->log->end_seq - 20);
	commit_all(f);
	assert_int_equal(f->spool.n, 2);
	assert_true(fake_mark(&f->spool, 1)->lines == SPOOL_ORIGIN);
	let_go(f);
	assert_int_equal(read_all(f, &f->a, 0), 20);
}

/* Where they were on disk already, the mark has to go back. */
static void
the_mark_goes_back_with_a_lost_connection(void **state)
{
	struct fixture *f = *state;

	append_many(f, 0, 10, 40);
	commit_all(f);
	send_lines(f, &f->a, 0, 10);
	cursor_acked(&f->a, f->tcp);
	assert_true(commit_marks(f));
	assert_true(fake_mark(&f->spool, 1)->lines == SPOOL_ORIGIN + 10);
	assert_int_equal(cursor_lost(&f->a, &hold_all, false, false, 1), 10);
	assert_true(commit_marks(f));
	assert_true(fake_mark(&f->spool, 1)->lines == SPOOL_ORIGIN);
}

static void
the_mark_goes_on_when_what_went_out_again_is_taken(void **state)
{
	struct fixture *f = *state;

	append_many(f, 0, 10, 40);
	commit_all(f);
	send_lines(f, &f->a, 0, 10);
	cursor_acked(&f->a, f->tcp);
	assert_int_equal(cursor_lost(&f->a, &hold_all, false, false, 1), 10);
	assert_true(commit_marks(f));
	send_lines(f, &f->a, 0, 10);
	cursor_acked(&f->a, f->tcp);
	assert_true(commit_marks(f));
	assert_true(fake_mark(&f->spool, 1)->lines == SPOOL_ORIGIN + 10);
}

/* What is held no longer need not stay on disk. */
static void
the_head_goes_on_with_what_is_let_go(void **state)
{
	struct fixture *f = *state;

	append_many(f, 0, 10, 40);
	commit_all(f);
	send_lines(f, &f->a, 0, 10);
	cursor_acked(&f->a, f->tcp);
	assert_true(commit_marks(f));
	assert_int_equal(f->spool.n, 1);
	assert_true(log_spool_is_settled(f->log));
	f->log->dirty = false;
	cursor_release(&f->a, &hold_all, false, hold_all.time_ms);
	assert_true(f->log->dirty);
	assert_true(commit_marks(f));
	assert_int_equal(f->spool.n, 0);
	/* Nothing is on disk any more, so nothing more is told. */
	assert_false(commit_marks(f));
	assert_true(log_spool_is_settled(f->log));
}

/* The marks in a commit that failed are not on disk either. */
static void
marks_of_a_commit_that_failed_are_told_again(void **state)
{
	struct fixture *f = *state;
	struct spool_commit *commit;

	append_many(f, 0, 10, 40);
	commit_all(f);
	send_lines(f, &f->a, 0, 10);
	cursor_acked(&f->a, f->tcp);
	append_many(f, 10, 11, 40);
	commit = gather(f);
	assert_true(commit != NULL && commit->marks[0].at.lines == SPOOL_ORIGIN + 10);
	answer(f, commit, SPOOL_FULL);
	assert_true(commit_marks(f));
	assert_true(fake_mark(&f->spool, 1)->lines == SPOOL_ORIGIN + 10);
}

/* The spooler says so when it does not know. */
static void
what_failed_may_be_on_disk_and_goes_all_the_same(void **state)
{
	struct fixture *f = *state;
	struct spool_commit *commit;

	append_many(f, 0, 10, 40);
	commit_all(f);
	send_lines(f, &f->a, 0, 10);
	cursor_acked(&f->a, f->tcp);
	cursor_release_all(&f->a);
	assert_true(commit_marks(f));
	append_many(f, 10, 20, 40);
	commit = gather(f);
	assert_non_null(commit);
	fake_write(&f->spool, commit);
	answer(f, commit, SPOOL_FAILED);
	assert_true(commit_marks(f));
	assert_int_equal(f->spool.n, 1);
	send_lines(f, &f->a, 10, 10);
	cursor_acked(&f->a, f->tcp);
	cursor_release_all(&f->a);
	assert_true(commit_marks(f));
	assert_int_equal(f->spool.n, 0);
	assert_false(commit_marks(f));
}

/* Whether they are cut into segments or not. */
static void
lines_that_are_not_on_disk_press_on_senders(void **state)
{
	struct fixture *f = *state;
	size_t unsaved;
	unsigned n = 0;

	append_many(f, 0, 20, 1000);
	commit_all(f);
	assert_int_equal(f->pool.pressure, 0);
	append_many(f, 20, 40, 1000);
	unsaved = f->log->end_bytes - f->log->spooled_bytes;
	assert_int_equal(f->pool.pressure, unsaved);
	while (cursor_unsent(&f->a, n, 0) != NULL)
		n++;
	assert_int_equal(f->pool.pressure, unsaved);
	app_log_weigh(f->log);
	assert_int_equal(f->pool.pressure, unsaved);
	assert_int_equal(send_all(&f->a, 0, &f->tcp, 0), 40);
	assert_int_equal(f->pool.pressure, 0);
	assert_int_equal(cursor_lost(&f->a, &hold_all, false, false, 1), 40);
	assert_int_equal(f->pool.pressure, unsaved);
	commit_all(f);
	assert_int_equal(f->pool.pressure, 0);
}

static bool
wants_late(struct cursor *c, struct slice message)
{
	(void)c;
	return line_number(message) >= 20;
}

static uint64_t filtered;

static void
on_filtered(struct cursor *c, uint64_t lines)
{
	(void)c;
	filtered += lines;
}

static void
lines_that_nobody_wants_press_on_nobody_and_are_safe(void **state)
{
	struct fixture *f = *state;
	uint64_t first = f->log->end_seq;
	const struct segment *s;

	filtered = 0;
	f->a.wants = wants_late;
	f->a.filtered = on_filtered;
	append_many(f, 0, 20, 1000);
	app_log_seal(f->log);
	append_many(f, 20, 40, 1000);
	assert_int_equal(f->pool.pressure, 40 * 1005);
	s = cursor_unsent(&f->a, 0, 0);
	assert_true(s != NULL && s->seq == first + 20);
	assert_int_equal(filtered, 20);
	assert_int_equal(f->pool.pressure, 20 * 1005);
	assert_true(log_spool_safe_seq(f->log) == first + 20);
	commit_all(f);
	assert_int_equal(f->pool.pressure, 0);
	assert_int_equal(fake_mark(&f->spool, 1)->lines, SPOOL_ORIGIN + 20);
	assert_int_equal(f->spool.chunks[0].is.at.seq, first + 20);
}

static void
a_log_goes_on_behind_what_is_on_disk(void **state)
{
	struct fixture *f = *state;
	struct spool_place mark;

	append_many(f, 0, 10, 40);
	send_lines(f, &f->a, 0, 4);
	cursor_acked(&f->a, f->tcp);
	commit_all(f);
	cursor_close(&f->a);
	app_log_free(f->log);

	f->pool.start = START + 1;
	f->log = app_log_new(&f->pool, 1, "web");
	app_log_restore(f->log, f->spool.end.bytes, f->spool.end.lines);
	join(f, &f->a, 1);
	mark = *fake_mark(&f->spool, 1);
	cursor_put(&f->a, &mark);
	assert_int_equal(cursor_waiting_lines(&f->a), 6);
	append_many(f, 10, 12, 40);
	assert_int_equal(app_log_lines(f->log), 2);
	commit_all(f);
	let_go(f);
	assert_int_equal(read_all(f, &f->a, 4), 12);
	cursor_acked(&f->a, f->tcp);
	cursor_release_all(&f->a);
	assert_true(commit_marks(f));
	assert_int_equal(f->spool.n, 0);
	assert_true(fake_mark(&f->spool, 1)->seq == f->log->end_seq);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
	    TEST(unsafe_lines_are_committed_in_order_with_all_marks),
	    TEST(what_every_drain_has_taken_is_not_committed),
	    TEST(a_commit_ends_at_its_limit),
	    TEST(a_commit_that_failed_is_gathered_again),
	    TEST(lines_that_come_while_a_commit_is_under_way_are_not_safe_with_it),
	    TEST(a_commit_of_a_chunk_that_was_written_over_makes_nothing_safe),
	    TEST(who_waits_is_told_once_and_not_too_soon),
	    TEST(who_waits_is_told_when_no_drain_is_left),
	    TEST(who_waits_is_told_when_the_log_goes),
	    TEST(a_line_that_waited_for_all_looks_is_found),
	    TEST(lines_that_come_back_from_a_lost_connection_are_unsafe_again),
	    TEST(lines_that_come_back_are_put_into_the_hole_that_they_left),
	    TEST(the_mark_goes_back_with_a_lost_connection),
	    TEST(the_mark_goes_on_when_what_went_out_again_is_taken),
	    TEST(the_head_goes_on_with_what_is_let_go),
	    TEST(marks_of_a_commit_that_failed_are_told_again),
	    TEST(what_failed_may_be_on_disk_and_goes_all_the_same),
	    TEST(lines_that_are_not_on_disk_press_on_senders),
	    TEST(lines_that_nobody_wants_press_on_nobody_and_are_safe),
	    TEST(a_log_goes_on_behind_what_is_on_disk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
