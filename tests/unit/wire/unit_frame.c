/* How a stream falls apart into messages, wherever the reads fall. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "wire/reader.h"

enum { MAX_LINE = 20 };

/* Both framings, empty lines, look-alikes of counts, every kind of end. */
static const char mixed[] = "<1>one\n"
			    "6 <2>two"
			    "6 <3>lf\n\n"
			    "9 <4>crlf\r\n"
			    "\n\r\n"
			    "8 <5>four<6>five\r\n"
			    "12 drummers drumming\n"
			    "7 <7>a\nb\n"
			    "12345678 <8>long\n"
			    "1234567\n"
			    "0 <9>zero\n"
			    "07 <9>x\n"
			    "42\n"
			    "5  <a>\n"
			    "4 <b>";

static const char mixed_lines[] = "[0|<1>one][0|<2>two][0|<3>lf][0|]"
				  "[0|<4>crlf][0|][0|][0|<5>four<]"
				  "[0|6>five]"
				  "[0|12 drummers drumming]"
				  "[0|<7>a\nb]"
				  "[0|12345678 <8>long]"
				  "[0|1234567][0|0 <9>zero][0|07 <9>x][0|42][0|5  <a>][0|<b>]";

/* Hands the stream over in pieces that end at a, at b, at the end. */
static void
check_split(enum framing framing, size_t max_line, struct slice stream, size_t a, size_t b,
	    struct slice want)
{
	struct reader r;

	reader_init(&r, framing, max_line);
	if (a > 0)
		reader_take(&r, slice_of(stream.p, a), false);
	if (b > a)
		reader_take(&r, slice_of(stream.p + a, b - a), false);
	reader_take(&r, slice_skip(stream, b), true);
	if (!slice_eq(buf_slice(&r.lines), want)) {
		fail_msg("split at %zu and %zu:\n got %.*s\nwant %.*s", a, b, (int)r.lines.n,
			 r.lines.p, (int)want.n, want.p);
	}
	assert_int_equal(r.kept.n, 0);
	reader_free(&r);
}

static void
check_every_split(enum framing framing, size_t max_line, struct slice stream, struct slice want)
{
	for (size_t a = 0; a <= stream.n; a++) {
		for (size_t b = a; b <= stream.n; b++)
			check_split(framing, max_line, stream, a, b, want);
	}
}

static void
check_bytewise(enum framing framing, size_t max_line, struct slice stream, struct slice want)
{
	struct reader r;

	reader_init(&r, framing, max_line);
	for (size_t i = 0; i < stream.n; i++)
		reader_take(&r, slice_of(stream.p + i, 1), false);
	reader_take(&r, slice_of(NULL, 0), true);
	assert_int_equal(r.lines.n, want.n);
	assert_memory_equal(r.lines.p, want.p, want.n);
	reader_free(&r);
}

static void
check(enum framing framing, struct slice stream, const char *want)
{
	check_every_split(framing, MAX_LINE, stream, slice_str(want));
	check_bytewise(framing, MAX_LINE, stream, slice_str(want));
}

static void
mixed_framing_gives_the_same_lines_at_every_split(void **state)
{
	(void)state;
	check_every_split(FRAMING_AUTO, 100, SLICE(mixed), SLICE(mixed_lines));
	check_bytewise(FRAMING_AUTO, 100, SLICE(mixed), SLICE(mixed_lines));
}

static void
seven_digits_are_a_count_and_eight_are_text(void **state)
{
	struct framer f;
	struct frame out;

	(void)state;
	framer_init(&f, FRAMING_AUTO, 100);
	assert_int_equal(frame_next(&f, SLICE("1234567 <"), false, &out), FRAME_MORE);
	assert_int_equal(out.keep, 9);
	assert_int_equal(f.scanned, 0);
	framer_init(&f, FRAMING_AUTO, 100);
	/* The eighth digit settles it: from here on it is a line. */
	assert_int_equal(frame_next(&f, SLICE("12345678"), false, &out), FRAME_MORE);
	assert_int_equal(f.scanned, 8);
}

static void
an_undecided_count_at_the_end_is_a_line(void **state)
{
	(void)state;
	check(FRAMING_AUTO, SLICE("17"), "[0|17]");
	check(FRAMING_AUTO, SLICE("17 "), "[0|17 ]");
	check(FRAMING_AUTO, SLICE("<1>a\n1234567"), "[0|<1>a][0|1234567]");
}

static void
nothing_gives_no_line(void **state)
{
	struct framer f;
	struct frame out;

	(void)state;
	framer_init(&f, FRAMING_AUTO, 100);
	assert_int_equal(frame_next(&f, slice_of(NULL, 0), false, &out), FRAME_MORE);
	assert_int_equal(out.keep, 0);
	assert_int_equal(frame_next(&f, slice_of(NULL, 0), true, &out), FRAME_MORE);
	assert_int_equal(out.keep, 0);
}

static void
a_last_line_without_its_end_is_a_line(void **state)
{
	(void)state;
	check(FRAMING_AUTO, SLICE("<1>a\n<2>b"), "[0|<1>a][0|<2>b]");
	/* A CR alone is no line end. */
	check(FRAMING_AUTO, SLICE("<2>b\r"), "[0|<2>b\r]");
}

static void
a_counted_frame_that_breaks_off_is_a_line(void **state)
{
	(void)state;
	check(FRAMING_AUTO, SLICE("15 <1>abc"), "[0|<1>abc]");
	check(FRAMING_AUTO, SLICE("15 <1>abc\n"), "[0|<1>abc]");
}

static void
one_line_end_is_taken_off_and_no_more(void **state)
{
	(void)state;
	check(FRAMING_AUTO, SLICE("7 <1>a\n\r\n\n<2>b\r\r\n"), "[0|<1>a\n][0|][0|<2>b\r]");
	check(FRAMING_AUTO, SLICE("7 <1>a\r\n\n"), "[0|<1>a\r\n]");
}

static void
a_long_line_is_cut_and_the_next_is_whole(void **state)
{
	(void)state;
	check(FRAMING_AUTO, SLICE("<1>4567890123456789x\n<2>next\n"),
	      "[0|<1>4567890123456789x][0|<2>next]");
	check(FRAMING_AUTO, SLICE("<1>4567890123456789x\r\n<2>next\n"),
	      "[0|<1>4567890123456789x][0|<2>next]");
	check(FRAMING_AUTO, SLICE("<1>4567890123456789xy\n<2>next\n"),
	      "[1|<1>4567890123456789x][0|<2>next]");
	check(FRAMING_AUTO, SLICE("<1>4567890123456789xy\r\n<2>next\n"),
	      "[1|<1>4567890123456789x][0|<2>next]");
	check(FRAMING_AUTO, SLICE("<1>4567890123456789xyz 18 <2>abcdef\r\n6 <3>ok\n"),
	      "[15|<1>4567890123456789x][0|<3>ok]");
	check(FRAMING_AUTO, SLICE("<1>4567890123456789x\r\r\r\n4 <2>"),
	      "[2|<1>4567890123456789x][0|<2>]");
}

static void
a_long_line_at_the_end_is_cut(void **state)
{
	(void)state;
	check(FRAMING_AUTO, SLICE("<1>4567890123456789xy"), "[1|<1>4567890123456789x]");
	check(FRAMING_AUTO, SLICE("<1>4567890123456789xyzabc\r"), "[6|<1>4567890123456789x]");
}

static void
a_long_counted_frame_is_cut_and_the_next_is_whole(void **state)
{
	(void)state;
	check(FRAMING_AUTO, SLICE("20 <1>4567890123456789x7 <2>next"),
	      "[0|<1>4567890123456789x][0|<2>next]");
	check(FRAMING_AUTO, SLICE("21 <1>4567890123456789x\n7 <2>next"),
	      "[0|<1>4567890123456789x][0|<2>next]");
	check(FRAMING_AUTO, SLICE("22 <1>4567890123456789x\r\n7 <2>next"),
	      "[0|<1>4567890123456789x][0|<2>next]");
	check(FRAMING_AUTO, SLICE("22 <1>4567890123456789xyz7 <2>next"),
	      "[2|<1>4567890123456789x][0|<2>next]");
	/* What is cut off may look like frames, lines or anything. */
	check(FRAMING_AUTO, SLICE("34 <1>4567890123456789x\n6 <9>xx\n<8>y\n7 <2>next"),
	      "[14|<1>4567890123456789x][0|<2>next]");
}

static void
a_cut_counted_frame_that_breaks_off_counts_what_came(void **state)
{
	(void)state;
	check(FRAMING_AUTO, SLICE("9999999 <1>4567890123456789x12345\n"),
	      "[6|<1>4567890123456789x]");
	check(FRAMING_AUTO, SLICE("9999999 <1>4567890123456789x"), "[0|<1>4567890123456789x]");
	check(FRAMING_AUTO, SLICE("9999999 <1>4567890123456789\n"), "[0|<1>4567890123456789]");
}

static void
octet_framing_needs_no_angle_bracket(void **state)
{
	(void)state;
	check(FRAMING_OCTET, SLICE("5 hello3 a\nbplain\n2 ok"), "[0|hello][0|a\nb][0|plain][0|ok]");
	check(FRAMING_AUTO, SLICE("5 hello\n"), "[0|5 hello]");
}

static void
lf_framing_takes_digits_as_text(void **state)
{
	(void)state;
	check(FRAMING_LF, SLICE("6 <2>two\n<1>a\n"), "[0|6 <2>two][0|<1>a]");
}

static void
nul_framing_ends_lines_at_nul_only(void **state)
{
	(void)state;
	check(FRAMING_NUL,
	      SLICE("<1>a\nb\0"
		    "6 <2>x\n\0\0<3>end"),
	      "[0|<1>a\nb][0|6 <2>x][0|][0|<3>end]");
	check(FRAMING_NUL, SLICE("<1>4567890123456789x\r\n\0<1>4567890123456789x\r\r\n\0<2>"),
	      "[0|<1>4567890123456789x][3|<1>4567890123456789x][0|<2>]");
}

static void
nul_is_text_unless_asked_for(void **state)
{
	(void)state;
	check_every_split(FRAMING_AUTO, MAX_LINE, SLICE("<1>a\0b\n6 <2>\0c\0"),
			  SLICE("[0|<1>a\0b][0|<2>\0c\0]"));
}

/* Sizes around max_line, all splits: against what the sizes say. */
static void
every_size_around_the_limit_is_cut_by_the_same_rule(void **state)
{
	(void)state;
	for (size_t n = 1; n <= 3 * MAX_LINE; n++) {
		struct buf stream = {0}, want = {0};
		size_t kept = n < MAX_LINE ? n : MAX_LINE;

		for (size_t i = 0; i < n; i++)
			buf_add_char(&stream, (char)('a' + i % 26));
		buf_addf(&want, "[%zu|%.*s]", n - kept, (int)kept, stream.p);
		buf_add_str(&stream, "\r\n<2>b\n");
		buf_add_str(&want, "[0|<2>b]");
		check_every_split(FRAMING_AUTO, MAX_LINE, buf_slice(&stream), buf_slice(&want));

		stream.n = want.n = 0;
		buf_addf(&stream, "%zu <", n);
		for (size_t i = 1; i < n; i++)
			buf_add_char(&stream, 'x');
		buf_addf(&want, "[%zu|%.*s]", n - kept, (int)kept, strchr(buf_cstr(&stream), '<'));
		buf_add_str(&stream, "4 <2>");
		buf_add_str(&want, "[0|<2>]");
		check_every_split(FRAMING_AUTO, MAX_LINE, buf_slice(&stream), buf_slice(&want));
		buf_free(&stream);
		buf_free(&want);
	}
}

static void
a_long_line_is_looked_through_once(void **state)
{
	struct framer f;
	struct frame out;
	char *text = malloc(1000);

	(void)state;
	assert_non_null(text);
	memset(text, 'x', 1000);
	framer_init(&f, FRAMING_AUTO, 2000);
	for (size_t n = 100; n <= 1000; n += 100) {
		assert_int_equal(frame_next(&f, slice_of(text, n), false, &out), FRAME_MORE);
		assert_int_equal(out.keep, n);
		assert_int_equal(f.scanned, n);
	}
	free(text);
}

static void
framing_words_are_known(void **state)
{
	static const char *const words[] = {"auto", "octet-counting", "lf", "nul"};
	enum framing framing;

	(void)state;
	for (enum framing i = FRAMING_AUTO; i <= FRAMING_NUL; i++) {
		assert_true(framing_parse(words[i], &framing));
		assert_int_equal(framing, i);
	}
	assert_false(framing_parse("octet", &framing));
	assert_false(framing_parse("", &framing));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(mixed_framing_gives_the_same_lines_at_every_split),
	    cmocka_unit_test(seven_digits_are_a_count_and_eight_are_text),
	    cmocka_unit_test(an_undecided_count_at_the_end_is_a_line),
	    cmocka_unit_test(nothing_gives_no_line),
	    cmocka_unit_test(a_last_line_without_its_end_is_a_line),
	    cmocka_unit_test(a_counted_frame_that_breaks_off_is_a_line),
	    cmocka_unit_test(one_line_end_is_taken_off_and_no_more),
	    cmocka_unit_test(a_long_line_is_cut_and_the_next_is_whole),
	    cmocka_unit_test(a_long_line_at_the_end_is_cut),
	    cmocka_unit_test(a_long_counted_frame_is_cut_and_the_next_is_whole),
	    cmocka_unit_test(a_cut_counted_frame_that_breaks_off_counts_what_came),
	    cmocka_unit_test(octet_framing_needs_no_angle_bracket),
	    cmocka_unit_test(lf_framing_takes_digits_as_text),
	    cmocka_unit_test(nul_framing_ends_lines_at_nul_only),
	    cmocka_unit_test(nul_is_text_unless_asked_for),
	    cmocka_unit_test(every_size_around_the_limit_is_cut_by_the_same_rule),
	    cmocka_unit_test(a_long_line_is_looked_through_once),
	    cmocka_unit_test(framing_words_are_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
