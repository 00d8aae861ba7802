/*
 * Lines that a drain does not want, and lines over its rate.  A line's message
 * is "line N"; the filter here wants even numbers.
 */
#include "log_test.h"

static uint64_t filtered;
static uint64_t dropped[CURSOR_REASONS];
static uint32_t may_go;

static unsigned
number_of(struct slice message)
{
	unsigned number = 0;

	assert_int_equal(sscanf(message.p, "line %u", &number), 1);
	return number;
}

static bool
wants_even(struct cursor *c, struct slice message)
{
	(void)c;
	return number_of(message) % 2 == 0;
}

static bool
wants_tens(struct cursor *c, struct slice message)
{
	(void)c;
	return number_of(message) % 10 == 0;
}

static bool
wants_none(struct cursor *c, struct slice message)
{
	(void)c;
	(void)message;
	return false;
}

static void
on_filtered(struct cursor *c, uint64_t lines)
{
	(void)c;
	filtered += lines;
}

static void
on_dropped(struct cursor *c, enum cursor_reason reason, uint64_t lines)
{
	(void)c;
	dropped[reason] += lines;
}

static uint32_t
on_admit(struct cursor *c, uint32_t lines, int64_t now_ms)
{
	uint32_t may = lines < may_go ? lines : may_go;

	(void)c;
	(void)now_ms;
	may_go -= may;
	return may;
}

struct fixture {
	struct log_pool pool;
	struct app_log *log;
	struct cursor c;
};

static int
set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	log_pool_init(&f->pool, 1024 * 1024, 16 * 1024 * 1024, 7);
	f->log = app_log_new(&f->pool, 1, "app");
	f->c = (struct cursor){.dropped = on_dropped, .filtered = on_filtered};
	cursor_open(&f->c, f->log, 0);
	filtered = 0;
	memset(dropped, 0, sizeof(dropped));
	*state = f;
	return 0;
}

static int
tear_down(void **state)
{
	struct fixture *f = *state;

	cursor_close(&f->c);
	app_log_free(f->log);
	log_pool_clear(&f->pool);
	free(f);
	return 0;
}

static void
append_many(struct fixture *f, unsigned first, unsigned end, size_t size)
{
	for (unsigned i = first; i < end; i++)
		append_line(f->log, i, size, 0);
}

/* Takes all unsent segments as sent; returns the wanted lines in them, by counting. */
static uint64_t
send_wanted(struct fixture *f)
{
	const struct segment *s;
	struct slice message;
	uint64_t lines = 0;

	while ((s = cursor_unsent(&f->c, 0, 0)) != NULL) {
		for (uint32_t at = s->from; at < s->to;) {
			at = chunk_frame(s->chunk, at, &message);
			lines += f->c.wants == NULL || f->c.wants(&f->c, message);
		}
		cursor_sent(&f->c, s->seq + s->lines, 0);
	}
	return lines;
}

static void
lines_that_are_not_wanted_are_counted_once_and_the_others_taken(void **state)
{
	struct fixture *f = *state;
	struct cursor_taken taken;

	f->c.wants = wants_even;
	append_many(f, 0, 500, 200);
	assert_int_equal(send_wanted(f), 250);
	assert_int_equal(filtered, 250);
	taken = cursor_acked(&f->c, f->log->end_seq);
	assert_int_equal(taken.lines, 250);
	assert_int_equal(taken.bytes, 250 * 204);
	assert_int_equal(cursor_waiting_bytes(&f->c), 0);
	(void)cursor_lost(&f->c, &hold_all, false, false, 0);
	assert_int_equal(cursor_waiting_lines(&f->c), 250);
	assert_int_equal(send_wanted(f), 250);
	assert_int_equal(filtered, 250);
	assert_int_equal(cursor_acked(&f->c, f->log->end_seq).lines, 0);
}

static void
a_log_without_a_wanted_line_makes_no_segment_and_keeps_no_memory(void **state)
{
	struct fixture *f = *state;

	f->c.wants = wants_none;
	append_many(f, 0, 5000, 1000);
	assert_null(cursor_unsent(&f->c, 0, 0));
	assert_int_equal(filtered, 5000);
	assert_int_equal(f->c.count, 0);
	assert_int_equal(f->pool.pressure, 0);
	assert_true(f->pool.chunk_bytes < 2 * 1024 * 1024);
	assert_true(app_log_is_idle(f->log));
}

static void
unwanted_lines_are_skipped_up_to_the_first_wanted_one(void **state)
{
	struct fixture *f = *state;
	struct slice message;
	const struct segment *s;

	f->c.wants = wants_tens;
	append_many(f, 1, 15, 200);
	cursor_skip_unwanted(&f->c);
	assert_int_equal(filtered, 9);
	s = cursor_unsent(&f->c, 0, 0);
	chunk_frame(s->chunk, s->from, &message);
	assert_int_equal(number_of(message), 10);
	assert_int_equal(s->lines, 5);
	assert_int_equal(s->skipped, 4);
	assert_int_equal(cursor_waiting_lines(&f->c), 1);
}

static void
a_split_piece_knows_its_own_unwanted_lines(void **state)
{
	struct fixture *f = *state;
	const struct segment *s;
	uint64_t wanted = 0, lines = 0;

	f->c.wants = wants_even;
	append_many(f, 0, 100, 100);
	while ((s = cursor_unsent(&f->c, 0, 0)) != NULL) {
		cursor_split(&f->c, 3);
		s = cursor_unsent(&f->c, 0, 0);
		wanted += s->lines - s->skipped;
		lines += s->lines;
		cursor_sent(&f->c, s->seq + s->lines, 0);
	}
	assert_int_equal(wanted, 50);
	assert_in_range(lines, 90, 100);
	assert_int_equal(wanted + filtered, 100);
	assert_int_equal(f->c.unsent_lines, 0);
	assert_int_equal(cursor_acked(&f->c, f->log->end_seq).lines, 50);
}

static void
what_is_over_the_rate_is_dropped_and_said_before_the_next_line(void **state)
{
	struct fixture *f = *state;
	const struct segment *s;

	f->c.admit = on_admit;
	may_go = 30;
	append_many(f, 0, 100, 200);
	assert_int_equal(send_wanted(f), 30);
	assert_int_equal(dropped[CURSOR_RATE], 70);
	assert_int_equal(dropped[CURSOR_MEMORY], 0);
	assert_int_equal(cursor_waiting_lines(&f->c), 0);
	append_many(f, 100, 110, 200);
	may_go = 10;
	s = cursor_unsent(&f->c, 0, 5000);
	assert_int_equal(s->gap.lines[CURSOR_RATE], 70);
	assert_int_equal(s->lines, 10);
}

static void
only_wanted_lines_count_against_the_rate(void **state)
{
	struct fixture *f = *state;

	f->c.admit = on_admit;
	f->c.wants = wants_even;
	may_go = 20;
	append_many(f, 0, 100, 200);
	assert_int_equal(send_wanted(f), 20);
	assert_int_equal(dropped[CURSOR_RATE], 30);
	assert_int_equal(filtered, 50);
	assert_int_equal(cursor_acked(&f->c, f->log->end_seq).lines, 20);
}

static void
a_rate_of_nothing_drops_all_of_many_chunks(void **state)
{
	struct fixture *f = *state;

	f->c.admit = on_admit;
	may_go = 0;
	append_many(f, 0, 3000, 1000);
	assert_null(cursor_unsent(&f->c, 0, 0));
	assert_int_equal(dropped[CURSOR_RATE], 3000);
	assert_int_equal(f->pool.pressure, 0);
	assert_true(app_log_is_idle(f->log));
}

static void
a_trim_drops_wanted_lines_and_filters_the_others(void **state)
{
	struct fixture *f = *state;

	f->c.wants = wants_even;
	append_many(f, 0, 2000, 1000);
	cursor_trim(&f->c, 256 * 1024);
	assert_true(dropped[CURSOR_MEMORY] > 800);
	assert_true(filtered >= dropped[CURSOR_MEMORY] - 1 &&
		    filtered <= dropped[CURSOR_MEMORY] + 1);
	assert_int_equal(send_wanted(f) + dropped[CURSOR_MEMORY], 1000);
}

static void
a_taken_gap_is_not_said_again(void **state)
{
	struct fixture *f = *state;
	struct cursor_gap gap;

	append_many(f, 0, 2000, 1000);
	cursor_trim(&f->c, 256 * 1024);
	assert_non_null(cursor_unsent(&f->c, 0, 0));
	gap = cursor_take_gap(&f->c);
	assert_int_equal(gap.lines[CURSOR_MEMORY], dropped[CURSOR_MEMORY]);
	assert_true(cursor_gap_is_empty(&cursor_unsent(&f->c, 0, 0)->gap));
}

static void
what_is_unsent_again_is_in_the_same_pieces_and_counts_no_try(void **state)
{
	struct fixture *f = *state;

	append_many(f, 0, 500, 1000);
	assert_int_equal(send_wanted(f), 500);
	assert_non_null(cursor_in_flight(&f->c, 0));
	assert_int_equal(cursor_in_flight(&f->c, 0)->seq, (uint64_t)7 << 40);
	cursor_unsend(&f->c);
	assert_null(cursor_in_flight(&f->c, 0));
	assert_int_equal(cursor_waiting_lines(&f->c), 500);
	assert_int_equal(cursor_unsent(&f->c, 0, 0)->resent, 0);
	assert_int_equal(send_wanted(f), 500);
}

static void
an_exact_cursor_is_acknowledged_up_to_any_line(void **state)
{
	struct fixture *f = *state;
	uint64_t first = f->log->end_seq;
	struct cursor_taken taken;

	f->c.exact = true;
	f->c.wants = wants_even;
	append_many(f, 0, 100, 100);
	assert_int_equal(send_wanted(f), 50);
	assert_int_equal(f->pool.holders, 0);
	/* Its chunks are small, so that several segments lie before that line. */
	cursor_cut(&f->c, first + 51);
	cursor_cut(&f->c, first + 51);
	assert_int_equal(cursor_acked(&f->c, first + 51).lines, 26);
	assert_int_equal(cursor_acked(&f->c, first + 51).lines, 0);
	cursor_cut(&f->c, first + 1000);
	taken = cursor_acked(&f->c, first + 100);
	assert_int_equal(taken.lines, 24);
	assert_int_equal(taken.bytes, 24 * 104);
	assert_int_equal(f->c.flight_bytes, 0);
	cursor_release_all(&f->c);
	assert_true(app_log_is_idle(f->log));
}

static void
small_segments_of_an_exact_cursor_stay_apart(void **state)
{
	struct fixture *f = *state;
	uint64_t first = f->log->end_seq;

	f->c.exact = true;
	for (unsigned i = 0; i < 3; i++) {
		append_many(f, i, i + 1, 100);
		assert_int_equal(send_wanted(f), 1);
	}
	assert_int_equal(cursor_acked(&f->c, first + 1).lines, 1);
	assert_int_equal(cursor_acked(&f->c, first + 3).lines, 2);
}

static void
a_gap_is_put_back_where_it_was(void **state)
{
	struct fixture *f = *state;
	struct cursor_gap gap;
	uint64_t seq;

	f->c.exact = true;
	append_many(f, 0, 2000, 1000);
	cursor_trim(&f->c, 256 * 1024);
	seq = cursor_unsent(&f->c, 0, 0)->seq;
	gap = cursor_take_gap(&f->c);
	(void)send_wanted(f);
	cursor_unsend(&f->c);
	cursor_put_gap(&f->c, seq, &gap);
	assert_int_equal(cursor_unsent(&f->c, 0, 0)->gap.lines[CURSOR_MEMORY],
			 dropped[CURSOR_MEMORY]);
	assert_int_equal(cursor_unsent(&f->c, 0, 0)->gap.since_us, gap.since_us);
}

/* The segment that is cut has nine of ten lines less than what waited. */
static void
lines_that_are_passed_over_press_on_nobody(void **state)
{
	struct fixture *f = *state;
	const struct segment *s;

	f->c.wants = wants_tens;
	append_many(f, 1, 11, 50);
	app_log_seal(f->log);
	append_many(f, 11, 12, 50);
	s = cursor_unsent(&f->c, 0, 0);
	assert_non_null(s);
	assert_int_equal(f->pool.pressure, cursor_waiting_bytes(&f->c));
	assert_int_equal(f->pool.pressure, s->to - s->from + 53);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	    TEST(lines_that_are_not_wanted_are_counted_once_and_the_others_taken),
	    TEST(a_log_without_a_wanted_line_makes_no_segment_and_keeps_no_memory),
	    TEST(unwanted_lines_are_skipped_up_to_the_first_wanted_one),
	    TEST(lines_that_are_passed_over_press_on_nobody),
	    TEST(a_split_piece_knows_its_own_unwanted_lines),
	    TEST(what_is_over_the_rate_is_dropped_and_said_before_the_next_line),
	    TEST(only_wanted_lines_count_against_the_rate),
	    TEST(a_rate_of_nothing_drops_all_of_many_chunks),
	    TEST(a_trim_drops_wanted_lines_and_filters_the_others),
	    TEST(a_taken_gap_is_not_said_again),
	    TEST(an_exact_cursor_is_acknowledged_up_to_any_line),
	    TEST(small_segments_of_an_exact_cursor_stay_apart),
	    TEST(a_gap_is_put_back_where_it_was),
	    TEST(what_is_unsent_again_is_in_the_same_pieces_and_counts_no_try),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
