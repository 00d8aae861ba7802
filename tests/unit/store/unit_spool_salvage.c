/* What can be read of a damaged spool comes back, before what came since. */
#include "store/spool_broken.h"

/* Of what a sender would have others say. */
enum { FORGED_BYTES = 64 };

/* Sequences of the second start. */
#define SECOND (UINT64_C(1) << 40)

/* -- who there is */

struct owners {
	uint64_t drains[4];
	size_t n;
};

/* Of all apps but GONE. */
static bool
drains_of(uint64_t app, uint64_t **drains, size_t *n, void *arg)
{
	const struct owners *owners = arg;

	if (app == GONE)
		return false;
	*n = owners->n;
	*drains = xmalloc(sizeof(owners->drains));
	memcpy(*drains, owners->drains, sizeof(owners->drains));
	return true;
}

static struct owners one_drain = {{DRAIN}, 1};

static struct spool_report
salvage(struct fixture *f, const char *path, struct owners *owners)
{
	struct spool_report report;
	enum spool_code code = spool_salvage(path, f->spool, drains_of, owners, &report);

	if (code != SPOOL_OK)
		fail_msg("%d: %s", code, report.fault);
	return report;
}

/* Of APP: 31 chunks from 91 on, then what came since; all places fit together. */
static void
assert_all_back(struct fixture *f, uint64_t app, uint64_t first, size_t n, size_t since)
{
	const struct spool_log *log = spool_log_of(f->spool, app);
	struct got got = read_from(f, app, 0, SIZE_MAX);

	assert_int_equal(got.n, n + since);
	assert_int_equal(got.damaged, 0);
	for (size_t i = 0; i < got.n; i++) {
		struct spool_chunk *c = &got.chunk[i];

		assert_int_equal(c->at.seq, i < n ? first + 10 * i : SECOND + 10 * (i - n));
		if (i == 0)
			continue;
		assert_int_equal(c->at.bytes, c[-1].at.bytes + c[-1].size);
		assert_int_equal(c->at.lines, c[-1].at.lines + c[-1].lines);
	}
	assert_int_equal(got.chunk[got.n - 1].at.bytes + got.chunk[got.n - 1].size, log->end.bytes);
	assert_int_equal(log->end.seq, since > 0 ? SECOND + 10 * since : first + 10 * n);
}

static void
add_since(struct fixture *f, uint64_t app, int n)
{
	struct spool_chunk c;

	for (int i = 0; i < n; i++) {
		begin(f);
		c = i == 0 ? chunk_at(f, app, place(SECOND, 0, 0), 10, 900)
			   : chunk_next(f, app, 10, 900);
		assert_ok(spool_append(f->spool, &c));
		commit(f);
	}
}

static void
what_is_read_through_its_trees_comes_before_what_came_since(void **state)
{
	struct fixture *f = *state;
	struct spool_place at;
	struct image image;
	char path[128];

	fill_first(f);
	image = take_image(f);
	put_aside(f, &image, path, sizeof(path));
	add_since(f, APP, 4);
	mark_at(f, APP, DRAIN, spool_log_of(f->spool, APP)->head,
		spool_log_of(f->spool, APP)->head);
	for (int round = 0; round < 3; round++) {
		struct spool_report report = salvage(f, path, &one_drain);

		/* A second time there is nothing left to do. */
		assert_int_equal(report.lines, round == 0 ? 305 + 200 + 30 : 0);
		assert_int_equal(report.chunks, round == 0 ? 31 + 20 + 3 : 0);
		assert_int_equal(report.apps, round == 0 ? 3 : 0);
		assert_int_equal(report.damaged, 0);
		assert_all_back(f, APP, 91, 31, 4);
		assert_all_back(f, SMALL, 1, 20, 0);
		assert_all_back(f, OTHER, 1, 3, 0);
		assert_null(spool_log_of(f->spool, GONE));
		/* In the middle of the first chunk, as it was. */
		assert_int_equal(spool_log_of(f->spool, APP)->head.seq, 96);
		assert_ok(spool_mark_of(f->spool, APP, DRAIN, &at));
		assert_memory_equal(&at, &spool_log_of(f->spool, APP)->head, sizeof(at));
		assert_int_equal(spool_bytes(f->spool),
				 31 * 20000 - 10000 + 20 * 300 + 3 * 70000 + 4 * 900);
		reopen(f);
	}
	free(image.p);
}

static void
each_drain_goes_on_where_it_was(void **state)
{
	struct owners owners = {{DRAIN, LATER, 5, 6}, 4};
	const struct spool_mark old[] = {
	    {DRAIN, place(11, 1000, 10)}, {5, place(101, 10000, 100)}, {99, place(1, 0, 0)}};
	struct fixture *f = *state;
	struct spool_place at;
	struct image image;
	char path[128];

	add_chunks(f, APP, 10, 1000);
	begin(f);
	assert_ok(spool_set_marks(f->spool, APP, &old[0].at, old, 3));
	commit(f);
	image = take_image(f);
	put_aside(f, &image, path, sizeof(path));
	add_since(f, APP, 2);
	at = spool_log_of(f->spool, APP)->head;
	{
		const struct spool_mark now[] = {{DRAIN, at}, {5, at}, {LATER, at}};

		begin(f);
		assert_ok(spool_set_marks(f->spool, APP, &at, now, 3));
		commit(f);
	}
	salvage(f, path, &owners);
	assert_int_equal(spool_log_of(f->spool, APP)->head.seq, 11);
	assert_ok(spool_mark_of(f->spool, APP, DRAIN, &at));
	assert_int_equal(at.seq, 11);
	/* It had all of the old ones. */
	assert_ok(spool_mark_of(f->spool, APP, 5, &at));
	assert_int_equal(at.seq, SECOND);
	/* Added since: it gets none of the old ones. */
	assert_ok(spool_mark_of(f->spool, APP, LATER, &at));
	assert_int_equal(at.seq, SECOND);
	assert_ok(spool_mark_of(f->spool, APP, 6, &at));
	assert_int_equal(at.seq, 101);
	/* Removed since. */
	assert_int_equal(spool_mark_of(f->spool, APP, 99, &at), SPOOL_NONE);
	free(image.p);
}

static void
apps_that_nobody_drains_are_left_out(void **state)
{
	struct owners nobody = {{0}, 0};
	struct fixture *f = *state;
	struct image image;
	char path[128];

	fill_first(f);
	image = take_image(f);
	put_aside(f, &image, path, sizeof(path));
	assert_int_equal(salvage(f, path, &nobody).lines, 0);
	assert_null(spool_log_at(f->spool, 0));
	free(image.p);
}

/* All trees, the tree of chunks, the list of tables. */
static void
break_trees(struct fixture *f, struct image *image, int how)
{
	if (how == 0)
		memset(image->p, 0x55, (size_t)2 * PAGE);
	else if (how == 1)
		memset(image->p + root_of(f, "chunks") * PAGE, 0, PAGE);
	else
		image->p[root_of(f, "meta") * PAGE + 12] ^= 0x10;
}

static void
broken_trees_do_not_keep_chunks_from_coming_back(void **state)
{
	struct fixture *f = *state;
	struct spool_place at;

	for (int how = 0; how < 3; how++) {
		struct spool_report report;
		struct image image;
		char path[128];

		fill_first(f);
		image = take_image(f);
		break_trees(f, &image, how);
		put_aside(f, &image, path, sizeof(path));
		add_since(f, APP, 2);
		report = salvage(f, path, &one_drain);
		assert_true(report.tree_damaged);
		assert_int_equal(report.chunks, 31 + 20 + 3);
		assert_int_equal(report.damaged, 0);
		assert_all_back(f, APP, 91, 31, 2);
		assert_all_back(f, SMALL, 1, 20, 0);
		assert_all_back(f, OTHER, 1, 3, 0);
		assert_ok(spool_mark_of(f->spool, APP, DRAIN, &at));
		assert_int_equal(at.seq, 96);
		free(image.p);
		close_spool(f);
		assert_ok(spool_quarantine(f->dir, path, sizeof(path)));
		reopen(f);
	}
}

/* Pages of the file are lost, whichever: what comes back is what was there, once and in order. */
static void
what_comes_back_of_a_riddled_file_is_right(void **state)
{
	struct fixture *f = *state;
	struct image whole;
	size_t most = 0;

	fill_first(f);
	whole = take_image(f);
	srand(21);
	for (int round = 0; round < 40; round++) {
		struct image image = {.p = xmalloc(whole.n), .n = whole.n};
		struct spool_report report;
		char path[128];
		size_t n = 0;

		memcpy(image.p, whole.p, whole.n);
		for (int i = 0; i < 1 + round / 2; i++) {
			size_t at = (size_t)rand() % (image.n / 8);

			if (i % 2 == 0)
				memset(image.p + at / PAGE * PAGE, rand() % 256, PAGE);
			else
				image.p[at] ^= (unsigned char)(1U << (rand() % 8));
		}
		put_aside(f, &image, path, sizeof(path));
		report = salvage(f, path, &one_drain);
		for (size_t i = 0; spool_log_at(f->spool, i) != NULL; i++) {
			struct got got = read_from(f, spool_log_at(f->spool, i)->app, 0, SIZE_MAX);

			assert_int_equal(got.damaged, 0);
			for (size_t j = 1; j < got.n; j++)
				assert_true(got.chunk[j].at.seq >= got.chunk[j - 1].at.seq + 10);
			n += got.n;
		}
		assert_int_equal(n, report.chunks);
		most = n > most ? n : most;
		free(image.p);
		close_spool(f);
		assert_ok(spool_quarantine(f->dir, path, sizeof(path)));
		reopen(f);
	}
	assert_true(most >= 31 + 20 + 3 - 2);
	free(whole.p);
}

/* A line with all that a chunk has, for another app; only the file's number is not known. */
static void
forge(char *p, uint64_t seq)
{
	static const char lie[FORGED_BYTES] = "not what OTHER's senders wrote\n";
	const struct spool_chunk forged = {
	    .app = OTHER, .at = place(seq, 0, 0), .lines = 1, .size = sizeof(lie), .data = lie};

	spool_head_make((unsigned char *)p, 0x1234567890, &forged);
	memcpy(p + SPOOL_HEAD_BYTES, lie, sizeof(lie));
}

/* What would be a leaf with such chunks, if its page had the number that it says. */
static void
forge_leaf(char *page, uint64_t seq)
{
	enum {
		STEP = sizeof(struct lmdb_node) + SPOOL_KEY_BYTES + SPOOL_HEAD_BYTES + FORGED_BYTES
	};
	struct lmdb_page head = {.number = 77777, .flags = LMDB_PAGE_LEAF};
	const struct lmdb_node node = {.low = SPOOL_HEAD_BYTES + FORGED_BYTES,
				       .key_bytes = SPOOL_KEY_BYTES};
	uint16_t n = 0;

	for (uint16_t at = 128; at + STEP < PAGE; at = (uint16_t)(at + STEP), n++) {
		memcpy(page + sizeof(head) + n * sizeof(at), &at, sizeof(at));
		memcpy(page + at, &node, sizeof(node));
		spool_key_make((unsigned char *)page + at + sizeof(node), OTHER, seq + n);
		forge(page + at + sizeof(node) + SPOOL_KEY_BYTES, seq + n);
	}
	head.u.room.lower = (uint16_t)(sizeof(head) + n * sizeof(n));
	head.u.room.upper = 128;
	memcpy(page, &head, sizeof(head));
}

static void
a_head_inside_a_line_is_not_taken_for_one(void **state)
{
	/* Where in a chunk's data its second page begins. */
	enum { SIZE = 10 * PAGE, SECOND_PAGE = PAGE - 16 - SPOOL_HEAD_BYTES };
	struct fixture *f = *state;
	char *data = xcalloc(1, SIZE), path[128];
	struct spool_chunk c;
	struct image image;

	for (size_t at = 0; at + SPOOL_HEAD_BYTES + FORGED_BYTES < SECOND_PAGE; at += 170)
		forge(data + at, 1 + at);
	for (size_t at = SECOND_PAGE; at + PAGE <= SIZE; at += PAGE)
		forge_leaf(data + at, 10000 + at);
	add_chunks(f, SMALL, 10, 300);
	begin(f);
	for (int i = 0; i < 2; i++) {
		c = chunk_next(f, APP, 10, SIZE);
		c.data = data;
		assert_ok(spool_append(f->spool, &c));
	}
	commit(f);
	image = take_image(f);
	/* The first one's page and head are lost, so that nothing says what its pages are. */
	memset(image.p + chunk_in_file(f, APP, 1) - 16, 0, 200);
	memset(image.p, 0, (size_t)2 * PAGE);
	put_aside(f, &image, path, sizeof(path));
	assert_int_equal(salvage(f, path, &one_drain).chunks, 10 + 1);
	assert_null(spool_log_of(f->spool, OTHER));
	free(image.p);
	free(data);
}

static void
no_room_for_all_is_said_and_tried_again_later(void **state)
{
	struct fixture *f = *state;
	struct spool_report report;
	struct image image;
	char path[128];

	add_chunks(f, APP, 150, 20000);
	add_chunks(f, SMALL, 10, 300);
	mark_at(f, APP, DRAIN, place(1, 0, 0), place(1, 0, 0));
	image = take_image(f);
	f->map_bytes = 3 << 20;
	put_aside(f, &image, path, sizeof(path));
	add_since(f, APP, 2);
	assert_int_equal(spool_salvage(path, f->spool, drains_of, &one_drain, &report), SPOOL_FULL);
	assert_string_not_equal(report.fault, "");
	assert_int_equal(report.chunks, 0);
	/* Not a part of an app's lines. */
	assert_all_back(f, APP, SECOND, 0, 2);
	f->map_bytes = FIXTURE_MAP_BYTES;
	reopen(f);
	assert_int_equal(salvage(f, path, &one_drain).chunks, 160);
	assert_all_back(f, APP, 1, 150, 2);
	assert_all_back(f, SMALL, 1, 10, 0);
	free(image.p);
}

static void
damaged_chunks_leave_their_gap(void **state)
{
	struct fixture *f = *state;
	struct spool_report report;
	struct image image;
	char path[128];
	struct got got;

	add_chunks(f, APP, 10, 3000);
	mark_at(f, APP, DRAIN, place(1, 0, 0), place(1, 0, 0));
	image = take_image(f);
	image.p[chunk_in_file(f, APP, 41) + SPOOL_HEAD_BYTES + 5] ^= 1;
	image.p[chunk_in_file(f, APP, 71) + 33] ^= 1;
	put_aside(f, &image, path, sizeof(path));
	add_since(f, APP, 1);
	report = salvage(f, path, &one_drain);
	assert_int_equal(report.chunks, 8);
	assert_int_equal(report.damaged, 2);
	assert_int_equal(report.lost_lines, 10);
	got = read_from(f, APP, 0, SIZE_MAX);
	assert_int_equal(got.n, 9);
	assert_int_equal(got.chunk[4].at.seq, 51);
	assert_int_equal(got.chunk[4].at.bytes - got.chunk[3].at.bytes, 6000);
	assert_int_equal(got.chunk[7].at.bytes + 3000, got.chunk[8].at.bytes);
	free(image.p);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(what_is_read_through_its_trees_comes_before_what_came_since),
	    TEST(each_drain_goes_on_where_it_was),
	    TEST(apps_that_nobody_drains_are_left_out),
	    TEST(broken_trees_do_not_keep_chunks_from_coming_back),
	    TEST(what_comes_back_of_a_riddled_file_is_right),
	    TEST(a_head_inside_a_line_is_not_taken_for_one),
	    TEST(no_room_for_all_is_said_and_tried_again_later),
	    TEST(damaged_chunks_leave_their_gap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
