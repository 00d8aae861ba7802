/* A cursor whose segments are on disk only: lost, replaced, given up. */
#include "log/cursor_move.h"
#include "log/cursor_ring.h"
#include "spooled_log.h"

static uint64_t filtered;

static void
on_filtered(struct cursor *c, uint64_t lines)
{
	(void)c;
	filtered += lines;
}

/* Every line below 30, and every tenth of the others. */
static bool
wants_few(struct cursor *c, struct slice message)
{
	unsigned number = line_number(message);

	(void)c;
	return number < 30 || number % 10 == 0;
}

static bool
wants_late(struct cursor *c, struct slice message)
{
	(void)c;
	return line_number(message) >= 60;
}

/* A line of 1000 bytes and its count. */
enum { LINE_BYTES = 1005 };

/* Lines 0 to 100 were sent, the first 20 of them taken; 100 to 200 wait: all asleep. */
static void
fall_asleep(struct fixture *f)
{
	append_many(f, 0, 200, 1000);
	commit_all(f);
	send_lines(f, &f->a, 0, 20);
	cursor_acked(&f->a, f->tcp);
	cursor_release_all(&f->a);
	send_lines(f, &f->a, 20, 80);
	let_go(f);
	filtered = 0;
}

static void
replace(struct fixture *f, bool (*wants)(struct cursor *c, struct slice message))
{
	join(f, &f->b, 2);
	f->b.wants = wants;
	f->b.filtered = on_filtered;
	cursor_move(&f->b, &f->a);
	assert_int_equal(f->log->ncursors, 1);
}

/* Checks what comes out of b; returns how many lines. */
static unsigned
read_wanted(struct fixture *f)
{
	const struct segment *s;
	struct slice message;
	unsigned lines = 0;

	do
		while ((s = cursor_unsent(&f->b, 0, 0)) != NULL) {
			for (uint32_t at = s->from; at < s->to;) {
				at = chunk_frame(s->chunk, at, &message);
				lines += f->b.wants == NULL || f->b.wants(&f->b, message);
			}
			cursor_sent(&f->b, ++f->tcp, 0);
		}
	while (fetch_once(f));
	assert_int_equal(cursor_waiting_lines(&f->b), 0);
	assert_int_equal(cursor_waiting_bytes(&f->b), 0);
	return lines;
}

static void
what_is_asleep_goes_over_to_who_takes_its_place(void **state)
{
	struct fixture *f = *state;

	fall_asleep(f);
	replace(f, NULL);
	assert_int_equal(cursor_waiting_lines(&f->b), 180);
	assert_int_equal(read_all(f, &f->b, 20), 200);
	assert_int_equal(dropped_in_all(), 0);
}

static void
it_is_sifted_when_it_is_awake(void **state)
{
	struct fixture *f = *state;

	fall_asleep(f);
	replace(f, wants_few);
	assert_int_equal(cursor_waiting_lines(&f->b), 180);
	assert_int_equal(read_wanted(f), 10 + 17);
	assert_int_equal(filtered, 180 - 27);
}

static void
segments_without_a_wanted_line_go(void **state)
{
	struct fixture *f = *state;

	fall_asleep(f);
	replace(f, wants_late);
	assert_int_equal(read_wanted(f), 140);
	assert_int_equal(filtered, 40);
}

static void
lines_dropped_between_are_not_dropped_again(void **state)
{
	struct fixture *f = *state;
	struct spool_place to = {((uint64_t)START << 40) + 150, SPOOL_ORIGIN + 150 * LINE_BYTES,
				 SPOOL_ORIGIN + 150};
	const struct segment *s;
	uint64_t lines, told = 0;

	fall_asleep(f);
	cursor_jump(&f->a, &to, CURSOR_SPOOL);
	lines = dropped[CURSOR_SPOOL];
	assert_in_range(lines, 1, 50);
	replace(f, wants_few);
	do
		while ((s = cursor_unsent(&f->b, 0, 0)) != NULL) {
			told += s->gap.lines[CURSOR_SPOOL];
			cursor_sent(&f->b, ++f->tcp, 0);
		}
	while (fetch_once(f));
	assert_int_equal(told, lines);
	assert_int_equal(dropped_in_all(), lines);
	assert_int_equal(cursor_waiting_lines(&f->b), 0);
}

static void
over_http_they_are_pinned_once_they_are_here(void **state)
{
	struct fixture *f = *state;

	fall_asleep(f);
	join(f, &f->b, 2);
	f->b.exact = true;
	cursor_move(&f->b, &f->a);
	assert_null(cursor_unsent(&f->b, 0, 0));
	assert_true(fetch_once(f));
	assert_non_null(cursor_unsent(&f->b, 0, 0));
	let_go(f);
	assert_non_null(cursor_unsent(&f->b, 0, 0));
	do
		while (cursor_unsent(&f->b, 0, 0) != NULL) {
			cursor_sent(&f->b, ++f->tcp, 0);
			cursor_acked(&f->b, f->tcp);
			cursor_release_all(&f->b);
		}
	while (fetch_once(f));
	assert_int_equal(cursor_waiting_lines(&f->b), 0);
	let_go(f);
	assert_int_equal(f->pool.cache_bytes, 0);
}

static void
a_drain_that_ends_asleep_leaves_nothing(void **state)
{
	struct fixture *f = *state;

	fall_asleep(f);
	assert_int_equal(cursor_lost(&f->a, &hold_all, false, false, 1), 80);
	assert_null(cursor_unsent(&f->a, 0, 0));
	assert_int_equal(cursor_close(&f->a), 180);
	assert_true(TAILQ_EMPTY(&f->log->chunks));
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
	    TEST(what_is_asleep_goes_over_to_who_takes_its_place),
	    TEST(it_is_sifted_when_it_is_awake),
	    TEST(segments_without_a_wanted_line_go),
	    TEST(lines_dropped_between_are_not_dropped_again),
	    TEST(over_http_they_are_pinned_once_they_are_here),
	    TEST(a_drain_that_ends_asleep_leaves_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
