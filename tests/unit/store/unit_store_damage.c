/* Files that are cut, flipped or foreign: refused, or whole; never a crash. */
#include "store/store_fixture.h"

#include "store/image.h"

#include "store/file_check.h"

enum { APPS = 60, DRAINS = 180, TOKENS = 10 };

/* With branch pages, overflow pages and a free list. */
static void
fill(struct fixture *f)
{
	char name[32], *url;

	for (int i = 0; i < APPS + 10; i++) {
		struct app_record app;

		snprintf(name, sizeof(name), "app%d", i);
		app = add_app(f, name);
		for (int j = 0; j < 3; j++) {
			url = xasprintf("syslog://%*d", i % 10 == 0 ? 5000 : 40, j);
			add_drain(f, app.id, url);
			free(url);
		}
		if (i < TOKENS)
			add_token(f, app.id, i);
		if (i >= APPS)
			assert_int_equal(store_app_remove(f->store, app.id), STORE_OK);
	}
	store_close(f->store);
	f->store = NULL;
}

/* What is opened must be all there; returns whether it was opened. */
static bool
opens_whole(struct fixture *f)
{
	enum store_code code = store_open(f->dir, &f->store, f->err, sizeof(f->err));
	struct app_record app = app_named("new");
	uint64_t start;

	if (code != STORE_OK) {
		assert_null(f->store);
		assert_non_null(strstr(f->err, f->file));
		return false;
	}
	assert_int_equal(count_apps(f), APPS);
	assert_int_equal(count_drains(f, NULL), DRAINS);
	assert_int_equal(count_tokens(f), TOKENS);
	/* Writing, with a damaged list of free pages maybe, crashes neither. */
	code = store_raise_start(f->store, &start);
	if (code == STORE_OK)
		code = store_app_add(f->store, &app);
	assert_true(code != STORE_NOT_FOUND && code != STORE_EXISTS);
	store_close(f->store);
	f->store = NULL;
	return true;
}

static void
a_file_cut_anywhere_is_refused_or_has_lost_nothing(void **state)
{
	struct fixture *f = *state;
	struct image image;
	size_t refused = 0, opened = 0, first_opened = 0;

	fill(f);
	image = image_read(f->file);
	for (size_t n = 0; n < image.n; n += n % 4096 == 0 ? 1000 : 4096 - n % 4096) {
		image_write(f->file, image.p, n);
		if (opens_whole(f)) {
			first_opened = opened++ == 0 ? n : first_opened;
		} else {
			assert_int_equal(opened, 0);
			refused++;
			/* Untouched: put back together, it opens. */
			if (n > 0 && n < 60000) {
				struct image left = image_read(f->file);

				assert_int_equal(left.n, n);
				assert_memory_equal(left.p, image.p, n);
				free(left.p);
			}
		}
	}
	assert_true(refused > 40);
	/* Only what was allocated ahead may be missing. */
	assert_true(opened == 0 ||
		    image.n - first_opened <= (2 * STORE_SPARE_PAGES + 1) * (size_t)4096);
	image_write(f->file, image.p, image.n);
	assert_true(opens_whole(f));
	free(image.p);
}

static void
an_empty_file_is_damage_and_not_a_new_store(void **state)
{
	struct fixture *f = *state;

	store_close(f->store);
	f->store = NULL;
	image_write(f->file, "", 0);
	assert_int_equal(store_open(f->dir, &f->store, f->err, sizeof(f->err)), STORE_DAMAGED);
	assert_non_null(strstr(f->err, "empty"));
	assert_non_null(strstr(f->err, "backup"));
	/* Moved away, as the words say, it starts anew. */
	assert_int_equal(unlink(f->file), 0);
	reopen(f);
	assert_int_equal(count_apps(f), 0);
}

/* How far a flip may go without being seen: not into what the records say. */
static void
flipped_bits_never_crash_and_never_alter_a_record(void **state)
{
	struct fixture *f = *state;
	struct image image;
	size_t refused = 0, rounds = 1500;

	fill(f);
	image = image_read(f->file);
	srand(4711);
	for (size_t i = 0; i < rounds; i++) {
		/* Half of them into the first bytes of pages, where the structure is. */
		size_t page = (size_t)rand() % (image.n / 4096);
		size_t at = page * 4096 + (size_t)rand() % (i % 2 == 0 ? 64 : 4096);
		unsigned char was = image.p[at];

		image.p[at] ^= (unsigned char)(1U << (rand() % 8));
		image_write(f->file, image.p, image.n);
		refused += !opens_whole(f);
		image.p[at] = was;
	}
	assert_true(refused > rounds / 10);
	free(image.p);
}

static void
a_last_page_far_beyond_the_file_is_refused(void **state)
{
	/* Behind a page's head (16 bytes): magic to map size (24), two trees (96). */
	enum { LAST_PAGE_AT = 136 };
	struct fixture *f = *state;
	struct image image;

	fill(f);
	image = image_read(f->file);
	image.p[LAST_PAGE_AT + 2] ^= 1;
	image.p[4096 + LAST_PAGE_AT + 2] ^= 1;
	image_write(f->file, image.p, image.n);
	assert_false(opens_whole(f));
	assert_non_null(strstr(f->err, "last one"));
	free(image.p);
}

static void
random_bytes_in_a_page_never_crash(void **state)
{
	struct fixture *f = *state;
	struct image image;
	unsigned char was[4096];

	fill(f);
	image = image_read(f->file);
	srand(42);
	for (size_t page = 0; page < image.n / 4096; page++) {
		unsigned char *p = image.p + page * 4096;

		memcpy(was, p, sizeof(was));
		/* Behind the page's head, and from its start. */
		for (size_t from = 0; from <= 16; from += 16) {
			for (size_t i = from; i < 4096; i++)
				p[i] = (unsigned char)rand();
			image_write(f->file, image.p, image.n);
			(void)opens_whole(f);
			memcpy(p, was, sizeof(was));
		}
		memset(p, 0, sizeof(was));
		image_write(f->file, image.p, image.n);
		(void)opens_whole(f);
		memcpy(p, was, sizeof(was));
	}
	free(image.p);
}

static void
what_is_no_lmdb_file_is_refused_untouched(void **state)
{
	struct fixture *f = *state;
	static char text[20000];
	struct image left;

	store_close(f->store);
	f->store = NULL;
	memset(text, 'x', sizeof(text));
	for (size_t n = 1; n <= sizeof(text); n += 4999) {
		image_write(f->file, text, n);
		assert_int_equal(store_open(f->dir, &f->store, f->err, sizeof(f->err)),
				 STORE_DAMAGED);
		assert_non_null(strstr(f->err, "not a penstock store"));
		left = image_read(f->file);
		assert_int_equal(left.n, n);
		assert_memory_equal(left.p, text, n);
		free(left.p);
	}
	assert_int_equal(unlink(f->file), 0);
	assert_int_equal(mkdir(f->file, 0700), 0);
	assert_int_equal(store_open(f->dir, &f->store, f->err, sizeof(f->err)), STORE_DAMAGED);
}

/* Another program's environment, with one entry under that key of that database. */
static void
make_foreign(struct fixture *f, const char *table, const char *key, unsigned flags)
{
	MDB_val k = {strlen(key), (void *)(uintptr_t)key}, v = {5, "value"};
	char folder[80];
	MDB_env *env;
	MDB_txn *txn;
	MDB_dbi dbi;

	store_close(f->store);
	f->store = NULL;
	snprintf(folder, sizeof(folder), "%s/store", f->dir);
	unlink(f->file);
	assert_int_equal(mdb_env_create(&env), 0);
	assert_int_equal(mdb_env_set_maxdbs(env, 4), 0);
	assert_int_equal(mdb_env_open(env, folder, 0, 0600), 0);
	assert_int_equal(mdb_txn_begin(env, NULL, 0, &txn), 0);
	assert_int_equal(mdb_dbi_open(txn, table, flags, &dbi), 0);
	assert_int_equal(mdb_put(txn, dbi, &k, &v, 0), 0);
	v.mv_data = "other";
	assert_int_equal(mdb_put(txn, dbi, &k, &v, 0), 0);
	assert_int_equal(mdb_txn_commit(txn), 0);
	mdb_env_close(env);
}

static void
another_programs_lmdb_file_is_refused_untouched(void **state)
{
	static const struct {
		const char *table, *key;
		unsigned flags;
	} kinds[] = {
	    {NULL, "meta", 0},
	    {NULL, "key", 0},
	    {"meta", "magic", MDB_CREATE},
	    {"meta", "other", MDB_CREATE},
	    {"users", "key", MDB_CREATE},
	    {"meta", "magic", MDB_CREATE | MDB_DUPSORT},
	    {"meta", "12345678", MDB_CREATE | MDB_INTEGERKEY},
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		struct image was, is;

		make_foreign(f, kinds[i].table, kinds[i].key, kinds[i].flags);
		was = image_read(f->file);
		assert_int_equal(store_open(f->dir, &f->store, f->err, sizeof(f->err)),
				 STORE_DAMAGED);
		assert_non_null(strstr(f->err, "not a penstock store"));
		is = image_read(f->file);
		assert_int_equal(is.n, was.n);
		assert_memory_equal(is.p, was.p, was.n);
		free(was.p);
		free(is.p);
	}
}

static void
a_folder_that_cannot_be_made_is_named(void **state)
{
	struct fixture *f = *state;
	char dir[100];

	snprintf(dir, sizeof(dir), "%s/no/such", f->dir);
	assert_int_equal(store_open(dir, &f->store, f->err, sizeof(f->err)), STORE_FAILED);
	assert_non_null(strstr(f->err, dir));
	assert_non_null(strstr(f->err, "data-dir"));

	snprintf(dir, sizeof(dir), "%s/store", f->dir);
	image_write(dir, "x", 1);
	assert_int_equal(store_open(f->dir, &f->store, f->err, sizeof(f->err)), STORE_FAILED);
	assert_null(f->store);
	assert_int_equal(unlink(dir), 0);
}

static void
what_a_creation_cut_short_left_is_in_nobodys_way(void **state)
{
	struct fixture *f = *state;
	char path[100];

	snprintf(path, sizeof(path), "%s/store", f->dir);
	assert_int_equal(mkdir(path, 0700), 0);
	snprintf(path, sizeof(path), "%s/store/new", f->dir);
	assert_int_equal(mkdir(path, 0700), 0);
	snprintf(path, sizeof(path), "%s/store/new/data.mdb", f->dir);
	image_write(path, "half", 4);
	reopen(f);
	add_app(f, "web");
	reopen(f);
	assert_int_equal(count_apps(f), 1);
	assert_int_equal(access(path, F_OK), -1);
}

/* The check before the open must never refuse what LMDB wrote. */
static void
whatever_was_added_and_removed_opens_again(void **state)
{
	struct fixture *f = *state;
	struct app_record app[20];
	uint64_t drain[20][40] = {{0}};
	char why[128], name[32];

	srand(99);
	for (int i = 0; i < 20; i++) {
		snprintf(name, sizeof(name), "app%d", i);
		app[i] = add_app(f, name);
	}
	for (int round = 0; round < 60; round++) {
		for (int i = 0; i < 40; i++) {
			int a = rand() % 20, d = rand() % 40;

			if (drain[a][d] == 0) {
				char *url = xasprintf("u%d-%*d", d, 1 + rand() % 9000, 0);

				drain[a][d] = add_drain(f, app[a].id, url);
				free(url);
			} else {
				assert_int_equal(
				    store_drain_remove(f->store, app[a].id, drain[a][d]), STORE_OK);
				drain[a][d] = 0;
			}
		}
		if (round % 15 == 14) {
			int a = rand() % 20;

			assert_int_equal(store_app_remove(f->store, app[a].id), STORE_OK);
			memset(drain[a], 0, sizeof(drain[a]));
			app[a] = add_app(f, app[a].name);
		}
		/* Read by another descriptor: needs no closing. */
		if (file_check(f->file, why, sizeof(why)) != FILE_WHOLE)
			fail_msg("round %d: %s", round, why);
		if (round % 10 == 0)
			reopen(f);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
#define TEST_BARE(name) cmocka_unit_test_setup_teardown(name, setup_folder, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_file_cut_anywhere_is_refused_or_has_lost_nothing),
	    TEST(an_empty_file_is_damage_and_not_a_new_store),
	    TEST(flipped_bits_never_crash_and_never_alter_a_record),
	    TEST(a_last_page_far_beyond_the_file_is_refused),
	    TEST(random_bytes_in_a_page_never_crash),
	    TEST(what_is_no_lmdb_file_is_refused_untouched),
	    TEST(another_programs_lmdb_file_is_refused_untouched),
	    TEST_BARE(a_folder_that_cannot_be_made_is_named),
	    TEST_BARE(what_a_creation_cut_short_left_is_in_nobodys_way),
	    TEST(whatever_was_added_and_removed_opens_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
