/*
 * A disk whose n-th write or flush fails, for each n: what was not committed is
 * not there, what was is, and it goes on by itself when the disk works again.
 */
#include "store/spool_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <sys/uio.h>

enum { APP = 7, DRAIN = 3 };

enum fault {
	FAULT_REFUSED, /* nothing is written */
	FAULT_SHORT,   /* half of it is */
	FAULT_DONE,    /* all is, but that is not said; what fails next is refused */
	FAULTS,
};

static struct {
	int after; /* calls from now on that work; below 0: all do */
	int for_n; /* calls that fail then */
	enum fault fault;
	int met;
} disk = {.after = -1};

/* Does this call fail? */
static bool
disk_fails(void)
{
	if (disk.after < 0 || disk.after-- > 0)
		return false;
	disk.after = --disk.for_n > 0 ? 0 : -1;
	disk.met++;
	return true;
}

/* How much of n bytes is written; then -1 and EIO, if *fails and not short. */
static size_t
disk_takes(size_t n, bool fails)
{
	if (!fails || (disk.fault == FAULT_DONE && disk.met == 1))
		return n;
	return disk.fault == FAULT_SHORT ? n / 2 : 0;
}

static ssize_t
disk_says(ssize_t done, bool fails)
{
	if (!fails || (disk.fault == FAULT_SHORT && done > 0))
		return done;
	errno = EIO;
	return -1;
}

/* In the place of libc's, for LMDB and the spool. */
ssize_t
pwrite(int fd, const void *p, size_t n, off_t at)
{
	bool fails = disk_fails();
	size_t takes = disk_takes(n, fails);

	return disk_says(takes == 0 ? 0 : syscall(SYS_pwrite64, fd, p, takes, at), fails);
}

ssize_t
writev(int fd, const struct iovec *iov, int n)
{
	bool fails = disk_fails();
	int takes = (int)disk_takes((size_t)n, fails);

	return disk_says(takes == 0 ? 0 : syscall(SYS_writev, fd, iov, takes), fails);
}

int
fdatasync(int fd)
{
	bool fails = disk_fails();

	return (int)disk_says(fails ? 0 : syscall(SYS_fdatasync, fd), fails);
}

int
fsync(int fd)
{
	bool fails = disk_fails();

	return (int)disk_says(fails ? 0 : syscall(SYS_fsync, fd), fails);
}

int
fallocate(int fd, int mode, off_t from, off_t n)
{
	if (disk_fails()) {
		errno = EIO;
		return -1;
	}
	return (int)syscall(SYS_fallocate, fd, mode, from, n);
}

/* What the spool should be: chunks of 10 lines and SIZE bytes, from head to end. */
struct want {
	struct spool_place head, end;
};

enum { SIZE = 30000 };

static void
assert_is(struct fixture *f, const struct want *want)
{
	const struct spool_log *log = spool_log_of(f->spool, APP);
	struct spool_place at = want->head;
	struct got got;

	assert_non_null(log);
	assert_place(log->head, want->head);
	assert_place(log->end, want->end);
	assert_int_equal(spool_bytes(f->spool), want->end.bytes - want->head.bytes);
	got = read_from(f, APP, 0, SIZE_MAX);
	assert_int_equal(got.damaged, 0);
	for (size_t i = 0; i < got.n; i++) {
		assert_place(got.chunk[i].at, at);
		at.seq += 10;
		at.lines += 10;
		at.bytes += SIZE;
	}
	assert_place(at, want->end);
	if (want->end.seq > 1) {
		assert_ok(spool_mark_of(f->spool, APP, DRAIN, &at));
		assert_place(at, want->head);
	}
}

static bool
is_what(struct fixture *f, const struct want *want)
{
	return spool_log_of(f->spool, APP)->end.seq == want->end.seq;
}

/* Transactions that were said to have failed, and are on disk. */
static int through;

/* Three chunks more at the end, two less at the head. */
static void
want_next(struct want *want)
{
	bool first = want->end.seq == 1;

	want->end.seq += 30;
	want->end.lines += 30;
	want->end.bytes += (uint64_t)3 * SIZE;
	if (first || want->end.seq - want->head.seq < 100)
		return;
	want->head.seq += 20;
	want->head.lines += 20;
	want->head.bytes += (uint64_t)2 * SIZE;
}

static enum spool_code
change(struct fixture *f, const struct want *from, const struct want *to)
{
	const struct spool_mark mark = {DRAIN, to->head};
	struct spool_place at = from->end;
	bool more;

	for (int i = 0; i < 3; i++) {
		struct spool_chunk c = chunk_at(f, APP, at, 10, SIZE);
		enum spool_code code = spool_append(f->spool, &c);

		if (code != SPOOL_OK) {
			spool_abort(f->spool);
			return code;
		}
		at.seq += 10;
		at.lines += 10;
		at.bytes += SIZE;
	}
	assert_ok(spool_set_marks(f->spool, APP, &to->head, &mark, 1));
	assert_ok(spool_tidy(f->spool, 64, &more));
	return spool_commit(f->spool);
}

/* One change while the disk fails; then the same again, until it works. */
static void
change_with_fault(struct fixture *f, struct want *is, enum fault fault, int after, int for_n)
{
	struct want next = *is;
	enum spool_code code;

	want_next(&next);
	begin(f);
	disk.fault = fault;
	disk.after = after;
	disk.for_n = for_n;
	code = change(f, is, &next);
	disk.after = -1;
	assert_true(code == SPOOL_OK || code == SPOOL_FULL || code == SPOOL_FAILED);
	assert_is(f, code == SPOOL_OK ? &next : is);
	if (code != SPOOL_OK) {
		assert_string_not_equal(spool_error(f->spool), "");
		begin(f);
		/* On disk all the same, for good: then as a whole. */
		through += is_what(f, &next);
		assert_is(f, is_what(f, &next) ? &next : is);
		assert_ok(change(f, is, &next));
		assert_is(f, &next);
	}
	*is = next;
}

static void
run_faults(struct fixture *f, enum fault fault, int for_n)
{
	struct want none = {place(1, 0, 0), place(1, 0, 0)}, is = none;
	int met = 0;

	want_next(&is);
	begin(f);
	assert_ok(change(f, &none, &is));
	assert_is(f, &is);
	for (int after = 0; after < 30; after++) {
		disk.met = 0;
		change_with_fault(f, &is, fault, after, for_n);
		met += disk.met > 0;
		if (after % 5 == 0) {
			reopen(f);
			assert_is(f, &is);
		}
	}
	/* Not all calls of all changes, or the loop is too short to mean anything. */
	assert_in_range(met, 4, 29);
	reopen(f);
	assert_is(f, &is);
}

static void
a_refused_write_costs_its_transaction_only(void **state)
{
	run_faults(*state, FAULT_REFUSED, 1);
}

static void
so_does_a_short_one(void **state)
{
	run_faults(*state, FAULT_SHORT, 1);
}

static void
one_that_got_through_unsaid_is_there_whole_or_not_at_all(void **state)
{
	run_faults(*state, FAULT_DONE, 1);
}

static void
a_disk_that_fails_for_a_while_does_no_harm(void **state)
{
	struct fixture *f = *state;

	for (int fault = 0; fault < FAULTS; fault++) {
		spool_close(f->spool);
		f->spool = NULL;
		assert_int_equal(unlink(f->file), 0);
		reopen(f);
		through = 0;
		run_faults(f, (enum fault)fault, 3);
		/* LMDB's attempt to put the old meta page back fails, too. */
		assert_int_equal(through > 0, fault == FAULT_DONE);
	}
}

/* Where the folder is; LMDB needs it to open the file again. */
static void
move_folder(const struct fixture *f, bool away)
{
	char here[128], there[128];

	snprintf(here, sizeof(here), "%s/spool", f->dir);
	snprintf(there, sizeof(there), "%s/away", f->dir);
	assert_int_equal(away ? rename(here, there) : rename(there, here), 0);
}

/* It is not opened again for a while: what is in it is not said to be gone. */
static void
what_cannot_be_opened_again_is_not_lost(void **state)
{
	struct want none = {place(1, 0, 0), place(1, 0, 0)}, is = none, next;
	struct fixture *f = *state;
	struct got got = {.n = 0};
	int closed = 0;

	want_next(&is);
	begin(f);
	assert_ok(change(f, &none, &is));
	for (int after = 0; after < 30; after++) {
		next = is;
		want_next(&next);
		begin(f);
		disk.fault = FAULT_REFUSED;
		disk.after = after;
		disk.for_n = 3;
		if (change(f, &is, &next) == SPOOL_OK)
			is = next;
		disk.after = -1;
		move_folder(f, true);
		if (spool_begin(f->spool) == SPOOL_OK) {
			spool_abort(f->spool);
		} else {
			closed++;
			assert_int_equal(spool_read(f->spool, APP, 0, SIZE_MAX, on_chunk, &got),
					 SPOOL_FAILED);
		}
		move_folder(f, false);
		begin(f);
		spool_abort(f->spool);
		assert_is(f, &is);
	}
	assert_true(closed > 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_refused_write_costs_its_transaction_only),
	    TEST(so_does_a_short_one),
	    TEST(one_that_got_through_unsaid_is_there_whole_or_not_at_all),
	    TEST(a_disk_that_fails_for_a_while_does_no_harm),
	    TEST(what_cannot_be_opened_again_is_not_lost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
