/*
 * Files that are cut or flipped: what comes back is right or said to be damaged, and
 * nothing ever crashes.
 */
#include "store/spool_fixture.h"

#include "store/image.h"
#include "store/lmdb_tree.h"
#include "store/spool_record.h"

enum { APPS = 6, CHUNKS = 30, DRAIN = 3, GONE = 99, PAGE = 4096 };

/* The file as it was when all was well. */
static struct image whole;

/* Of app 1: in the tree's leaves.  Of the others: a few pages each, of several sizes. */
static uint32_t
size_of(uint64_t app, int i)
{
	return app == 1 ? 200 + (uint32_t)i : (uint32_t)app * 2500 + (uint32_t)i * 97;
}

/* With a free list, branch pages, marks, and an app that is dropped but not deleted. */
static void
fill_spool(struct fixture *f)
{
	bool more;

	for (int i = 0; i < CHUNKS; i++) {
		begin(f);
		for (uint64_t app = 1; app <= APPS; app++)
			append(f, app, 10, size_of(app, i));
		append(f, GONE, 10, 5000);
		commit(f);
	}
	begin(f);
	for (uint64_t app = 1; app <= APPS; app++) {
		const struct spool_place head = spool_log_of(f->spool, app)->head;
		const struct spool_mark mark = {DRAIN, head};

		assert_ok(spool_set_marks(f->spool, app, &head, &mark, 1));
	}
	assert_ok(spool_drop(f->spool, GONE));
	commit(f);
	begin(f);
	assert_ok(spool_tidy(f->spool, CHUNKS / 2, &more));
	commit(f);
}

static void
close_spool(struct fixture *f)
{
	spool_close(f->spool);
	f->spool = NULL;
}

/* As the newer meta page says. */
static size_t
used_pages(void)
{
	struct lmdb_meta meta[2];

	for (size_t i = 0; i < 2; i++)
		memcpy(&meta[i], whole.p + i * PAGE + sizeof(struct lmdb_page), sizeof(meta[i]));
	return meta[meta[0].transaction < meta[1].transaction].last_page + 1;
}

static int
setup_filled(void **state)
{
	struct fixture *f;

	if (setup(state) != 0)
		return -1;
	f = *state;
	fill_spool(f);
	close_spool(f);
	whole = image_read(f->file);
	/* Without what is only allocated. */
	whole.n = used_pages() * PAGE;
	return 0;
}

static int
teardown_filled(void **state)
{
	free(whole.p);
	return teardown(state);
}

/* true: it was opened. */
static bool
open_damaged(struct fixture *f)
{
	const struct spool_options options = {.dir = f->dir, .map_bytes = f->map_bytes};
	enum spool_code code;

	close_spool(f);
	code = spool_open(&options, &f->spool, f->err, sizeof(f->err));
	if (code == SPOOL_OK)
		return true;
	assert_int_equal(code, SPOOL_DAMAGED);
	assert_null(f->spool);
	assert_non_null(strstr(f->err, f->file));
	assert_non_null(strstr(f->err, "check-spool"));
	return false;
}

/* With one bit flipped. */
static bool
open_flipped(struct fixture *f, size_t at)
{
	unsigned char was = whole.p[at];

	whole.p[at] ^= (unsigned char)(1U << (rand() % 8));
	image_write(f->file, whole.p, whole.n);
	whole.p[at] = was;
	return open_damaged(f);
}

struct expect {
	uint64_t app;
	int next; /* the first chunk that may come */
	size_t good, damaged;
};

/* Chunks may be missing, but each that comes is one of those that were kept, in order. */
static bool
on_kept_chunk(const struct spool_chunk *c, void *arg)
{
	struct expect *expect = arg;
	static char want[32 * 1024];
	int i = (int)((c->at.seq - 1) / 10);

	assert_int_equal(c->app, expect->app);
	assert_true(i >= expect->next && i < CHUNKS);
	assert_int_equal(c->at.seq, 1 + 10 * i);
	assert_int_equal(c->at.lines, SPOOL_ORIGIN + 10 * (uint64_t)i);
	assert_int_equal(c->lines, 10);
	assert_int_equal(c->size, size_of(c->app, i));
	expect->next = i + 1;
	if (c->data == NULL) {
		expect->damaged++;
		return true;
	}
	fill(want, c->size, c->app, c->at.seq);
	assert_memory_equal(c->data, want, c->size);
	expect->good++;
	return true;
}

struct totals {
	size_t good, damaged;
};

static void
read_app(struct fixture *f, uint64_t app, struct totals *totals)
{
	const struct spool_log *log = spool_log_of(f->spool, app);
	struct expect expect = {.app = app};
	struct spool_place at;
	enum spool_code code;

	assert_non_null(log);
	assert_int_equal(log->head.seq, 1);
	assert_int_equal(log->end.seq, 1 + 10 * CHUNKS);
	code = spool_read(f->spool, app, 0, SIZE_MAX, on_kept_chunk, &expect);
	assert_true(code == SPOOL_OK || code == SPOOL_NONE || code == SPOOL_DAMAGED);
	code = spool_mark_of(f->spool, app, DRAIN, &at);
	if (code == SPOOL_OK)
		assert_place(at, log->head);
	else
		assert_int_equal(code, SPOOL_DAMAGED);
	assert_true(spool_cut_bytes(f->spool, app, 50000, &at) != SPOOL_NONE);
	assert_true(spool_cut_time(f->spool, app, 1500, &at) != SPOOL_NONE);
	totals->good += expect.good;
	totals->damaged += expect.damaged;
}

static struct totals
read_everything(struct fixture *f)
{
	struct totals totals = {0};

	for (uint64_t app = 1; app <= APPS; app++)
		read_app(f, app, &totals);
	return totals;
}

/* Any code, and whatever it does to the file: it goes on or it does not, but it lives. */
static void
write_all_over(struct fixture *f)
{
	bool more;

	for (int round = 0; round < 4; round++) {
		if (spool_begin(f->spool) != SPOOL_OK)
			return;
		for (uint64_t app = 1; app <= APPS; app++) {
			struct spool_chunk c = chunk_next(f, app, 10, size_of(app, round));
			struct spool_place head = c.at;
			struct spool_mark mark = {DRAIN + (uint64_t)round, c.at};

			if (round == 1)
				(void)!spool_append(f->spool, &c);
			if (round < 2 && spool_log_of(f->spool, app) != NULL)
				(void)!spool_cut_bytes(f->spool, app, 200000, &head);
			(void)!spool_set_marks(f->spool, app, &head, &mark, 1);
		}
		if (round == 3)
			(void)!spool_drop(f->spool, 2);
		(void)!spool_tidy(f->spool, 64, &more);
		(void)!spool_commit(f->spool);
	}
}

static void
an_undamaged_one_has_all(void **state)
{
	struct fixture *f = *state;
	struct totals totals;

	assert_true(open_damaged(f));
	totals = read_everything(f);
	assert_int_equal(totals.good, APPS * CHUNKS);
	assert_int_equal(totals.damaged, 0);
	write_all_over(f);
}

/* Where in the file a chunk is; f's file is as it was. */
static size_t
chunk_in_file(struct fixture *f, uint64_t app, int i)
{
	unsigned char key[SPOOL_KEY_BYTES];
	struct lmdb_view view = {0};
	struct lmdb_entry entry;
	struct lmdb_tree tree;
	int fd;

	image_write(f->file, whole.p, whole.n);
	fd = open(f->file, O_RDONLY);
	spool_key_make(key, app, 1 + 10 * (uint64_t)i);
	assert_true(lmdb_view_read(&view, fd));
	assert_int_equal(lmdb_view_table(&view, "chunks", &tree), LMDB_FOUND);
	assert_int_equal(lmdb_seek(&view, &tree, slice_of((const char *)key, sizeof(key)), &entry),
			 LMDB_FOUND);
	lmdb_view_clear(&view);
	close(fd);
	return entry.at;
}

static void
a_flipped_bit_in_a_chunk_costs_that_chunk(void **state)
{
	struct fixture *f = *state;
	struct totals totals;

	srand(11);
	for (int round = 0; round < 60; round++) {
		uint64_t app = 1 + (uint64_t)(round % APPS);
		int i = rand() % CHUNKS;

		assert_true(open_flipped(f, chunk_in_file(f, app, i) + SPOOL_HEAD_BYTES +
						(size_t)rand() % size_of(app, i)));
		totals = read_everything(f);
		assert_int_equal(totals.good, APPS * CHUNKS - 1);
		assert_int_equal(totals.damaged, 1);
		if (round % 10 == 0)
			write_all_over(f);
	}
}

static void
a_flipped_bit_in_a_head_leaves_that_chunk_out(void **state)
{
	struct fixture *f = *state;
	struct totals totals;

	srand(12);
	for (int round = 0; round < 60; round++) {
		size_t at = chunk_in_file(f, 1 + (uint64_t)(round % APPS), rand() % CHUNKS);

		assert_true(open_flipped(f, at + (size_t)rand() % SPOOL_HEAD_BYTES));
		totals = read_everything(f);
		assert_int_equal(totals.good, APPS * CHUNKS - 1);
		assert_int_equal(totals.damaged, 0);
		if (round % 10 == 0)
			write_all_over(f);
	}
}

static bool
is_tree(const unsigned char *p)
{
	struct lmdb_page head;

	memcpy(&head, p, sizeof(head));
	return head.flags == LMDB_PAGE_LEAF || head.flags == LMDB_PAGE_BRANCH;
}

static void
flipped_bits_anywhere_never_crash_and_never_alter_a_chunk(void **state)
{
	struct fixture *f = *state;
	size_t refused = 0, rounds = 300, page;

	srand(4711);
	for (size_t i = 0; i < rounds; i++) {
		/* Most of them into trees' pages, half of them there where the structure is. */
		do
			page = (size_t)rand() % (whole.n / PAGE);
		while (i % 4 != 0 && !is_tree(whole.p + page * PAGE));
		if (!open_flipped(f, page * PAGE + (size_t)rand() % (i % 2 == 0 ? 64 : PAGE))) {
			refused++;
			continue;
		}
		read_everything(f);
		if (i % 8 == 0)
			write_all_over(f);
	}
	assert_in_range(refused, 10, 250);
}

/* Nothing that was committed is forgotten for it. */
static void
a_flipped_bit_in_a_meta_page_is_refused_or_harmless(void **state)
{
	enum { HEAD = sizeof(struct lmdb_page), META = sizeof(struct lmdb_meta) };
	struct fixture *f = *state;
	size_t refused = 0;

	srand(13);
	for (size_t i = 0; i < HEAD + META; i++) {
		if (!open_flipped(f, (size_t)(rand() % 2) * PAGE + i)) {
			refused++;
			continue;
		}
		assert_int_equal(read_everything(f).good, APPS * CHUNKS);
		if (i % 8 == 0)
			write_all_over(f);
	}
	assert_true(refused > (HEAD + META) / 4);
}

static void
a_file_cut_anywhere_is_refused_or_has_lost_nothing(void **state)
{
	struct fixture *f = *state;
	size_t refused = 0, opened = 0;

	for (size_t n = 0; n < whole.n; n += n % PAGE == 0 ? 2 * PAGE + 1000 : PAGE - n % PAGE) {
		struct image left;

		image_write(f->file, whole.p, n);
		if (open_damaged(f)) {
			opened++;
			assert_int_equal(read_everything(f).good, APPS * CHUNKS);
			write_all_over(f);
			continue;
		}
		assert_int_equal(opened, 0);
		refused++;
		if (n % (16 * PAGE) != 0 || n == 0)
			continue;
		/* Untouched. */
		left = image_read(f->file);
		assert_int_equal(left.n, n);
		assert_memory_equal(left.p, whole.p, n);
		free(left.p);
	}
	assert_true(refused > 100);
	assert_true(opened > 0);
}

static void
a_file_cut_while_it_is_used_is_not_used_any_more(void **state)
{
	struct fixture *f = *state;
	size_t pages = whole.n / PAGE;

	for (size_t n = 0; n < pages; n += 1 + pages / 30) {
		image_write(f->file, whole.p, whole.n);
		assert_true(open_damaged(f));
		if (n % 2 == 0)
			read_everything(f);
		assert_int_equal(truncate(f->file, (off_t)(n * PAGE)), 0);
		read_everything(f);
		assert_int_equal(spool_begin(f->spool), SPOOL_DAMAGED);
		assert_non_null(strstr(spool_error(f->spool), "cut"));
	}
}

/* A leaf or a branch with chunks' keys, or a chunk's own first page. */
static bool
is_of_chunks(const unsigned char *p)
{
	struct lmdb_page head;
	struct lmdb_node node;
	uint16_t at;

	memcpy(&head, p, sizeof(head));
	if (head.flags == LMDB_PAGE_OVERFLOW)
		return memcmp(p + sizeof(head), spool_sign, SPOOL_SIGN_BYTES) == 0;
	if (head.flags != LMDB_PAGE_LEAF && head.flags != LMDB_PAGE_BRANCH)
		return false;
	memcpy(&at, p + head.u.room.lower - sizeof(at), sizeof(at));
	memcpy(&node, p + at, sizeof(node));
	return node.key_bytes == SPOOL_KEY_BYTES &&
	       (head.flags == LMDB_PAGE_BRANCH || lmdb_node_bytes(&node) > SPOOL_MARK_BYTES);
}

/* Memory that decays, or a disk, under a gateway that runs. */
static void
bits_that_flip_while_it_is_used_never_crash_it(void **state)
{
	struct fixture *f = *state;
	int flips = 0;

	srand(14);
	image_write(f->file, whole.p, whole.n);
	for (int round = 0; round < 3000 && flips < 150; round++) {
		size_t page = 2 + (size_t)rand() % (whole.n / PAGE - 2);
		size_t at = page * PAGE + (size_t)rand() % (round % 2 == 0 ? 64 : PAGE);
		unsigned char flipped = whole.p[at] ^ (unsigned char)(1U << (rand() % 8));
		int fd;

		if (!is_of_chunks(whole.p + page * PAGE))
			continue;
		flips++;
		image_write(f->file, whole.p, whole.n);
		assert_true(open_damaged(f));
		fd = open(f->file, O_WRONLY);
		assert_int_equal(pwrite(fd, &flipped, 1, (off_t)at), 1);
		close(fd);
		read_everything(f);
		if (flips % 2 == 0)
			write_all_over(f);
	}
	assert_true(flips > 50);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup_filled, teardown_filled)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(an_undamaged_one_has_all),
	    TEST(a_flipped_bit_in_a_chunk_costs_that_chunk),
	    TEST(a_flipped_bit_in_a_head_leaves_that_chunk_out),
	    TEST(flipped_bits_anywhere_never_crash_and_never_alter_a_chunk),
	    TEST(a_flipped_bit_in_a_meta_page_is_refused_or_harmless),
	    TEST(a_file_cut_anywhere_is_refused_or_has_lost_nothing),
	    TEST(a_file_cut_while_it_is_used_is_not_used_any_more),
	    TEST(bits_that_flip_while_it_is_used_never_crash_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
