#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "wire/sd.h"

/* In a block of its exact size, so that ASan sees any look past the end. */
static size_t
span(const char *text)
{
	size_t n = strlen(text), span;
	char *exact = malloc(n > 0 ? n : 1);

	assert_non_null(exact);
	memcpy(exact, text, n);
	span = sd_span(slice_of(exact, n));
	free(exact);
	return span;
}

static void
check_whole(const char *text)
{
	assert_int_equal(span(text), strlen(text));
	/* No shorter beginning is well-formed, but where an element ends. */
	for (size_t n = 0; n < strlen(text); n++) {
		char *head = strndup(text, n);

		assert_non_null(head);
		assert_true(span(head) <= n);
		if (text[0] == '[')
			assert_true(span(head) == 0 || text[span(head) - 1] == ']');
		free(head);
	}
}

static void
well_formed_data_is_taken_to_its_end(void **state)
{
	(void)state;
	check_whole("-");
	check_whole("[a]");
	check_whole("[exampleSDID@32473 iut=\"3\" eventSource=\"Application\" eventID=\"1011\"]");
	check_whole("[exampleSDID@32473 iut=\"3\"][examplePriority@32473 class=\"high\"]");
	check_whole("[a b=\"\"]");
	check_whole("[a b=\"\\\"\\]\\\\\"]");
	check_whole("[a b=\"c:\\dir\"]");
	check_whole("[a b=\"\xc3\xb6[ = \n\"]");
	check_whole("[origin ip=\"192.0.2.1\" ip=\"192.0.2.129\"]");
}

static void
what_follows_is_not_looked_at(void **state)
{
	(void)state;
	assert_int_equal(span("- text"), 1);
	assert_int_equal(span("[a] [b]"), 3);
	assert_int_equal(span("[a][b"), 3);
	assert_int_equal(span("[a b=\"1\"]text"), 9);
}

static void
ill_formed_data_is_none(void **state)
{
	static const char *const bad[] = {
	    "",
	    " ",
	    "[",
	    "]",
	    "[]",
	    "[ a]",
	    "[a",
	    "[a ",
	    "[a ]",
	    "[a  b=\"1\"]",
	    "[a b]",
	    "[a b=]",
	    "[a b=1]",
	    "[a b=\"]",
	    "[a b=\"1]",
	    "[a b=\"1\" ]",
	    "[a b=\"1\"",
	    "[a b=\"1\"x]",
	    "[a b=\"]\"]",
	    "[a b=\"\\\"]",
	    "[a b=\"\\",
	    "[a=b]",
	    "[a\"]",
	    "[\xc3\xb6]",
	    "[a\n]",
	    "[a =\"1\"]",
	    "text",
	    "[action:\"Update\"; flags:\"1\"]",
	    "[a b:\"1\"]",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (span(bad[i]) != 0)
			fail_msg("taken as structured data: %s", bad[i]);
	}
}

static void
values_are_found_by_element_and_name(void **state)
{
	struct slice sd = SLICE("[a@1 x=\"1\" y=\"\"][b x=\"a\\\"\\]b\" a@1=\"q\"][a@1 z=\"3\"]");
	struct slice got;

	(void)state;
	assert_true(slice_is(sd_find(sd, SLICE("a@1"), SLICE("x")), "1"));
	assert_null(sd_find(sd, SLICE("a@1"), SLICE("q")).p);
	got = sd_find(sd, SLICE("a@1"), SLICE("y"));
	assert_non_null(got.p);
	assert_int_equal(got.n, 0);
	assert_true(slice_is(sd_find(sd, SLICE("a@1"), SLICE("z")), "3"));
	assert_null(sd_find(sd, SLICE("a"), SLICE("x")).p);
	assert_null(sd_find(sd, SLICE("a@11"), SLICE("x")).p);
	assert_null(sd_find(SLICE("-"), SLICE("a"), SLICE("x")).p);
}

static void
a_value_that_looks_like_data_is_a_value(void **state)
{
	struct slice sd = SLICE("[a x=\"[b y=\\\"1\\\"\\]\"]");

	(void)state;
	assert_int_equal(sd_span(sd), sd.n);
	assert_false(sd_has(sd, SLICE("b")));
	assert_null(sd_find(sd, SLICE("b"), SLICE("y")).p);
	assert_true(slice_is(sd_find(sd, SLICE("a"), SLICE("x")), "[b y=\\\"1\\\"\\]"));
}

static void
escaping_is_undone_by_unescaping(void **state)
{
	struct buf escaped = {0}, back = {0};

	(void)state;
	sd_escape(SLICE("a\"b\\c]d\\\\]"), &escaped);
	assert_string_equal(buf_cstr(&escaped), "a\\\"b\\\\c\\]d\\\\\\\\\\]");
	sd_unescape(buf_slice(&escaped), &back);
	assert_string_equal(buf_cstr(&back), "a\"b\\c]d\\\\]");
	back.n = 0;
	sd_unescape(SLICE("c:\\dir\\"), &back);
	assert_string_equal(buf_cstr(&back), "c:\\dir\\");
	back.n = 0;
	sd_unescape(SLICE(""), &back);
	sd_escape(SLICE(""), &back);
	assert_int_equal(back.n, 0);
	buf_free(&escaped);
	buf_free(&back);
}

static void
check_without(const char *sd, const char *id, const char *want)
{
	struct buf out = {0};

	buf_add_str(&out, "before");
	sd_without(slice_str(sd), slice_str(id), &out);
	assert_string_equal(buf_cstr(&out) + strlen("before"), want);
	buf_free(&out);
}

static void
elements_of_an_id_are_left_out(void **state)
{
	(void)state;
	check_without("[a][b x=\"1\"][a y=\"\\]\"]", "c", "[a][b x=\"1\"][a y=\"\\]\"]");
	check_without("[a][b x=\"1\"][a y=\"2\"]", "a", "[b x=\"1\"]");
	check_without("[a][b x=\"1\"][a y=\"2\"]", "b", "[a][a y=\"2\"]");
	check_without("[a][a]", "a", "-");
	check_without("-", "a", "-");
	assert_int_equal(sd_before(SLICE("[a][b][a]"), SLICE("b")), 3);
	assert_int_equal(sd_before(SLICE("[a][b][a]"), SLICE("a")), 0);
	assert_int_equal(sd_before(SLICE("[a][b][a]"), SLICE("c")), 9);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(well_formed_data_is_taken_to_its_end),
	    cmocka_unit_test(what_follows_is_not_looked_at),
	    cmocka_unit_test(ill_formed_data_is_none),
	    cmocka_unit_test(values_are_found_by_element_and_name),
	    cmocka_unit_test(a_value_that_looks_like_data_is_a_value),
	    cmocka_unit_test(escaping_is_undone_by_unescaping),
	    cmocka_unit_test(elements_of_an_id_are_left_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
