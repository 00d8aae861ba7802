/* A line's number goes into its frame and comes out of it again; nothing else changes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "canonical.h"
#include "lines_3164.h"
#include "lines_5424.h"
#include "wire/mark.h"

static struct buf scratch;

static const struct line_mark mark = {
    .log = UINT64_MAX, .start = (1 << 24) - 1, .seq = (UINT64_C(1) << 40) - 1};

#define MARK "log=\"18446744073709551615\" start=\"16777215\" seq=\"1099511627775\""

static void
check_marked(const char *frame, const char *want)
{
	struct buf out = {0};

	mark_add(slice_str(frame), &mark, &out);
	assert_string_equal(buf_cstr(&out), want);
	buf_free(&out);
}

static void
a_mark_stands_in_our_own_element_behind_the_senders(void **state)
{
	(void)state;
	check_marked("<14>1 - h a p m - text", "<14>1 - h a p m [penstock@32473 " MARK "] text");
	check_marked("<14>1 - h a p m -", "<14>1 - h a p m [penstock@32473 " MARK "]");
	check_marked("<14>1 - h a p m - ", "<14>1 - h a p m [penstock@32473 " MARK "] ");
	check_marked("<14>1 - h a p m [x y=\"- \\]\"][z] text",
		     "<14>1 - h a p m [x y=\"- \\]\"][z][penstock@32473 " MARK "] text");
}

static void
of_a_line_that_was_cut_it_is_the_same_element(void **state)
{
	(void)state;
	check_marked("<14>1 - h a p m [penstock@32473 cut=\"9\"] text",
		     "<14>1 - h a p m [penstock@32473 cut=\"9\" " MARK "] text");
	check_marked("<14>1 - h a p m [x][penstock@32473 cut=\"18446744073709551615\"]",
		     "<14>1 - h a p m [x][penstock@32473 cut=\"18446744073709551615\" " MARK "]");
}

static void
what_is_no_frame_stays_as_it_is(void **state)
{
	(void)state;
	check_marked("", "");
	check_marked("free text", "free text");
	check_marked("<14>1 - h a p m", "<14>1 - h a p m");
}

/* In a block of its exact size, so that ASan sees any look past the end. */
static void
check_round(const struct line *line)
{
	size_t n = line_size(line);
	char *frame = malloc(n);
	struct buf out = {0};
	struct line again;

	assert_non_null(frame);
	line_write(line, frame);
	mark_add(slice_of(frame, n), &mark, &out);
	assert_true(parse_canonical(buf_slice(&out), &again));
	must_be_same(line, &again);
	assert_true(again.marked);
	assert_memory_equal(&again.mark, &mark, sizeof(mark));
	/* What was there is still there, at both ends. */
	assert_memory_equal(out.p, frame, (size_t)(again.msgid.p - out.p));
	assert_memory_equal(again.msg.p, frame + n - again.msg.n, again.msg.n);
	/* Written anew, as when it must be cut, it says the same. */
	again.verbatim = false;
	assert_int_equal(line_size(&again), out.n - (again.msg.n == 0 && out.p[out.n - 1] == ' '));
	free(frame);
	buf_free(&out);
}

static void
check_lines(const struct known_line *lines, size_t n)
{
	struct parse_env env = {.hostname = SLICE("peer"),
				.now_us = INT64_C(1768478400000000),
				.now_text = SLICE("2026-01-15T12:00:00Z"),
				.scratch = &scratch};
	struct line line;

	for (size_t i = 0; i < n; i++) {
		parse_line(lines[i].frame, 0, &env, &line);
		assert_false(line.marked);
		check_round(&line);
		parse_line(lines[i].frame, 4711, &env, &line);
		assert_false(line.marked);
		check_round(&line);
	}
}

static void
whatever_a_line_is_its_mark_is_found_again(void **state)
{
	(void)state;
	check_lines(lines_5424, sizeof(lines_5424) / sizeof(lines_5424[0]));
	check_lines(lines_3164, sizeof(lines_3164) / sizeof(lines_3164[0]));
}

/* What comes in is not marked, whatever it says. */
static void
a_sender_cannot_mark_its_lines(void **state)
{
	struct parse_env env = {
	    .hostname = SLICE("peer"), .now_text = SLICE("-"), .scratch = &scratch};
	char frame[] = "<14>1 - h a p m [penstock@32473 log=\"1\" start=\"2\" seq=\"3\"] text";
	struct line line;

	(void)state;
	parse_line(slice_str(frame), 0, &env, &line);
	assert_false(line.marked);
	assert_true(slice_is(line.sd, "-"));
}

static void
half_a_mark_is_none(void **state)
{
	struct line line;

	(void)state;
	assert_true(parse_canonical(
	    SLICE("<14>1 - h a p m [penstock@32473 log=\"1\" seq=\"3\"] text"), &line));
	assert_false(line.marked);
}

static int
scratch_free(void **state)
{
	(void)state;
	buf_free(&scratch);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_mark_stands_in_our_own_element_behind_the_senders),
	    cmocka_unit_test(of_a_line_that_was_cut_it_is_the_same_element),
	    cmocka_unit_test(what_is_no_frame_stays_as_it_is),
	    cmocka_unit_test(whatever_a_line_is_its_mark_is_found_again),
	    cmocka_unit_test(a_sender_cannot_mark_its_lines),
	    cmocka_unit_test(half_a_mark_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, scratch_free);
}
