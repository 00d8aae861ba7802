/* Records that are damaged, newer or contradict each other: refused, in so many words. */
#include "store/store_fixture.h"

#include "store/image.h"

#include "base/hash.h"

/* Overwrites or adds an entry behind the store's back. */
static void
put_raw(struct fixture *f, enum store_table table, struct slice key, struct slice value)
{
	MDB_val k = {key.n, (void *)(uintptr_t)key.p}, v = {value.n, (void *)(uintptr_t)value.p};
	MDB_txn *txn;

	assert_int_equal(mdb_txn_begin(f->store->env, NULL, 0, &txn), 0);
	assert_int_equal(mdb_put(txn, f->store->table[table], &k, &v, 0), 0);
	assert_int_equal(mdb_txn_commit(txn), 0);
}

static void
del_raw(struct fixture *f, enum store_table table, struct slice key)
{
	MDB_val k = {key.n, (void *)(uintptr_t)key.p};
	MDB_txn *txn;

	assert_int_equal(mdb_txn_begin(f->store->env, NULL, 0, &txn), 0);
	assert_int_equal(mdb_del(txn, f->store->table[table], &k, NULL), 0);
	assert_int_equal(mdb_txn_commit(txn), 0);
}

static void
a_newer_store_is_refused_in_so_many_words(void **state)
{
	unsigned char magic[20] = "penstock\0\0\0\2";
	struct fixture *f = *state;

	record_put_u64(magic + 12, hash_slice(slice_of((char *)magic, 12)));
	put_raw(f, TABLE_META, SLICE("magic"), slice_of((char *)magic, sizeof(magic)));
	store_close(f->store);
	assert_int_equal(store_open(f->dir, &f->store, f->err, sizeof(f->err)), STORE_FAILED);
	assert_non_null(strstr(f->err, "newer version (schema 2, this penstockd knows 1)"));
	assert_null(f->store);
}

static void
a_damaged_version_is_refused(void **state)
{
	unsigned char magic[20] = "penstock\0\0\0\1";
	struct fixture *f = *state;

	put_raw(f, TABLE_META, SLICE("magic"), slice_of((char *)magic, sizeof(magic)));
	store_close(f->store);
	assert_int_equal(store_open(f->dir, &f->store, f->err, sizeof(f->err)), STORE_DAMAGED);
	assert_non_null(strstr(f->err, "is damaged"));
}

static void
a_damaged_record_says_so_and_leaves_the_others(void **state)
{
	struct fixture *f = *state;
	struct app_record app = add_app(f, "web"), other = add_app(f, "api"), found;
	struct drain_record drain;
	char key[DRAIN_KEY_BYTES];
	size_t n = 0;

	add_drain(f, app.id, "syslog://a");
	add_drain(f, other.id, "syslog://a");
	store_drain_key(key, app.id, 1);
	put_raw(f, TABLE_DRAINS, slice_of(key, sizeof(key)), SLICE("nonsense and more"));
	put_raw(f, TABLE_APPS, slice_of(app.id, RECORD_ID_BYTES), SLICE(""));

	assert_int_equal(store_app_by_name(f->store, "web", &found), STORE_DAMAGED);
	assert_string_equal(store_error(f->store), "an app's record is damaged");
	assert_int_equal(store_app_by_id(f->store, app.id, &found), STORE_DAMAGED);
	assert_int_equal(store_app_walk(f->store, on_app_count, &n), STORE_DAMAGED);
	assert_int_equal(store_app_remove(f->store, app.id), STORE_DAMAGED);
	assert_int_equal(store_drain_find(f->store, app.id, "syslog://a", &drain), STORE_DAMAGED);
	assert_int_equal(store_drain_remove(f->store, app.id, 1), STORE_DAMAGED);
	assert_int_equal(store_drain_walk(f->store, NULL, on_drain_count, &n), STORE_DAMAGED);
	assert_int_equal(try_drain(f, app.id, "syslog://b", NULL), STORE_DAMAGED);

	assert_int_equal(store_app_by_name(f->store, "api", &found), STORE_OK);
	assert_int_equal(count_drains(f, other.id), 1);
}

static void
tables_that_disagree_are_refused_at_open(void **state)
{
	struct fixture *f = *state;
	struct app_record app = add_app(f, "web"), other = add_app(f, "api");
	struct token_record token = add_token(f, app.id, 1);
	char key[DRAIN_KEY_BYTES], url_key[DRAIN_URL_KEY_BYTES];
	struct image good;

	add_drain(f, app.id, "syslog://a");
	store_drain_key(key, app.id, 1);
	store_drain_url_key(url_key, app.id, "syslog://a", 1);
	reopen(f);
	good = image_read(f->file);
	for (int fault = 0; fault < 9; fault++) {
		store_close(f->store);
		image_write(f->file, good.p, good.n);
		f->store = NULL;
		reopen(f);
		switch (fault) {
		case 0:
			del_raw(f, TABLE_APP_NAMES, SLICE("web"));
			break;
		case 1:
			put_raw(f, TABLE_APP_NAMES, SLICE("web"),
				slice_of(other.id, RECORD_ID_BYTES));
			break;
		case 2:
			put_raw(f, TABLE_APP_NAMES, SLICE("old"),
				slice_of(app.id, RECORD_ID_BYTES));
			break;
		case 3:
			del_raw(f, TABLE_DRAIN_URLS, slice_of(url_key, sizeof(url_key)));
			break;
		case 4:
			del_raw(f, TABLE_DRAINS, slice_of(key, sizeof(key)));
			break;
		case 5:
			del_raw(f, TABLE_TOKENS, slice_of(token.id, RECORD_ID_BYTES));
			break;
		case 6:
			del_raw(f, TABLE_META, SLICE("counters"));
			break;
		case 7: /* app without its name and record, drains and tokens left */
			del_raw(f, TABLE_APP_NAMES, SLICE("web"));
			del_raw(f, TABLE_APPS, slice_of(app.id, RECORD_ID_BYTES));
			break;
		case 8:
			put_raw(f, TABLE_TOKENS, slice_of(token.id, RECORD_ID_BYTES), SLICE("x"));
			break;
		}
		store_close(f->store);
		assert_int_equal(store_open(f->dir, &f->store, f->err, sizeof(f->err)),
				 STORE_DAMAGED);
		assert_non_null(strstr(f->err, "damaged"));
		f->store = NULL;
	}
	image_write(f->file, good.p, good.n);
	free(good.p);
	reopen(f);
}

static void
counters_behind_the_records_are_refused(void **state)
{
	struct fixture *f = *state;
	struct counters_record counters = {.app = 1, .drain = 1};
	struct buf b = {0};

	add_app(f, "web");
	add_app(f, "api");
	assert_true(counters_record_pack(&counters, &b));
	put_raw(f, TABLE_META, SLICE("counters"), buf_slice(&b));
	buf_free(&b);
	store_close(f->store);
	assert_int_equal(store_open(f->dir, &f->store, f->err, sizeof(f->err)), STORE_DAMAGED);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_newer_store_is_refused_in_so_many_words),
	    TEST(a_damaged_version_is_refused),
	    TEST(a_damaged_record_says_so_and_leaves_the_others),
	    TEST(tables_that_disagree_are_refused_at_open),
	    TEST(counters_behind_the_records_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
