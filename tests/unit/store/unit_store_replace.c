/* One drain takes another's place: whole or not at all. */
#include "store/store_fixture.h"

#include <signal.h>
#include <sys/wait.h>
#include <time.h>

static enum store_code
replace(struct store *s, const char *app_id, uint64_t old_id, const char *url, uint64_t *id)
{
	struct drain_record drain = drain_with(app_id, url);
	enum store_code code = store_drain_replace(s, old_id, &drain);

	if (id != NULL)
		*id = drain.id;
	drain_record_free(&drain);
	return code;
}

static bool
has_drain(struct fixture *f, const char *app_id, const char *url, uint64_t *id)
{
	struct drain_record drain;
	enum store_code code = store_drain_find(f->store, app_id, url, &drain);

	if (code == STORE_NOT_FOUND)
		return false;
	assert_int_equal(code, STORE_OK);
	*id = drain.id;
	drain_record_free(&drain);
	return true;
}

struct urls {
	char text[256];
};

static bool
on_drain_url(const struct drain_record *drain, void *arg)
{
	struct urls *urls = arg;
	size_t n = strlen(urls->text);

	snprintf(urls->text + n, sizeof(urls->text) - n, "%s ", drain->url);
	return true;
}

static void
assert_urls(struct fixture *f, const char *app_id, const char *want)
{
	struct urls urls = {""};

	assert_int_equal(store_drain_walk(f->store, app_id, on_drain_url, &urls), STORE_OK);
	assert_string_equal(urls.text, want);
}

static void
the_new_drain_has_an_id_of_its_own_and_stands_last(void **state)
{
	struct fixture *f = *state;
	struct app_record app = add_app(f, "web");
	uint64_t a = add_drain(f, app.id, "syslog://a"), b = add_drain(f, app.id, "syslog://b");
	uint64_t c = 0, id;

	assert_int_equal(replace(f->store, app.id, a, "syslog://c", &c), STORE_OK);
	assert_true(c > b);
	for (int i = 0; i < 2; i++, reopen(f)) {
		assert_urls(f, app.id, "syslog://b syslog://c ");
		assert_false(has_drain(f, app.id, "syslog://a", &id));
		assert_true(has_drain(f, app.id, "syslog://c", &id));
		assert_int_equal(id, c);
	}
	assert_int_equal(store_drain_remove(f->store, app.id, a), STORE_NOT_FOUND);
	/* The old id is not given out again, nor the new one twice. */
	assert_true(add_drain(f, app.id, "syslog://a") > c);
}

static void
the_same_url_may_take_its_own_place(void **state)
{
	struct fixture *f = *state;
	struct app_record app = add_app(f, "web");
	uint64_t a = add_drain(f, app.id, "syslog://a"), again = 0, id;

	assert_int_equal(replace(f->store, app.id, a, "syslog://a", &again), STORE_OK);
	assert_true(again > a);
	reopen(f);
	assert_true(has_drain(f, app.id, "syslog://a", &id));
	assert_int_equal(id, again);
	assert_int_equal(count_drains(f, app.id), 1);
}

static void
a_refused_replacement_changes_nothing(void **state)
{
	struct fixture *f = *state;
	struct app_record app = add_app(f, "web"), other = add_app(f, "api");
	uint64_t a = add_drain(f, app.id, "syslog://a"),
		 theirs = add_drain(f, other.id, "syslog://t");
	uint64_t id, next = 0;
	char *huge = xasprintf("syslog://%*d", RECORD_BYTES_MAX, 1);

	add_drain(f, app.id, "syslog://b");
	assert_int_equal(replace(f->store, app.id, a, "syslog://b", NULL), STORE_EXISTS);
	assert_int_equal(replace(f->store, app.id, 0, "syslog://c", NULL), STORE_NOT_FOUND);
	assert_int_equal(replace(f->store, app.id, a + 1000, "syslog://c", NULL), STORE_NOT_FOUND);
	/* Another app's drain is none of this one's. */
	assert_int_equal(replace(f->store, app.id, theirs, "syslog://c", NULL), STORE_NOT_FOUND);
	assert_int_equal(replace(f->store, "", a, "syslog://c", NULL), STORE_NOT_FOUND);
	assert_int_equal(replace(f->store, app.id, a, huge, NULL), STORE_FAILED);
	free(huge);
	for (int i = 0; i < 2; i++, reopen(f)) {
		assert_urls(f, app.id, "syslog://a syslog://b ");
		assert_urls(f, other.id, "syslog://t ");
		assert_true(has_drain(f, app.id, "syslog://a", &id));
		assert_int_equal(id, a);
	}
	/* Not even an id was used up. */
	assert_int_equal(replace(f->store, app.id, a, "syslog://c", &next), STORE_OK);
	assert_int_equal(next, theirs + 2);
}

static void
in_a_full_store_the_old_drain_stays(void **state)
{
	struct fixture *f = *state;
	struct app_record app;
	enum store_code code = STORE_OK;
	uint64_t first = 0, id;

	store_close(f->store);
	assert_int_equal(unlink(f->file), 0);
	assert_int_equal(store_open_sized(f->dir, 128 * 4096, &f->store, f->err, sizeof(f->err)),
			 STORE_OK);
	app = add_app(f, "web");
	first = add_drain(f, app.id, "syslog://first");
	for (int i = 0; code == STORE_OK; i++) {
		char *url = xasprintf("syslog://%*d", 1500, i);

		code = try_drain(f, app.id, url, NULL);
		free(url);
	}
	assert_int_equal(code, STORE_FULL);
	assert_int_equal(replace(f->store, app.id, first, "syslog://second", NULL), STORE_FULL);
	assert_true(has_drain(f, app.id, "syslog://first", &id));
	assert_int_equal(id, first);
	assert_false(has_drain(f, app.id, "syslog://second", &id));
}

/* In the child: one drain takes the other's place again and again. */
static void
replace_until_killed(const char *dir, const char *app_id, uint64_t id, int notes)
{
	char err[512], url[64];
	struct store *store;

	if (store_open(dir, &store, err, sizeof(err)) != STORE_OK)
		_exit(2);
	for (;;) {
		snprintf(url, sizeof(url), "syslog://after-%llu", (unsigned long long)id);
		if (replace(store, app_id, id, url, &id) != STORE_OK)
			_exit(3);
		if (write(notes, &id, sizeof(id)) != (ssize_t)sizeof(id))
			_exit(4);
	}
}

static bool
on_drain_keep_id(const struct drain_record *drain, void *arg)
{
	*(uint64_t *)arg = drain->id;
	return true;
}

static void
kill_nine_leaves_one_of_the_two(void **state)
{
	struct fixture *f = *state;
	struct app_record app = add_app(f, "web");
	uint64_t id = add_drain(f, app.id, "syslog://first"), noted = id, total = 0;

	srand(11);
	for (int round = 0; round < 15; round++) {
		struct timespec pause = {.tv_nsec = (5 + rand() % 60) * 1000000L};
		int pipes[2], status;
		pid_t child;

		store_close(f->store);
		f->store = NULL;
		assert_int_equal(pipe(pipes), 0);
		child = fork();
		assert_true(child >= 0);
		if (child == 0) {
			close(pipes[0]);
			replace_until_killed(f->dir, app.id, id, pipes[1]);
		}
		close(pipes[1]);
		nanosleep(&pause, NULL);
		kill(child, SIGKILL);
		assert_int_equal(waitpid(child, &status, 0), child);
		assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
		while (read(pipes[0], &noted, sizeof(noted)) == (ssize_t)sizeof(noted))
			total++;
		close(pipes[0]);

		/* Opening compares the tables. */
		reopen(f);
		assert_int_equal(count_drains(f, NULL), 1);
		assert_int_equal(store_drain_walk(f->store, app.id, on_drain_keep_id, &id),
				 STORE_OK);
		assert_in_range(id, noted, noted + 1);
		noted = id;
	}
	assert_true(total > 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(the_new_drain_has_an_id_of_its_own_and_stands_last),
	    TEST(the_same_url_may_take_its_own_place),
	    TEST(a_refused_replacement_changes_nothing),
	    TEST(in_a_full_store_the_old_drain_stays),
	    TEST(kill_nine_leaves_one_of_the_two),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
