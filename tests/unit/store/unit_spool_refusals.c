/* Files that are no spool, or of another version; what looks at them may die and nobody else. */
#include "store/spool_fixture.h"

#include <signal.h>

#include "base/clock.h"
#include "base/hash.h"
#include "store/image.h"
#include "store/record_pack.h"
#include "store/spool_check.h"
#include "store/spool_internal.h"
#include "store/spool_probe.h"

enum { APP = 7 };

static void
close_spool(struct fixture *f)
{
	spool_close(f->spool);
	f->spool = NULL;
}

static enum spool_code
try_open(struct fixture *f)
{
	const struct spool_options options = {.dir = f->dir, .map_bytes = f->map_bytes};

	close_spool(f);
	return spool_open(&options, &f->spool, f->err, sizeof(f->err));
}

/* Overwrites or adds an entry behind the spool's back, and stamps it as the spool does. */
static void
put_entry(struct fixture *f, const char *table, const void *key, size_t key_bytes,
	  const void *value, size_t bytes)
{
	MDB_val k = {.mv_size = key_bytes, .mv_data = (void *)(uintptr_t)key};
	MDB_val v = {.mv_size = bytes, .mv_data = (void *)(uintptr_t)value};
	char *folder = xasprintf("%s/spool", f->dir);
	struct spool s = {0};
	MDB_txn *txn;

	close_spool(f);
	assert_int_equal(mdb_env_create(&s.env), 0);
	assert_int_equal(mdb_env_set_maxdbs(s.env, SPOOL_TABLES), 0);
	assert_int_equal(mdb_env_open(s.env, folder, 0, 0600), 0);
	assert_int_equal(mdb_txn_begin(s.env, NULL, 0, &txn), 0);
	assert_int_equal(mdb_dbi_open(txn, table, 0, &s.table[SPOOL_LOGS]), 0);
	assert_int_equal(mdb_dbi_open(txn, "meta", 0, &s.table[SPOOL_META]), 0);
	assert_int_equal(mdb_put(txn, s.table[SPOOL_LOGS], &k, &v, 0), 0);
	assert_int_equal(spool_stamp_put(&s, txn), 0);
	assert_int_equal(mdb_txn_commit(txn), 0);
	mdb_env_close(s.env);
	free(folder);
}

static void
a_newer_version_is_refused_untouched(void **state)
{
	unsigned char magic[SPOOL_MAGIC_BYTES];
	struct fixture *f = *state;
	struct image was, is;
	struct spool_report report;
	char *folder = xasprintf("%s/spool", f->dir);

	add_chunks(f, APP, 3, 1000);
	spool_magic_make(magic, 1);
	magic[11] = SPOOL_SCHEMA + 1;
	record_put_u64(magic + 24, hash_slice(slice_of((const char *)magic, 24)));
	put_entry(f, "meta", "magic", 5, magic, sizeof(magic));
	was = image_read(f->file);
	assert_int_equal(try_open(f), SPOOL_FAILED);
	assert_non_null(strstr(f->err, "newer version"));
	assert_non_null(strstr(f->err, f->file));
	is = image_read(f->file);
	assert_int_equal(is.n, was.n);
	assert_memory_equal(is.p, was.p, was.n);
	assert_int_equal(spool_check(folder, &report), SPOOL_FAILED);
	assert_non_null(strstr(report.fault, "newer version"));
	free(was.p);
	free(is.p);
	free(folder);
}

static void
records_that_cannot_be_ours_are_damage(void **state)
{
	static const struct {
		const char *table, *key;
		size_t key_bytes, bytes;
	} entries[] = {
	    {"meta", "magic", 5, SPOOL_MAGIC_BYTES},
	    {"logs", "\0\0\0\0\0\0\0\7", 8, SPOOL_LOG_BYTES},
	    {"logs", "\0\0\0\0\0\0\0\1\1", 9, SPOOL_LOG_BYTES},
	    {"marks", "\0\0\0\0\0\0\0\7\0\0\0\0\0\0\0\1", 16, SPOOL_MARK_BYTES},
	    {"marks", "\0\0\0\0\0\0\0\7", 8, 1},
	};
	struct fixture *f = *state;
	char value[128], path[128];

	memset(value, 0x11, sizeof(value));
	for (size_t i = 0; i < sizeof(entries) / sizeof(entries[0]); i++) {
		add_chunks(f, APP, 3, 1000);
		put_entry(f, entries[i].table, entries[i].key, entries[i].key_bytes, value,
			  entries[i].bytes);
		assert_int_equal(try_open(f), SPOOL_DAMAGED);
		assert_non_null(strstr(f->err, "check-spool"));
		assert_null(f->spool);
		assert_ok(spool_quarantine(f->dir, path, sizeof(path)));
		reopen(f);
		assert_null(spool_log_of(f->spool, APP));
	}
}

static void
what_is_no_spool_is_damage_and_not_a_new_one(void **state)
{
	static const char text[] = "these are somebody's notes\n";
	struct fixture *f = *state;
	struct image left;

	close_spool(f);
	image_write(f->file, "", 0);
	assert_int_equal(try_open(f), SPOOL_DAMAGED);
	assert_non_null(strstr(f->err, "empty"));
	image_write(f->file, text, sizeof(text));
	assert_int_equal(try_open(f), SPOOL_DAMAGED);
	left = image_read(f->file);
	assert_int_equal(left.n, sizeof(text));
	free(left.p);
	/* Without a file it is a new one. */
	assert_int_equal(unlink(f->file), 0);
	assert_ok(try_open(f));
	close_spool(f);
	assert_int_equal(unlink(f->file), 0);
	assert_int_equal(mkdir(f->file, 0700), 0);
	assert_int_equal(try_open(f), SPOOL_DAMAGED);
	assert_int_equal(rmdir(f->file), 0);
}

static void
a_folder_that_cannot_be_made_is_named(void **state)
{
	struct fixture *f = *state;
	char *folder = xasprintf("%s/spool", f->dir), *away = xasprintf("%s/away", f->dir);

	close_spool(f);
	assert_int_equal(rename(folder, away), 0);
	image_write(folder, "x", 1);
	assert_int_equal(try_open(f), SPOOL_FAILED);
	assert_non_null(strstr(f->err, folder));
	assert_int_equal(unlink(folder), 0);
	free(folder);
	free(away);
}

static void
what_a_creation_cut_short_left_is_in_nobodys_way(void **state)
{
	struct fixture *f = *state;
	char *folder = xasprintf("%s/spool/new", f->dir);
	char *file = xasprintf("%s/data.mdb", folder);

	close_spool(f);
	assert_int_equal(unlink(f->file), 0);
	assert_int_equal(mkdir(folder, 0700), 0);
	image_write(file, "half", 4);
	assert_ok(try_open(f));
	add_chunks(f, APP, 1, 100);
	assert_int_not_equal(access(folder, F_OK), 0);
	free(folder);
	free(file);
}

static void
the_folder_is_for_nobody_else(void **state)
{
	struct fixture *f = *state;
	char *folder = xasprintf("%s/spool", f->dir);
	struct stat st;

	assert_int_equal(stat(folder, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	assert_int_equal(stat(f->file, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	free(folder);
}

/* -- the child */

static void
says_ok(int fd, void *arg)
{
	assert_int_equal(write(fd, arg, 3), 3);
}

static void
dies(int fd, void *arg)
{
	(void)arg;
	assert_int_equal(write(fd, "half", 4), 4);
	signal(SIGBUS, SIG_DFL);
	raise(SIGBUS);
}

static void
fails(int fd, void *arg)
{
	(void)fd;
	(void)arg;
	_exit(3);
}

static void
hangs(int fd, void *arg)
{
	(void)fd;
	(void)arg;
	for (;;)
		pause();
}

static void
who_looks_may_die_or_hang(void **state)
{
	char got[8], text[] = "ok";
	int64_t began;
	size_t n;

	(void)state;
	assert_ok(spool_in_child(says_ok, text, 5000, got, sizeof(got), &n));
	assert_int_equal(n, 3);
	assert_string_equal(got, "ok");
	assert_ok(spool_in_child(says_ok, text, 0, got, 2, &n));
	assert_int_equal(n, 2);
	assert_int_equal(spool_in_child(dies, NULL, 5000, got, sizeof(got), &n), SPOOL_DAMAGED);
	assert_int_equal(spool_in_child(fails, NULL, 5000, got, sizeof(got), &n), SPOOL_DAMAGED);
	began = clock_mono_ms();
	assert_int_equal(spool_in_child(hangs, NULL, 200, got, sizeof(got), &n), SPOOL_DAMAGED);
	assert_in_range(clock_mono_ms() - began, 190, 60000);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_newer_version_is_refused_untouched),
	    TEST(records_that_cannot_be_ours_are_damage),
	    TEST(what_is_no_spool_is_damage_and_not_a_new_one),
	    TEST(a_folder_that_cannot_be_made_is_named),
	    TEST(what_a_creation_cut_short_left_is_in_nobodys_way),
	    TEST(the_folder_is_for_nobody_else),
	    TEST(who_looks_may_die_or_hang),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
