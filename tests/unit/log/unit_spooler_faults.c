/* A disk or a spool that is full, commits that cannot be right, and chunks that are damaged. */
#include "spooler_test.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/stats.h"

#define BOTH(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

enum { CHUNK = 60000 };

static const struct spooler_stats *
stats(const struct fixture *f)
{
	return spooler_stats(f->spooler);
}

static enum spool_code
commit(struct fixture *f, struct source *s, int chunks)
{
	struct spool_commit *c = commit_of(&f->home, s, chunks, CHUNK);
	enum spool_code code;

	spooler_commit(f->spooler, c);
	home_wait(&f->home, &f->home.n, f->home.n + 1);
	code = c->code;
	home_clear(&f->home);
	return code;
}

static void
start(struct fixture *f)
{
	new_spooler(f);
	assert_true(spooler_run(f->spooler));
}

/* Until the spool takes no more; what it did not take is not counted in the source. */
static void
fill(struct fixture *f, struct source *s)
{
	struct source before;

	for (int i = 0; i < 1000; i++) {
		before = *s;
		if (commit(f, s, 2) == SPOOL_OK)
			continue;
		*s = before;
		return;
	}
	fail_msg("the spool takes more than it may hold");
}

static void
a_full_spool_says_so_and_still_moves_its_marks(void **state)
{
	struct fixture *f = *state;
	struct source a = source_of(1), b = source_of(2);
	struct spool_commit *data, *marks;
	struct spool_place at;

	f->map_bytes = 4 << 20;
	start(f);
	fill(f, &a);
	assert_true(atomic_load(&stats(f)->failing));
	assert_true(stats_get(&stats(f)->failures) > 0);
	end_spooler(f);
	spool_close(f->spool);

	/* In one transaction: an append that fails, and marks that do not. */
	new_spooler(f);
	data = commit_of(&f->home, &b, 60, CHUNK);
	marks = commit_of(&f->home, &a, 0, 0);
	marks->marks[0].at = a.end;
	spooler_commit(f->spooler, data);
	spooler_commit(f->spooler, marks);
	assert_true(spooler_run(f->spooler));
	home_wait(&f->home, &f->home.n, 2);
	assert_int_equal(data->code, SPOOL_FULL);
	assert_int_equal(marks->code, SPOOL_OK);
	assert_int_equal(stats_get(&stats(f)->failures), 1);
	assert_int_equal(stats_get(&stats(f)->commits), 1);
	assert_int_equal(stats_get(&stats(f)->chunks_in), 0);
	end_spooler(f);
	assert_null(spool_log_of(f->spool, 2));
	assert_int_equal(spool_mark_of(f->spool, 1, 1001, &at), SPOOL_OK);
	assert_memory_equal(&at, &a.end, sizeof(at));
}

/* What drains have got makes room, by itself. */
static void
a_full_spool_takes_lines_again_when_there_is_room(void **state)
{
	struct fixture *f = *state;
	struct source a = source_of(1), before;

	f->map_bytes = 4 << 20;
	start(f);
	for (int round = 0; round < 3; round++) {
		bool again = false;

		fill(f, &a);
		a.head = a.end;
		assert_int_equal(commit(f, &a, 0), SPOOL_OK);
		assert_true(atomic_load(&stats(f)->failing));
		for (int i = 0; i < 600 && !again; i++) {
			before = a;
			again = commit(f, &a, 2) == SPOOL_OK;
			if (!again) {
				a = before;
				usleep(50000);
			}
		}
		assert_true(again);
		assert_false(atomic_load(&stats(f)->failing));
	}
}

static void
a_dropped_app_makes_room_in_a_full_spool(void **state)
{
	struct fixture *f = *state;
	struct source a = source_of(1), b = source_of(2), before = b;
	bool again = false;

	f->map_bytes = 4 << 20;
	start(f);
	fill(f, &a);
	spooler_drop(f->spooler, 1);
	for (int i = 0; i < 600 && !again; i++) {
		b = before;
		again = commit(f, &b, 2) == SPOOL_OK;
		if (!again)
			usleep(50000);
	}
	assert_true(again);
}

static off_t
file_size(const struct fixture *f)
{
	char path[128];
	struct stat st;

	snprintf(path, sizeof(path), "%s/spool/data.mdb", f->dir);
	assert_int_equal(stat(path, &st), 0);
	return st.st_size;
}

static void
a_disk_that_was_full_is_written_again(void **state)
{
	struct fixture *f = *state;
	struct source a = source_of(1), before;
	struct rlimit was, full;
	enum spool_code code = SPOOL_OK;

	signal(SIGXFSZ, SIG_IGN);
	start(f);
	assert_int_equal(commit(f, &a, 2), SPOOL_OK);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &was), 0);
	full = was;
	full.rlim_cur = (rlim_t)file_size(f);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &full), 0);
	for (int i = 0; i < 500 && code == SPOOL_OK; i++) {
		before = a;
		code = commit(f, &a, 4);
	}
	a = before;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &was), 0);
	assert_int_equal(code, SPOOL_FULL);
	assert_true(atomic_load(&stats(f)->failing));
	assert_int_equal(commit(f, &a, 4), SPOOL_OK);
	assert_false(atomic_load(&stats(f)->failing));
	end_spooler(f);
	assert_int_equal(spool_bytes(f->spool), a.end.bytes - SPOOL_ORIGIN);
}

/* Nothing can be written but the file's first page. */
static struct rlimit
shut(void)
{
	struct rlimit was, limit;

	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &was), 0);
	limit = was;
	limit.rlim_cur = 4096;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	return was;
}

static void
marks_that_could_not_be_written_are_a_failure_too(void **state)
{
	struct fixture *f = *state;
	struct source a = source_of(1);
	enum spool_code shut_code;
	struct spool_place at;
	struct rlimit was;

	start(f);
	assert_int_equal(commit(f, &a, 2), SPOOL_OK);
	was = shut();
	a.head = a.end;
	shut_code = commit(f, &a, 0);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &was), 0);
	assert_int_equal(shut_code, SPOOL_FULL);
	assert_true(atomic_load(&stats(f)->failing));
	assert_int_equal(commit(f, &a, 0), SPOOL_OK);
	assert_false(atomic_load(&stats(f)->failing));
	end_spooler(f);
	assert_int_equal(spool_mark_of(f->spool, 1, 1001, &at), SPOOL_OK);
	assert_memory_equal(&at, &a.end, sizeof(at));
}

static void
a_drop_that_could_not_be_written_is_done_later(void **state)
{
	struct fixture *f = *state;
	struct source a = source_of(1), b = source_of(2);
	enum spool_code shut_code;
	uint64_t shut_bytes;
	struct rlimit was;
	int64_t since_ms;

	start(f);
	assert_int_equal(commit(f, &a, 2), SPOOL_OK);
	was = shut();
	spooler_drop(f->spooler, 1);
	shut_code = commit(f, &b, 0);
	shut_bytes = stats_get(&stats(f)->bytes);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &was), 0);
	assert_int_equal(shut_code, SPOOL_FULL);
	assert_int_equal(shut_bytes, 2 * CHUNK);
	since_ms = clock_mono_ms();
	while (stats_get(&stats(f)->bytes) != 0 && clock_mono_ms() - since_ms < WAIT_MS)
		usleep(10000);
	assert_int_equal(stats_get(&stats(f)->bytes), 0);
	assert_int_equal(commit(f, &b, 1), SPOOL_OK);
	end_spooler(f);
	assert_null(spool_log_of(f->spool, 1));
	assert_non_null(spool_log_of(f->spool, 2));
}

/* It would begin within a chunk that is there. */
static struct spool_commit *
misplaced(struct fixture *f, uint64_t app)
{
	struct source s = source_of(app);
	struct spool_commit *c;

	s.end.seq += 5;
	s.end.lines += 5;
	s.end.bytes += 100;
	c = commit_of(&f->home, &s, 1, CHUNK);
	spooler_commit(f->spooler, c);
	return c;
}

static struct spool_commit *
placed(struct fixture *f, struct source *s, int chunks)
{
	struct spool_commit *c = commit_of(&f->home, s, chunks, CHUNK);

	spooler_commit(f->spooler, c);
	return c;
}

/* A spooler that does not run yet, whose app 1 has two chunks. */
static void
with_two_chunks(struct fixture *f, struct source *s)
{
	*s = source_of(1);
	start(f);
	assert_int_equal(commit(f, s, 2), SPOOL_OK);
	end_spooler(f);
	spool_close(f->spool);
	new_spooler(f);
}

static void
a_commit_that_cannot_be_right_holds_up_no_other(void **state)
{
	struct fixture *f = *state;
	struct source a, b = source_of(2);
	const struct spool_commit *good1, *bad, *good2, *marks;

	with_two_chunks(f, &a);
	assert_false(atomic_load(&stats(f)->failing));
	good1 = placed(f, &a, 3);
	bad = misplaced(f, 1);
	good2 = placed(f, &b, 3);
	marks = placed(f, &a, 0);
	assert_true(spooler_run(f->spooler));
	home_wait(&f->home, &f->home.n, 4);
	assert_int_equal(good1->code, SPOOL_OK);
	assert_int_equal(bad->code, SPOOL_FAILED);
	assert_int_equal(good2->code, SPOOL_OK);
	assert_int_equal(marks->code, SPOOL_OK);
	assert_true(atomic_load(&stats(f)->failing));
	home_clear(&f->home);
	assert_int_equal(commit(f, &b, 1), SPOOL_OK);
	assert_false(atomic_load(&stats(f)->failing));
	end_spooler(f);
	assert_int_equal(spool_bytes(f->spool), 9 * CHUNK);
}

/* However many of them there are, everybody gets an answer. */
static void
many_commits_that_cannot_be_right_are_all_answered(void **state)
{
	struct fixture *f = *state;
	struct source a;

	with_two_chunks(f, &a);
	for (int i = 0; i < 40; i++)
		misplaced(f, 1);
	placed(f, &a, 0);
	assert_true(spooler_run(f->spooler));
	home_wait(&f->home, &f->home.n, 41);
	for (size_t i = 0; i < 40; i++)
		assert_int_equal(f->home.commits[i]->code, SPOOL_FAILED);
	assert_int_equal(f->home.commits[40]->code, SPOOL_OK);
	/* Not one by one, though. */
	assert_true(stats_get(&stats(f)->failures) < 20);
}

/* Turns one bit of that chunk in the file, which nobody has open; offset: from its data on. */
static void
flip(const struct fixture *f, uint64_t app, const struct spool_place *at, int offset)
{
	char path[128], *want = xmalloc(CHUNK), *map, *found;
	int fd;

	snprintf(path, sizeof(path), "%s/spool/data.mdb", f->dir);
	fd = open(path, O_RDWR | O_CLOEXEC);
	assert_true(fd >= 0);
	map = mmap(NULL, (size_t)file_size(f), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	assert_true(map != MAP_FAILED);
	chunk_fill(want, app, at, CHUNK);
	found = memmem(map, (size_t)file_size(f), want, CHUNK);
	assert_non_null(found);
	found[offset] ^= 4;
	munmap(map, (size_t)file_size(f));
	close(fd);
	free(want);
}

static void
a_damaged_chunk_costs_that_chunk(void **state)
{
	struct fixture *f = *state;
	struct source a = source_of(1);
	struct spool_place third = {
	    .seq = a.head.seq + 20, .bytes = SPOOL_ORIGIN + 2 * CHUNK, .lines = SPOOL_ORIGIN + 20};
	const struct spool_fetch *got;

	start(f);
	assert_int_equal(commit(f, &a, 5), SPOOL_OK);
	end_spooler(f);
	spool_close(f->spool);
	flip(f, 1, &third, CHUNK / 2);
	start(f);
	spooler_fetch(f->spooler, fetch_of(&f->home, 1, a.head.seq, 1 << 20));
	home_wait(&f->home, &f->home.nfetches, 1);
	got = f->home.fetches[0];
	assert_int_equal(got->code, SPOOL_OK);
	assert_int_equal(got->n, 5);
	for (size_t i = 0; i < 5; i++) {
		if (i != 2) {
			check_chunk(&got->chunks[i], 1);
			continue;
		}
		assert_null(got->chunks[i].data);
		assert_int_equal(got->chunks[i].at.seq, third.seq);
		assert_int_equal(got->chunks[i].lines, 10);
	}
	assert_false(got->left_out);
	assert_int_equal(stats_get(&stats(f)->chunks_damaged), 1);
	assert_int_equal(stats_get(&stats(f)->chunks_out), 4);
}

/* Where it was nobody knows, but that it was. */
static void
a_chunk_whose_head_is_damaged_is_counted_too(void **state)
{
	struct fixture *f = *state;
	struct source a = source_of(1);
	struct spool_place third = {
	    .seq = a.head.seq + 20, .bytes = SPOOL_ORIGIN + 2 * CHUNK, .lines = SPOOL_ORIGIN + 20};

	start(f);
	assert_int_equal(commit(f, &a, 5), SPOOL_OK);
	end_spooler(f);
	spool_close(f->spool);
	flip(f, 1, &third, -20);
	start(f);
	spooler_fetch(f->spooler, fetch_of(&f->home, 1, third.seq + 3, 1 << 20));
	spooler_fetch(f->spooler, fetch_of(&f->home, 1, third.seq + 10, 1 << 20));
	spooler_fetch(f->spooler, fetch_of(&f->home, 1, a.head.seq, 1 << 20));
	home_wait(&f->home, &f->home.nfetches, 3);
	assert_int_equal(f->home.fetches[0]->n, 2);
	assert_true(f->home.fetches[0]->left_out);
	assert_false(f->home.fetches[1]->left_out);
	assert_int_equal(f->home.fetches[2]->n, 4);
	assert_true(f->home.fetches[2]->left_out);
	assert_int_equal(stats_get(&stats(f)->chunks_damaged), 2);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    BOTH(a_full_spool_says_so_and_still_moves_its_marks),
	    BOTH(a_full_spool_takes_lines_again_when_there_is_room),
	    BOTH(a_dropped_app_makes_room_in_a_full_spool),
	    BOTH(a_disk_that_was_full_is_written_again),
	    BOTH(marks_that_could_not_be_written_are_a_failure_too),
	    BOTH(a_drop_that_could_not_be_written_is_done_later),
	    BOTH(a_commit_that_cannot_be_right_holds_up_no_other),
	    BOTH(many_commits_that_cannot_be_right_are_all_answered),
	    BOTH(a_damaged_chunk_costs_that_chunk),
	    BOTH(a_chunk_whose_head_is_damaged_is_counted_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
