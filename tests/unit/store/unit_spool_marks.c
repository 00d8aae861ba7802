/* Where drains stand, where logs begin, what is deleted, where to cut. */
#include "store/spool_fixture.h"

#include "store/spool_internal.h"

enum { APP = 7, OTHER = 8 };

static void
set_marks(struct fixture *f, uint64_t app, struct spool_place head, const struct spool_mark *marks,
	  size_t n)
{
	begin(f);
	assert_ok(spool_set_marks(f->spool, app, &head, marks, n));
	commit(f);
}

static void
marks_are_those_that_were_set_last(void **state)
{
	struct fixture *f = *state;
	const struct spool_mark first[] = {{1, place(11, 1000, 10)}, {2, place(1, 0, 0)}};
	const struct spool_mark then[] = {{2, place(21, 2000, 20)}, {3, place(31, 3000, 30)}};
	struct spool_place at;

	add_chunks(f, APP, 3, 1000);
	add_chunks(f, OTHER, 3, 1000);
	set_marks(f, APP, place(1, 0, 0), first, 2);
	set_marks(f, OTHER, place(1, 0, 0), first, 1);
	assert_ok(spool_mark_of(f->spool, APP, 2, &at));
	assert_place(at, place(1, 0, 0));
	/* Two in one transaction: what the first one put is seen by the second. */
	begin(f);
	assert_ok(spool_set_marks(f->spool, APP, &first[0].at, first, 1));
	assert_ok(spool_set_marks(f->spool, APP, &first[0].at, then, 2));
	commit(f);
	for (int round = 0; round < 2; round++) {
		assert_int_equal(spool_mark_of(f->spool, APP, 1, &at), SPOOL_NONE);
		assert_ok(spool_mark_of(f->spool, APP, 2, &at));
		assert_place(at, place(21, 2000, 20));
		assert_ok(spool_mark_of(f->spool, APP, 3, &at));
		assert_place(at, place(31, 3000, 30));
		assert_ok(spool_mark_of(f->spool, OTHER, 1, &at));
		assert_place(at, place(11, 1000, 10));
		assert_int_equal(spool_mark_of(f->spool, OTHER, 2, &at), SPOOL_NONE);
		reopen(f);
	}
}

static void
a_head_that_moves_takes_its_lines_out(void **state)
{
	struct fixture *f = *state;
	const struct spool_log *log;

	add_chunks(f, APP, 5, 1000);
	set_head(f, APP, place(15, 1400, 14));
	for (int round = 0; round < 2; round++) {
		log = spool_log_of(f->spool, APP);
		assert_place(log->head, place(15, 1400, 14));
		assert_place(log->end, place(51, 5000, 50));
		/* Of the chunk that the head stands in. */
		assert_int_equal(log->first_us, 110);
		assert_int_equal(spool_bytes(f->spool), 3600);
		assert_int_equal(read_from(f, APP, 0, 1).chunk[0].at.seq, 11);
		reopen(f);
	}
	set_head(f, APP, place(16, 1500, 15));
	assert_int_equal(spool_log_of(f->spool, APP)->first_us, 110);
	set_head(f, APP, place(21, 2000, 20));
	assert_int_equal(spool_log_of(f->spool, APP)->first_us, 210);
	set_head(f, APP, place(51, 5000, 50));
	assert_int_equal(spool_log_of(f->spool, APP)->first_us, 0);
	assert_int_equal(spool_bytes(f->spool), 0);
	assert_int_equal(read_from(f, APP, 0, SIZE_MAX).n, 0);
	/* What comes then is the oldest. */
	add_chunks(f, APP, 2, 1000);
	assert_int_equal(spool_log_of(f->spool, APP)->first_us, 510);
	assert_int_equal(read_from(f, APP, 0, SIZE_MAX).n, 2);
}

static void
a_head_behind_the_end_moves_the_end_there(void **state)
{
	struct fixture *f = *state;

	add_chunks(f, APP, 2, 1000);
	set_head(f, APP, place(100, 8000, 80));
	assert_place(spool_log_of(f->spool, APP)->end, place(100, 8000, 80));
	assert_int_equal(spool_bytes(f->spool), 0);
	/* Also of a log that nothing was kept of. */
	set_head(f, OTHER, place(9, 900, 9));
	for (int round = 0; round < 2; round++) {
		assert_place(spool_log_of(f->spool, OTHER)->head, place(9, 900, 9));
		assert_place(spool_log_of(f->spool, OTHER)->end, place(9, 900, 9));
		reopen(f);
	}
	add_chunks(f, APP, 1, 1000);
	assert_int_equal(read_from(f, APP, 0, SIZE_MAX).chunk[0].at.seq, 100);
}

static void
a_head_among_lines_appended_with_it_knows_their_age(void **state)
{
	struct fixture *f = *state;
	struct spool_place head = place(15, 1400, 14);

	begin(f);
	append(f, APP, 10, 1000);
	append(f, APP, 10, 1000);
	assert_ok(spool_set_marks(f->spool, APP, &head, NULL, 0));
	commit(f);
	assert_in_range(spool_log_of(f->spool, APP)->first_us, 10, 110);
	head = place(16, 1500, 15);
	set_head(f, APP, head);
	assert_int_equal(spool_log_of(f->spool, APP)->first_us, 110);
}

static void
places_that_cannot_be_are_refused(void **state)
{
	struct fixture *f = *state;
	struct spool_place head = place(15, 9000, 14);
	struct spool_chunk c;

	add_chunks(f, APP, 2, 1000);
	begin(f);
	assert_int_equal(spool_set_marks(f->spool, APP, &head, NULL, 0), SPOOL_FAILED);
	c = chunk_at(f, APP, place(20, 2000, 20), 10, 100);
	assert_int_equal(spool_append(f->spool, &c), SPOOL_FAILED);
	c = chunk_at(f, APP, place(21, 1999, 20), 10, 100);
	assert_int_equal(spool_append(f->spool, &c), SPOOL_FAILED);
	c = chunk_at(f, APP, place(21, 2000, 20), 10, 100);
	c.lines = 0;
	assert_int_equal(spool_append(f->spool, &c), SPOOL_FAILED);
	/* Refused is not broken. */
	c.lines = 10;
	assert_ok(spool_append(f->spool, &c));
	commit(f);
	assert_int_equal(read_from(f, APP, 0, SIZE_MAX).n, 3);
}

/* A commit that was reported as failed and got through is tried again. */
static void
the_same_chunk_again_is_no_fault(void **state)
{
	struct fixture *f = *state;
	struct spool_chunk c;

	add_chunks(f, APP, 2, 1000);
	begin(f);
	c = chunk_at(f, APP, place(11, 1000, 10), 10, 1000);
	assert_ok(spool_append(f->spool, &c));
	c.lines = 9;
	assert_int_equal(spool_append(f->spool, &c), SPOOL_FAILED);
	commit(f);
	assert_int_equal(read_from(f, APP, 0, SIZE_MAX).n, 2);
	assert_place(spool_log_of(f->spool, APP)->end, place(21, 2000, 20));
}

/* Tidies until there is no more; how many transactions that took. */
static int
tidy_all(struct fixture *f, unsigned max)
{
	bool more = true;
	int n = 0;

	for (; more; n++) {
		assert_true(n < 1000);
		begin(f);
		assert_ok(spool_tidy(f->spool, max, &more));
		commit(f);
	}
	return n;
}

static size_t
file_bytes(const struct fixture *f)
{
	struct stat st;

	assert_int_equal(stat(f->file, &st), 0);
	return (size_t)st.st_size;
}

static void
what_is_nobodys_makes_room(void **state)
{
	struct fixture *f = *state;
	size_t most = 0;

	for (int round = 0; round < 30; round++) {
		struct spool_log log;

		add_chunks(f, APP, 100, 60000);
		log = *spool_log_of(f->spool, APP);
		set_head(f, APP, log.end);
		/* No more than allowed at a time. */
		assert_true(tidy_all(f, 40) >= 3);
		if (round == 2)
			most = file_bytes(f);
	}
	assert_true(most > 0);
	assert_true(file_bytes(f) <= most + (16 << 20));
}

static void
tidying_leaves_the_chunk_that_the_head_stands_in(void **state)
{
	struct fixture *f = *state;
	struct spool_place head = place(25, 2400, 24);

	add_chunks(f, APP, 5, 1000);
	add_chunks(f, OTHER, 5, 1000);
	set_head(f, APP, head);
	tidy_all(f, 64);
	assert_int_equal(read_from(f, APP, 0, 1).chunk[0].at.seq, 21);
	assert_int_equal(read_from(f, APP, 0, SIZE_MAX).n, 3);
	assert_int_equal(read_from(f, OTHER, 0, SIZE_MAX).n, 5);
	/* The head moved back: what is gone stays so, the rest is there. */
	set_head(f, APP, place(1, 0, 0));
	assert_int_equal(read_from(f, APP, 0, SIZE_MAX).n, 3);
}

/* Into a hole of the app's log, which is behind its end. */
static void
append_at(struct fixture *f, struct spool_place at)
{
	struct spool_chunk c = chunk_at(f, APP, at, 10, 1000);

	assert_ok(spool_append(f->spool, &c));
}

static size_t
chunks_in_file(struct fixture *f)
{
	struct spool_found found = {0};
	size_t n = 0;

	while (spool_find(f->spool, APP, found.seq + 1, &found) == SPOOL_OK)
		n++;
	return n;
}

static void
what_fills_a_hole_is_deleted_in_its_time(void **state)
{
	struct fixture *f = *state;
	struct spool_place head = place(11, 1000, 10);
	bool more;

	/* In one transaction with chunks behind it that are deleted. */
	begin(f);
	append(f, APP, 10, 1000);
	append_at(f, place(101, 10000, 100));
	commit(f);
	begin(f);
	append_at(f, place(51, 5000, 50));
	head = place(111, 11000, 110);
	assert_ok(spool_set_marks(f->spool, APP, &head, NULL, 0));
	assert_ok(spool_tidy(f->spool, 64, &more));
	commit(f);
	tidy_all(f, 64);
	assert_int_equal(chunks_in_file(f), 0);

	/* Before the chunk that the head is known to stand at. */
	begin(f);
	append_at(f, place(211, 21000, 210));
	commit(f);
	set_head(f, APP, place(150, 15000, 150));
	tidy_all(f, 64);
	begin(f);
	append_at(f, place(161, 16000, 160));
	commit(f);
	set_head(f, APP, place(215, 21400, 214));
	tidy_all(f, 64);
	assert_int_equal(chunks_in_file(f), 1);
}

static void
holes_take_what_fits_and_nothing_else(void **state)
{
	struct fixture *f = *state;
	struct spool_chunk c;
	struct got got;

	begin(f);
	append_at(f, place(1, 0, 0));
	append_at(f, place(101, 10000, 100));
	commit(f);
	begin(f);
	append_at(f, place(51, 5000, 50));
	commit(f);
	begin(f);
	c = chunk_at(f, APP, place(41, 4000, 40), 20, 1000);
	assert_int_equal(spool_append(f->spool, &c), SPOOL_FAILED);
	c = chunk_at(f, APP, place(60, 5900, 59), 10, 1000);
	assert_int_equal(spool_append(f->spool, &c), SPOOL_FAILED);
	c = chunk_at(f, APP, place(51, 5000, 50), 9, 1000);
	assert_int_equal(spool_append(f->spool, &c), SPOOL_FAILED);
	c = chunk_at(f, APP, place(91, 9500, 90), 10, 1000);
	assert_int_equal(spool_append(f->spool, &c), SPOOL_FAILED);
	append_at(f, place(61, 6000, 60));
	commit(f);
	got = read_from(f, APP, 0, SIZE_MAX);
	assert_int_equal(got.n, 4);
	assert_int_equal(got.chunk[1].at.seq, 51);
	assert_int_equal(got.chunk[2].at.seq, 61);
	assert_place(spool_log_of(f->spool, APP)->end, place(111, 11000, 110));
}

static void
what_was_not_tidied_is_found_after_a_reopen(void **state)
{
	struct fixture *f = *state;
	bool more;

	add_chunks(f, APP, 10, 1000);
	add_chunks(f, OTHER, 10, 1000);
	set_head(f, APP, place(51, 5000, 50));
	begin(f);
	assert_ok(spool_drop(f->spool, OTHER));
	assert_ok(spool_tidy(f->spool, 3, &more));
	assert_true(more);
	commit(f);
	reopen(f);
	assert_null(spool_log_of(f->spool, OTHER));
	assert_null(spool_log_at(f->spool, 1));
	tidy_all(f, 64);
	/* Put back to where it was, nothing is left before the head. */
	set_head(f, APP, place(1, 0, 0));
	assert_int_equal(read_from(f, APP, 0, 1).chunk[0].at.seq, 51);
	set_head(f, OTHER, place(1, 0, 0));
	assert_int_equal(read_from(f, OTHER, 0, 1).n, 0);
}

static void
an_app_that_is_dropped_is_gone_with_its_marks(void **state)
{
	struct fixture *f = *state;
	const struct spool_mark mark = {1, place(1, 0, 0)};
	struct spool_place at;
	struct spool_chunk c;

	add_chunks(f, APP, 3, 1000);
	add_chunks(f, OTHER, 3, 1000);
	set_marks(f, APP, mark.at, &mark, 1);
	set_marks(f, OTHER, mark.at, &mark, 1);
	begin(f);
	assert_ok(spool_drop(f->spool, APP));
	assert_int_equal(spool_drop(f->spool, APP), SPOOL_NONE);
	assert_int_equal(spool_drop(f->spool, 99), SPOOL_NONE);
	commit(f);
	for (int round = 0; round < 2; round++) {
		assert_null(spool_log_of(f->spool, APP));
		assert_int_equal(spool_mark_of(f->spool, APP, 1, &at), SPOOL_NONE);
		assert_ok(spool_mark_of(f->spool, OTHER, 1, &at));
		assert_int_equal(read_from(f, APP, 0, SIZE_MAX).n, 0);
		assert_int_equal(read_from(f, OTHER, 0, SIZE_MAX).n, 3);
		assert_int_equal(spool_bytes(f->spool), 3000);
		reopen(f);
	}
	/* It may come back before its chunks are gone. */
	begin(f);
	c = chunk_at(f, APP, place(1000, 0, 0), 10, 1000);
	assert_ok(spool_append(f->spool, &c));
	assert_int_equal(spool_bytes(f->spool), 4000);
	spool_abort(f->spool);
	assert_null(spool_log_of(f->spool, APP));
	assert_int_equal(spool_bytes(f->spool), 3000);
	set_head(f, APP, place(1000, 0, 0));
	add_chunks(f, APP, 1, 1000);
	tidy_all(f, 64);
	assert_int_equal(read_from(f, APP, 0, SIZE_MAX).n, 1);
	assert_int_equal(spool_bytes(f->spool), 4000);
}

static struct spool_place
cut_bytes(struct fixture *f, uint64_t keep)
{
	struct spool_place at;

	assert_ok(spool_cut_bytes(f->spool, APP, keep, &at));
	return at;
}

static void
a_cut_by_bytes_keeps_no_more_and_as_much_as_it_can(void **state)
{
	struct fixture *f = *state;
	struct spool_place at;

	assert_int_equal(spool_cut_bytes(f->spool, APP, 0, &at), SPOOL_NONE);
	add_chunks(f, APP, 100, 1000);
	for (uint64_t keep = 0; keep <= 100000; keep += 500)
		assert_place(cut_bytes(f, keep),
			     place(1 + 10 * (100 - keep / 1000), 1000 * (100 - keep / 1000),
				   10 * (100 - keep / 1000)));
	set_head(f, APP, place(505, 50400, 504));
	assert_place(cut_bytes(f, 49600), place(505, 50400, 504));
	assert_place(cut_bytes(f, 49599), place(511, 51000, 510));
	assert_place(cut_bytes(f, UINT64_MAX), place(505, 50400, 504));
	/* Sequences of another start are far away. */
	begin(f);
	{
		struct spool_chunk c =
		    chunk_at(f, APP, place(UINT64_C(7) << 40, 100000, 1000), 10, 1000);

		assert_ok(spool_append(f->spool, &c));
	}
	commit(f);
	assert_place(cut_bytes(f, 1500), place(UINT64_C(7) << 40, 100000, 1000));
	assert_place(cut_bytes(f, 2000), place(991, 99000, 990));
}

static struct spool_place
cut_time(struct fixture *f, int64_t before_us)
{
	struct spool_place at;

	assert_ok(spool_cut_time(f->spool, APP, before_us, &at));
	return at;
}

static void
a_cut_by_time_leaves_what_is_young_enough(void **state)
{
	struct fixture *f = *state;
	struct spool_place at;

	assert_int_equal(spool_cut_time(f->spool, APP, 0, &at), SPOOL_NONE);
	add_chunks(f, APP, 100, 1000);
	assert_place(cut_time(f, 0), place(1, 0, 0));
	/* The last line of the first came at 100. */
	assert_place(cut_time(f, 100), place(1, 0, 0));
	assert_place(cut_time(f, 101), place(11, 1000, 10));
	assert_place(cut_time(f, 300), place(21, 2000, 20));
	/* Bounded: further with each call, and at last the end. */
	at = cut_time(f, INT64_MAX);
	assert_in_range(at.seq, 500, 999);
	set_head(f, APP, at);
	assert_place(cut_time(f, INT64_MAX), place(1001, 100000, 1000));
	set_head(f, APP, place(505, 50400, 504));
	assert_place(cut_time(f, 5100), place(505, 50400, 504));
	assert_place(cut_time(f, 5101), place(511, 51000, 510));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(marks_are_those_that_were_set_last),
	    TEST(a_head_that_moves_takes_its_lines_out),
	    TEST(a_head_behind_the_end_moves_the_end_there),
	    TEST(a_head_among_lines_appended_with_it_knows_their_age),
	    TEST(places_that_cannot_be_are_refused),
	    TEST(the_same_chunk_again_is_no_fault),
	    TEST(what_is_nobodys_makes_room),
	    TEST(tidying_leaves_the_chunk_that_the_head_stands_in),
	    TEST(what_fills_a_hole_is_deleted_in_its_time),
	    TEST(holes_take_what_fits_and_nothing_else),
	    TEST(what_was_not_tidied_is_found_after_a_reopen),
	    TEST(an_app_that_is_dropped_is_gone_with_its_marks),
	    TEST(a_cut_by_bytes_keeps_no_more_and_as_much_as_it_can),
	    TEST(a_cut_by_time_leaves_what_is_young_enough),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
