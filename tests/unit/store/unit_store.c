#include "store/store_fixture.h"

#include "base/clock.h"

static void
a_new_store_is_empty_and_only_its_owners(void **state)
{
	struct fixture *f = *state;
	char path[128];
	struct stat st;

	assert_int_equal(count_apps(f) + count_drains(f, NULL) + count_tokens(f), 0);
	snprintf(path, sizeof(path), "%s/store", f->dir);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	assert_int_equal(stat(f->file, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	snprintf(path, sizeof(path), "%s/store/lock.mdb", f->dir);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	snprintf(path, sizeof(path), "%s/store/new", f->dir);
	assert_int_equal(stat(path, &st), -1);
	reopen(f);
	assert_int_equal(count_apps(f), 0);
}

static void
an_added_app_is_found_by_name_and_id_also_after_reopening(void **state)
{
	struct fixture *f = *state;
	struct app_record app = add_app(f, "web"), found;

	assert_int_equal(app.serial, 1);
	assert_true(record_id_ok(slice_str(app.id)));
	assert_true(clock_wall_us() - app.created_us < 60000000);
	for (int i = 0; i < 2; i++, reopen(f)) {
		memset(&found, 0xff, sizeof(found));
		assert_int_equal(store_app_by_name(f->store, "web", &found), STORE_OK);
		assert_memory_equal(&found, &app, sizeof(app));
		memset(&found, 0xff, sizeof(found));
		assert_int_equal(store_app_by_id(f->store, app.id, &found), STORE_OK);
		assert_memory_equal(&found, &app, sizeof(app));
	}
}

static void
what_is_no_id_has_no_serial(void **state)
{
	(void)state;
	assert_int_equal(app_id_serial("00000000001f0123456789ab", 24), 31);
	assert_int_equal(app_id_serial("00000000001F0123456789ab", 24), 0);
	assert_int_equal(app_id_serial("00000000001f0123456789ag", 24), 0);
	assert_int_equal(app_id_serial("00000000001f\0123456789ab", 24), 0);
	assert_int_equal(app_id_serial("00000000001f0123456789a", 23), 0);
	assert_int_equal(app_id_serial("", 0), 0);
}

static void
what_is_no_app_is_not_found(void **state)
{
	struct fixture *f = *state;
	struct app_record app = add_app(f, "web"), found;
	char name[1000];

	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	assert_int_equal(store_app_by_name(f->store, "WEB", &found), STORE_NOT_FOUND);
	assert_int_equal(store_app_by_name(f->store, "", &found), STORE_NOT_FOUND);
	assert_int_equal(store_app_by_name(f->store, name, &found), STORE_NOT_FOUND);
	assert_int_equal(store_app_by_id(f->store, "", &found), STORE_NOT_FOUND);
	assert_int_equal(store_app_by_id(f->store, name, &found), STORE_NOT_FOUND);
	app.id[23] = app.id[23] == 'a' ? 'b' : 'a';
	assert_int_equal(store_app_by_id(f->store, app.id, &found), STORE_NOT_FOUND);
	assert_int_equal(store_app_remove(f->store, app.id), STORE_NOT_FOUND);
	assert_int_equal(store_app_remove(f->store, ""), STORE_NOT_FOUND);
}

static void
a_taken_name_is_refused_and_nothing_changes(void **state)
{
	struct fixture *f = *state;
	struct app_record app = app_named("web"), bad;

	add_app(f, "web");
	assert_int_equal(store_app_add(f->store, &app), STORE_EXISTS);
	assert_string_equal(app.id, "");
	assert_int_equal(count_apps(f), 1);
	assert_int_equal(add_app(f, "api").serial, 2);

	bad = app_named("");
	assert_int_equal(store_app_add(f->store, &bad), STORE_FAILED);
	bad = app_named("two words");
	assert_int_equal(store_app_add(f->store, &bad), STORE_FAILED);
	assert_string_not_equal(store_error(f->store), "");
	memset(bad.name, 'n', sizeof(bad.name));
	assert_int_equal(store_app_add(f->store, &bad), STORE_FAILED);
	assert_int_equal(count_apps(f), 2);
}

struct seen {
	uint64_t last;
	size_t n, stop;
};

static bool
on_app_in_order(const struct app_record *app, void *arg)
{
	struct seen *seen = arg;

	assert_true(app->serial > seen->last);
	seen->last = app->serial;
	return ++seen->n != seen->stop;
}

static void
apps_are_walked_in_order_of_serial_and_as_far_as_wanted(void **state)
{
	struct fixture *f = *state;
	struct seen all = {0}, some = {.stop = 7};
	char name[16];

	for (int i = 0; i < 300; i++) {
		snprintf(name, sizeof(name), "app%d", (i * 7919) % 300);
		add_app(f, name);
	}
	assert_int_equal(store_app_walk(f->store, on_app_in_order, &all), STORE_OK);
	assert_int_equal(all.n, 300);
	assert_int_equal(store_app_walk(f->store, on_app_in_order, &some), STORE_OK);
	assert_int_equal(some.n, 7);
}

static void
serials_and_ids_are_never_given_twice(void **state)
{
	struct fixture *f = *state;
	struct app_record app = {0}, again;
	char last[RECORD_ID_BYTES + 1] = "";
	uint64_t drain, last_drain = 0;

	for (uint64_t i = 1; i <= 20; i++) {
		app = add_app(f, "web");
		assert_int_equal(app.serial, i);
		assert_int_equal(app_id_serial(app.id, RECORD_ID_BYTES), i);
		assert_true(strcmp(app.id, last) > 0);
		memcpy(last, app.id, sizeof(last));
		drain = add_drain(f, app.id, "syslog://a");
		assert_true(drain > last_drain);
		last_drain = drain;
		assert_int_equal(store_drain_remove(f->store, app.id, drain), STORE_OK);
		assert_int_equal(store_app_remove(f->store, app.id), STORE_OK);
		assert_int_equal(store_app_by_id(f->store, last, &again), STORE_NOT_FOUND);
		if (i % 3 == 0)
			reopen(f);
	}
}

static void
an_added_drain_is_found_whole_also_after_reopening(void **state)
{
	struct fixture *f = *state;
	struct app_record app = add_app(f, "web");
	uint64_t id = add_drain(f, app.id, "syslog+tls://logs.example:6514");
	struct drain_record found;

	assert_int_equal(id, 1);
	for (int i = 0; i < 2; i++, reopen(f)) {
		assert_int_equal(
		    store_drain_find(f->store, app.id, "syslog+tls://logs.example:6514", &found),
		    STORE_OK);
		assert_int_equal(found.id, 1);
		assert_string_equal(found.app_id, app.id);
		assert_string_equal(found.type, "syslog");
		assert_string_equal(found.url, "syslog+tls://logs.example:6514");
		assert_int_equal(found.nparams, 2);
		assert_string_equal(found.params[0].key, "host");
		assert_string_equal(found.params[1].value, "");
		assert_true(found.position == UINT64_MAX - 7);
		drain_record_free(&found);
	}
	assert_int_equal(store_drain_find(f->store, app.id, "syslog://", &found), STORE_NOT_FOUND);
	assert_int_equal(store_drain_find(f->store, "x", "syslog://", &found), STORE_NOT_FOUND);
}

static void
a_url_is_taken_in_its_app_only(void **state)
{
	struct fixture *f = *state;
	struct app_record web = add_app(f, "web"), api = add_app(f, "api");

	add_drain(f, web.id, "syslog://a");
	assert_int_equal(try_drain(f, web.id, "syslog://a", NULL), STORE_EXISTS);
	assert_int_equal(try_drain(f, api.id, "syslog://a", NULL), STORE_OK);
	assert_int_equal(try_drain(f, web.id, "syslog://A", NULL), STORE_OK);
	assert_int_equal(try_drain(f, "0123456789abcdef01234567", "syslog://a", NULL),
			 STORE_NOT_FOUND);
	assert_int_equal(try_drain(f, "", "syslog://a", NULL), STORE_NOT_FOUND);
	assert_int_equal(count_drains(f, NULL), 3);
}

static void
long_urls_that_differ_at_the_end_are_two_drains(void **state)
{
	struct fixture *f = *state;
	struct app_record app = add_app(f, "web");
	struct drain_record found;
	static char url[100001];

	memset(url, 'u', sizeof(url) - 1);
	add_drain(f, app.id, url);
	assert_int_equal(try_drain(f, app.id, url, NULL), STORE_EXISTS);
	url[sizeof(url) - 2] = 'v';
	add_drain(f, app.id, url);
	assert_int_equal(store_drain_find(f->store, app.id, url, &found), STORE_OK);
	assert_string_equal(found.url, url);
	drain_record_free(&found);
	reopen(f);
	assert_int_equal(count_drains(f, app.id), 2);
	assert_int_equal(store_drain_remove(f->store, app.id, 1), STORE_OK);
	assert_int_equal(store_drain_find(f->store, app.id, url, &found), STORE_OK);
	drain_record_free(&found);
}

static void
a_drain_too_large_to_keep_is_refused(void **state)
{
	struct fixture *f = *state;
	struct app_record app = add_app(f, "web");
	char *url = xmalloc(RECORD_BYTES_MAX + 1);

	memset(url, 'u', RECORD_BYTES_MAX);
	url[RECORD_BYTES_MAX] = '\0';
	assert_int_equal(try_drain(f, app.id, url, NULL), STORE_FAILED);
	assert_non_null(strstr(store_error(f->store), "too large"));
	free(url);
	assert_int_equal(count_drains(f, NULL), 0);
	assert_int_equal(add_drain(f, app.id, "syslog://a"), 1);
}

/* Says that the drain may have the URL, as another URL with the same hash would. */
static void
add_false_hint(struct fixture *f, const char *app_id, const char *url, uint64_t id)
{
	char key[DRAIN_URL_KEY_BYTES];
	MDB_txn *txn;

	store_drain_url_key(key, app_id, url, id);
	assert_int_equal(store_begin_add(f->store, &txn), STORE_OK);
	assert_int_equal(store_end(f->store, txn,
				   store_put_new(f->store, txn, TABLE_DRAIN_URLS,
						 slice_of(key, sizeof(key)), SLICE(""))),
			 STORE_OK);
}

static void
urls_with_the_same_hash_are_told_apart(void **state)
{
	struct fixture *f = *state;
	struct app_record app = add_app(f, "web");
	struct drain_record found;

	add_drain(f, app.id, "syslog://a");
	add_false_hint(f, app.id, "syslog://b", 1);
	assert_int_equal(store_drain_find(f->store, app.id, "syslog://b", &found), STORE_NOT_FOUND);
	assert_int_equal(add_drain(f, app.id, "syslog://b"), 2);
	assert_int_equal(store_drain_find(f->store, app.id, "syslog://b", &found), STORE_OK);
	assert_int_equal(found.id, 2);
	drain_record_free(&found);
	assert_int_equal(try_drain(f, app.id, "syslog://b", NULL), STORE_EXISTS);
}

static void
an_app_and_its_first_drain_come_together_or_not_at_all(void **state)
{
	struct fixture *f = *state;
	struct app_record app = app_named("web"), other = app_named("web"), found;
	struct drain_record drain = drain_with("", "syslog://a");
	char *url;

	assert_int_equal(store_drain_add(f->store, &app, &drain), STORE_OK);
	assert_int_equal(app.serial, 1);
	assert_string_equal(drain.app_id, app.id);
	assert_int_equal(drain.id, 1);
	reopen(f);
	assert_int_equal(count_drains(f, app.id), 1);

	memset(drain.app_id, 0, sizeof(drain.app_id));
	assert_int_equal(store_drain_add(f->store, &other, &drain), STORE_EXISTS);
	assert_string_equal(other.id, "");
	assert_string_equal(drain.app_id, "");

	other = app_named("api");
	url = drain.url;
	drain.url = NULL;
	assert_int_equal(store_drain_add(f->store, &other, &drain), STORE_FAILED);
	drain.url = url;
	assert_int_equal(store_app_by_name(f->store, "api", &found), STORE_NOT_FOUND);
	assert_int_equal(count_drains(f, NULL), 1);
	drain_record_free(&drain);
}

static bool
on_drain_in_order(const struct drain_record *drain, void *arg)
{
	struct seen *seen = arg;

	assert_true(drain->id > seen->last);
	seen->last = drain->id;
	return ++seen->n != seen->stop;
}

static void
an_apps_drains_are_walked_in_order_of_adding(void **state)
{
	struct fixture *f = *state;
	struct app_record apps[3] = {add_app(f, "a"), add_app(f, "b"), add_app(f, "c")};
	struct seen all = {0}, some = {.stop = 2};
	char url[32];

	for (int i = 0; i < 300; i++) {
		snprintf(url, sizeof(url), "syslog://%d", 1000 - i);
		add_drain(f, apps[i % 3].id, url);
	}
	for (int i = 0; i < 300; i += 7)
		assert_int_equal(store_drain_remove(f->store, apps[i % 3].id, (uint64_t)i + 1),
				 STORE_OK);
	assert_int_equal(store_drain_walk(f->store, apps[1].id, on_drain_in_order, &all), STORE_OK);
	assert_int_equal(all.n, 100 - 14);
	assert_int_equal(store_drain_walk(f->store, apps[2].id, on_drain_in_order, &some),
			 STORE_OK);
	assert_int_equal(some.n, 2);
	assert_int_equal(count_drains(f, NULL), 300 - 43);
	assert_int_equal(count_drains(f, "nonsense"), 0);
}

static void
a_removed_drain_is_gone_and_its_url_free(void **state)
{
	struct fixture *f = *state;
	struct app_record app = add_app(f, "web"), other = add_app(f, "api");
	uint64_t id = add_drain(f, app.id, "syslog://a");
	struct drain_record found;

	assert_int_equal(store_drain_remove(f->store, other.id, id), STORE_NOT_FOUND);
	assert_int_equal(store_drain_remove(f->store, "", id), STORE_NOT_FOUND);
	assert_int_equal(store_drain_remove(f->store, app.id, id), STORE_OK);
	assert_int_equal(store_drain_remove(f->store, app.id, id), STORE_NOT_FOUND);
	assert_int_equal(store_drain_find(f->store, app.id, "syslog://a", &found), STORE_NOT_FOUND);
	assert_int_equal(add_drain(f, app.id, "syslog://a"), id + 1);
	reopen(f);
	assert_int_equal(count_drains(f, NULL), 1);
	assert_int_equal(count_apps(f), 2);
}

static void
a_removed_app_takes_its_drains_and_tokens_along_and_no_others(void **state)
{
	struct fixture *f = *state;
	struct app_record a = add_app(f, "a"), b = add_app(f, "b"), c = add_app(f, "c");
	struct token_record of_b, of_all, found;
	char url[64];

	for (int i = 0; i < 600; i++) {
		snprintf(url, sizeof(url), "syslog://%d", i);
		add_drain(f, i % 3 == 0 ? a.id : i % 3 == 1 ? b.id : c.id, url);
	}
	of_all = add_token(f, "", 1);
	of_b = add_token(f, b.id, 2);
	add_token(f, b.id, 3);
	add_token(f, c.id, 4);
	assert_int_equal(store_app_remove(f->store, b.id), STORE_OK);
	for (int i = 0; i < 2; i++, reopen(f)) {
		assert_int_equal(count_apps(f), 2);
		assert_int_equal(count_drains(f, a.id), 200);
		assert_int_equal(count_drains(f, b.id), 0);
		assert_int_equal(count_drains(f, c.id), 200);
		assert_int_equal(count_tokens(f), 2);
		assert_int_equal(store_token_by_hash(f->store, of_b.sha256, &found),
				 STORE_NOT_FOUND);
		assert_int_equal(store_token_by_hash(f->store, of_all.sha256, &found), STORE_OK);
	}
	add_app(f, "b");
}

static void
a_token_is_found_by_its_hash_only(void **state)
{
	struct fixture *f = *state;
	struct app_record app = add_app(f, "web");
	struct token_record token = add_token(f, app.id, 1), all = add_token(f, "", 2), found;

	assert_int_equal(store_token_by_hash(f->store, token.sha256, &found), STORE_OK);
	assert_memory_equal(&found, &token, sizeof(token));
	assert_int_equal(store_token_by_hash(f->store, all.sha256, &found), STORE_OK);
	assert_string_equal(found.app_id, "");
	assert_string_not_equal(token.id, all.id);
	token.sha256[31] ^= 1;
	assert_int_equal(store_token_by_hash(f->store, token.sha256, &found), STORE_NOT_FOUND);

	assert_int_equal(store_token_add(f->store, &all), STORE_EXISTS);
	token.app_id[0] = 'x';
	assert_int_equal(store_token_add(f->store, &token), STORE_NOT_FOUND);
	assert_int_equal(store_token_remove(f->store, token.id), STORE_OK);
	assert_int_equal(store_token_remove(f->store, token.id), STORE_NOT_FOUND);
	assert_int_equal(store_token_remove(f->store, "nonsense"), STORE_NOT_FOUND);
	assert_int_equal(count_tokens(f), 1);
	reopen(f);
	assert_int_equal(count_tokens(f), 1);
}

static void
the_start_number_grows_with_every_start(void **state)
{
	struct fixture *f = *state;
	uint64_t start = 0;

	for (uint64_t i = 1; i <= 5; i++, reopen(f)) {
		assert_int_equal(store_raise_start(f->store, &start), STORE_OK);
		assert_int_equal(start, i);
	}
}

struct remover {
	struct fixture *f;
	size_t n;
};

static bool
on_drain_remove(const struct drain_record *drain, void *arg)
{
	struct remover *remover = arg;

	remover->n++;
	assert_int_equal(store_drain_remove(remover->f->store, drain->app_id, drain->id), STORE_OK);
	return true;
}

static void
a_walk_sees_the_store_as_it_was_when_it_began(void **state)
{
	struct fixture *f = *state;
	struct app_record app = add_app(f, "web");
	struct remover remover = {.f = f};
	char url[32];

	for (int i = 0; i < 100; i++) {
		snprintf(url, sizeof(url), "syslog://%d", i);
		add_drain(f, app.id, url);
	}
	assert_int_equal(store_drain_walk(f->store, NULL, on_drain_remove, &remover), STORE_OK);
	assert_int_equal(remover.n, 100);
	assert_int_equal(count_drains(f, NULL), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_new_store_is_empty_and_only_its_owners),
	    TEST(an_added_app_is_found_by_name_and_id_also_after_reopening),
	    TEST(what_is_no_app_is_not_found),
	    TEST(a_taken_name_is_refused_and_nothing_changes),
	    TEST(apps_are_walked_in_order_of_serial_and_as_far_as_wanted),
	    TEST(serials_and_ids_are_never_given_twice),
	    TEST(what_is_no_id_has_no_serial),
	    TEST(an_added_drain_is_found_whole_also_after_reopening),
	    TEST(a_url_is_taken_in_its_app_only),
	    TEST(long_urls_that_differ_at_the_end_are_two_drains),
	    TEST(a_drain_too_large_to_keep_is_refused),
	    TEST(urls_with_the_same_hash_are_told_apart),
	    TEST(an_app_and_its_first_drain_come_together_or_not_at_all),
	    TEST(an_apps_drains_are_walked_in_order_of_adding),
	    TEST(a_removed_drain_is_gone_and_its_url_free),
	    TEST(a_removed_app_takes_its_drains_and_tokens_along_and_no_others),
	    TEST(a_token_is_found_by_its_hash_only),
	    TEST(the_start_number_grows_with_every_start),
	    TEST(a_walk_sees_the_store_as_it_was_when_it_began),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
