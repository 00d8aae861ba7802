#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "wire/escape.h"

static void
check_escape(struct slice in, const char *want)
{
	struct buf out = {0};

	escape_controls(in, &out);
	assert_string_equal(buf_cstr(&out), want);
	assert_int_equal(escape_needed(in), !slice_is(in, want));
	assert_false(escape_needed(buf_slice(&out)));
	buf_free(&out);
}

static void
clean_text_stays(void **state)
{
	(void)state;
	check_escape(SLICE(""), "");
	check_escape(slice_of(NULL, 0), "");
	check_escape(SLICE("<14>1 - a b - - - tab\there \xc3\xb6 \x1b[0m"),
		     "<14>1 - a b - - - tab\there \xc3\xb6 \x1b[0m");
}

static void
what_ends_a_frame_is_escaped(void **state)
{
	(void)state;
	check_escape(SLICE("\n"), "#012");
	check_escape(SLICE("a\r\nb\0c"), "a#015#012b#000c");
	check_escape(SLICE("\0\0end\n"), "#000#000end#012");
}

/* Long and short texts are looked at in different ways. */
static void
each_byte_counts_wherever_it_stands(void **state)
{
	(void)state;
	for (size_t n = 1; n <= 70; n++) {
		char *exact = malloc(n);

		assert_non_null(exact);
		memset(exact, 'x', n);
		for (size_t at = 0; at < n; at++) {
			for (int byte = 0; byte < 256; byte++) {
				bool ends = byte == '\n' || byte == '\r' || byte == '\0';

				exact[at] = (char)byte;
				assert_int_equal(escape_needed(slice_of(exact, n)), ends);
			}
			exact[at] = 'x';
		}
		free(exact);
	}
}

/* On the heap, of its exact size: a character that is cut short must not be read on. */
static void
check_terminal(const char *in, size_t n, const char *want)
{
	char *exact = malloc(n > 0 ? n : 1);
	struct buf out = {0};

	assert_non_null(exact);
	memcpy(exact, in, n);
	escape_terminal(slice_of(exact, n), &out);
	assert_string_equal(buf_cstr(&out), want);
	assert_int_equal(out.n, strlen(want));
	free(exact);
	buf_free(&out);
}

#define CHECK_TERMINAL(in, want) check_terminal(in, sizeof(in) - 1, want)

static void
a_terminal_is_shown_text_as_it_is(void **state)
{
	(void)state;
	CHECK_TERMINAL("", "");
	CHECK_TERMINAL("tab\there ~", "tab\there ~");
	/* U+00A0, U+20AC, U+1F600 */
	CHECK_TERMINAL("\xc2\xa0 \xe2\x82\xac \xf0\x9f\x98\x80",
		       "\xc2\xa0 \xe2\x82\xac \xf0\x9f\x98\x80");
	/* Bytes from 0x80 to 0x9f inside a character are none of these controls. */
	CHECK_TERMINAL("\xc4\x9b\xe2\x9b\x84", "\xc4\x9b\xe2\x9b\x84");
	/* Latin-1 stays, as who wrote it meant it. */
	CHECK_TERMINAL("caf\xe9 \xff\xfe\xc0", "caf\xe9 \xff\xfe\xc0");
}

static void
no_control_reaches_a_terminal(void **state)
{
	(void)state;
	CHECK_TERMINAL("\0\n\r\x1b\x7f\a", "#000#012#015#033#177#007");
	CHECK_TERMINAL("a\x1b]0;title\ab", "a#033]0;title#007b");
	/* CSI, in one byte and as U+009B; U+0080. */
	CHECK_TERMINAL("\x9b"
		       "31m",
		       "#23331m");
	CHECK_TERMINAL("\xc2\x9b"
		       "31m\xc2\x80",
		       "#302#23331m#302#200");
	/* Cut short, or no character at all: what is left of it may be a control. */
	CHECK_TERMINAL("\xc2", "\xc2");
	CHECK_TERMINAL("\xe2\x82", "\xe2#202");
	CHECK_TERMINAL("\xe2\x9bX", "\xe2#233X");
	CHECK_TERMINAL("\xf0\x9f\x98", "\xf0#237#230");
	CHECK_TERMINAL("\xf5\x80\x9b\x9b\x9b", "\xf5#200#233#233#233");
	/* U+001B and U+009B in more bytes than they need. */
	CHECK_TERMINAL("\xc0\x9b\xe0\x80\x9b\xf0\x80\x82\x9b",
		       "\xc0#233\xe0#200#233\xf0#200#202#233");
}

static void
every_pair_of_bytes_leaves_no_control(void **state)
{
	struct buf out = {0};
	char in[3] = {0, 0, 'x'};

	(void)state;
	for (unsigned i = 0; i < 256 * 256; i++) {
		in[0] = (char)(i >> 8);
		in[1] = (char)i;
		out.n = 0;
		escape_terminal(slice_of(in, 3), &out);
		for (size_t at = 0; at < out.n; at++) {
			unsigned char c = (unsigned char)out.p[at];
			bool in_character = at > 0 && (unsigned char)out.p[at - 1] >= 0xc3;

			assert_true(c == '\t' || (c >= 0x20 && c < 0x7f) || c >= 0xa0 ||
				    in_character);
		}
	}
	buf_free(&out);
}

static void
check_json(struct slice in, const char *want)
{
	char *exact = malloc(in.n + 1);
	struct buf out = {0};

	/* Its last byte is the block's. */
	memcpy(exact + 1, in.p, in.n);
	escape_json(slice_of(exact + 1, in.n), &out);
	assert_string_equal(buf_cstr(&out), want);
	buf_free(&out);
	free(exact);
}

static void
json_has_no_control_that_a_terminal_obeys(void **state)
{
	(void)state;
	check_json(SLICE(""), "");
	check_json(SLICE("{\"a\":\"b\"}"), "{\"a\":\"b\"}");
	check_json(SLICE("\"\x7f\xc2\x9b"
			 "31m\xc2\x80\xc2\x9f\""),
		   "\"\\u007f\\u009b31m\\u0080\\u009f\"");
	/* U+00A0, U+00FC, U+011B, U+F09F */
	check_json(SLICE("\xc2\xa0\xc3\xbc\xc4\x9b\xef\x82\x9f"),
		   "\xc2\xa0\xc3\xbc\xc4\x9b\xef\x82\x9f");
	check_json(SLICE("\xc2"), "\xc2");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(clean_text_stays),
	    cmocka_unit_test(what_ends_a_frame_is_escaped),
	    cmocka_unit_test(each_byte_counts_wherever_it_stands),
	    cmocka_unit_test(a_terminal_is_shown_text_as_it_is),
	    cmocka_unit_test(no_control_reaches_a_terminal),
	    cmocka_unit_test(every_pair_of_bytes_leaves_no_control),
	    cmocka_unit_test(json_has_no_control_that_a_terminal_obeys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
