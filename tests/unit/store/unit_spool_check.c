/* Spools are read as a whole and reported; damaged ones are put aside. */
#include "store/spool_broken.h"

static void
a_sound_spool_is_reported_as_one(void **state)
{
	struct fixture *f = *state;
	struct spool_report report;
	char folder[80];

	snprintf(folder, sizeof(folder), "%s/spool", f->dir);
	fill_first(f);
	for (int round = 0; round < 2; round++) {
		assert_ok(spool_check(folder, &report));
		assert_int_equal(report.apps, 4);
		assert_int_equal(report.chunks, 31 + 20 + 5 + 3);
		assert_int_equal(report.lines, 305 + 200 + 50 + 30);
		assert_int_equal(report.bytes,
				 31 * 20000 - 10000 + 20 * 300 + 5 * 5000 + 3 * 70000);
		assert_int_equal(report.damaged, 0);
		assert_false(report.tree_damaged);
		assert_string_equal(report.fault, "");
		reopen(f);
	}
	assert_int_equal(spool_check(f->dir, &report), SPOOL_NONE);
}

static void
damage_is_counted_and_told_in_words(void **state)
{
	struct fixture *f = *state;
	struct spool_report report;
	struct image image;
	char folder[80];

	snprintf(folder, sizeof(folder), "%s/spool", f->dir);
	fill_first(f);
	image = take_image(f);
	image.p[chunk_in_file(f, APP, 101) + SPOOL_HEAD_BYTES + 5] ^= 1;
	image.p[chunk_in_file(f, SMALL, 31) + SPOOL_HEAD_BYTES + 5] ^= 1;
	image.p[chunk_in_file(f, OTHER, 11) + 40] ^= 1;
	image_write(f->file, image.p, image.n);
	assert_int_equal(spool_check(folder, &report), SPOOL_DAMAGED);
	assert_int_equal(report.damaged, 3);
	assert_int_equal(report.lost_lines, 20);
	assert_int_equal(report.chunks, 31 + 20 + 5 + 3 - 3);
	assert_false(report.tree_damaged);
	assert_string_not_equal(report.fault, "");

	memset(image.p + root_of(f, "chunks") * PAGE, 0, PAGE);
	image_write(f->file, image.p, image.n);
	assert_int_equal(spool_check(folder, &report), SPOOL_DAMAGED);
	assert_true(report.tree_damaged);
	assert_non_null(strstr(report.fault, "page"));
	assert_true(report.chunks >= 31 + 3 - 2);
	/* That of a head which is broken, too. */
	assert_int_equal(report.missing, 10);
	free(image.p);
}

static void
quarantine_finds_a_name_of_its_own(void **state)
{
	struct fixture *f = *state;
	char path[3][128];

	for (int i = 0; i < 3; i++) {
		add_chunks(f, APP, 1 + i, 1000);
		close_spool(f);
		assert_ok(spool_quarantine(f->dir, path[i], sizeof(path[i])));
		assert_non_null(strstr(path[i], "/spool.damaged-20"));
		reopen(f);
		assert_null(spool_log_at(f->spool, 0));
	}
	for (int i = 0; i < 3; i++) {
		struct spool_report report;

		assert_ok(spool_check(path[i], &report));
		assert_int_equal(report.chunks, 1 + i);
	}
	close_spool(f);
	assert_ok(spool_quarantine(f->dir, path[0], sizeof(path[0])));
	assert_int_equal(spool_quarantine(f->dir, path[0], sizeof(path[0])), SPOOL_FAILED);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_sound_spool_is_reported_as_one),
	    TEST(damage_is_counted_and_told_in_words),
	    TEST(quarantine_finds_a_name_of_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
