/*
 * A careful drain whose TCP takes nothing for a while: what care let go once is offered again as
 * it was, since TLS may have made a record of it, and counts once.  The rule of TLS is the test's.
 */
#include "ends/drain_fixture.h"

enum { RECORD = 16 * 1024 }; /* of TLS, at most */

static bool blocked;
static size_t record; /* what TLS would have made of the first bytes that were offered */

ssize_t __real_stream_writev(struct stream *, const struct iovec *, int);
ssize_t __wrap_stream_writev(struct stream *, const struct iovec *, int);

ssize_t
__wrap_stream_writev(struct stream *s, const struct iovec *iov, int n)
{
	size_t offered = 0;

	for (int i = 0; i < n; i++)
		offered += iov[i].iov_len;
	assert_true(offered >= record);
	if (!blocked) {
		record = 0;
		return __real_stream_writev(s, iov, n);
	}
	record = offered < RECORD ? offered : RECORD;
	return STREAM_AGAIN;
}

static void
try_again(struct fixture *f)
{
	f->d->full = false; /* as if there had been room */
	drain_stream_send(f->d);
}

static void
what_care_let_go_stays(void **state)
{
	struct fixture *f = *state;
	const struct segment *first;
	uint32_t lines;

	add_drain(f, "tcp", "octet-counting", listen_here(f));
	append_many(f, 20);
	wait_open(f);
	f->receiver = accept(f->listener, NULL, NULL);
	assert_true(f->receiver >= 0);
	assert_int_equal(fcntl(f->receiver, F_SETFL, O_NONBLOCK), 0);
	read_all(f, true);

	append_many(f, 400);
	first = cursor_unsent(&f->d->cursor, 0, clock_mono_ms());
	lines = first->lines;
	assert_in_range(lines, 10, 390);
	blocked = true;
	f->d->careful = true;
	f->d->allow = f->d->allow_step = lines + 3;
	drain_stream_send(f->d);
	assert_true(f->d->full && f->d->begun == 0);
	for (int i = 0; i < 3; i++) {
		try_again(f);
		assert_int_equal(f->d->allow, 3);
		/* Nor does a step that is due move on from it. */
		drain_stream_careful_step(f->d);
		assert_int_equal(f->d->allow, 3);
	}
	blocked = false;
	try_again(f);
	assert_int_equal(f->d->allow, 0);
	read_all(f, true);
	assert_int_equal(f->got.lines, f->appended);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(what_care_let_go_stays, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
