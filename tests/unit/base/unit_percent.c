#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/percent.h"
#include "base/xmalloc.h"

static void
check_encode(struct slice in, const char *want)
{
	struct buf out = {0};

	percent_encode(in, &out);
	assert_string_equal(buf_cstr(&out), want);
	buf_free(&out);
}

static void
unreserved_bytes_stay(void **state)
{
	(void)state;
	check_encode(SLICE("azAZ09-._~"), "azAZ09-._~");
	check_encode(SLICE(""), "");
}

static void
all_other_bytes_become_upper_case_escapes(void **state)
{
	(void)state;
	check_encode(SLICE("a b/c?d#e@f:g%h+i"), "a%20b%2Fc%3Fd%23e%40f%3Ag%25h%2Bi");
	check_encode(SLICE("\xc3\xb6\xff"), "%C3%B6%FF");
	check_encode(SLICE("\0\n\x7f"), "%00%0A%7F");
}

/* The text in a heap block of its exact size, so that ASan sees over-reads. */
static bool
decode(const char *text, enum percent_plus plus, struct buf *out)
{
	size_t n = strlen(text);
	char *exact = xmalloc(n);
	bool whole;

	memcpy(exact, text, n);
	whole = percent_decode(slice_of(exact, n), plus, out);
	free(exact);
	return whole;
}

static void
escapes_of_both_cases_are_undone(void **state)
{
	struct buf out = {0};

	(void)state;
	assert_true(decode("a%2Fb%2fc%C3%B6", PERCENT_PLUS_KEPT, &out));
	assert_string_equal(buf_cstr(&out), "a/b/c\xc3\xb6");
	buf_free(&out);
}

static void
nul_can_be_decoded(void **state)
{
	struct buf out = {0};

	(void)state;
	assert_true(decode("a%00b", PERCENT_PLUS_KEPT, &out));
	assert_true(slice_eq(buf_slice(&out), SLICE("a\0b")));
	buf_free(&out);
}

static void
plus_is_kept_or_a_space_as_asked(void **state)
{
	struct buf out = {0};

	(void)state;
	assert_true(decode("tcp+tls%2B", PERCENT_PLUS_KEPT, &out));
	assert_string_equal(buf_cstr(&out), "tcp+tls+");
	out.n = 0;
	assert_true(decode("tcp+tls%2B", PERCENT_PLUS_IS_SPACE, &out));
	assert_string_equal(buf_cstr(&out), "tcp tls+");
	buf_free(&out);
}

static void
broken_escapes_are_reported_and_add_nothing(void **state)
{
	static const char *const broken[] = {
	    "%", "a%", "a%2", "%g0", "%0g", "%%20", "%-1", "%+1", "% 1", "%2\xc3", "ok%20%zz",
	};
	struct buf out = {0};

	(void)state;
	buf_add_str(&out, "before");
	for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
		assert_false(decode(broken[i], PERCENT_PLUS_KEPT, &out));
		assert_string_equal(buf_cstr(&out), "before");
	}
	buf_free(&out);
}

static void
every_byte_survives_both_ways(void **state)
{
	char all[256];
	struct buf encoded = {0}, decoded = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(all); i++)
		all[i] = (char)i;
	percent_encode(slice_of(all, sizeof(all)), &encoded);
	assert_true(percent_decode(buf_slice(&encoded), PERCENT_PLUS_IS_SPACE, &decoded));
	assert_true(slice_eq(buf_slice(&decoded), slice_of(all, sizeof(all))));
	buf_free(&encoded);
	buf_free(&decoded);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(unreserved_bytes_stay),
	    cmocka_unit_test(all_other_bytes_become_upper_case_escapes),
	    cmocka_unit_test(escapes_of_both_cases_are_undone),
	    cmocka_unit_test(nul_can_be_decoded),
	    cmocka_unit_test(plus_is_kept_or_a_space_as_asked),
	    cmocka_unit_test(broken_escapes_are_reported_and_add_nothing),
	    cmocka_unit_test(every_byte_survives_both_ways),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
