/* kill -9 in the middle of commits, and no room left on map or disk. */
#include "store/spool_fixture.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

enum { APPS = 5, DRAIN = 3 };

/* -- kill -9 */

/* What was on disk when it was written. */
struct note {
	struct {
		struct spool_place head, end;
	} app[APPS];
};

static unsigned
up_to(unsigned n)
{
	return (unsigned)rand() % n;
}

/* In each transaction an app's drain stands at the head. */
static void
change_app(struct fixture *f, uint64_t app)
{
	unsigned n = up_to(6);
	const struct spool_log *log;
	struct spool_mark mark;

	for (unsigned i = 0; i < n; i++) {
		struct spool_chunk c = chunk_next(f, app, 10, 1000 + up_to(60000));

		if (spool_append(f->spool, &c) != SPOOL_OK)
			_exit(2);
	}
	log = spool_log_of(f->spool, app);
	if (log == NULL)
		return;
	mark = (struct spool_mark){.drain = DRAIN, .at = up_to(4) == 0 ? log->end : log->head};
	if (spool_set_marks(f->spool, app, &mark.at, &mark, 1) != SPOOL_OK)
		_exit(3);
}

/* In the child: opens only here, since LMDB may not be forked while open. */
static void
commit_until_killed(struct fixture *f, unsigned seed, int notes)
{
	srand(seed);
	reopen(f);
	for (;;) {
		struct note note = {0};
		bool more;

		if (spool_begin(f->spool) != SPOOL_OK)
			_exit(4);
		for (uint64_t app = 1; app <= APPS; app++)
			if (up_to(2) == 0)
				change_app(f, app);
		if (spool_tidy(f->spool, 64, &more) != SPOOL_OK ||
		    spool_commit(f->spool) != SPOOL_OK)
			_exit(5);
		for (uint64_t app = 1; app <= APPS; app++) {
			const struct spool_log *log = spool_log_of(f->spool, app);

			if (log == NULL)
				continue;
			note.app[app - 1].head = log->head;
			note.app[app - 1].end = log->end;
		}
		if (write(notes, &note, sizeof(note)) != (ssize_t)sizeof(note))
			_exit(6);
	}
}

/* All chunks from head to end are there, whole, one behind the other. */
static void
check_log(struct fixture *f, uint64_t app)
{
	const struct spool_log *log = spool_log_of(f->spool, app);
	struct spool_place at = log->head;

	while (at.seq < log->end.seq) {
		struct got got = read_from(f, app, at.seq, 1000000);

		assert_true(got.n > 0);
		assert_int_equal(got.damaged, 0);
		for (size_t i = 0; i < got.n; i++) {
			assert_place(got.chunk[i].at, at);
			at.seq += got.chunk[i].lines;
			at.lines += got.chunk[i].lines;
			at.bytes += got.chunk[i].size;
		}
	}
	assert_place(at, log->end);
}

static void
check_note(struct fixture *f, const struct note *last)
{
	for (uint64_t app = 1; app <= APPS; app++) {
		const struct spool_log *log = spool_log_of(f->spool, app);
		struct spool_place at;

		if (log == NULL) {
			assert_int_equal(last->app[app - 1].end.seq, 0);
			continue;
		}
		/* The next commit may have come through, too. */
		assert_true(log->head.seq >= last->app[app - 1].head.seq);
		assert_true(log->end.seq >= last->app[app - 1].end.seq);
		assert_ok(spool_mark_of(f->spool, app, DRAIN, &at));
		assert_place(at, log->head);
		check_log(f, app);
	}
}

static void
kill_nine_loses_nothing_that_was_committed(void **state)
{
	struct fixture *f = *state;
	size_t total = 0;

	for (unsigned round = 0; round < 20; round++) {
		struct timespec pause = {.tv_nsec = (20 + rand() % 80) * 1000000L};
		struct note last = {0}, note;
		int pipes[2], status;
		pid_t child;

		assert_int_equal(pipe(pipes), 0);
		child = fork();
		assert_true(child >= 0);
		if (child == 0) {
			close(pipes[0]);
			commit_until_killed(f, round, pipes[1]);
		}
		close(pipes[1]);
		nanosleep(&pause, NULL);
		kill(child, SIGKILL);
		assert_int_equal(waitpid(child, &status, 0), child);
		assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
		for (; read(pipes[0], &note, sizeof(note)) == (ssize_t)sizeof(note); total++)
			last = note;
		close(pipes[0]);

		reopen(f);
		check_note(f, &last);
		spool_close(f->spool);
		f->spool = NULL;
	}
	assert_true(total > 0);
}

/* -- no room */

static bool
is_whole(struct fixture *f)
{
	for (size_t i = 0; spool_log_at(f->spool, i) != NULL; i++)
		check_log(f, spool_log_at(f->spool, i)->app);
	return true;
}

/* Appends until there is no room; how many chunks there was room for. */
static int
fill_up(struct fixture *f, unsigned size)
{
	enum spool_code code = SPOOL_OK;
	int n = 0;

	while (code == SPOOL_OK) {
		enum spool_code end;
		int more = 0;

		begin(f);
		for (; more < 16 && code == SPOOL_OK; more++) {
			struct spool_chunk c =
			    chunk_next(f, 1 + up_to(APPS), 10, size / 2 + up_to(size));

			code = spool_append(f->spool, &c);
		}
		/* One that found no room leaves those before it as they are. */
		end = spool_commit(f->spool);
		if (end == SPOOL_OK)
			n += code == SPOOL_OK ? more : more - 1;
		else
			code = end;
		assert_true(n < 20000);
	}
	if (code != SPOOL_FULL)
		fail_msg("%d: %s", code, spool_error(f->spool));
	return n;
}

/* An app's lines are delivered and deleted, all with the marks of all apps. */
static void
deliver(struct fixture *f, uint64_t app)
{
	bool more = true;

	for (int i = 0; more; i++) {
		assert_true(i < 1000);
		begin(f);
		for (uint64_t a = 1; a <= APPS; a++) {
			const struct spool_log *log = spool_log_of(f->spool, a);
			struct spool_mark mark;

			if (log == NULL)
				continue;
			mark.drain = DRAIN;
			mark.at = a == app ? log->end : log->head;
			assert_ok(spool_set_marks(f->spool, a, &mark.at, &mark, 1));
		}
		assert_ok(spool_tidy(f->spool, 64, &more));
		commit(f);
	}
}

static void
fill_and_make_room(struct fixture *f, unsigned size)
{
	int most = fill_up(f, size);

	assert_true(most >= APPS);
	for (int round = 0; round < 6; round++) {
		uint64_t bytes;

		assert_true(is_whole(f));
		/* A small one may still fit, where a larger one did not. */
		assert_true(fill_up(f, size) < most);
		bytes = spool_bytes(f->spool);
		if (round % 3 == 0)
			reopen(f);
		deliver(f, 1 + (uint64_t)round % APPS);
		assert_true(spool_bytes(f->spool) < bytes);
		assert_true(fill_up(f, size) > 0);
	}
	for (uint64_t app = 1; app <= APPS; app++)
		deliver(f, app);
	assert_int_equal(spool_bytes(f->spool), 0);
	/* As much as at first, about. */
	assert_true(fill_up(f, size) > most / 2);
}

static void
a_full_map_takes_nothing_and_lets_deletes_through(void **state)
{
	static const unsigned sizes[] = {300, 3000, 40000};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		spool_close(f->spool);
		f->spool = NULL;
		(void)unlink(f->file);
		f->map_bytes = sizes[i] == 300 ? 1 << 20 : 8 << 20;
		reopen(f);
		fill_and_make_room(f, sizes[i]);
		assert_non_null(strstr(spool_error(f->spool), "largest size"));
	}
}

static void
a_chunk_that_does_not_fit_leaves_the_transaction_whole(void **state)
{
	struct fixture *f = *state;
	const struct spool_mark mark = {DRAIN, place(1, 0, 0)};
	struct spool_place at;
	struct spool_chunk c;

	spool_close(f->spool);
	f->spool = NULL;
	f->map_bytes = 8 << 20;
	reopen(f);
	fill_up(f, 40000);
	begin(f);
	c = chunk_next(f, 1, 10, 1000000);
	assert_int_equal(spool_append(f->spool, &c), SPOOL_FULL);
	assert_ok(spool_set_marks(f->spool, 1, &mark.at, &mark, 1));
	commit(f);
	assert_ok(spool_mark_of(f->spool, 1, DRAIN, &at));
	assert_true(is_whole(f));
}

/* A file may not grow: EFBIG, or a write that comes out short. */
static void
within_a_file_size(struct fixture *f)
{
	struct rlimit limit;

	getrlimit(RLIMIT_FSIZE, &limit);
	signal(SIGXFSZ, SIG_IGN);
	limit.rlim_cur = 20 * 1024 * 1024 + 1000;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	f->map_bytes = 1 << 30;
	reopen(f);
	fill_and_make_room(f, 40000);
	assert_non_null(strstr(spool_error(f->spool), "disk is full"));
	/* Later there is more of it. */
	limit.rlim_cur = 40 * 1024 * 1024;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	assert_true(fill_up(f, 40000) > 100);
	assert_true(is_whole(f));
}

enum { NOT_ALLOWED = 77 };

/* A real small disk, which others fill, too. */
static void
on_a_small_disk(struct fixture *f)
{
	char other[128];
	FILE *file;

	if (unshare(CLONE_NEWNS) != 0 && unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0)
		_exit(NOT_ALLOWED);
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
	    mount("none", f->dir, "tmpfs", 0, "size=24m") != 0)
		_exit(NOT_ALLOWED);
	f->map_bytes = 1 << 30;
	reopen(f);
	fill_and_make_room(f, 40000);
	assert_non_null(strstr(spool_error(f->spool), "disk is full"));
	for (uint64_t app = 1; app <= APPS; app++)
		deliver(f, app);
	/* What is in the file already is the spool's. */
	snprintf(other, sizeof(other), "%s/other", f->dir);
	file = fopen(other, "w");
	assert_non_null(file);
	while (fputs("somebody else's bytes, to the last block of the disk\n", file) >= 0)
		;
	fclose(file);
	fill_and_make_room(f, 20000);
	reopen(f);
	assert_true(is_whole(f));
	spool_close(f->spool);
	f->spool = NULL;
	/* A new one cannot be made, and says why. */
	assert_int_equal(unlink(f->file), 0);
	file = fopen(other, "a");
	while (fputs("somebody else's bytes, to the last block of the disk\n", file) >= 0)
		;
	fclose(file);
	{
		const struct spool_options options = {.dir = f->dir, .map_bytes = 1 << 30};

		assert_int_equal(spool_open(&options, &f->spool, f->err, sizeof(f->err)),
				 SPOOL_FULL);
		assert_non_null(strstr(f->err, "free some space"));
	}
}

static void
in_a_child(struct fixture *f, void (*work)(struct fixture *))
{
	int status;
	pid_t child = fork();

	assert_true(child >= 0);
	if (child == 0) {
		/* A failure ends the child, and not just its test. */
		setenv("CMOCKA_TEST_ABORT", "1", 1);
		work(f);
		spool_close(f->spool);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	if (WIFEXITED(status) && WEXITSTATUS(status) == NOT_ALLOWED) {
		print_message("no mount namespace here\n");
		skip();
	}
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void
a_file_size_limit_takes_nothing_and_lets_deletes_through(void **state)
{
	in_a_child(*state, within_a_file_size);
}

static void
a_full_disk_takes_nothing_and_lets_deletes_through(void **state)
{
	in_a_child(*state, on_a_small_disk);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup_folder, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(kill_nine_loses_nothing_that_was_committed),
	    TEST(a_full_map_takes_nothing_and_lets_deletes_through),
	    TEST(a_chunk_that_does_not_fit_leaves_the_transaction_whole),
	    TEST(a_file_size_limit_takes_nothing_and_lets_deletes_through),
	    TEST(a_full_disk_takes_nothing_and_lets_deletes_through),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
