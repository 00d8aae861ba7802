/* Lines are given up: each is counted once by each drain that misses it, and told at its place. */
#include <unistd.h>

#include "log/cursor_ring.h"
#include "log/log_hole.h"
#include "spooled_log.h"

/* a lags, and the spool takes nothing: chunks of a line each and the open one. */
static void
set_failing(struct fixture *f, bool failing)
{
	f->pool.failing = failing;
	f->a.lags = true;
	app_log_weigh(f->log);
}

static size_t
in_memory(const struct fixture *f)
{
	const struct chunk *c;
	size_t bytes = 0;

	TAILQ_FOREACH(c, &f->log->chunks, link)
	bytes += c->used;
	return bytes;
}

static unsigned
lines_in_memory(const struct fixture *f)
{
	const struct chunk *c;
	unsigned lines = 0;

	TAILQ_FOREACH(c, &f->log->chunks, link)
	lines += c->lines;
	return lines;
}

static void
while_the_spool_works_nothing_has_to_go(void **state)
{
	struct fixture *f = *state;

	append_many(f, 0, 500, 1000);
	set_failing(f, false);
	log_shed_cursor(&f->a, 100 * 1000);
	assert_int_equal(dropped_in_all(), 0);
	assert_int_equal(cursor_waiting_lines(&f->a), 500);
}

static void
the_oldest_lines_go_when_no_disk_takes_them(void **state)
{
	struct fixture *f = *state;
	unsigned gone;

	append_many(f, 0, 500, 1000);
	set_failing(f, true);
	log_shed_cursor(&f->a, 100 * 1000);
	gone = 500 - lines_in_memory(f);
	assert_in_range(in_memory(f), 1, 100 * 1000);
	assert_int_equal(dropped[CURSOR_MEMORY], gone);
	assert_int_equal(cursor_waiting_lines(&f->a), 500 - gone);
	assert_int_equal(f->pool.lagging, in_memory(f));
	assert_int_equal(send_all(&f->a, gone, &f->tcp, 0), 500);
}

/* The cursor stands in lines that are on disk: those that are lost lie before it. */
static void
lines_in_the_middle_are_counted_at_once_and_told_at_their_place(void **state)
{
	struct fixture *f = *state;
	unsigned gone, first = 0;
	const struct segment *s;
	int64_t shed_us;

	append_many(f, 0, 200, 1000);
	commit_all(f);
	let_go(f);
	append_many(f, 200, 700, 1000);
	set_failing(f, true);
	log_shed(f->log, 100 * 1000);
	shed_us = clock_wall_us();
	usleep(1000);
	gone = 500 - lines_in_memory(f) + TAILQ_FIRST(&f->log->chunks)->lines;
	assert_int_equal(dropped[CURSOR_MEMORY], gone);
	assert_int_equal(cursor_waiting_lines(&f->a), 700 - gone);
	assert_int_equal(f->pool.lagging, f->log->end_bytes - f->log->spooled_bytes -
					      log_hole_bytes(f->log, 0, UINT64_MAX));
	do
		while ((s = cursor_unsent(&f->a, 0, 0)) != NULL) {
			assert_int_equal(s->gap.lines[CURSOR_MEMORY], first == 200 ? gone : 0);
			assert_true(s->gap.since_us <= shed_us);
			first += s->lines + (first == 200 ? gone : 0);
			cursor_sent(&f->a, ++f->tcp, 0);
		}
	while (fetch_once(f));
	assert_int_equal(first, 700);
	assert_int_equal(dropped_in_all(), gone);
	assert_int_equal(cursor_waiting_lines(&f->a), 0);
	assert_int_equal(cursor_waiting_bytes(&f->a), 0);
	cursor_acked(&f->a, f->tcp);
	cursor_release_all(&f->a);
	assert_true(TAILQ_EMPTY(&f->log->holes));
}

static void
what_was_given_up_is_not_asked_of_the_spool(void **state)
{
	struct fixture *f = *state;

	append_many(f, 0, 20, 1000);
	commit_all(f);
	let_go(f);
	append_many(f, 20, 500, 1000);
	app_log_seal(f->log);
	set_failing(f, true);
	log_shed(f->log, 0);
	assert_int_equal(lines_in_memory(f), TAILQ_FIRST(&f->log->chunks)->lines);
	assert_int_equal(dropped[CURSOR_MEMORY], 480);
	assert_int_equal(f->pool.lagging, 0);
	assert_int_equal(read_all(f, &f->a, 0), 20);
	assert_int_equal(cursor_waiting_lines(&f->a), 0);
	assert_true(plan_is_at_end(&f->a));
	/* It works again, with nothing left to press on senders. */
	set_failing(f, false);
	assert_int_equal(f->pool.pressure, 0);
}

static void
what_somebody_needs_who_does_not_lag_stays(void **state)
{
	struct fixture *f = *state;

	append_many(f, 0, 250, 1000);
	join(f, &f->b, 2);
	append_many(f, 250, 500, 1000);
	set_failing(f, true);
	log_shed(f->log, 0);
	assert_in_range(lines_in_memory(f), 250, 500);
	assert_int_equal(send_all(&f->b, 250, &f->tcp, 0), 500);
	f->b.lags = true;
	app_log_weigh(f->log);
	app_log_seal(f->log);
	log_shed(f->log, 0);
	/* What was begun is finished. */
	assert_true(cursor_lost(&f->b, &hold_all, false, false, 1) == 250);
	assert_int_equal(send_all(&f->b, 250, &f->tcp, 0), 500);
	assert_int_equal(cursor_waiting_lines(&f->a) + dropped[CURSOR_MEMORY], 500);
}

static void
two_drains_each_count_what_they_miss(void **state)
{
	struct fixture *f = *state;

	append_many(f, 0, 100, 1000);
	join(f, &f->b, 2);
	append_many(f, 100, 500, 1000);
	app_log_seal(f->log);
	f->b.lags = true;
	set_failing(f, true);
	log_shed(f->log, 0);
	assert_int_equal(dropped[CURSOR_MEMORY], 500 + 400);
	assert_int_equal(cursor_waiting_lines(&f->a), 0);
	assert_int_equal(cursor_waiting_lines(&f->b), 0);
}

struct waiter {
	unsigned safe, lost;
};

static void
on_told(void *arg, bool safe)
{
	struct waiter *w = arg;

	w->safe += safe;
	w->lost += !safe;
}

/* Of a sender's lines the first and the last one may be far from each other. */
static void
who_waits_for_lines_that_are_given_up_is_told(void **state)
{
	struct fixture *f = *state;
	struct waiter early = {0}, across = {0}, late = {0};

	append_many(f, 0, 100, 1000);
	assert_true(log_spool_await(f->log, on_told, &early));
	append_many(f, 100, 300, 1000);
	assert_true(log_spool_await(f->log, on_told, &across));
	append_many(f, 300, 499, 1000);
	assert_false(log_spool_await(f->log, on_told, &across));
	append_many(f, 499, 500, 1000);
	assert_true(log_spool_await(f->log, on_told, &late));
	app_log_seal(f->log);
	set_failing(f, true);
	f->log->dirty = false;
	log_shed(f->log, 100 * 1000);
	assert_true(f->log->dirty);
	log_spool_settle(f->log);
	assert_true(early.lost == 1 && early.safe == 0);
	assert_int_equal(across.lost + across.safe + late.lost + late.safe, 0);
	set_failing(f, false);
	commit_all(f);
	log_spool_settle(f->log);
	assert_true(across.lost == 1 && across.safe == 0);
	assert_true(late.lost == 0 && late.safe == 1);
	assert_true(early.lost == 1 && early.safe == 0);
	assert_true(log_spool_safe_seq(f->log) == f->log->end_seq);
}

static struct spool_place
end_of_chunk(const struct fixture *f, size_t i)
{
	return fake_behind(&f->spool.chunks[i].is);
}

static void
a_trim_drops_the_oldest_on_disk(void **state)
{
	struct fixture *f = *state;
	struct spool_place to;

	append_many(f, 0, 500, 1000);
	commit_all(f);
	let_go(f);
	to = end_of_chunk(f, 3);
	log_shed_to(f->log, &to, CURSOR_SPOOL);
	assert_int_equal(dropped[CURSOR_SPOOL], to.lines - SPOOL_ORIGIN);
	assert_true(commit_marks(f));
	assert_true(f->spool.head.seq == to.seq);
	assert_int_equal(read_all(f, &f->a, (unsigned)(to.lines - SPOOL_ORIGIN)), 500);
}

/* The usual case: its connection was lost with lines on their way. */
static void
a_trim_drops_what_was_to_go_out_again(void **state)
{
	struct fixture *f = *state;
	struct spool_place to;

	append_many(f, 0, 500, 1000);
	send_lines(f, &f->a, 0, 20);
	cursor_acked(&f->a, f->tcp);
	send_lines(f, &f->a, 20, 20);
	assert_int_equal(cursor_lost(&f->a, &hold_all, false, false, 1), 40);
	commit_all(f);
	let_go(f);
	to = end_of_chunk(f, f->spool.n - 3);
	log_shed_to(f->log, &to, CURSOR_AGE);
	/* The first 20 were taken once. */
	assert_int_equal(dropped[CURSOR_AGE], to.lines - SPOOL_ORIGIN - 20);
	assert_int_equal(f->a.count, 0);
	assert_true(commit_marks(f));
	assert_true(f->spool.head.seq == to.seq);
	assert_int_equal(read_all(f, &f->a, (unsigned)(to.lines - SPOOL_ORIGIN)), 500);
}

/* A receiver that takes nothing for days must not keep the spool from being trimmed. */
static void
what_is_in_flight_stays_in_memory_and_holds_nothing_on_disk(void **state)
{
	struct fixture *f = *state;
	struct spool_place to;

	append_many(f, 0, 500, 1000);
	send_lines(f, &f->a, 0, 20);
	commit_all(f);
	to = end_of_chunk(f, f->spool.n - 3);
	log_shed_to(f->log, &to, CURSOR_SPOOL);
	assert_int_equal(dropped[CURSOR_SPOOL], to.lines - SPOOL_ORIGIN - 20);
	assert_true(commit_marks(f));
	assert_true(f->spool.head.seq == to.seq);
	assert_int_equal(f->spool.n, 2);
	let_go(f);
	assert_true(log_spool_safe_seq(f->log) == f->log->end_seq);
	assert_null(gather(f));
	assert_int_equal(cursor_lost(&f->a, &hold_all, false, false, 1), 20);
	send_lines(f, &f->a, 0, 20);
	assert_int_equal(cursor_acked(&f->a, f->tcp).lines, 20);
	assert_int_equal(read_all(f, &f->a, (unsigned)(to.lines - SPOOL_ORIGIN)), 500);
	assert_int_equal(dropped_in_all(), dropped[CURSOR_SPOOL]);
}

/* It was let go of while in flight, and is wanted once more. */
static void
what_was_in_flight_and_asleep_is_dropped_when_it_is_wanted(void **state)
{
	struct fixture *f = *state;
	struct spool_place to;

	append_many(f, 0, 500, 1000);
	send_lines(f, &f->a, 0, 20);
	commit_all(f);
	let_go(f);
	to = end_of_chunk(f, f->spool.n - 3);
	log_shed_to(f->log, &to, CURSOR_SPOOL);
	assert_true(commit_marks(f));
	assert_int_equal(cursor_lost(&f->a, &hold_all, false, false, 1), 20);
	while (cursor_unsent(&f->a, 0, 0) == NULL)
		assert_true(fetch_once(f));
	assert_int_equal(dropped[CURSOR_SPOOL], to.lines - SPOOL_ORIGIN);
	assert_int_equal(read_all(f, &f->a, (unsigned)(to.lines - SPOOL_ORIGIN)), 500);
	assert_int_equal(dropped_in_all(), dropped[CURSOR_SPOOL]);
}

static void
pinned_segments_are_not_dropped(void **state)
{
	struct fixture *f = *state;
	struct spool_place to;
	struct chunk *begun;

	append_many(f, 0, 500, 1000);
	commit_all(f);
	begun = cursor_unsent(&f->a, 0, 0)->chunk;
	begun->pins++;
	assert_non_null(cursor_unsent(&f->a, 1, 0));
	let_go(f);
	to = end_of_chunk(f, 3);
	log_shed_to(f->log, &to, CURSOR_SPOOL);
	assert_int_equal(dropped[CURSOR_SPOOL], to.lines - SPOOL_ORIGIN - begun->lines);
	assert_ptr_equal(cursor_unsent(&f->a, 0, 0)->chunk, begun);
	let_go(f);
	begun->pins--;
	send_lines(f, &f->a, 0, begun->lines);
	assert_int_equal(read_all(f, &f->a, (unsigned)(to.lines - SPOOL_ORIGIN)), 500);
}

static void
a_trim_across_a_hole_counts_nothing_twice(void **state)
{
	struct fixture *f = *state;
	struct spool_place to;
	uint64_t given_up;

	append_many(f, 0, 100, 1000);
	commit_all(f);
	let_go(f);
	append_many(f, 100, 400, 1000);
	set_failing(f, true);
	log_shed(f->log, 100 * 1000);
	given_up = dropped[CURSOR_MEMORY];
	assert_true(given_up > 100);
	set_failing(f, false);
	commit_all(f);
	/* To the middle of what was on disk first: the hole is still to come. */
	to = end_of_chunk(f, 2);
	log_shed_to(f->log, &to, CURSOR_SPOOL);
	assert_int_equal(dropped[CURSOR_SPOOL], to.lines - SPOOL_ORIGIN);
	assert_int_equal(cursor_waiting_lines(&f->a), 400 - dropped[CURSOR_SPOOL] - given_up);
	to = end_of_chunk(f, f->spool.n - 1);
	log_shed_to(f->log, &to, CURSOR_SPOOL);
	assert_int_equal(dropped[CURSOR_MEMORY], given_up);
	assert_int_equal(dropped_in_all() + cursor_waiting_lines(&f->a), 400);
	assert_int_equal(f->a.gap.lines[CURSOR_MEMORY], given_up);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
	    TEST(while_the_spool_works_nothing_has_to_go),
	    TEST(the_oldest_lines_go_when_no_disk_takes_them),
	    TEST(lines_in_the_middle_are_counted_at_once_and_told_at_their_place),
	    TEST(what_was_given_up_is_not_asked_of_the_spool),
	    TEST(what_somebody_needs_who_does_not_lag_stays),
	    TEST(two_drains_each_count_what_they_miss),
	    TEST(who_waits_for_lines_that_are_given_up_is_told),
	    TEST(a_trim_drops_the_oldest_on_disk),
	    TEST(a_trim_drops_what_was_to_go_out_again),
	    TEST(what_is_in_flight_stays_in_memory_and_holds_nothing_on_disk),
	    TEST(what_was_in_flight_and_asleep_is_dropped_when_it_is_wanted),
	    TEST(pinned_segments_are_not_dropped),
	    TEST(a_trim_across_a_hole_counts_nothing_twice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
