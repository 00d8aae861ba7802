/* An app's log and its drains at the home worker, which does not run here. */
#include "whole/worker_fixture.h"

#include "log/cursor.h"

static int
setup(void **state)
{
	*state = fixture_new(1);
	return 0;
}

static int
teardown(void **state)
{
	fixture_free(*state);
	return 0;
}

static struct drain *
add(struct fixture *f, struct app_home *h, uint64_t id, const char *port)
{
	struct drain *d = fixture_drain(f->workers[0], h->log, id, port);

	app_home_add(h, d);
	return d;
}

static void
append(struct app_home *h, size_t size)
{
	size_t n = chunk_count_size(size) + size;
	char *dst = app_log_reserve(h->log, n, 0);

	dst += chunk_count_write(dst, size);
	memset(dst, 'x', size);
	app_log_commit(h->log, n);
}

static void
drains_are_kept_in_order_and_found_by_url(void **state)
{
	struct fixture *f = *state;
	struct app_home *h = fixture_app(f->workers[0], "web", 7);
	struct drain *first = add(f, h, 1, "10001"), *second = add(f, h, 2, "10002");

	assert_int_equal(h->n, 2);
	assert_ptr_equal(h->drains[0], first);
	assert_ptr_equal(h->drains[1], second);
	assert_ptr_equal(app_home_find(h, drain_url(first)), first);
	assert_ptr_equal(app_home_find(h, drain_url(second)), second);
	assert_null(app_home_find(h, "syslog://127.0.0.1:10003"));
	assert_null(app_home_find(h, ""));
	assert_int_equal(h->log->app, 7);
	assert_string_equal(h->log->name, "web");
	assert_int_equal(h->log->ncursors, 2);
}

static void
a_drain_taken_off_leaves_the_others_in_order(void **state)
{
	struct fixture *f = *state;
	struct app_home *h = fixture_app(f->workers[0], "web", 7);
	struct drain *d[4];
	static const char *const ports[] = {"10001", "10002", "10003", "10004"};
	static const unsigned order[] = {1, 3, 0, 2};

	for (unsigned i = 0; i < 4; i++)
		d[i] = add(f, h, i + 1, ports[i]);
	for (unsigned k = 0; k < 4; k++) {
		uint64_t last = 0;

		app_home_take(h, d[order[k]]);
		assert_null(app_home_find(h, drain_url(d[order[k]])));
		drain_remove(d[order[k]]);
		assert_int_equal(h->n, 3 - k);
		assert_int_equal(h->log->ncursors, 3 - k);
		for (size_t i = 0; i < h->n; i++) {
			assert_true(drain_id(h->drains[i]) > last);
			last = drain_id(h->drains[i]);
		}
	}
	/* And one may come again. */
	d[0] = add(f, h, 9, "10002");
	assert_ptr_equal(app_home_find(h, drain_url(d[0])), d[0]);
}

static void
a_drain_sees_only_lines_after_it_was_added(void **state)
{
	struct fixture *f = *state;
	struct app_home *h = fixture_app(f->workers[0], "web", 7);
	struct drain *early = add(f, h, 1, "10001"), *late;
	struct drain_status status;

	append(h, 100);
	append(h, 100);
	late = add(f, h, 2, "10002");
	append(h, 100);
	drain_status(early, &status);
	assert_int_equal(status.lines_waiting, 3);
	drain_status(late, &status);
	assert_int_equal(status.lines_waiting, 1);
	assert_int_equal(status.id, 2);
}

static void
removing_an_app_counts_what_waited_for_each_drain(void **state)
{
	struct fixture *f = *state;
	struct worker *w = f->workers[0];
	struct app_home *h = app_home_new(&w->pool, 7, "web");

	add(f, h, 1, "10001");
	append(h, 100);
	add(f, h, 2, "10002");
	append(h, 100);
	assert_true(w->pool.pressure > 0);
	app_home_remove(h);
	assert_int_equal(stats_get(&w->stats.lines_dropped_removed), 3);
	assert_int_equal(stats_get(&w->stats.lines_dropped_stop), 0);
	assert_int_equal(w->pool.pressure, 0);
	assert_int_equal(w->pool.chunk_bytes, 0);
	assert_true(TAILQ_EMPTY(&w->drains.closing));
}

static void
abandoning_an_app_counts_what_it_loses_at_the_stop(void **state)
{
	struct fixture *f = *state;
	struct worker *w = f->workers[0];
	struct app_home *h = app_home_new(&w->pool, 7, "web");

	add(f, h, 1, "10001");
	append(h, 100);
	append(h, 100);
	app_home_abandon(h);
	assert_int_equal(stats_get(&w->stats.lines_dropped_stop), 2);
	assert_int_equal(stats_get(&w->stats.lines_dropped_removed), 0);
	assert_int_equal(w->pool.pressure, 0);
	assert_int_equal(w->pool.chunk_bytes, 0);
}

static void
an_app_without_drains_comes_and_goes(void **state)
{
	struct fixture *f = *state;
	struct app_home *h = app_home_new(&f->workers[0]->pool, 7, "web");

	assert_null(app_home_find(h, "syslog://127.0.0.1:10001"));
	app_home_remove(h);
	app_home_abandon(app_home_new(&f->workers[0]->pool, 8, "api"));
}

/* What a worker's end finds is freed and counted; the sanitizers watch. */
static void
the_end_of_a_worker_abandons_its_apps(void **state)
{
	struct fixture *f = *state;
	struct app_home *h = fixture_app(f->workers[0], "web", 7);

	add(f, h, 1, "10001");
	append(h, 100);
	worker_touch(h->log, f->workers[0]);
	worker_end(f->workers[0]);
	assert_int_equal(stats_get(&f->workers[0]->stats.lines_dropped_stop), 1);
}

/* Its drains may still find that all was delivered, and there is nothing to look at later. */
static void
an_app_that_goes_comes_on_no_list_any_more(void **state)
{
	struct fixture *f = *state;
	struct worker *w = f->workers[0];
	struct app_home *h = app_home_new(&w->pool, 7, "web");

	add(f, h, 1, "10001");
	worker_forget_log(w, h->log);
	w->drains.rests(h->log, w->drains.arg);
	w->drains.more(h->log, w->drains.arg);
	assert_true(TAILQ_EMPTY(&w->flush.idle));
	assert_true(TAILQ_EMPTY(&w->flush.touched));
	app_home_remove(h);
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
	    T(drains_are_kept_in_order_and_found_by_url),
	    T(a_drain_taken_off_leaves_the_others_in_order),
	    T(a_drain_sees_only_lines_after_it_was_added),
	    T(removing_an_app_counts_what_waited_for_each_drain),
	    T(an_app_that_goes_comes_on_no_list_any_more),
	    T(abandoning_an_app_counts_what_it_loses_at_the_stop),
	    T(an_app_without_drains_comes_and_goes),
	    T(the_end_of_a_worker_abandons_its_apps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
