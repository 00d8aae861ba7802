/* What is JSON and what is not, and what of it is taken out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <stdio.h>

#include "base/xmalloc.h"
#include "wire/json_in.h"

#define FFFD "\xef\xbf\xbd"

/* The text in a block of its exact size, so that reading past it shows. */
static size_t
value_of(struct slice text, struct json_fault *fault)
{
	char *exact = xmalloc(text.n);
	size_t n;

	memcpy(exact, text.p, text.n);
	n = json_in_value(slice_of(exact, text.n), fault);
	free(exact);
	return n;
}

static void
check_value(struct slice text, size_t want)
{
	struct json_fault fault;
	size_t n = value_of(text, &fault);

	if (n != want)
		fail_msg("%.*s: %zu bytes, not %zu", (int)text.n, text.p, n, want);
}

#define IS_VALUE(text) check_value(SLICE(text), sizeof(text) - 1)

static void
check_fault(struct slice text, const char *what, size_t at)
{
	struct json_fault fault;

	if (value_of(text, &fault) != 0)
		fail_msg("%.*s: accepted", (int)text.n, text.p);
	if (strcmp(fault.what, what) != 0 || fault.at != at)
		fail_msg("%.*s: \"%s\" at %zu, not \"%s\" at %zu", (int)text.n, text.p, fault.what,
			 fault.at, what, at);
}

#define IS_FAULT(text, what, at) check_fault(SLICE(text), what, at)

static void
all_values_of_rfc_8259_are_values(void **state)
{
	(void)state;
	IS_VALUE("{}");
	IS_VALUE("[]");
	IS_VALUE("[ ]");
	IS_VALUE("{\n}");
	IS_VALUE("null");
	IS_VALUE("true");
	IS_VALUE("false");
	IS_VALUE("\"\"");
	IS_VALUE("0");
	IS_VALUE("-0");
	IS_VALUE("-0.0e-0");
	IS_VALUE("18446744073709551616000");
	IS_VALUE("1e999");
	IS_VALUE("12.50E+07");
	IS_VALUE("[1,2 , 3\t,\r\n[],{} ]");
	IS_VALUE("{\"a\":1,\"b\":{\"c\":[true,false,null]},\"a\":\"\"}");
	IS_VALUE("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\uD83D\\ude00 \x7f\"");
	IS_VALUE("\"\xff\xc0 any byte above\"");
}

static void
a_value_ends_where_the_next_begins(void **state)
{
	(void)state;
	check_value(SLICE("{}{}"), 2);
	check_value(SLICE("[1] x"), 3);
	check_value(SLICE("\"a\"\"b\""), 3);
	check_value(SLICE("12 13"), 2);
	check_value(SLICE("true\n"), 4);
}

static void
what_is_not_json_is_refused_with_its_place(void **state)
{
	(void)state;
	IS_FAULT("", "it ends too early", 0);
	IS_FAULT(" 1", "it ends too early", 0); /* white space is skipped by the caller */
	IS_FAULT("x", "no value where one is needed", 0);
	IS_FAULT("{a:1}", "no name in quotes where one is needed", 1);
	IS_FAULT("{\"a\" 1}", "no colon behind a name", 5);
	IS_FAULT("{\"a\":1,}", "no name in quotes where one is needed", 7);
	IS_FAULT("{\"a\":1 \"b\":2}", "no comma and no } behind a member", 7);
	IS_FAULT("[1,]", "no value where one is needed", 3);
	IS_FAULT("[1 2]", "no comma and no ] behind an element", 3);
	IS_FAULT("[}", "no value where one is needed", 1);
	IS_FAULT("{]", "no name in quotes where one is needed", 1);
	IS_FAULT("[1}", "no comma and no ] behind an element", 2);
	IS_FAULT("'a'", "no value where one is needed", 0);
	IS_FAULT("\"\t\"", "a control character in a string", 1);
	IS_FAULT("\"\n\"", "a control character in a string", 1);
	IS_FAULT("\"\\x\"", "an escape that JSON does not have", 2);
	IS_FAULT("\"\\\0\"", "an escape that JSON does not have", 2);
	IS_FAULT("\"\\u12g4\"", "an escape that JSON does not have", 5);
	IS_FAULT("-", "it ends too early", 1);
	IS_FAULT("-a", "a number that JSON does not have", 1);
	IS_FAULT("+1", "no value where one is needed", 0);
	IS_FAULT("01", "a word or number that JSON does not have", 1);
	IS_FAULT("1.", "it ends too early", 2);
	IS_FAULT("[1.]", "a number that JSON does not have", 3);
	IS_FAULT(".5", "no value where one is needed", 0);
	IS_FAULT("1e", "it ends too early", 2);
	IS_FAULT("1e+ ", "a number that JSON does not have", 3);
	IS_FAULT("1a", "a word or number that JSON does not have", 1);
	IS_FAULT("nul ", "a word that JSON does not have", 3);
	IS_FAULT("truefalse", "a word or number that JSON does not have", 4);
	IS_FAULT("NaN", "no value where one is needed", 0);
}

static void
every_beginning_of_a_value_ends_too_early(void **state)
{
	static const struct slice whole =
	    SLICE_INIT("{\"a\":[1,-2.5e1,{}],\"b\\n\":{\"c\":\"\\u00e9\"},\"d\":true}");

	(void)state;
	for (size_t n = 0; n < whole.n; n++) {
		/* A number may end there, but not the array that it stands in. */
		check_fault(slice_of(whole.p, n), "it ends too early", n);
	}
	check_value(whole, whole.n);
}

static void
a_byte_too_many_in_any_place_is_no_overrun(void **state)
{
	static const struct slice whole = SLICE_INIT("[{\"a\":\"\\u00e9\"},true,-1.5e+3]");
	char text[64];

	(void)state;
	for (size_t at = 0; at < whole.n; at++) {
		for (unsigned c = 0; c < 256; c++) {
			struct json_fault fault;

			memcpy(text, whole.p, whole.n);
			text[at] = (char)c;
			assert_true(value_of(slice_of(text, whole.n), &fault) <= whole.n);
		}
	}
}

static void
depth_is_bounded(void **state)
{
	char text[2 * JSON_IN_DEPTH + 2];
	struct json_fault fault;

	(void)state;
	memset(text, '[', JSON_IN_DEPTH);
	memset(text + JSON_IN_DEPTH, ']', JSON_IN_DEPTH);
	assert_int_equal(value_of(slice_of(text, 2 * JSON_IN_DEPTH), &fault), 2 * JSON_IN_DEPTH);
	memset(text, '[', JSON_IN_DEPTH + 1);
	memset(text + JSON_IN_DEPTH + 1, ']', JSON_IN_DEPTH + 1);
	assert_int_equal(value_of(slice_of(text, sizeof(text)), &fault), 0);
	assert_int_equal(fault.at, JSON_IN_DEPTH);
	assert_string_equal(fault.what, "more than 256 arrays and objects within each other");
}

static void
members_come_in_order_with_their_values_as_they_stand(void **state)
{
	struct slice rest = SLICE("{ \"a\" : 1 ,\n\"b\\u0020\":{\"x\":[1, 2]},\"\":\"}\" } behind");
	struct slice key, value;

	(void)state;
	assert_true(json_in_member(&rest, &key, &value));
	assert_true(slice_is(key, "\"a\"") && slice_is(value, "1"));
	assert_true(json_in_member(&rest, &key, &value));
	assert_true(slice_is(key, "\"b\\u0020\"") && slice_is(value, "{\"x\":[1, 2]}"));
	assert_true(json_in_member(&rest, &key, &value));
	assert_true(slice_is(key, "\"\"") && slice_is(value, "\"}\""));
	assert_false(json_in_member(&rest, &key, &value));
	rest = SLICE("{ }");
	assert_false(json_in_member(&rest, &key, &value));
}

static void
check_string(const char *quoted, const char *want, size_t n)
{
	struct buf out = {0};

	json_in_string(slice_str(quoted), &out);
	if (out.n != n || (n > 0 && memcmp(out.p, want, n) != 0))
		fail_msg("%s: %.*s", quoted, (int)out.n, out.p);
	assert_true(out.n <= strlen(quoted) - 2);
	buf_free(&out);
}

#define STRING(quoted, want) check_string(quoted, want, sizeof(want) - 1)

static void
escapes_are_undone(void **state)
{
	(void)state;
	STRING("\"\"", "");
	STRING("\"plain \xff\"", "plain \xff");
	STRING("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\b\f\n\r\t");
	STRING("\"a\\u0000b\"", "a\0b");
	STRING("\"\\u0041\\u00e9\\u20AC\"", "A\xc3\xa9\xe2\x82\xac");
	STRING("\"\\ud83d\\ude00!\"", "\xf0\x9f\x98\x80!");
	STRING("\"\\ud83d\"", FFFD);
	STRING("\"\\ude00\\ud83d\"", FFFD FFFD);
	STRING("\"\\ud83dx\"", FFFD "x");
	STRING("\"\\ud83d\\n\"", FFFD "\n");
	STRING("\"\\ud83d\\u0041\"", FFFD "A");
}

static void
white_space_goes_between_tokens_only(void **state)
{
	struct buf out = {0};

	(void)state;
	json_in_compact(SLICE("{\n  \"a b\" : [ 1,\t2 ],\r\n \"c\\\" \" : \"\\\\\" }"), &out);
	assert_string_equal(buf_cstr(&out), "{\"a b\":[1,2],\"c\\\" \":\"\\\\\"}");
	buf_free(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(all_values_of_rfc_8259_are_values),
	    cmocka_unit_test(a_value_ends_where_the_next_begins),
	    cmocka_unit_test(what_is_not_json_is_refused_with_its_place),
	    cmocka_unit_test(every_beginning_of_a_value_ends_too_early),
	    cmocka_unit_test(a_byte_too_many_in_any_place_is_no_overrun),
	    cmocka_unit_test(depth_is_bounded),
	    cmocka_unit_test(members_come_in_order_with_their_values_as_they_stand),
	    cmocka_unit_test(escapes_are_undone),
	    cmocka_unit_test(white_space_goes_between_tokens_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
