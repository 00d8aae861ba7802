/* Which lines a filter passes, and how its patterns are written. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/xmalloc.h"
#include "types/drain_filter.h"

/* The frame lies in a block of its exact size. */
static bool
passes(const struct drain_filter *f, struct slice frame)
{
	char *exact = xmalloc(frame.n);
	bool fine;

	if (frame.n > 0)
		memcpy(exact, frame.p, frame.n);
	fine = drain_filter_passes(f, slice_of(exact, frame.n));
	free(exact);
	return fine;
}

static void
check(const char *severity, const char *match, const char *exclude, const char *frame, bool want)
{
	struct drain_filter f;

	drain_filter_set(&f, severity, match, exclude);
	if (passes(&f, slice_str(frame)) != want)
		fail_msg("%s %s; match %s, exclude %s, at least %s", want ? "lost" : "passed",
			 frame, match != NULL ? match : "-", exclude != NULL ? exclude : "-",
			 severity != NULL ? severity : "-");
}

static void
a_filter_without_rules_is_open(void **state)
{
	struct drain_filter f;

	(void)state;
	drain_filter_set(&f, NULL, NULL, NULL);
	assert_true(drain_filter_is_open(&f));
	assert_true(passes(&f, SLICE("<15>1 - - - - - - m")));
	drain_filter_set(&f, "debug", NULL, NULL);
	assert_true(drain_filter_is_open(&f));
	drain_filter_set(&f, "info", NULL, NULL);
	assert_false(drain_filter_is_open(&f));
	drain_filter_set(&f, NULL, "a", NULL);
	assert_false(drain_filter_is_open(&f));
	drain_filter_set(&f, NULL, NULL, "a");
	assert_false(drain_filter_is_open(&f));
}

static void
a_severity_lets_itself_and_worse_pass_of_every_facility(void **state)
{
	char frame[64];

	(void)state;
	for (unsigned least = 0; drain_severities[least] != NULL; least++) {
		for (unsigned pri = 0; pri <= 191; pri++) {
			snprintf(frame, sizeof(frame), "<%u>1 - - - - - - m", pri);
			check(drain_severities[least], NULL, NULL, frame, pri % 8 <= least);
		}
	}
}

static void
a_line_must_have_one_of_the_texts(void **state)
{
	(void)state;
	check(NULL, "error", NULL, "<14>1 - h a p - - an error here", true);
	check(NULL, "error", NULL, "<14>1 - h a p - - error", true);
	check(NULL, "error", NULL, "<14>1 - h a p - - erro", false);
	check(NULL, "error", NULL, "<14>1 - h a p - - an Error here", false);
	check(NULL, "error\nfatal", NULL, "<14>1 - h a p - - fatal", true);
	check(NULL, "error\nfatal", NULL, "<14>1 - h a p - - fine", false);
	check(NULL, "error", NULL, "<14>1 - h a p - -", false);
	check(NULL, "error", NULL, "<14>1 - h a p - - ", false);
	check(NULL, "a b", NULL, "<14>1 - h a p - - xa by", true);
	check(NULL, "\xc3\xbc", NULL, "<14>1 - h a p - - Gr\xc3\xbc\xc3\x9f", true);
}

static void
a_line_may_have_none_of_the_excluded_texts(void **state)
{
	(void)state;
	check(NULL, NULL, "GET /healthz", "<14>1 - h a p - - GET /healthz 200", false);
	check(NULL, NULL, "GET /healthz", "<14>1 - h a p - - GET / 200", true);
	check(NULL, NULL, "x\ny", "<14>1 - h a p - - only y", false);
	check(NULL, NULL, "x\ny", "<14>1 - h a p - -", true);
	check(NULL, "GET", "200", "<14>1 - h a p - - GET 200", false);
	check(NULL, "GET", "200", "<14>1 - h a p - - GET 500", true);
	check(NULL, "GET", "200", "<14>1 - h a p - - PUT 500", false);
	check("err", "GET", NULL, "<14>1 - h a p - - GET", false);
	check("err", "GET", NULL, "<11>1 - h a p - - GET", true);
}

static void
only_the_message_counts(void **state)
{
	static const char *const frames[] = {
	    "<14>1 2020-05-14T09:12:44Z needle a p - - m",
	    "<14>1 - h needle p - - m",
	    "<14>1 - h a needle - - m",
	    "<14>1 - h a p needle - m",
	    "<14>1 - h a p - [needle@1 x=\"y\"] m",
	    "<14>1 - h a p - [a@1 needle=\"y\"] m",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(frames) / sizeof(frames[0]); i++) {
		check(NULL, "needle", NULL, frames[i], false);
		check(NULL, NULL, "needle", frames[i], true);
	}
	check(NULL, "needle", NULL, "<14>1 - h a p - [a@1 x=\"\\] needle\\\"\"][b@1] m", false);
	check(NULL, "[a@1]", NULL, "<14>1 - h a p - [a@1] m", false);
	check(NULL, "[a@1]", NULL, "<14>1 - h a p - - [a@1] m", true);
	/* Nor the space in front of it. */
	check(NULL, " m", NULL, "<14>1 - h a p - - m", false);
	check(NULL, " m", NULL, "<14>1 - h a p - -  m", true);
}

static void
a_byte_order_mark_is_part_of_the_message(void **state)
{
	(void)state;
	check(NULL, "\xef\xbb\xbfm", NULL, "<14>1 - h a p - - \xef\xbb\xbfm", true);
	check(NULL, "m", NULL, "<14>1 - h a p - - \xef\xbb\xbfm", true);
}

static void
bytes_of_any_kind_are_compared(void **state)
{
	struct drain_filter f;

	(void)state;
	drain_filter_set(&f, NULL, "end", NULL);
	assert_true(passes(&f, SLICE("<14>1 - h a p - - a\0b\n\xff end")));
	assert_false(passes(&f, SLICE("<14>1 - h a p - - a\0b\n\xff en")));
}

/* Stored frames are never like this; nothing may be read past one. */
static void
what_is_no_rfc_5424_is_a_message_as_a_whole(void **state)
{
	static const struct slice odd[] = {
	    SLICE_INIT(""),
	    SLICE_INIT("<"),
	    SLICE_INIT("<14"),
	    SLICE_INIT("<14>"),
	    SLICE_INIT("<14>1 - h a p -"),
	    SLICE_INIT("<14>1 - h a p - "),
	    SLICE_INIT("<14>1 - h a p - [a x=\""),
	    SLICE_INIT("      "),
	    SLICE_INIT("<999>1 - - - - - - x"),
	};
	struct drain_filter f;

	(void)state;
	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
		drain_filter_set(&f, "err", "needle", "hay");
		assert_false(passes(&f, odd[i]));
		drain_filter_set(&f, "debug", NULL, "hay");
		assert_true(passes(&f, odd[i]));
	}
	drain_filter_set(&f, NULL, "needle", NULL);
	assert_true(passes(&f, SLICE("a needle")));
}

static void
patterns_are_written_one_a_line_and_once(void **state)
{
	struct buf lines = {0};
	struct slice rest, pattern;

	(void)state;
	assert_int_equal(drain_pattern_count(buf_slice(&lines)), 0);
	drain_pattern_add(&lines, SLICE("a"));
	drain_pattern_add(&lines, SLICE("b c"));
	drain_pattern_add(&lines, SLICE("a"));
	drain_pattern_add(&lines, SLICE("b"));
	assert_string_equal(buf_cstr(&lines), "a\nb c\nb");
	assert_int_equal(drain_pattern_count(buf_slice(&lines)), 3);
	rest = buf_slice(&lines);
	assert_true(drain_pattern_next(&rest, &pattern) && slice_is(pattern, "a"));
	assert_true(drain_pattern_next(&rest, &pattern) && slice_is(pattern, "b c"));
	assert_true(drain_pattern_next(&rest, &pattern) && slice_is(pattern, "b"));
	assert_false(drain_pattern_next(&rest, &pattern));
	buf_free(&lines);
}

static void
a_last_lf_begins_an_empty_pattern(void **state)
{
	struct slice rest = SLICE("a\n"), pattern;

	(void)state;
	assert_true(drain_pattern_next(&rest, &pattern) && slice_is(pattern, "a"));
	assert_true(drain_pattern_next(&rest, &pattern) && pattern.n == 0);
	assert_false(drain_pattern_next(&rest, &pattern));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_filter_without_rules_is_open),
	    cmocka_unit_test(a_severity_lets_itself_and_worse_pass_of_every_facility),
	    cmocka_unit_test(a_line_must_have_one_of_the_texts),
	    cmocka_unit_test(a_line_may_have_none_of_the_excluded_texts),
	    cmocka_unit_test(only_the_message_counts),
	    cmocka_unit_test(a_byte_order_mark_is_part_of_the_message),
	    cmocka_unit_test(bytes_of_any_kind_are_compared),
	    cmocka_unit_test(what_is_no_rfc_5424_is_a_message_as_a_whole),
	    cmocka_unit_test(patterns_are_written_one_a_line_and_once),
	    cmocka_unit_test(a_last_lf_begins_an_empty_pattern),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
