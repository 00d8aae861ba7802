/* Logs that are too large or too old are trimmed by their workers, which the spooler asks. */
#include "spooler_test.h"

#include "base/stats.h"

#define BOTH(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

enum { CHUNK = 10000 };

/* Commits, and waits until that is done; what is asked for by it has come before the answer. */
static void
commit(struct fixture *f, struct home *h, struct source *s, int chunks)
{
	struct spool_commit *c = commit_of(h, s, chunks, CHUNK);

	spooler_commit(f->spooler, c);
	home_wait(h, &h->ncommits, h->ncommits + 1);
	assert_int_equal(c->code, SPOOL_OK);
}

static void
start(struct fixture *f)
{
	new_spooler(f);
	assert_true(spooler_run(f->spooler));
}

static void
an_app_over_its_cap_is_trimmed_to_a_little_less(void **state)
{
	struct fixture *f = *state;
	struct home *h = &f->home;
	struct source a = source_of(1);

	f->options.app_cap = 10 * CHUNK;
	start(f);
	commit(f, h, &a, 10);
	assert_int_equal(h->ntrims, 0);
	commit(f, h, &a, 1);
	assert_int_equal(h->ntrims, 1);
	assert_int_equal(h->trims[0]->app, 1);
	assert_int_equal(h->trims[0]->reason, SPOOL_TRIM_CAP);
	/* 9 chunks are less than 15 sixteenths of the cap. */
	assert_int_equal(h->trims[0]->to.bytes, a.end.bytes - 9 * CHUNK);
	assert_int_equal(h->trims[0]->to.seq, a.end.seq - 9 * 10);
	assert_int_equal(h->trims[0]->to.lines, a.end.lines - 9 * 10);
}

static void
a_worker_is_asked_once_until_it_has_trimmed(void **state)
{
	struct fixture *f = *state;
	struct home *h = &f->home;
	struct source a = source_of(1);

	f->options.app_cap = 10 * CHUNK;
	start(f);
	commit(f, h, &a, 20);
	assert_int_equal(h->ntrims, 1);
	for (int i = 0; i < 5; i++)
		commit(f, h, &a, 2);
	assert_int_equal(h->ntrims, 1);
	a.head = h->trims[0]->to;
	commit(f, h, &a, 1);
	assert_int_equal(h->ntrims, 2);
	assert_int_equal(h->trims[1]->to.bytes, a.end.bytes - 9 * CHUNK);
	a.head = h->trims[1]->to;
	commit(f, h, &a, 1);
	assert_int_equal(h->ntrims, 2);
}

static void
a_worker_that_does_not_trim_is_asked_again(void **state)
{
	struct fixture *f = *state;
	struct home *h = &f->home;
	struct source a = source_of(1);

	f->options.app_cap = 10 * CHUNK;
	start(f);
	commit(f, h, &a, 20);
	home_wait(h, &h->ntrims, 2);
	assert_int_equal(h->trims[1]->to.bytes, h->trims[0]->to.bytes);
}

static void
each_worker_is_asked_for_its_own_apps(void **state)
{
	struct fixture *f = *state;
	struct home other;
	struct source a = source_of(1), b = source_of(2), c = source_of(3);

	home_open(&other);
	f->options.app_cap = 10 * CHUNK;
	start(f);
	commit(f, &f->home, &a, 12);
	commit(f, &other, &b, 12);
	commit(f, &other, &c, 2);
	assert_int_equal(f->home.ntrims, 1);
	assert_int_equal(f->home.trims[0]->app, 1);
	assert_int_equal(other.ntrims, 1);
	assert_int_equal(other.trims[0]->app, 2);
	end_spooler(f);
	home_close(&other);
}

static void
above_85_percent_the_greediest_log_is_cut_by_an_eighth(void **state)
{
	struct fixture *f = *state;
	struct home *h = &f->home;
	struct source small = source_of(0), a = source_of(100);

	f->options.size = 100 * CHUNK;
	start(f);
	for (int i = 0; i < 11; i++) {
		small = source_of((uint64_t)i + 1);
		commit(f, h, &small, 4);
	}
	commit(f, h, &a, 41);
	assert_int_equal(h->ntrims, 0);
	commit(f, h, &a, 4);
	assert_int_equal(h->ntrims, 1);
	assert_int_equal(h->trims[0]->app, 100);
	assert_int_equal(h->trims[0]->reason, SPOOL_TRIM_SIZE);
	/* 39 chunks are seven eighths of 45. */
	assert_int_equal(h->trims[0]->to.bytes, a.head.bytes + 6 * CHUNK);
	a.head = h->trims[0]->to;
	commit(f, h, &a, 1);
	assert_int_equal(h->ntrims, 1);
}

static void
small_logs_are_not_cut_for_a_large_one(void **state)
{
	struct fixture *f = *state;
	struct home *h = &f->home;
	struct source a = source_of(100);

	f->options.size = 100 * CHUNK;
	start(f);
	for (uint64_t app = 1; app <= 11; app++) {
		struct source small = source_of(app);

		commit(f, h, &small, 4);
	}
	/* 104, where 85 are fine; an eighth of 60 is not all of that. */
	commit(f, h, &a, 60);
	assert_int_equal(h->ntrims, 1);
	assert_int_equal(h->trims[0]->app, 100);
	a.head = h->trims[0]->to;
	commit(f, h, &a, 0);
	commit(f, h, &a, 1);
	assert_int_equal(h->ntrims, 2);
	assert_int_equal(h->trims[1]->app, 100);
}

static void
of_logs_that_are_equally_large_as_many_are_cut_as_it_takes(void **state)
{
	struct fixture *f = *state;
	struct home *h = &f->home;
	struct spool_commit *c = spool_commit_new(h->box, on_commit_answer);
	uint64_t cut = 0;
	bool seen[33] = {false};

	f->options.size = 400 * CHUNK;
	start(f);
	/* 32 times 11: 352, where 340 are fine; each is cut by 2. */
	for (uint64_t app = 1; app <= 32; app++) {
		struct source s = source_of(app);

		spool_commit_part(c, app, &s.head);
		for (int i = 0; i < 11; i++)
			add_chunk(c, &s, CHUNK);
	}
	spooler_commit(f->spooler, c);
	home_wait(h, &h->ncommits, 1);
	assert_int_equal(h->ntrims, 6);
	for (size_t i = 0; i < h->ntrims; i++) {
		assert_false(seen[h->trims[i]->app]);
		seen[h->trims[i]->app] = true;
		cut += h->trims[i]->to.bytes - SPOOL_ORIGIN;
	}
	assert_int_equal(cut, 12 * CHUNK);
}

static void
lines_that_are_too_old_are_trimmed(void **state)
{
	struct fixture *f = *state;
	struct home *h = &f->home;
	struct source a = source_of(1), b = source_of(2);
	struct spool_commit *c = spool_commit_new(h->box, on_commit_answer);
	int64_t now_us = clock_age_us();

	f->options.age_us = INT64_C(3600) * 1000000;
	start(f);
	spool_commit_part(c, 1, &a.head);
	for (int i = 0; i < 5; i++)
		add_chunk_of_time(c, &a, CHUNK, now_us - INT64_C(7200) * 1000000);
	for (int i = 0; i < 5; i++)
		add_chunk_of_time(c, &a, CHUNK, now_us);
	spool_commit_part(c, 2, &b.head);
	add_chunk_of_time(c, &b, CHUNK, now_us - INT64_C(1800) * 1000000);
	spooler_commit(f->spooler, c);
	home_wait(h, &h->ntrims, 1);
	assert_int_equal(h->trims[0]->app, 1);
	assert_int_equal(h->trims[0]->reason, SPOOL_TRIM_AGE);
	assert_int_equal(h->trims[0]->to.bytes, SPOOL_ORIGIN + 5 * CHUNK);
}

static void
what_an_earlier_run_left_is_trimmed_too(void **state)
{
	struct fixture *f = *state;
	struct home *h = &f->home;
	struct source a = source_of(1);

	start(f);
	commit(f, h, &a, 20);
	end_spooler(f);
	spool_close(f->spool);
	assert_int_equal(h->ntrims, 0);
	f->options.app_cap = 10 * CHUNK;
	new_spooler(f);
	spooler_know(f->spooler, 1, h->box);
	assert_true(spooler_run(f->spooler));
	home_wait(h, &h->ntrims, 1);
	assert_int_equal(h->trims[0]->to.bytes, a.end.bytes - 9 * CHUNK);
}

static void
an_app_that_was_dropped_is_no_more_asked_for(void **state)
{
	struct fixture *f = *state;
	struct home *h = &f->home;
	struct source a = source_of(1), b = source_of(2);

	f->options.size = 20 * CHUNK;
	start(f);
	commit(f, h, &a, 20);
	assert_int_equal(h->ntrims, 1);
	spooler_drop(f->spooler, 1);
	/* What was asked of the first does not count for the second. */
	commit(f, h, &b, 18);
	assert_int_equal(h->ntrims, 2);
	assert_int_equal(h->trims[1]->app, 2);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    BOTH(an_app_over_its_cap_is_trimmed_to_a_little_less),
	    BOTH(a_worker_is_asked_once_until_it_has_trimmed),
	    BOTH(a_worker_that_does_not_trim_is_asked_again),
	    BOTH(each_worker_is_asked_for_its_own_apps),
	    BOTH(above_85_percent_the_greediest_log_is_cut_by_an_eighth),
	    BOTH(small_logs_are_not_cut_for_a_large_one),
	    BOTH(of_logs_that_are_equally_large_as_many_are_cut_as_it_takes),
	    BOTH(lines_that_are_too_old_are_trimmed),
	    BOTH(what_an_earlier_run_left_is_trimmed_too),
	    BOTH(an_app_that_was_dropped_is_no_more_asked_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
