/* What is on disk and in memory stays there only as far as there is room. */
#include "spooled_log.h"

static unsigned
chunks_in(const struct fixture *f, bool awake)
{
	const struct chunk *c;
	unsigned n = 0;

	TAILQ_FOREACH(c, &f->log->chunks, link)
	n += !awake || c->data != NULL;
	return n;
}

static void
what_is_not_on_disk_is_never_let_go(void **state)
{
	struct fixture *f = *state;

	append_many(f, 0, 200, 1000);
	let_go(f);
	assert_int_equal(send_all(&f->a, 0, &f->tcp, 0), 200);
	cursor_lost(&f->a, &hold_all, false, false, 1);
	answer(f, gather(f), SPOOL_FAILED);
	let_go(f);
	assert_int_equal(send_all(&f->a, 0, &f->tcp, 0), 200);
}

static void
the_oldest_goes_first_and_no_more_than_is_over_the_limit(void **state)
{
	struct fixture *f = *state;

	append_many(f, 0, 1000, 1000);
	commit_all(f);
	assert_true(f->pool.cache_bytes >= 1000 * 1000);
	f->pool.cache_limit = 300 * 1000;
	chunk_cache_trim(&f->pool);
	assert_in_range(f->pool.cache_bytes, 300 * 1000 - CHUNK_FULL_BYTES, 300 * 1000);
	assert_int_equal(f->pool.chunk_bytes, f->pool.cache_bytes);
	/* The newest are here, and the first as far as somebody stands in it. */
	assert_null(TAILQ_FIRST(&f->log->chunks)->data);
	assert_non_null(TAILQ_LAST(&f->log->chunks, chunk_list)->data);
	assert_int_equal(chunks_in(f, false), chunks_in(f, true) + 1);
}

static void
chunks_that_somebody_stands_in_fall_asleep(void **state)
{
	struct fixture *f = *state;
	uint64_t lines;

	append_many(f, 0, 200, 1000);
	commit_all(f);
	assert_int_equal(send_all(&f->a, 0, &f->tcp, 0), 200);
	lines = chunks_in(f, false);
	let_go(f);
	assert_int_equal(chunks_in(f, false), lines);
	assert_int_equal(chunks_in(f, true), 0);
	cursor_acked(&f->a, f->tcp);
	cursor_release_all(&f->a);
	assert_true(chunks_in(f, false) <= 1);
}

static void
pinned_chunks_stay(void **state)
{
	struct fixture *f = *state;
	uint32_t first;

	f->a.exact = true;
	append_many(f, 0, 100, 1000);
	commit_all(f);
	assert_non_null(cursor_unsent(&f->a, 0, 0));
	first = cursor_unsent(&f->a, 0, 0)->lines;
	cursor_sent(&f->a, f->log->end_seq - 100 + first, 0);
	let_go(f);
	assert_non_null(cursor_in_flight(&f->a, 0)->chunk->data);
	assert_int_equal(f->pool.cache_bytes, cursor_in_flight(&f->a, 0)->chunk->cap);
	cursor_acked(&f->a, f->log->end_seq);
	cursor_release_all(&f->a);
	let_go(f);
	assert_int_equal(f->pool.cache_bytes, 0);
	assert_int_equal(read_all(f, &f->a, first), 100);
}

static void
a_chunk_that_is_written_over_is_not_on_disk(void **state)
{
	struct fixture *f = *state;

	append_many(f, 0, 5, 50);
	commit_all(f);
	assert_true(f->pool.cache_bytes > 0);
	send_lines(f, &f->a, 0, 5);
	cursor_acked(&f->a, f->tcp);
	cursor_release_all(&f->a);
	assert_int_equal(f->pool.cache_bytes, 0);
	append_many(f, 5, 10, 50);
	let_go(f);
	assert_int_equal(send_all(&f->a, 5, &f->tcp, 0), 10);
}

static void
a_log_that_sleeps_keeps_nothing(void **state)
{
	struct fixture *f = *state;

	append_many(f, 0, 5, 50);
	commit_all(f);
	send_lines(f, &f->a, 0, 5);
	cursor_acked(&f->a, f->tcp);
	f->a.ring[0].sent_ms = 0;
	cursor_release(&f->a, &hold_all, false, 10000);
	assert_true(app_log_is_idle(f->log));
	app_log_hibernate(f->log);
	assert_int_equal(f->pool.chunk_bytes + f->pool.cache_bytes, 0);
	append_many(f, 5, 10, 50);
	assert_int_equal(send_all(&f->a, 5, &f->tcp, 0), 10);
}

/* The last chunks of the list are gone: the log ends with lines that are on disk only. */
static void
a_cursor_may_be_opened_behind_a_hole(void **state)
{
	struct fixture *f = *state;

	append_many(f, 0, 100, 1000);
	commit_all(f);
	let_go(f);
	join(f, &f->b, 2);
	assert_int_equal(cursor_waiting_lines(&f->b), 0);
	append_many(f, 100, 101, 1000);
	join(f, &f->c, 3);
	append_many(f, 101, 110, 1000);
	assert_int_equal(send_all(&f->b, 100, &f->tcp, 0), 110);
	assert_int_equal(send_all(&f->c, 101, &f->tcp, 0), 110);
	assert_int_equal(read_all(f, &f->a, 0), 110);
	assert_int_equal(dropped_in_all(), 0);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
	    TEST(what_is_not_on_disk_is_never_let_go),
	    TEST(the_oldest_goes_first_and_no_more_than_is_over_the_limit),
	    TEST(chunks_that_somebody_stands_in_fall_asleep),
	    TEST(pinned_chunks_stay),
	    TEST(a_chunk_that_is_written_over_is_not_on_disk),
	    TEST(a_log_that_sleeps_keeps_nothing),
	    TEST(a_cursor_may_be_opened_behind_a_hole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
