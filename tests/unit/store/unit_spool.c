/* What is kept comes back, from where it is asked for, also after a reopen. */
#include "store/spool_fixture.h"

enum { APP = 7, OTHER = 8 };

static void
what_was_appended_comes_back_whole_and_in_order(void **state)
{
	struct fixture *f = *state;
	struct got got;

	add_chunks(f, APP, 5, 1000);
	add_chunks(f, OTHER, 2, 70000);
	for (int round = 0; round < 2; round++) {
		got = read_from(f, APP, 0, SIZE_MAX);
		assert_int_equal(got.n, 5);
		for (size_t i = 0; i < 5; i++) {
			assert_int_equal(got.chunk[i].app, APP);
			assert_place(got.chunk[i].at, place(1 + 10 * i, 1000 * i, 10 * i));
			assert_int_equal(got.chunk[i].lines, 10);
			assert_int_equal(got.chunk[i].first_us, got.chunk[i].at.seq * 10);
			assert_int_equal(got.chunk[i].last_us, (got.chunk[i].at.seq + 9) * 10);
		}
		assert_int_equal(read_from(f, OTHER, 0, SIZE_MAX).n, 2);
		assert_int_equal(spool_bytes(f->spool), 5 * 1000 + 2 * 70000);
		reopen(f);
	}
}

static void
a_log_begins_with_its_first_chunk_and_ends_behind_its_last(void **state)
{
	struct fixture *f = *state;
	const struct spool_log *log;

	assert_null(spool_log_of(f->spool, APP));
	assert_null(spool_log_at(f->spool, 0));
	assert_null(spool_greediest(f->spool));
	add_chunks(f, APP, 3, 500);
	add_chunks(f, OTHER, 1, 400);
	for (int round = 0; round < 2; round++) {
		log = spool_log_of(f->spool, APP);
		assert_non_null(log);
		assert_int_equal(log->app, APP);
		assert_place(log->head, place(1, 0, 0));
		assert_place(log->end, place(31, 1500, 30));
		assert_int_equal(log->first_us, 10);
		assert_ptr_equal(spool_greediest(f->spool), log);
		assert_non_null(spool_log_at(f->spool, 0));
		assert_non_null(spool_log_at(f->spool, 1));
		assert_null(spool_log_at(f->spool, 2));
		reopen(f);
	}
}

static void
reading_begins_with_the_chunk_that_holds_the_line(void **state)
{
	struct fixture *f = *state;
	struct spool_chunk far;

	add_chunks(f, APP, 5, 1000);
	assert_int_equal(read_from(f, APP, 11, 1).chunk[0].at.seq, 11);
	assert_int_equal(read_from(f, APP, 15, 1).chunk[0].at.seq, 11);
	assert_int_equal(read_from(f, APP, 20, 1).chunk[0].at.seq, 11);
	assert_int_equal(read_from(f, APP, 21, 1).chunk[0].at.seq, 21);
	assert_int_equal(read_from(f, APP, 51, 1).n, 0);
	/* Lines that were never kept lie between. */
	far = chunk_at(f, APP, place(1000, 9000, 900), 10, 100);
	begin(f);
	assert_ok(spool_append(f->spool, &far));
	commit(f);
	assert_int_equal(read_from(f, APP, 50, 1).chunk[0].at.seq, 41);
	assert_int_equal(read_from(f, APP, 51, 1).chunk[0].at.seq, 1000);
	assert_int_equal(read_from(f, APP, 1009, 1).chunk[0].at.seq, 1000);
	assert_int_equal(read_from(f, APP, 1010, 1).n, 0);
	assert_int_equal(read_from(f, OTHER, 0, 1).n, 0);
}

static void
reading_stops_at_its_limit_but_gives_one_chunk(void **state)
{
	struct fixture *f = *state;
	struct got got = {.stop_at = 3};

	add_chunks(f, APP, 5, 1000);
	assert_int_equal(read_from(f, APP, 0, 0).n, 1);
	assert_int_equal(read_from(f, APP, 0, 1999).n, 1);
	assert_int_equal(read_from(f, APP, 0, 2000).n, 2);
	assert_int_equal(read_from(f, APP, 0, 5000).n, 5);
	assert_ok(spool_read(f->spool, APP, 0, SIZE_MAX, on_chunk, &got));
	assert_int_equal(got.n, 3);
}

static void
what_was_aborted_is_not_there(void **state)
{
	struct fixture *f = *state;
	struct spool_place head = place(11, 1000, 10), at;
	const struct spool_mark mark = {5, head};
	struct spool_log was;

	add_chunks(f, APP, 3, 1000);
	was = *spool_log_of(f->spool, APP);
	begin(f);
	append(f, APP, 10, 1000);
	append(f, OTHER, 10, 1000);
	assert_ok(spool_set_marks(f->spool, APP, &head, &mark, 1));
	assert_int_equal(spool_bytes(f->spool), 4 * 1000);
	assert_ok(spool_drop(f->spool, APP));
	assert_int_equal(spool_bytes(f->spool), 1000);
	spool_abort(f->spool);
	for (int round = 0; round < 2; round++) {
		assert_memory_equal(spool_log_of(f->spool, APP), &was, sizeof(was));
		assert_null(spool_log_of(f->spool, OTHER));
		assert_null(spool_log_at(f->spool, 1));
		assert_int_equal(spool_bytes(f->spool), 3000);
		assert_int_equal(read_from(f, APP, 0, SIZE_MAX).n, 3);
		assert_int_equal(spool_mark_of(f->spool, APP, 5, &at), SPOOL_NONE);
		reopen(f);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(what_was_appended_comes_back_whole_and_in_order),
	    TEST(a_log_begins_with_its_first_chunk_and_ends_behind_its_last),
	    TEST(reading_begins_with_the_chunk_that_holds_the_line),
	    TEST(reading_stops_at_its_limit_but_gives_one_chunk),
	    TEST(what_was_aborted_is_not_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
