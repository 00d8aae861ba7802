/* What is committed is on disk and can be fetched, in order, and many commits make one transaction.
 */
#include "spooler_test.h"

#include <unistd.h>

#include "base/stats.h"

#define BOTH(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static const struct spooler_stats *
stats(const struct fixture *f)
{
	return spooler_stats(f->spooler);
}

static void
run(struct fixture *f)
{
	assert_true(spooler_run(f->spooler));
}

static void
a_commit_holds_what_was_added(void **state)
{
	struct fixture *f = *state;
	struct source a = source_of(1), b = source_of(2);
	struct spool_commit *c = spool_commit_new(f->home.box, on_commit_answer);

	for (int i = 0; i < 3; i++) {
		spool_commit_part(c, a.app, &a.head);
		for (int k = 0; k <= i; k++)
			add_chunk(c, &a, 100);
		spool_commit_mark(c, 5, &a.head);
		spool_commit_mark(c, 6, &a.end);
	}
	spool_commit_part(c, b.app, &b.head);
	assert_int_equal(c->nparts, 4);
	assert_int_equal(c->nchunks, 6);
	assert_int_equal(c->nmarks, 6);
	assert_int_equal(c->data.n, 600);
	assert_int_equal(c->parts[2].chunk, 3);
	assert_int_equal(c->parts[2].nchunks, 3);
	assert_int_equal(c->parts[2].mark, 4);
	assert_int_equal(c->parts[2].nmarks, 2);
	assert_int_equal(c->parts[3].chunk, 6);
	assert_int_equal(c->parts[3].nchunks, 0);
	assert_int_equal(c->parts[3].nmarks, 0);
	assert_int_equal(c->chunks[5].at.seq, (UINT64_C(1) << 40) + 50);
	assert_int_equal(c->marks[5].drain, 6);
	assert_int_equal(c->marks[5].at.bytes, SPOOL_ORIGIN + 600);
	spool_commit_free(c);
}

static void
what_was_committed_can_be_fetched(void **state)
{
	struct fixture *f = *state;
	struct source a = source_of(7);
	struct spool_commit *c;
	const struct spool_fetch *got;

	new_spooler(f);
	run(f);
	c = commit_of(&f->home, &a, 5, 4000);
	spooler_commit(f->spooler, c);
	home_wait(&f->home, &f->home.ncommits, 1);
	assert_ptr_equal(f->home.commits[0], c);
	assert_int_equal(c->code, SPOOL_OK);

	/* From within a chunk: that one, whole, and what follows. */
	spooler_fetch(f->spooler, fetch_of(&f->home, 7, a.head.seq + 15, 1 << 20));
	home_wait(&f->home, &f->home.nfetches, 1);
	got = f->home.fetches[0];
	assert_int_equal(got->code, SPOOL_OK);
	assert_int_equal(got->n, 4);
	for (size_t i = 0; i < got->n; i++) {
		assert_int_equal(got->chunks[i].at.seq, a.head.seq + 10 * (i + 1));
		assert_int_equal(got->chunks[i].size, 4000);
		check_chunk(&got->chunks[i], 7);
	}
	assert_int_equal(stats_get(&stats(f)->chunks_in), 5);
	assert_int_equal(stats_get(&stats(f)->bytes_in), 20000);
	assert_int_equal(stats_get(&stats(f)->chunks_out), 4);
	assert_int_equal(stats_get(&stats(f)->bytes_out), 16000);
	assert_int_equal(stats_get(&stats(f)->bytes), 20000);
	assert_int_equal(stats_get(&stats(f)->commits), 1);
	assert_int_equal(stats_get(&stats(f)->failures), 0);
	assert_true(stats_get(&stats(f)->commit_us) > 0);
}

static void
parts_of_a_commit_are_kept_apart(void **state)
{
	struct fixture *f = *state;
	struct source s[3] = {source_of(1), source_of(2), source_of(3)};
	struct spool_commit *c = spool_commit_new(f->home.box, on_commit_answer);
	struct spool_place at;

	for (uint64_t i = 0; i < 3; i++) {
		spool_commit_part(c, s[i].app, &s[i].head);
		for (uint64_t k = 0; k <= i; k++) {
			spool_commit_mark(c, 10 * i + k, &s[i].end);
			add_chunk(c, &s[i], 1000);
		}
	}
	new_spooler(f);
	spooler_commit(f->spooler, c);
	end_spooler(f);
	assert_int_equal(c->code, SPOOL_OK);
	for (uint64_t i = 0; i < 3; i++) {
		for (uint64_t k = 0; k <= i; k++) {
			assert_int_equal(spool_mark_of(f->spool, i + 1, 10 * i + k, &at), SPOOL_OK);
			assert_int_equal(at.bytes, SPOOL_ORIGIN + k * 1000);
		}
		assert_int_equal(spool_mark_of(f->spool, i + 1, 10 * i + i + 1, &at), SPOOL_NONE);
		assert_memory_equal(&spool_log_of(f->spool, i + 1)->end, &s[i].end, sizeof(at));
	}
}

static void
a_fetch_is_as_large_as_asked_for(void **state)
{
	struct fixture *f = *state;
	struct source a = source_of(7);

	new_spooler(f);
	spooler_commit(f->spooler, commit_of(&f->home, &a, 100, 1000));
	run(f);
	home_wait(&f->home, &f->home.ncommits, 1);
	spooler_fetch(f->spooler, fetch_of(&f->home, 7, a.head.seq, 1));
	spooler_fetch(f->spooler, fetch_of(&f->home, 7, a.head.seq, 4500));
	spooler_fetch(f->spooler, fetch_of(&f->home, 7, a.head.seq, 1 << 20));
	home_wait(&f->home, &f->home.nfetches, 3);
	assert_int_equal(f->home.fetches[0]->n, 1);
	assert_in_range(f->home.fetches[1]->n, 4, 5);
	assert_int_equal(f->home.fetches[2]->n, SPOOL_FETCH_CHUNKS);
	check_chunk(&f->home.fetches[2]->chunks[SPOOL_FETCH_CHUNKS - 1], 7);
}

static void
there_is_nothing_behind_the_end_nor_of_an_unknown_app(void **state)
{
	struct fixture *f = *state;
	struct source a = source_of(7);

	new_spooler(f);
	spooler_commit(f->spooler, commit_of(&f->home, &a, 1, 1000));
	run(f);
	home_wait(&f->home, &f->home.ncommits, 1);
	spooler_fetch(f->spooler, fetch_of(&f->home, 7, a.end.seq, 1000));
	spooler_fetch(f->spooler, fetch_of(&f->home, 8, 0, 1000));
	home_wait(&f->home, &f->home.nfetches, 2);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(f->home.fetches[i]->code, SPOOL_NONE);
		assert_int_equal(f->home.fetches[i]->n, 0);
	}
}

static void
commits_that_wait_together_are_one_transaction(void **state)
{
	struct fixture *f = *state;
	struct spool_commit *asked[50];

	new_spooler(f);
	for (uint64_t i = 0; i < 50; i++) {
		struct source s = source_of(i + 1);

		asked[i] = commit_of(&f->home, &s, 2, 3000);
		spooler_commit(f->spooler, asked[i]);
	}
	run(f);
	home_wait(&f->home, &f->home.ncommits, 50);
	assert_int_equal(stats_get(&stats(f)->commits), 1);
	assert_int_equal(stats_get(&stats(f)->chunks_in), 100);
	for (int i = 0; i < 50; i++) {
		assert_ptr_equal(f->home.commits[i], asked[i]);
		assert_int_equal(asked[i]->code, SPOOL_OK);
	}
}

static void
a_transaction_is_not_larger_than_it_may_be(void **state)
{
	struct fixture *f = *state;
	struct source a = source_of(1);

	new_spooler(f);
	/* 3 + 3 MB, 3 + 3 MB, and one that is too large for any. */
	for (int i = 0; i < 4; i++)
		spooler_commit(f->spooler, commit_of(&f->home, &a, 48, 65000));
	spooler_commit(f->spooler, commit_of(&f->home, &a, 150, 65000));
	run(f);
	home_wait(&f->home, &f->home.ncommits, 5);
	assert_int_equal(stats_get(&stats(f)->commits), 3);
	assert_int_equal(stats_get(&stats(f)->failures), 0);
	for (int i = 0; i < 5; i++)
		assert_int_equal(f->home.commits[i]->code, SPOOL_OK);
}

static void
an_apps_commits_are_applied_in_the_order_they_came(void **state)
{
	struct fixture *f = *state;
	struct source a = source_of(3);
	struct spool_place at;

	new_spooler(f);
	for (int i = 0; i < 20; i++) {
		spooler_commit(f->spooler, commit_of(&f->home, &a, 1, 500));
		a.head = a.end;
		/* One with the mark only. */
		spooler_commit(f->spooler, commit_of(&f->home, &a, 0, 0));
	}
	run(f);
	home_wait(&f->home, &f->home.ncommits, 40);
	end_spooler(f);
	for (size_t i = 0; i < 40; i++)
		assert_int_equal(f->home.commits[i]->code, SPOOL_OK);
	assert_int_equal(spool_mark_of(f->spool, 3, 1003, &at), SPOOL_OK);
	assert_memory_equal(&at, &a.end, sizeof(at));
	assert_memory_equal(&spool_log_of(f->spool, 3)->head, &a.end, sizeof(at));
	assert_int_equal(spool_bytes(f->spool), 0);
}

static void
marks_alone_wait_but_not_for_ever_and_hold_up_no_fetch(void **state)
{
	struct fixture *f = *state;
	struct source a = source_of(3);
	struct spool_place at;

	new_spooler(f);
	spooler_commit(f->spooler, commit_of(&f->home, &a, 0, 0));
	spooler_fetch(f->spooler, fetch_of(&f->home, 3, 0, 1000));
	run(f);
	home_wait(&f->home, &f->home.n, 2);
	assert_ptr_equal(f->home.order[0], &f->home.fetches[0]->mail);
	/* Nothing comes that would take these along. */
	for (int i = 0; i < 10; i++)
		spooler_commit(f->spooler, commit_of(&f->home, &a, 0, 0));
	home_wait(&f->home, &f->home.ncommits, 11);
	assert_in_range(stats_get(&stats(f)->commits), 2, 5);
	end_spooler(f);
	assert_int_equal(spool_mark_of(f->spool, 3, 1003, &at), SPOOL_OK);
}

static void
a_dropped_app_is_gone(void **state)
{
	struct fixture *f = *state;
	struct source a = source_of(3), b = source_of(4);
	struct spool_place at;

	new_spooler(f);
	spooler_commit(f->spooler, commit_of(&f->home, &a, 10, 5000));
	spooler_commit(f->spooler, commit_of(&f->home, &b, 10, 5000));
	spooler_drop(f->spooler, 3);
	spooler_drop(f->spooler, 99);
	run(f);
	home_wait(&f->home, &f->home.ncommits, 2);
	spooler_fetch(f->spooler, fetch_of(&f->home, 3, 0, 1000));
	spooler_fetch(f->spooler, fetch_of(&f->home, 4, 0, 1000));
	home_wait(&f->home, &f->home.nfetches, 2);
	assert_int_equal(f->home.fetches[0]->code, SPOOL_NONE);
	assert_int_equal(f->home.fetches[1]->code, SPOOL_OK);
	end_spooler(f);
	assert_null(spool_log_of(f->spool, 3));
	assert_int_equal(spool_mark_of(f->spool, 3, 1003, &at), SPOOL_NONE);
	assert_int_equal(spool_bytes(f->spool), 50000);
}

static void
a_drop_needs_no_commit_to_take_it_along(void **state)
{
	struct fixture *f = *state;
	struct source a = source_of(3);
	int64_t since_ms;

	new_spooler(f);
	spooler_commit(f->spooler, commit_of(&f->home, &a, 10, 5000));
	run(f);
	home_wait(&f->home, &f->home.ncommits, 1);
	spooler_drop(f->spooler, 3);
	since_ms = clock_mono_ms();
	while (stats_get(&stats(f)->bytes) != 0 && clock_mono_ms() - since_ms < WAIT_MS)
		usleep(10000);
	assert_int_equal(stats_get(&stats(f)->bytes), 0);
}

static void
what_nobody_needs_is_deleted(void **state)
{
	struct fixture *f = *state;
	struct source a = source_of(3);

	/* Five times the map goes through it. */
	f->map_bytes = 8 << 20;
	new_spooler(f);
	run(f);
	for (int i = 0; i < 40; i++) {
		spooler_commit(f->spooler, commit_of(&f->home, &a, 16, 65000));
		home_wait(&f->home, &f->home.ncommits, 1);
		assert_int_equal(f->home.commits[0]->code, SPOOL_OK);
		home_clear(&f->home);
		a.head = a.end;
	}
	assert_int_equal(stats_get(&stats(f)->failures), 0);
}

static void
stop_does_and_answers_all_that_was_asked(void **state)
{
	struct fixture *f = *state;
	struct source a = source_of(3), b = source_of(4), gone = source_of(5);

	new_spooler(f);
	run(f);
	spooler_commit(f->spooler, commit_of(&f->home, &gone, 1, 1000));
	for (int i = 0; i < 30; i++) {
		spooler_commit(f->spooler, commit_of(&f->home, &a, 3, 65000));
		spooler_fetch(f->spooler, fetch_of(&f->home, 3, a.head.seq, 4 << 20));
		spooler_commit(f->spooler, commit_of(&f->home, &b, 0, 0));
	}
	spooler_drop(f->spooler, 5);
	end_spooler(f);
	assert_int_equal(f->home.ncommits, 61);
	assert_int_equal(f->home.nfetches, 30);
	for (int i = 0; i < 61; i++)
		assert_int_equal(f->home.commits[i]->code, SPOOL_OK);
	assert_int_equal(spool_bytes(f->spool), 30 * 3 * 65000);
	assert_non_null(spool_log_of(f->spool, 4));
	assert_null(spool_log_of(f->spool, 5));
}

static void
one_that_never_ran_answers_too(void **state)
{
	struct fixture *f = *state;
	struct source a = source_of(3);

	new_spooler(f);
	spooler_commit(f->spooler, commit_of(&f->home, &a, 1, 1000));
	end_spooler(f);
	assert_int_equal(f->home.ncommits, 1);
	assert_int_equal(f->home.commits[0]->code, SPOOL_OK);
	assert_int_equal(spool_bytes(f->spool), 1000);
}

/* A start that came to nothing, as another's port was in the way. */
static void
one_that_never_ran_may_be_freed_with_drops(void **state)
{
	struct fixture *f = *state;
	struct source a = source_of(3);

	new_spooler(f);
	spooler_commit(f->spooler, commit_of(&f->home, &a, 1, 1000));
	end_spooler(f);
	spool_close(f->spool);
	new_spooler(f);
	spooler_drop(f->spooler, 3);
	spooler_free(f->spooler);
	f->spooler = NULL;
	open_spool(f);
	assert_non_null(spool_log_of(f->spool, 3));
}

static void
logs_and_marks_are_there_after_a_restart(void **state)
{
	struct fixture *f = *state;
	struct source a = source_of(3);
	struct spool_place at;

	new_spooler(f);
	run(f);
	spooler_commit(f->spooler, commit_of(&f->home, &a, 10, 5000));
	home_wait(&f->home, &f->home.ncommits, 1);
	end_spooler(f);
	spool_close(f->spool);
	new_spooler(f);
	assert_int_equal(stats_get(&stats(f)->bytes), 50000);
	run(f);
	spooler_commit(f->spooler, commit_of(&f->home, &a, 1, 5000));
	spooler_fetch(f->spooler, fetch_of(&f->home, 3, a.head.seq, 1 << 20));
	home_wait(&f->home, &f->home.n, 3);
	assert_int_equal(f->home.commits[1]->code, SPOOL_OK);
	assert_int_equal(f->home.fetches[0]->n, 11);
	for (size_t i = 0; i < 11; i++)
		check_chunk(&f->home.fetches[0]->chunks[i], 3);
	end_spooler(f);
	assert_int_equal(spool_mark_of(f->spool, 3, 1003, &at), SPOOL_OK);
	assert_memory_equal(&at, &a.head, sizeof(at));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    BOTH(a_commit_holds_what_was_added),
	    BOTH(what_was_committed_can_be_fetched),
	    BOTH(parts_of_a_commit_are_kept_apart),
	    BOTH(a_fetch_is_as_large_as_asked_for),
	    BOTH(there_is_nothing_behind_the_end_nor_of_an_unknown_app),
	    BOTH(commits_that_wait_together_are_one_transaction),
	    BOTH(a_transaction_is_not_larger_than_it_may_be),
	    BOTH(an_apps_commits_are_applied_in_the_order_they_came),
	    BOTH(marks_alone_wait_but_not_for_ever_and_hold_up_no_fetch),
	    BOTH(a_dropped_app_is_gone),
	    BOTH(a_drop_needs_no_commit_to_take_it_along),
	    BOTH(what_nobody_needs_is_deleted),
	    BOTH(stop_does_and_answers_all_that_was_asked),
	    BOTH(one_that_never_ran_answers_too),
	    BOTH(one_that_never_ran_may_be_freed_with_drops),
	    BOTH(logs_and_marks_are_there_after_a_restart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
