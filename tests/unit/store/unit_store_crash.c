/* kill -9 while records are added, and no room left on disk or map. */
#include "store/store_fixture.h"

#include <errno.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

struct note {
	char app_id[RECORD_ID_BYTES + 1];
	uint64_t drain;
	int number;
};

/* In the child: opens only here, since LMDB may not be forked while open. */
static void
add_until_killed(const char *dir, int round, int notes)
{
	char err[512], name[48], url[64];
	struct store *store;

	if (store_open(dir, &store, err, sizeof(err)) != STORE_OK)
		_exit(2);
	for (int i = 0;; i++) {
		struct app_record app;
		struct drain_record drain;
		struct note note = {.number = i};
		uint64_t start;

		snprintf(name, sizeof(name), "app-%d-%d", round, i);
		snprintf(url, sizeof(url), "syslog://%d.%d", round, i);
		app = app_named(name);
		drain = drain_with("", url);
		if (store_drain_add(store, &app, &drain) != STORE_OK)
			_exit(3);
		memcpy(note.app_id, drain.app_id, sizeof(note.app_id));
		note.drain = drain.id;
		if (write(notes, &note, sizeof(note)) != (ssize_t)sizeof(note))
			_exit(4);
		drain_record_free(&drain);
		if (i % 5 == 4 && store_drain_remove(store, note.app_id, note.drain) != STORE_OK)
			_exit(5);
		if (i % 7 == 6 && store_raise_start(store, &start) != STORE_OK)
			_exit(6);
	}
}

static void
check_note(struct fixture *f, int round, const struct note *note, bool last)
{
	struct drain_record drain;
	enum store_code code;
	char url[64];

	snprintf(url, sizeof(url), "syslog://%d.%d", round, note->number);
	code = store_drain_find(f->store, note->app_id, url, &drain);
	if (note->number % 5 == 4) {
		/* Its removal was not noted: the last one may be there or not. */
		if (!last)
			assert_int_equal(code, STORE_NOT_FOUND);
		if (code == STORE_OK)
			drain_record_free(&drain);
		return;
	}
	assert_int_equal(code, STORE_OK);
	assert_int_equal(drain.id, note->drain);
	assert_int_equal(drain.nparams, 2);
	drain_record_free(&drain);
}

struct noted {
	struct note *list;
	size_t n;
};

static struct noted
read_notes(int fd)
{
	struct noted noted = {0};
	struct note note;

	while (read(fd, &note, sizeof(note)) == (ssize_t)sizeof(note)) {
		noted.list = xrealloc(noted.list, (noted.n + 1) * sizeof(note));
		noted.list[noted.n++] = note;
	}
	close(fd);
	return noted;
}

static void
kill_nine_leaves_whole_records_and_all_that_were_confirmed(void **state)
{
	struct fixture *f = *state;
	uint64_t last_drain = 0;
	size_t total = 0;

	srand(7);
	for (int round = 0; round < 20; round++) {
		struct timespec pause = {.tv_nsec = (5 + rand() % 60) * 1000000L};
		struct noted noted;
		int pipes[2], status;
		pid_t child;

		assert_int_equal(pipe(pipes), 0);
		child = fork();
		assert_true(child >= 0);
		if (child == 0) {
			close(pipes[0]);
			add_until_killed(f->dir, round, pipes[1]);
		}
		close(pipes[1]);
		nanosleep(&pause, NULL);
		kill(child, SIGKILL);
		assert_int_equal(waitpid(child, &status, 0), child);
		assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
		noted = read_notes(pipes[0]);

		/* Opening reads and compares everything. */
		reopen(f);
		for (size_t i = 0; i < noted.n; i++) {
			assert_true(noted.list[i].drain > last_drain);
			last_drain = noted.list[i].drain;
			check_note(f, round, &noted.list[i], i + 1 == noted.n);
		}
		total += noted.n;
		assert_in_range(count_apps(f), total, total + (size_t)round + 1);
		store_close(f->store);
		f->store = NULL;
		free(noted.list);
	}
	assert_true(total > 0);
}

/* Adds drains until one is refused; how many there were room for. */
static int
fill_up(struct fixture *f, const char *app_id, int *from)
{
	int added = 0;

	for (;; added++, (*from)++) {
		char *url = xasprintf("syslog://%*d", 1500, *from);
		enum store_code code = try_drain(f, app_id, url, NULL);

		free(url);
		if (code == STORE_OK)
			continue;
		if (code != STORE_FULL)
			fail_msg("%d: %s", code, store_error(f->store));
		return added;
	}
}

static bool
on_drain_keep_id(const struct drain_record *drain, void *arg)
{
	*(uint64_t *)arg = drain->id;
	return false;
}

static void
remove_all_one_by_one(struct fixture *f, const char *app_id)
{
	uint64_t id;

	for (;;) {
		id = 0;
		assert_int_equal(store_drain_walk(f->store, app_id, on_drain_keep_id, &id),
				 STORE_OK);
		if (id == 0)
			return;
		assert_int_equal(store_drain_remove(f->store, app_id, id), STORE_OK);
	}
}

static void
a_full_map_changes_nothing_and_lets_removals_through(void **state)
{
	struct fixture *f = *state;
	struct app_record app, other = app_named("other");
	int from = 0, added, again;
	uint64_t start;
	size_t drains;

	store_close(f->store);
	assert_int_equal(unlink(f->file), 0);
	assert_int_equal(store_open_sized(f->dir, 128 * 4096, &f->store, f->err, sizeof(f->err)),
			 STORE_OK);
	app = add_app(f, "web");
	added = fill_up(f, app.id, &from);
	assert_in_range(added, 50, 300);
	assert_non_null(strstr(store_error(f->store), "largest size"));
	drains = count_drains(f, NULL);
	assert_int_equal(drains, added);
	assert_int_equal(store_app_add(f->store, &other), STORE_FULL);
	assert_int_equal(count_apps(f), 1);
	/* A start must not fail for it. */
	for (int i = 0; i < 20; i++)
		assert_int_equal(store_raise_start(f->store, &start), STORE_OK);

	remove_all_one_by_one(f, app.id);
	again = fill_up(f, app.id, &from);
	assert_in_range(again, added - added / 10, added + added / 10);
	assert_int_equal(store_app_remove(f->store, app.id), STORE_OK);
	assert_int_equal(store_app_add(f->store, &other), STORE_OK);
	assert_in_range(fill_up(f, other.id, &from), added - added / 10, added + added / 10);
}

/* In the child, whose files may not grow beyond a limit: EFBIG stands for ENOSPC. */
static void
fill_the_disk(struct fixture *f)
{
	const struct rlimit small = {300 * 1024, 300 * 1024};
	struct app_record app;
	int from = 0, added, again;

	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	reopen(f);
	app = add_app(f, "web");
	added = fill_up(f, app.id, &from);
	assert_true(added > 5);
	assert_non_null(strstr(store_error(f->store), "disk is full"));
	assert_int_equal(count_drains(f, NULL), added);
	assert_int_equal(fill_up(f, app.id, &from), 0);
	reopen(f);
	assert_int_equal(count_drains(f, NULL), added);
	remove_all_one_by_one(f, app.id);
	again = fill_up(f, app.id, &from);
	assert_true(again > added / 2);
	assert_int_equal(store_app_remove(f->store, app.id), STORE_OK);
	assert_int_equal(count_drains(f, NULL), 0);
	store_close(f->store);
}

static void
a_full_disk_changes_nothing_and_lets_removals_through(void **state)
{
	struct fixture *f = *state;
	int status;
	pid_t child = fork();

	assert_true(child >= 0);
	if (child == 0) {
		fill_the_disk(f);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	reopen(f);
	assert_int_equal(count_apps(f), 0);
}

static void
no_room_for_a_new_store_leaves_nothing_behind(void **state)
{
	struct fixture *f = *state;
	const struct rlimit tiny = {16 * 1024, 16 * 1024};
	int status;
	pid_t child = fork();

	assert_true(child >= 0);
	if (child == 0) {
		signal(SIGXFSZ, SIG_IGN);
		setrlimit(RLIMIT_FSIZE, &tiny);
		if (store_open(f->dir, &f->store, f->err, sizeof(f->err)) != STORE_FULL ||
		    strstr(f->err, "free some space") == NULL || f->store != NULL)
			_exit(1);
		_exit(access(f->file, F_OK) == 0 ? 2 : 0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	reopen(f);
}

#define TEST_BARE(name) cmocka_unit_test_setup_teardown(name, setup_folder, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST_BARE(kill_nine_leaves_whole_records_and_all_that_were_confirmed),
	    cmocka_unit_test_setup_teardown(a_full_map_changes_nothing_and_lets_removals_through,
					    setup, teardown),
	    TEST_BARE(a_full_disk_changes_nothing_and_lets_removals_through),
	    TEST_BARE(no_room_for_a_new_store_leaves_nothing_behind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
