/*
 * Who stops reading, and that all go on again: two or three workers that do
 * not run, their mailboxes turned by hand.
 */
#include "whole/worker_fixture.h"

#include "base/clock.h"
#include "log/cursor.h"

enum { LIMIT = 64 * 1024 }; /* worker_memory of the fixture */

static int
setup(void **state)
{
	struct fixture *f = fixture_new(3);

	assert_int_equal(f->config.worker_memory, LIMIT);
	/* Unsent lines count as pressure until their drain lags; none does here. */
	f->config.app_memory = 16 * 1024 * 1024;
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	fixture_free(*state);
	return 0;
}

/* Mail may bring about mail. */
static void
deliver_all(struct fixture *f)
{
	for (int round = 0; round < 3; round++)
		for (unsigned i = 0; i < f->setup.workers; i++)
			mailbox_turn(f->workers[i]->mailbox);
}

static unsigned
paused(const struct fixture *f)
{
	unsigned set = 0;

	for (unsigned i = 0; i < f->setup.workers; i++) {
		assert_int_equal(f->workers[i]->intake.paused, f->workers[i]->paused_by > 0);
		set |= (unsigned)f->workers[i]->intake.paused << i;
	}
	return set;
}

/* A line for an app that is at home on worker `to`, read by worker `from`. */
static void
cross(struct fixture *f, unsigned from, unsigned to, size_t n)
{
	memset(outbox_add(&f->workers[from]->ingest.outbox, to, 1, n), 'x', n);
	worker_post(f->workers[from]);
}

static void
a_worker_over_its_memory_stops_all_and_lets_them_go_on(void **state)
{
	struct fixture *f = *state;
	struct worker *w = f->workers[1];

	w->pool.pressure = LIMIT;
	worker_weigh(w);
	assert_int_equal(paused(f), 0);
	w->pool.pressure = LIMIT + 1;
	worker_weigh(w);
	assert_int_equal(paused(f), 2);
	assert_true(w->drains.pressed);
	deliver_all(f);
	assert_int_equal(paused(f), 7);

	/* Not before half is gone, or it would flutter. */
	w->pool.pressure = LIMIT / 2 + 1;
	worker_weigh(w);
	deliver_all(f);
	assert_int_equal(paused(f), 7);
	w->pool.pressure = LIMIT / 2;
	worker_weigh(w);
	deliver_all(f);
	assert_int_equal(paused(f), 0);
	assert_false(w->drains.pressed);
	w->pool.pressure = 0;
}

static void
weighing_again_says_nothing_twice(void **state)
{
	struct fixture *f = *state;
	struct worker *w = f->workers[0];

	for (int i = 0; i < 5; i++) {
		w->pool.pressure = LIMIT + 1 + (size_t)i;
		worker_weigh(w);
	}
	deliver_all(f);
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(f->workers[i]->paused_by, 1);
		assert_int_equal(stats_get(&f->workers[i]->stats.pauses), 1);
	}
	w->pool.pressure = 0;
	for (int i = 0; i < 5; i++)
		worker_weigh(w);
	deliver_all(f);
	assert_int_equal(paused(f), 0);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(f->workers[i]->paused_by, 0);
}

static void
all_go_on_only_when_the_last_one_is_relieved(void **state)
{
	struct fixture *f = *state;

	f->workers[0]->pool.pressure = f->workers[2]->pool.pressure = LIMIT + 1;
	worker_weigh(f->workers[0]);
	worker_weigh(f->workers[2]);
	deliver_all(f);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(f->workers[i]->paused_by, 2);
	f->workers[0]->pool.pressure = 0;
	worker_weigh(f->workers[0]);
	deliver_all(f);
	assert_int_equal(paused(f), 7);
	f->workers[2]->pool.pressure = 0;
	worker_weigh(f->workers[2]);
	deliver_all(f);
	assert_int_equal(paused(f), 0);
	/* One stop each, however many brought it about. */
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(stats_get(&f->workers[i]->stats.pauses), 1);
}

/* Appends lines, as if at that time, until the worker is over its limit. */
static void
fill(struct fixture *f, struct worker *w, struct app_log *log, int64_t now_ms)
{
	size_t size = 1000, n = chunk_count_size(size) + size;

	for (size_t i = 0; i <= LIMIT / n; i++) {
		char *dst;

		assert_int_equal(paused(f), 0);
		dst = app_log_reserve(log, n, now_ms);
		memset(dst + chunk_count_write(dst, size), 'x', size);
		app_log_commit(log, n);
		worker_weigh(w);
	}
	deliver_all(f);
}

static void
lines_that_no_drain_took_are_what_weighs(void **state)
{
	struct fixture *f = *state;
	struct worker *w = f->workers[0];
	struct app_home *h = fixture_app(w, "web", 1);
	struct drain *d = fixture_drain(w, h->log, 1, "10001");

	app_home_add(h, d);
	fill(f, w, h->log, clock_mono_ms());
	assert_int_equal(paused(f), 7);
	app_home_take(h, d);
	drain_remove(d);
	worker_weigh(w);
	deliver_all(f);
	assert_int_equal(paused(f), 0);
}

/* Its lines are kept, but they hold up the rest no longer. */
static void
a_drain_that_took_nothing_for_long_is_no_reason_to_stop(void **state)
{
	struct fixture *f = *state;
	struct worker *w = f->workers[0];
	struct app_home *h = fixture_app(w, "web", 1);
	int64_t long_ago = clock_mono_ms() - 5000;
	struct drain_status status;

	app_home_add(h, fixture_drain(w, h->log, 1, "10001"));
	TAILQ_FIRST(&h->log->cursors)->caught_up_ms = long_ago;
	fill(f, w, h->log, long_ago);
	assert_int_equal(paused(f), 7);
	worker_relieve(w);
	deliver_all(f);
	assert_int_equal(paused(f), 0);
	assert_int_equal(w->pool.pressure, 0);
	assert_true(w->pool.lagging > LIMIT);
	drain_status(h->drains[0], &status);
	assert_int_equal(status.lines_dropped_memory, 0);
	assert_true(status.bytes_waiting > LIMIT);
}

static void
a_drain_that_waits_since_just_now_still_stops_all(void **state)
{
	struct fixture *f = *state;
	struct worker *w = f->workers[0];
	struct app_home *h = fixture_app(w, "web", 1);

	app_home_add(h, fixture_drain(w, h->log, 1, "10001"));
	fill(f, w, h->log, clock_mono_ms());
	worker_relieve(w);
	deliver_all(f);
	assert_int_equal(paused(f), 7);
}

static void
a_full_mailbox_stops_only_who_fills_it(void **state)
{
	struct fixture *f = *state;

	cross(f, 0, 1, LIMIT / 2);
	assert_int_equal(paused(f), 0);
	cross(f, 0, 1, LIMIT / 2);
	assert_int_equal(paused(f), 1);
	assert_int_equal(atomic_load(&f->workers[1]->post.asking), 1);

	/* Taken in, and told so. */
	mailbox_turn(f->workers[1]->mailbox);
	assert_int_equal(atomic_load(&f->workers[1]->post.waiting), 0);
	assert_int_equal(paused(f), 1);
	worker_weigh(f->workers[1]);
	deliver_all(f);
	assert_int_equal(paused(f), 0);
	assert_int_equal(f->workers[0]->asked, 0);
	assert_int_equal(atomic_load(&f->workers[1]->post.asking), 0);
	assert_int_equal(stats_get(&f->workers[1]->stats.lines_no_drain), 2);
}

/* What was read before the pause still comes: it must not be counted as a second pause. */
static void
one_full_mailbox_stops_a_worker_once(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < 10; i++)
		cross(f, 0, 1, LIMIT + 1);
	assert_int_equal(f->workers[0]->paused_by, 1);
	deliver_all(f);
	worker_weigh(f->workers[1]);
	worker_weigh(f->workers[1]);
	deliver_all(f);
	assert_int_equal(f->workers[0]->paused_by, 0);

	/* And a second time, like the first. */
	cross(f, 0, 1, LIMIT + 1);
	assert_int_equal(paused(f), 1);
	deliver_all(f);
	worker_weigh(f->workers[1]);
	deliver_all(f);
	assert_int_equal(paused(f), 0);
	assert_int_equal(stats_get(&f->workers[0]->stats.pauses), 2);
}

static void
each_full_mailbox_is_waited_for(void **state)
{
	struct fixture *f = *state;

	cross(f, 0, 1, LIMIT + 1);
	cross(f, 0, 2, LIMIT + 1);
	cross(f, 2, 1, LIMIT + 1);
	assert_int_equal(f->workers[0]->paused_by, 2);
	assert_int_equal(paused(f), 1 | 4);
	assert_int_equal(atomic_load(&f->workers[1]->post.asking), 1 | 4);

	mailbox_turn(f->workers[1]->mailbox);
	worker_weigh(f->workers[1]);
	mailbox_turn(f->workers[0]->mailbox);
	assert_int_equal(f->workers[0]->paused_by, 1);
	deliver_all(f);
	assert_int_equal(paused(f), 1);
	worker_weigh(f->workers[2]);
	deliver_all(f);
	assert_int_equal(paused(f), 0);
}

static void
two_workers_that_fill_each_other_both_go_on(void **state)
{
	struct fixture *f = *state;

	cross(f, 0, 1, LIMIT + 1);
	cross(f, 1, 0, LIMIT + 1);
	assert_int_equal(paused(f), 3);
	deliver_all(f);
	worker_weigh(f->workers[0]);
	worker_weigh(f->workers[1]);
	deliver_all(f);
	assert_int_equal(paused(f), 0);
}

static void
memory_and_a_full_mailbox_may_stop_the_same_worker(void **state)
{
	struct fixture *f = *state;

	cross(f, 0, 1, LIMIT + 1);
	f->workers[1]->pool.pressure = LIMIT + 1;
	worker_weigh(f->workers[1]);
	deliver_all(f);
	assert_int_equal(paused(f), 7);
	worker_weigh(f->workers[1]);
	deliver_all(f);
	assert_int_equal(f->workers[0]->paused_by, 1);
	assert_int_equal(f->workers[0]->asked, 0);
	f->workers[1]->pool.pressure = 0;
	worker_weigh(f->workers[1]);
	deliver_all(f);
	assert_int_equal(paused(f), 0);
}

/* The bound of a mailbox is by what is still there, not by what ever went through. */
static void
a_mailbox_that_is_emptied_in_time_stops_nobody(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < 100; i++) {
		cross(f, 0, 1, LIMIT / 2);
		mailbox_turn(f->workers[1]->mailbox);
		worker_weigh(f->workers[1]);
	}
	assert_int_equal(paused(f), 0);
	assert_int_equal(stats_get(&f->workers[0]->stats.pauses), 0);
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
	    T(a_worker_over_its_memory_stops_all_and_lets_them_go_on),
	    T(weighing_again_says_nothing_twice),
	    T(all_go_on_only_when_the_last_one_is_relieved),
	    T(lines_that_no_drain_took_are_what_weighs),
	    T(a_drain_that_took_nothing_for_long_is_no_reason_to_stop),
	    T(a_drain_that_waits_since_just_now_still_stops_all),
	    T(a_full_mailbox_stops_only_who_fills_it),
	    T(one_full_mailbox_stops_a_worker_once),
	    T(each_full_mailbox_is_waited_for),
	    T(two_workers_that_fill_each_other_both_go_on),
	    T(memory_and_a_full_mailbox_may_stop_the_same_worker),
	    T(a_mailbox_that_is_emptied_in_time_stops_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
