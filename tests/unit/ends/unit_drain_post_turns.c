/*
 * When a drain over HTTP begins a batch, how large it is, and what it leaves to
 * other drains.
 */
#include "drain_post_fixture.h"

static void
one_turn_of_the_loop_encodes_so_much_and_no_more(void **state)
{
	struct fixture *f = *state;

	add_drain(f, "json", "32");
	append_many(f, 0, 14000);
	flush(f);
	assert_in_range(ncalls, 1, 6);
	/* It had its part, and lines up behind those who had none. */
	assert_int_equal(f->more, 0);
	assert_true(event_pending(f->d->timer, EV_TIMEOUT, NULL));
	event_base_loop(f->env.base, EVLOOP_NONBLOCK);
	assert_int_equal(f->more, 1);
}

static void
a_drain_that_had_nothing_of_a_turn_is_first_in_the_next(void **state)
{
	struct fixture *f = *state;
	struct app_log *busy = f->log, *other = app_log_new(&f->pool, 2, "other");
	struct drain *greedy;

	add_drain(f, "json", "32");
	greedy = f->d;
	append_many(f, 0, 14000);
	f->log = other;
	add_drain(f, "json", "1");
	append_many(f, 0, 10);
	f->env.encoded = 0;
	greedy->cursor.flush(&greedy->cursor);
	f->d->cursor.flush(&f->d->cursor);
	assert_int_equal(f->more, 1);
	assert_ptr_equal(f->last_more, other);
	event_base_loop(f->env.base, EVLOOP_NONBLOCK);
	assert_int_equal(f->more, 2);
	assert_ptr_equal(f->last_more, busy);
	drain_abandon(greedy);
	app_log_free(busy);
}

/* A request costs more than its bytes. */
static void
one_turn_of_the_loop_makes_so_many_requests_and_no_more(void **state)
{
	struct fixture *f = *state;
	struct drain *drains[300];

	for (unsigned i = 0; i < 300; i++) {
		add_drain(f, "line", "1");
		drains[i] = f->d;
	}
	append(f, "one");
	f->env.encoded = 0;
	for (unsigned i = 0; i < 300; i++)
		drains[i]->cursor.flush(&drains[i]->cursor);
	assert_in_range(ncalls, 50, 200);
	assert_int_equal(f->more, 300 - ncalls);
	for (unsigned i = 0; i < 299; i++)
		drain_abandon(drains[i]);
}

/* One of several requests hangs: what is accepted behind it stays in memory. */
static void
one_request_that_hangs_does_not_let_the_others_run_away(void **state)
{
	struct fixture *f = *state;

	add_drain(f, "line", "4");
	for (unsigned i = 0; i < 3000; i++) {
		f->env.encoded = 0;
		append(f, "x");
		flush(f);
		while (ncalls > 1) {
			f->env.encoded = 0;
			answer(1, 200, "");
		}
	}
	assert_in_range(posts, 64, 1000);
	/* Nor does it look again all the time. */
	assert_false(event_pending(f->d->timer, EV_TIMEOUT, NULL));
	while (ncalls > 0) {
		f->env.encoded = 0;
		answer(0, 200, "");
	}
	assert_int_equal(status(f).lines_delivered, 3000);
}

static void
batches_are_small_when_many_drains_wait_for_answers(void **state)
{
	struct fixture *f = *state;

	add_drain(f, "json", "1");
	append_many(f, 0, 3000);
	f->env.posting = 2000;
	f->env.owing = 2000;
	flush(f);
	f->env.posting -= 2000;
	f->env.owing -= 2000;
	assert_in_range(documents(calls[0]->body), 100, 16 * 1024 / 50);
}

/* Receivers that refuse all they get: each holds a batch, and none a request. */
static void
an_unknown_receiver_gets_a_small_batch_when_many_hold_one(void **state)
{
	struct fixture *f = *state;

	add_drain(f, "json", "1");
	append_many(f, 0, 3000);
	f->env.owing = 2000;
	flush(f);
	assert_in_range(documents(calls[0]->body), 100, 16 * 1024 / 50);
	answer(0, 200, "");
	f->env.owing -= 2000;
	assert_int_equal(documents(calls[0]->body), 1000);
}

static void
a_long_wait_on_a_busy_loop_does_not_forget_the_batch(void **state)
{
	struct fixture *f = *state;

	add_drain(f, "json", "1");
	append_many(f, 0, 5);
	flush(f);
	answer_retry_after(0, 429, "", 3600 * 1000);
	/* An hour later, in a turn that others have used up. */
	f->d->used_ms -= 3600 * 1000;
	f->env.encoded = 16 << 20;
	drain_on_timer(-1, 0, f->d);
	assert_int_equal(ncalls, 0);
	assert_int_equal(f->more, 1);
	flush(f);
	assert_int_equal(ncalls, 1);
}

static void
no_batch_waits_for_company_when_memory_gets_short(void **state)
{
	struct fixture *f = *state;

	f->config.batch_wait = 500;
	add_drain(f, "json", "1");
	append(f, "one");
	flush(f);
	answer(0, 200, "");
	append(f, "two");
	flush(f);
	assert_int_equal(ncalls, 0);
	f->pool.pressure += 5 << 20;
	flush(f);
	assert_int_equal(ncalls, 1);
	f->pool.pressure -= 5 << 20;
}

/* The receiver takes little at a time: what waits makes many batches. */
static void
small_batches_do_not_wait_for_more_than_they_hold(void **state)
{
	struct fixture *f = *state;

	f->config.batch_wait = 500;
	add_drain(f, "json", "1");
	f->d->post->limits.bytes = 5000;
	append_many(f, 0, 500);
	flush(f);
	for (unsigned i = 0; i < 5; i++) {
		assert_int_equal(ncalls, 1);
		assert_true(strlen(calls[0]->body) > 4000);
		f->env.encoded = 0;
		answer(0, 200, "");
	}
}

/* Or the drain counts as lagging for its own waiting, and loses lines. */
static void
a_batch_does_not_wait_until_app_memory_is_full(void **state)
{
	struct fixture *f = *state;

	f->config.batch_wait = 500;
	f->pool.app_memory = 64 * 1024;
	add_drain(f, "json", "1");
	append(f, "one");
	flush(f);
	answer(0, 200, "");
	append_many(f, 0, 700);
	flush(f);
	assert_int_equal(ncalls, 1);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	    TEST(one_turn_of_the_loop_encodes_so_much_and_no_more),
	    TEST(a_drain_that_had_nothing_of_a_turn_is_first_in_the_next),
	    TEST(one_turn_of_the_loop_makes_so_many_requests_and_no_more),
	    TEST(one_request_that_hangs_does_not_let_the_others_run_away),
	    TEST(batches_are_small_when_many_drains_wait_for_answers),
	    TEST(an_unknown_receiver_gets_a_small_batch_when_many_hold_one),
	    TEST(a_long_wait_on_a_busy_loop_does_not_forget_the_batch),
	    TEST(no_batch_waits_for_company_when_memory_gets_short),
	    TEST(small_batches_do_not_wait_for_more_than_they_hold),
	    TEST(a_batch_does_not_wait_until_app_memory_is_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
