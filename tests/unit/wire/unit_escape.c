#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

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

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(clean_text_stays),
	    cmocka_unit_test(what_ends_a_frame_is_escaped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
