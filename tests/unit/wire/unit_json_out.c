/* Whatever goes in, valid JSON in valid UTF-8 comes out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <stdio.h>

#include "base/xmalloc.h"
#include "wire/json_out.h"

#define FFFD "\xef\xbf\xbd"

/* The text in a block of its exact size, so that reading past it shows. */
static void
check_bytes(const char *text, size_t n, const char *want)
{
	char *exact = xmalloc(n);
	struct buf out = {0};

	memcpy(exact, text, n);
	json_out_string(&out, slice_of(exact, n));
	if (strlen(want) + 2 != out.n || out.p[0] != '"' || out.p[out.n - 1] != '"' ||
	    memcmp(out.p + 1, want, out.n - 2) != 0)
		fail_msg("want \"%s\", got %.*s", want, (int)out.n, out.p);
	buf_free(&out);
	free(exact);
}

#define CHECK(text, want) check_bytes(text, sizeof(text) - 1, want)

static void
plain_text_stays_as_it_is(void **state)
{
	(void)state;
	CHECK("", "");
	CHECK("hello world", "hello world");
	CHECK("/ ' & < > \x7f", "/ ' & < > \x7f");
	CHECK("Gr\xc3\xbc\xc3\x9f Gott \xe2\x82\xac \xf0\x9f\x98\x80 \xef\xbb\xbf",
	      "Gr\xc3\xbc\xc3\x9f Gott \xe2\x82\xac \xf0\x9f\x98\x80 \xef\xbb\xbf");
}

static void
quotes_backslashes_and_controls_are_escaped(void **state)
{
	(void)state;
	CHECK("a\"b\\c", "a\\\"b\\\\c");
	CHECK("\b\f\n\r\t", "\\b\\f\\n\\r\\t");
	CHECK("\0\x01\x1f", "\\u0000\\u0001\\u001f");
	CHECK("line one\nline two\0tail", "line one\\nline two\\u0000tail");
}

/* The Unicode Standard, chapter 3, tables 3-8 to 3-11. */
static void
ill_formed_utf8_is_replaced_by_maximal_subparts(void **state)
{
	(void)state;
	CHECK("\xc0\xaf\xe0\x80\xbf\xf0\x81\x82\x41", FFFD FFFD FFFD FFFD FFFD FFFD FFFD FFFD "A");
	CHECK("\xed\xa0\x80\xed\xbf\xbf\xed\xaf\x41", FFFD FFFD FFFD FFFD FFFD FFFD FFFD FFFD "A");
	CHECK("\xf4\x91\x92\x93\xff\x41\x80\xbf\x42", FFFD FFFD FFFD FFFD FFFD "A" FFFD FFFD "B");
	CHECK("\xe1\x80\xe2\xf0\x91\x92\xf1\xbf\x41", FFFD FFFD FFFD FFFD "A");
}

static void
characters_that_end_too_early_are_replaced(void **state)
{
	(void)state;
	CHECK("a\xc3", "a" FFFD);
	CHECK("\xe2\x82", FFFD);
	CHECK("\xf0\x9f\x98", FFFD);
	CHECK("\xf0\x9f\x98\x20", FFFD " ");
	CHECK("\xe2\x82\"", FFFD "\\\"");
}

static void
the_borders_of_utf8_are_kept(void **state)
{
	(void)state;
	CHECK("\xc2\x80\xdf\xbf", "\xc2\x80\xdf\xbf");
	CHECK("\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf",
	      "\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf");
	CHECK("\xf0\x90\x80\x80\xf4\x8f\xbf\xbf", "\xf0\x90\x80\x80\xf4\x8f\xbf\xbf");
	CHECK("\xf4\x90\x80\x80", FFFD FFFD FFFD FFFD);
	CHECK("\xe0\x9f\x80", FFFD FFFD FFFD);
	CHECK("\xc1\xbf", FFFD FFFD);
	CHECK("\xf5\x80\x80\x80", FFFD FFFD FFFD FFFD);
}

/* Eight bytes are looked at at a time: every byte, at every place among them. */
static void
every_byte_is_seen_wherever_it_stands(void **state)
{
	(void)state;
	for (unsigned byte = 0; byte < 256; byte++) {
		for (size_t place = 0; place < 20; place++) {
			char text[20], want[20 + 6], *end;

			memset(text, 'x', sizeof(text));
			text[place] = (char)byte;
			memset(want, 'x', place);
			end = want + place;
			if (byte >= 0x80)
				end = stpcpy(end, FFFD);
			else if (byte == '"' || byte == '\\')
				end += sprintf(end, "\\%c", (int)byte);
			else if (byte < ' ' && strchr("\b\f\n\r\t", (int)byte) != NULL && byte > 0)
				end += sprintf(end, "\\%c", "btn-fr"[byte - 8]);
			else if (byte < ' ')
				end += sprintf(end, "\\u%04x", byte);
			else
				*end++ = (char)byte;
			memset(end, 'x', sizeof(text) - place - 1);
			end[sizeof(text) - place - 1] = '\0';
			check_bytes(text, sizeof(text), want);
		}
	}
}

static void
members_have_commas_between_them(void **state)
{
	struct buf out = {0};

	(void)state;
	buf_add_char(&out, '{');
	json_out_member(&out, "a", SLICE("x{"));
	json_out_number(&out, "b", -5);
	json_out_number(&out, "c", INT64_MAX);
	json_out_key(&out, "d");
	buf_add_char(&out, '{');
	json_out_member(&out, "e", SLICE(""));
	buf_add_str(&out, "}}");
	assert_string_equal(buf_cstr(&out),
			    "{\"a\":\"x{\",\"b\":-5,\"c\":9223372036854775807,\"d\":{\"e\":\"\"}}");
	buf_free(&out);
}

/* What fits is the longest start whose text is no longer than the room. */
static void
what_fits_is_exact(void **state)
{
	static const struct slice text = SLICE_INIT("ab\"c\n\x01\xc3\xbc\xff"
						    "defghijklmnop\xf0\x9f\x98\x80");
	static const size_t ends[] = {0,  1,  2,  3,  4,  5,  6,  8,  9,  10, 11, 12,
				      13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 26};

	(void)state;
	for (size_t room = 0; room < 60; room++) {
		size_t want = 0;

		for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
			struct buf out = {0};

			json_out_string(&out, slice_of(text.p, ends[i]));
			if (out.n - 2 <= room)
				want = ends[i];
			buf_free(&out);
		}
		assert_int_equal(json_out_fit(text, room), want);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(plain_text_stays_as_it_is),
	    cmocka_unit_test(quotes_backslashes_and_controls_are_escaped),
	    cmocka_unit_test(ill_formed_utf8_is_replaced_by_maximal_subparts),
	    cmocka_unit_test(characters_that_end_too_early_are_replaced),
	    cmocka_unit_test(the_borders_of_utf8_are_kept),
	    cmocka_unit_test(every_byte_is_seen_wherever_it_stands),
	    cmocka_unit_test(members_have_commas_between_them),
	    cmocka_unit_test(what_fits_is_exact),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
