/* Bytes come back from the spool, or do not, and nobody waits for ever. */
#include "spooled_log.h"

/* Lines of several chunks that are on disk only: a reads them, b stands behind them. */
static void
put_away(struct fixture *f, unsigned lines)
{
	append_many(f, 0, lines, 1000);
	commit_all(f);
	let_go(f);
	join(f, &f->b, 2);
}

static unsigned
read_on(struct fixture *f, unsigned first)
{
	return read_all(f, &f->a, first);
}

static void
a_backlog_comes_back_in_order(void **state)
{
	struct fixture *f = *state;

	put_away(f, 1000);
	assert_true(f->pool.chunk_bytes <= CHUNK_FULL_BYTES);
	append_many(f, 1000, 1010, 1000);
	assert_true(cursor_is_away(&f->a));
	assert_int_equal(cursor_waiting_lines(&f->a), 1010);
	assert_int_equal(read_on(f, 0), 1010);
	assert_int_equal(cursor_waiting_lines(&f->a), 0);
	assert_int_equal(cursor_waiting_bytes(&f->a), 0);
	assert_int_equal(dropped_in_all(), 0);
}

static void
what_is_held_falls_asleep_and_is_woken(void **state)
{
	struct fixture *f = *state;

	append_many(f, 0, 200, 1000);
	commit_all(f);
	assert_int_equal(send_all(&f->a, 0, &f->tcp, 0), 200);
	cursor_acked(&f->a, f->tcp / 2);
	let_go(f);
	assert_int_equal(f->pool.chunk_bytes + f->pool.cache_bytes, 0);
	assert_int_equal(cursor_lost(&f->a, &hold_all, false, true, 1), 200);
	assert_null(cursor_unsent(&f->a, 0, 0));
	assert_true(cursor_is_away(&f->a));
	assert_int_equal(read_on(f, 0), 200);
}

static void
one_request_at_a_time_and_none_twice(void **state)
{
	struct fixture *f = *state;
	struct spool_fetch *fetch;

	put_away(f, 1000);
	assert_null(cursor_unsent(&f->a, 0, 0));
	fetch = ask(f);
	assert_non_null(fetch);
	/* Asked again by a flush that comes meanwhile. */
	assert_null(cursor_unsent(&f->a, 0, 0));
	assert_null(ask(f));
	fake_read(&f->spool, fetch);
	assert_true(fetch->n > 0);
	come(f, fetch);
	assert_null(ask(f));
	assert_non_null(cursor_unsent(&f->a, 0, 0));
}

static void
two_cursors_in_different_places_take_turns(void **state)
{
	struct fixture *f = *state;
	struct spool_fetch *fetch;
	uint64_t second;

	put_away(f, 1000);
	join(f, &f->c, 3);
	append_many(f, 1000, 2000, 1000);
	second = f->c.plan_seq;
	commit_all(f);
	let_go(f);
	assert_null(cursor_unsent(&f->a, 0, 0));
	assert_null(cursor_unsent(&f->c, 0, 0));
	fetch = ask(f);
	assert_true(fetch->seq == f->a.plan_seq);
	fake_read(&f->spool, fetch);
	come(f, fetch);
	assert_non_null(cursor_unsent(&f->a, 0, 0));
	assert_null(cursor_unsent(&f->c, 0, 0));
	fetch = ask(f);
	assert_true(fetch->seq == second);
	fake_read(&f->spool, fetch);
	come(f, fetch);
	assert_non_null(cursor_unsent(&f->c, 0, 0));
	assert_int_equal(read_on(f, 0), 2000);
	assert_int_equal(read_all(f, &f->c, 1000), 2000);
	assert_int_equal(dropped_in_all(), 0);
}

/* Two of them in one hole are served by one answer. */
static void
who_waits_for_the_same_lines_needs_no_request_of_its_own(void **state)
{
	struct fixture *f = *state;

	join(f, &f->b, 2);
	append_many(f, 0, 100, 1000);
	commit_all(f);
	let_go(f);
	assert_null(cursor_unsent(&f->a, 0, 0));
	assert_null(cursor_unsent(&f->b, 0, 0));
	assert_true(fetch_once(f));
	assert_non_null(cursor_unsent(&f->a, 0, 0));
	assert_non_null(cursor_unsent(&f->b, 0, 0));
	assert_int_equal(read_on(f, 0), 100);
	assert_int_equal(read_all(f, &f->b, 0), 100);
}

static void
a_read_that_failed_is_tried_again(void **state)
{
	struct fixture *f = *state;
	struct spool_fetch *fetch;

	put_away(f, 100);
	assert_null(cursor_unsent(&f->a, 0, 0));
	fetch = ask(f);
	fetch->code = SPOOL_FAILED;
	come(f, fetch);
	assert_int_equal(dropped_in_all(), 0);
	assert_null(cursor_unsent(&f->a, 0, 0));
	assert_int_equal(read_on(f, 0), 100);
}

static void
damaged_chunks_are_passed_and_counted(void **state)
{
	struct fixture *f = *state;
	uint64_t lines;

	put_away(f, 1000);
	lines = f->spool.chunks[3].is.lines;
	f->spool.chunks[3].damaged = true;
	assert_null(cursor_unsent(&f->a, 0, 0));
	while (fetch_once(f))
		while (cursor_unsent(&f->a, 0, 0) != NULL)
			cursor_sent(&f->a, ++f->tcp, 0);
	assert_int_equal(cursor_waiting_lines(&f->a), 0);
	assert_int_equal(dropped[CURSOR_DAMAGED], lines);
	assert_int_equal(dropped_in_all(), lines);
}

/* Of such a one not even the place is known: what follows begins later. */
static void
what_is_missing_is_passed_and_counted(void **state)
{
	struct fixture *f = *state;
	uint64_t lines;

	put_away(f, 1000);
	lines = f->spool.chunks[0].is.lines + (uint64_t)f->spool.chunks[1].is.lines;
	f->spool.chunks[0].unplaced = f->spool.chunks[1].unplaced = true;
	lines += f->spool.chunks[f->spool.n - 1].is.lines;
	f->spool.chunks[f->spool.n - 1].unplaced = true;
	append_many(f, 1000, 1001, 1000);
	assert_null(cursor_unsent(&f->a, 0, 0));
	while (fetch_once(f))
		while (cursor_unsent(&f->a, 0, 0) != NULL)
			cursor_sent(&f->a, ++f->tcp, 0);
	assert_int_equal(cursor_waiting_lines(&f->a), 0);
	assert_int_equal(dropped[CURSOR_DAMAGED], lines);
}

static void
a_spool_that_has_nothing_of_it_keeps_nobody(void **state)
{
	struct fixture *f = *state;

	put_away(f, 100);
	while (f->spool.n > 0)
		fake_delete(&f->spool, 0);
	do
		assert_null(cursor_unsent(&f->a, 0, 0));
	while (fetch_once(f));
	assert_int_equal(dropped[CURSOR_DAMAGED], 100);
	append_many(f, 100, 101, 1000);
	assert_int_equal(read_on(f, 100), 101);
}

static void
a_damaged_chunk_costs_each_drain_the_segments_in_it(void **state)
{
	struct fixture *f = *state;

	join(f, &f->b, 2);
	append_many(f, 0, 9, 100);
	append_many(f, 9, 27, 100);
	commit_all(f);
	/* a has sent it, and has to send it again; b has cut it, and sent half of it. */
	assert_int_equal(send_all(&f->a, 0, &f->tcp, 0), 27);
	send_lines(f, &f->b, 0, 4);
	assert_non_null(cursor_unsent(&f->b, 0, 0));
	let_go(f);
	cursor_lost(&f->a, &hold_all, false, false, 1);
	f->spool.chunks[0].damaged = true;
	assert_null(cursor_unsent(&f->a, 0, 0));
	assert_true(fetch_once(f));
	assert_int_equal(dropped[CURSOR_DAMAGED], 9 + 5);
	assert_int_equal(read_on(f, 9), 27);
	assert_int_equal(read_all(f, &f->b, 9), 27);
}

/* What was taken before was not lost to its drain. */
static void
damage_to_what_goes_out_again_is_no_loss(void **state)
{
	struct fixture *f = *state;

	append_many(f, 0, 9, 100);
	commit_all(f);
	send_lines(f, &f->a, 0, 9);
	cursor_acked(&f->a, f->tcp);
	let_go(f);
	assert_int_equal(cursor_lost(&f->a, &hold_all, false, false, 1), 9);
	f->spool.chunks[0].damaged = true;
	assert_null(cursor_unsent(&f->a, 0, 0));
	assert_true(fetch_once(f));
	assert_int_equal(dropped_in_all(), 0);
	assert_int_equal(cursor_waiting_lines(&f->a), 0);
	assert_int_equal(f->a.count, 0);
}

/* It was read before, and somebody asked for it in between. */
static void
an_answer_that_comes_late_changes_nothing(void **state)
{
	struct fixture *f = *state;
	struct spool_fetch *fetch;
	struct spool_place to;

	put_away(f, 1000);
	assert_null(cursor_unsent(&f->a, 0, 0));
	fetch = ask(f);
	fake_read(&f->spool, fetch);
	to = f->spool.chunks[12].is.at;
	log_shed_to(f->log, &to, CURSOR_AGE);
	assert_int_equal(dropped[CURSOR_AGE], to.lines - SPOOL_ORIGIN);
	come(f, fetch);
	assert_int_equal(dropped_in_all(), dropped[CURSOR_AGE]);
	assert_int_equal(read_on(f, (unsigned)(to.lines - SPOOL_ORIGIN)), 1000);
}

static void
a_late_answer_of_damage_does_not_spoil_what_is_here(void **state)
{
	struct fixture *f = *state;
	struct spool_fetch *late;

	put_away(f, 100);
	assert_null(cursor_unsent(&f->a, 0, 0));
	late = ask(f);
	fake_read(&f->spool, late);
	free((char *)(uintptr_t)late->chunks[0].data);
	late->chunks[0].data = NULL;
	/* Another answer has brought it. */
	f->log->fetching = false;
	assert_null(cursor_unsent(&f->a, 0, 0));
	assert_true(fetch_once(f));
	come(f, late);
	assert_int_equal(dropped_in_all(), 0);
	assert_int_equal(read_on(f, 0), 100);
}

/* The open chunk was too small for the next line, and the cursor that stands in it is away. */
static void
an_empty_chunk_is_not_taken_for_the_one_behind_it(void **state)
{
	struct fixture *f = *state;

	append_many(f, 0, 1, 100);
	send_lines(f, &f->a, 0, 1);
	cursor_acked(&f->a, f->tcp);
	cursor_release_all(&f->a);
	append_many(f, 1, 20, 3000);
	commit_all(f);
	let_go(f);
	assert_int_equal(read_on(f, 1), 20);
	assert_int_equal(dropped_in_all(), 0);
}

static void
a_log_that_goes_is_not_in_the_queue_any_more(void **state)
{
	struct fixture *f = *state;
	struct spool_fetch *fetch;

	put_away(f, 100);
	assert_null(cursor_unsent(&f->a, 0, 0));
	cursor_close(&f->a);
	cursor_close(&f->b);
	assert_null(ask(f));
	join(f, &f->a, 1);
	append_many(f, 100, 200, 1000);
	commit_all(f);
	let_go(f);
	assert_null(cursor_unsent(&f->a, 0, 0));
	cursor_close(&f->a);
	app_log_free(f->log);
	f->log = NULL;
	assert_true(TAILQ_EMPTY(&f->pool.hungry));
	fetch = ask(f);
	assert_null(fetch);
}

/* The answer comes when no drain is left, or a new one stands at the end. */
static void
an_answer_for_a_drain_that_is_gone_harms_nobody(void **state)
{
	struct fixture *f = *state;
	struct spool_fetch *fetch;

	put_away(f, 100);
	assert_null(cursor_unsent(&f->a, 0, 0));
	fetch = ask(f);
	fake_read(&f->spool, fetch);
	cursor_close(&f->a);
	cursor_close(&f->b);
	come(f, fetch);
	join(f, &f->a, 3);
	assert_int_equal(cursor_waiting_lines(&f->a), 0);
	append_many(f, 100, 110, 1000);
	assert_int_equal(read_on(f, 100), 110);
}

static bool
wants_none(struct cursor *c, struct slice message)
{
	(void)c;
	(void)message;
	return false;
}

static uint64_t filtered;

static void
on_filtered(struct cursor *c, uint64_t lines)
{
	(void)c;
	filtered += lines;
}

static void
unwanted_lines_are_passed_on_disk_too(void **state)
{
	struct fixture *f = *state;

	f->a.wants = wants_none;
	f->a.filtered = on_filtered;
	filtered = 0;
	put_away(f, 1000);
	do
		cursor_skip_unwanted(&f->a);
	while (fetch_once(f));
	assert_int_equal(filtered, 1000);
	assert_int_equal(cursor_waiting_lines(&f->a), 0);
}

static bool
wants_some(struct cursor *c, struct slice message)
{
	unsigned number = line_number(message);

	(void)c;
	return number < 10 || number >= 30;
}

/* 10 lines are on disk, 20 were not wanted, 10 are on disk; and the process ends. */
static void
start_again_with_unwanted_lines(struct fixture *f)
{
	f->a.wants = wants_some;
	f->a.filtered = on_filtered;
	append_many(f, 0, 10, 1000);
	commit_all(f);
	for (unsigned n = 0; cursor_unsent(&f->a, n, 0) != NULL; n++)
		;
	append_many(f, 10, 30, 1000);
	app_log_seal(f->log);
	while (cursor_waiting_lines(&f->a) > 10)
		assert_null(cursor_unsent(&f->a, f->a.count, 0));
	append_many(f, 30, 40, 1000);
	commit_all(f);
	cursor_close(&f->a);
	app_log_free(f->log);

	f->pool.start = START + 1;
	f->log = app_log_new(&f->pool, 1, "web");
	app_log_restore(f->log, f->spool.end.bytes, f->spool.end.lines);
	f->a = (struct cursor){
	    .dropped = on_reason, .drain = 1, .wants = wants_some, .filtered = on_filtered};
	cursor_open(&f->a, f->log, 0);
	cursor_resume(&f->a, fake_mark(&f->spool, 1));
	assert_int_equal(cursor_waiting_lines(&f->a), 40);
	filtered = 0;
}

/* Reads all; returns the lines. */
static unsigned
count_lines(struct fixture *f)
{
	const struct segment *s;
	unsigned lines = 0;

	do
		while ((s = cursor_unsent(&f->a, 0, 0)) != NULL) {
			lines += s->lines;
			cursor_sent(&f->a, ++f->tcp, 0);
		}
	while (fetch_once(f));
	assert_int_equal(cursor_waiting_lines(&f->a), 0);
	return lines;
}

static void
lines_that_were_not_wanted_are_not_missing_after_a_start(void **state)
{
	struct fixture *f = *state;

	start_again_with_unwanted_lines(f);
	assert_int_equal(count_lines(f), 20);
	assert_int_equal(dropped_in_all(), 0);
	assert_int_equal(filtered, 20);
	assert_true(cursor_gap_is_empty(&f->a.gap));
}

/* Nobody knows what was in it. */
static void
damage_is_no_line_that_was_not_wanted(void **state)
{
	struct fixture *f = *state;
	unsigned lines;

	start_again_with_unwanted_lines(f);
	lines = f->spool.chunks[1].is.lines;
	f->spool.chunks[1].unplaced = true;
	assert_int_equal(count_lines(f), 20 - lines);
	assert_true(dropped[CURSOR_DAMAGED] >= lines);
	assert_int_equal(dropped_in_all() + filtered, 20 + lines);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
	    TEST(a_backlog_comes_back_in_order),
	    TEST(what_is_held_falls_asleep_and_is_woken),
	    TEST(one_request_at_a_time_and_none_twice),
	    TEST(two_cursors_in_different_places_take_turns),
	    TEST(who_waits_for_the_same_lines_needs_no_request_of_its_own),
	    TEST(a_read_that_failed_is_tried_again),
	    TEST(damaged_chunks_are_passed_and_counted),
	    TEST(what_is_missing_is_passed_and_counted),
	    TEST(a_spool_that_has_nothing_of_it_keeps_nobody),
	    TEST(a_damaged_chunk_costs_each_drain_the_segments_in_it),
	    TEST(damage_to_what_goes_out_again_is_no_loss),
	    TEST(an_answer_that_comes_late_changes_nothing),
	    TEST(a_late_answer_of_damage_does_not_spoil_what_is_here),
	    TEST(an_empty_chunk_is_not_taken_for_the_one_behind_it),
	    TEST(a_log_that_goes_is_not_in_the_queue_any_more),
	    TEST(an_answer_for_a_drain_that_is_gone_harms_nobody),
	    TEST(unwanted_lines_are_passed_on_disk_too),
	    TEST(lines_that_were_not_wanted_are_not_missing_after_a_start),
	    TEST(damage_is_no_line_that_was_not_wanted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
