/*
 * When lines go out: the turns are the test's, and so is how long lines have
 * gathered.  The drains' receivers are away.
 */
#include "whole/worker_fixture.h"

#include "base/clock.h"

/* AGED is more than LINGER, and well less than a busy worker gathers. */
enum { LINGER_MS = 100, AGED_MS = 120, ENOUGH_TURNS = 8, LINE_BYTES = 1000 };

struct flushing {
	struct fixture *f;
	struct worker *w;
	struct app_log *log;
};

static struct flushing
set_up_with(int64_t linger)
{
	struct flushing t = {.f = fixture_prepare(1)};
	struct app_home *home;

	t.f->config.linger = linger;
	fixture_make_workers(t.f);
	t.w = t.f->workers[0];
	home = fixture_app(t.w, "app", 1);
	t.log = home->log;
	app_home_add(home, fixture_drain(t.w, t.log, 1, "10001"));
	return t;
}

static void
append(struct flushing *t, unsigned lines)
{
	size_t n = chunk_count_size(LINE_BYTES) + LINE_BYTES;

	for (; lines > 0; lines--) {
		char *dst = app_log_reserve(t->log, n, clock_mono_ms());

		memset(dst + chunk_count_write(dst, LINE_BYTES), 'x', LINE_BYTES);
		app_log_commit(t->log, n);
	}
	worker_touch(t->log, t->w);
}

static void
turn(struct flushing *t, bool more)
{
	t->w->intake.more = more;
	worker_flush_turn(t->w);
}

static bool
all_out(const struct flushing *t)
{
	return t->log->flushed_bytes == t->log->end_bytes;
}

/* Lines that came right after others, which went out as the log was quiet. */
static void
gather_some(struct flushing *t, bool more)
{
	append(t, 1);
	turn(t, more);
	assert_true(all_out(t));
	append(t, 1);
	turn(t, more);
	assert_false(all_out(t));
}

static void
make_busy(struct flushing *t)
{
	for (int i = 0; i < ENOUGH_TURNS; i++)
		turn(t, true);
}

static void
a_quiet_log_goes_out_at_once_and_a_busy_one_after_linger(void **state)
{
	struct flushing t = set_up_with(LINGER_MS);

	(void)state;
	gather_some(&t, false);
	t.log->due_since_ms -= AGED_MS;
	turn(&t, false);
	assert_true(all_out(&t));
	fixture_free(t.f);
}

static void
plenty_goes_out_at_once(void **state)
{
	struct flushing t = set_up_with(LINGER_MS);

	(void)state;
	make_busy(&t);
	gather_some(&t, true);
	append(&t, CHUNK_FULL_BYTES / LINE_BYTES + 1);
	turn(&t, true);
	assert_true(all_out(&t));
	assert_false(t.log->due);
	fixture_free(t.f);
}

static void
a_busy_worker_gathers_for_longer(void **state)
{
	struct flushing t = set_up_with(LINGER_MS);

	(void)state;
	make_busy(&t);
	gather_some(&t, true);
	t.log->due_since_ms -= AGED_MS;
	turn(&t, true);
	assert_false(all_out(&t));
	/* One turn that reads all there is does not end it. */
	turn(&t, false);
	assert_false(all_out(&t));
	t.log->due_since_ms -= AGED_MS;
	turn(&t, true);
	assert_true(all_out(&t));
	fixture_free(t.f);
}

static void
a_burst_does_not_make_a_worker_busy(void **state)
{
	struct flushing t = set_up_with(LINGER_MS);

	(void)state;
	turn(&t, true);
	gather_some(&t, true);
	t.log->due_since_ms -= AGED_MS;
	turn(&t, false);
	assert_true(all_out(&t));
	fixture_free(t.f);
}

static void
what_gathers_goes_out_soon_after_the_rush(void **state)
{
	struct flushing t = set_up_with(LINGER_MS);

	(void)state;
	for (int i = 0; i < 1000; i++)
		turn(&t, true);
	gather_some(&t, true);
	t.log->due_since_ms -= AGED_MS;
	for (int i = 0; i < ENOUGH_TURNS; i++) {
		turn(&t, false);
		/* The wait for events ends by itself. */
		assert_true(all_out(&t) || evtimer_pending(t.w->flush.due_timer, NULL));
	}
	assert_true(all_out(&t));
	fixture_free(t.f);
}

static void
memory_bounds_what_a_busy_worker_gathers(void **state)
{
	struct flushing t = set_up_with(LINGER_MS);

	(void)state;
	make_busy(&t);
	gather_some(&t, true);
	/* Of other logs. */
	t.w->pool.pressure += (size_t)t.f->config.worker_memory;
	turn(&t, true);
	assert_false(all_out(&t));
	t.log->due_since_ms -= AGED_MS;
	turn(&t, true);
	assert_true(all_out(&t));
	t.w->pool.pressure -= (size_t)t.f->config.worker_memory;
	fixture_free(t.f);
}

static void
without_linger_nothing_gathers(void **state)
{
	struct flushing t = set_up_with(0);

	(void)state;
	make_busy(&t);
	for (int i = 0; i < 3; i++) {
		append(&t, 1);
		turn(&t, true);
		assert_true(all_out(&t));
	}
	fixture_free(t.f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_quiet_log_goes_out_at_once_and_a_busy_one_after_linger),
	    cmocka_unit_test(plenty_goes_out_at_once),
	    cmocka_unit_test(a_busy_worker_gathers_for_longer),
	    cmocka_unit_test(a_burst_does_not_make_a_worker_busy),
	    cmocka_unit_test(what_gathers_goes_out_soon_after_the_rush),
	    cmocka_unit_test(memory_bounds_what_a_busy_worker_gathers),
	    cmocka_unit_test(without_linger_nothing_gathers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
