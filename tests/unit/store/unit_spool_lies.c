/*
 * Pages that lie, so well that only one thing gives them away: an older commit
 * that looks like the newest, a run of pages that is too long, a leaf that ends elsewhere.
 */
#include "store/spool_broken.h"

static void
write_at(struct fixture *f, size_t at, const void *p, size_t n)
{
	int fd = open(f->file, O_WRONLY);

	assert_int_equal(pwrite(fd, p, n, (off_t)at), n);
	close(fd);
}

static void
read_at(struct fixture *f, size_t at, void *p, size_t n)
{
	int fd = open(f->file, O_RDONLY);

	assert_int_equal(pread(fd, p, n, (off_t)at), n);
	close(fd);
}

static struct lmdb_meta
meta_of(struct fixture *f, size_t page)
{
	struct lmdb_meta meta;

	read_at(f, page * PAGE + sizeof(struct lmdb_page), &meta, sizeof(meta));
	return meta;
}

static void
set_meta(struct fixture *f, size_t page, const struct lmdb_meta *meta)
{
	write_at(f, page * PAGE + sizeof(struct lmdb_page), meta, sizeof(*meta));
}

static void
assert_refused(struct fixture *f)
{
	const struct spool_options options = {.dir = f->dir, .map_bytes = f->map_bytes};

	assert_int_equal(spool_open(&options, &f->spool, f->err, sizeof(f->err)), SPOOL_DAMAGED);
	assert_non_null(strstr(f->err, "meta page"));
}

/* What the last commit acknowledged would be forgotten. */
static void
an_older_commit_is_not_taken_for_the_newest(void **state)
{
	struct fixture *f = *state;
	struct lmdb_meta meta[2], lie;
	size_t older;

	add_chunks(f, APP, 1, 1000);
	add_chunks(f, APP, 1, 1000);
	close_spool(f);
	for (size_t i = 0; i < 2; i++)
		meta[i] = meta_of(f, i);
	older = meta[0].transaction > meta[1].transaction;
	lie = meta[older];
	lie.transaction += 2;
	lie.last_page = meta[1 - older].last_page;
	set_meta(f, older, &lie);
	assert_refused(f);
	/* All that was kept is found all the same. */
	{
		struct spool_report report;
		char folder[80];

		snprintf(folder, sizeof(folder), "%s/spool", f->dir);
		assert_int_equal(spool_check(folder, &report), SPOOL_DAMAGED);
		assert_int_equal(report.chunks, 2);
	}
	set_meta(f, older, &meta[older]);
	reopen(f);
	assert_int_equal(read_from(f, APP, 0, SIZE_MAX).n, 2);
}

/* Pages behind the last one would be given out a second time. */
static void
a_last_page_that_is_too_small_is_seen(void **state)
{
	struct fixture *f = *state;
	struct lmdb_meta meta[2], lie;

	add_chunks(f, APP, 30, 20000);
	mark_at(f, APP, DRAIN, place(1, 0, 0), place(1, 0, 0));
	mark_at(f, APP, DRAIN, place(2, 100, 1), place(2, 100, 1));
	close_spool(f);
	for (size_t i = 0; i < 2; i++) {
		lie = meta[i] = meta_of(f, i);
		lie.last_page -= 20;
		set_meta(f, i, &lie);
	}
	{
		const struct spool_options options = {.dir = f->dir, .map_bytes = f->map_bytes};

		assert_int_equal(spool_open(&options, &f->spool, f->err, sizeof(f->err)),
				 SPOOL_DAMAGED);
	}
	for (size_t i = 0; i < 2; i++)
		set_meta(f, i, &meta[i]);
	reopen(f);
}

static void
deliver_to(struct fixture *f, struct spool_place head)
{
	bool more = true;

	set_head(f, APP, head);
	for (int i = 0; more; i++) {
		assert_true(i < 100);
		begin(f);
		assert_ok(spool_tidy(f->spool, 64, &more));
		commit(f);
	}
}

/* LMDB would free the pages of the chunk behind it, too, and write something else there. */
static void
a_run_that_says_it_is_longer_costs_no_other_chunk(void **state)
{
	struct fixture *f = *state;
	struct lmdb_page head;
	struct got got;
	size_t at;

	add_chunks(f, APP, 20, 20000);
	at = chunk_in_file(f, APP, 41) - sizeof(head);
	read_at(f, at, &head, sizeof(head));
	head.u.pages += 10;
	write_at(f, at, &head, sizeof(head));
	deliver_to(f, place(51, 100000, 50));
	for (int i = 0; i < 4; i++)
		add_chunks(f, OTHER, 5, 20000);
	got = read_from(f, APP, 0, SIZE_MAX);
	assert_int_equal(got.n, 15);
	assert_int_equal(got.damaged, 0);
	assert_int_equal(read_from(f, OTHER, 0, SIZE_MAX).damaged, 0);
}

/* Two chunks of a leaf that name the same pages: one of them is wrong. */
static void
pages_of_another_chunk_are_not_freed(void **state)
{
	struct fixture *f = *state;
	unsigned char leaf[PAGE];
	size_t root, first, second;
	struct got got;

	add_chunks(f, APP, 10, 20000);
	root = root_of(f, "chunks");
	read_at(f, root * PAGE, leaf, sizeof(leaf));
	first = chunk_in_file(f, APP, 1) / PAGE;
	second = chunk_in_file(f, APP, 91) / PAGE;
	{
		unsigned char *p = memmem(leaf, sizeof(leaf), &first, sizeof(first));

		assert_non_null(p);
		write_at(f, root * PAGE + (size_t)(p - leaf), &second, sizeof(second));
	}
	deliver_to(f, place(51, 100000, 50));
	for (int i = 0; i < 4; i++)
		add_chunks(f, OTHER, 5, 20000);
	got = read_from(f, APP, 0, SIZE_MAX);
	assert_int_equal(got.n, 5);
	assert_int_equal(got.damaged, 0);
}

/* Where a leaf's nodes begin, when they would begin behind its page. */
static void
break_leaf_of(struct fixture *f, uint64_t seq)
{
	static const uint16_t beyond = 0xfff0;
	size_t page = chunk_in_file(f, SMALL, seq) / PAGE;

	write_at(f, page * PAGE + offsetof(struct lmdb_page, u.room.upper), &beyond,
		 sizeof(beyond));
}

/* LMDB would copy what is not there. */
static void
a_leaf_that_ends_elsewhere_is_let_alone(void **state)
{
	struct fixture *f = *state;
	struct spool_place end;
	bool more;

	/* Small ones lie in the leaves: a dozen in each. */
	for (int i = 0; i < 10; i++)
		add_chunks(f, SMALL, 10, 300);
	break_leaf_of(f, 501);
	end = spool_log_of(f->spool, SMALL)->end;
	begin(f);
	assert_ok(spool_set_marks(f->spool, SMALL, &end, NULL, 0));
	commit(f);
	for (int i = 0; i < 20; i++) {
		begin(f);
		assert_ok(spool_tidy(f->spool, 64, &more));
		commit(f);
	}
	/* Those around it are gone, and the next ones are kept. */
	assert_false(more);
	add_chunks(f, SMALL, 10, 300);
	assert_int_equal(read_from(f, SMALL, 0, SIZE_MAX).n, 10);
}

static void
nothing_is_appended_to_a_leaf_that_lies(void **state)
{
	struct fixture *f = *state;
	struct spool_chunk c;

	for (int i = 0; i < 10; i++)
		add_chunks(f, SMALL, 10, 300);
	break_leaf_of(f, 991);
	begin(f);
	c = chunk_next(f, SMALL, 10, 300);
	assert_int_equal(spool_append(f->spool, &c), SPOOL_DAMAGED);
	commit(f);
	assert_int_equal(read_from(f, SMALL, 0, 100).n, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(an_older_commit_is_not_taken_for_the_newest),
	    TEST(a_last_page_that_is_too_small_is_seen),
	    TEST(a_run_that_says_it_is_longer_costs_no_other_chunk),
	    TEST(pages_of_another_chunk_are_not_freed),
	    TEST(a_leaf_that_ends_elsewhere_is_let_alone),
	    TEST(nothing_is_appended_to_a_leaf_that_lies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
