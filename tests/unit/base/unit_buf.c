#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"

static void
zeroed_memory_is_an_empty_buf(void **state)
{
	struct buf b = {0};

	(void)state;
	assert_int_equal(buf_slice(&b).n, 0);
	assert_string_equal(buf_cstr(&b), "");
	assert_int_equal(b.n, 0);
	buf_free(&b);
	assert_null(b.p);
	buf_free(&b);
}

static void
nothing_may_be_added_and_drained(void **state)
{
	struct buf b = {0};

	(void)state;
	buf_add(&b, NULL, 0);
	buf_add_slice(&b, slice_of(NULL, 0));
	buf_add_str(&b, "");
	buf_drain(&b, 0);
	assert_int_equal(b.n, 0);
	assert_int_equal(b.cap, 0);
	buf_free(&b);
}

static void
what_was_added_is_there_in_order_over_any_growth(void **state)
{
	struct buf b = {0};

	(void)state;
	for (unsigned i = 0; i < 100000; i++)
		buf_add_char(&b, (char)(i % 251));
	assert_int_equal(b.n, 100000);
	assert_true(b.cap >= b.n);
	for (unsigned i = 0; i < 100000; i++)
		assert_int_equal((unsigned char)b.p[i], i % 251);
	buf_free(&b);
}

/* Of every size around the first allocation: ASan sees a byte too many. */
static void
each_addition_has_the_room_it_needs(void **state)
{
	(void)state;
	for (size_t before = 0; before < 3; before++) {
		for (size_t n = 250; n < 262; n++) {
			struct buf b = {0};
			char *exact = malloc(n);

			assert_non_null(exact);
			memset(exact, 'x', n);
			buf_add(&b, "ab", before);
			buf_add(&b, exact, n);
			assert_int_equal(b.n, before + n);
			assert_memory_equal(b.p + before, exact, n);
			assert_int_equal(strlen(buf_cstr(&b)), before + n);
			assert_int_equal(b.n, before + n);
			free(exact);
			buf_free(&b);
		}
	}
}

static void
reserved_room_counts_only_when_the_caller_says_so(void **state)
{
	struct buf b = {0};
	char *room;

	(void)state;
	buf_add_str(&b, "head");
	room = buf_reserve(&b, 5000);
	memset(room, 'r', 5000);
	assert_int_equal(b.n, 4);
	b.n += 3;
	assert_string_equal(buf_cstr(&b), "headrrr");
	buf_free(&b);
}

static void
formatted_text_has_no_limit_and_no_nul(void **state)
{
	struct buf b = {0};

	(void)state;
	for (int width = 0; width < 600; width += 7) {
		b.n = 0;
		buf_add_char(&b, '>');
		buf_addf(&b, "%*d|%s", width, 7, "end");
		assert_int_equal(b.n, 1 + (size_t)(width > 1 ? width : 1) + 4);
		assert_null(memchr(b.p, '\0', b.n));
		assert_memory_equal(b.p + b.n - 5, "7|end", 5);
	}
	buf_free(&b);
	buf_addf(&b, "%s", "");
	assert_int_equal(b.n, 0);
	buf_free(&b);
}

static void
draining_leaves_the_rest_in_front(void **state)
{
	struct buf b = {0};

	(void)state;
	buf_add_str(&b, "0123456789");
	buf_drain(&b, 3);
	assert_string_equal(buf_cstr(&b), "3456789");
	buf_add_slice(&b, SLICE("ab"));
	buf_drain(&b, 6);
	assert_string_equal(buf_cstr(&b), "9ab");
	buf_drain(&b, 3);
	assert_int_equal(b.n, 0);
	assert_string_equal(buf_cstr(&b), "");
	buf_free(&b);
}

static void
fitting_gives_back_what_is_not_used(void **state)
{
	struct buf b = {0};

	(void)state;
	buf_fit(&b);
	assert_null(b.p);
	buf_add_str(&b, "0123456789");
	buf_fit(&b);
	assert_int_equal(b.cap, 10);
	buf_fit(&b);
	buf_add_str(&b, "abc");
	assert_string_equal(buf_cstr(&b), "0123456789abc");
	buf_drain(&b, 13);
	buf_fit(&b);
	assert_null(b.p);
	assert_int_equal(b.cap, 0);
}

static void
bytes_of_any_value_pass(void **state)
{
	static const char bytes[] = {'a', '\0', '\n', (char)0xff, '\0'};
	struct buf b = {0};

	(void)state;
	buf_add(&b, bytes, sizeof(bytes));
	assert_true(slice_eq(buf_slice(&b), slice_of(bytes, sizeof(bytes))));
	buf_free(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(zeroed_memory_is_an_empty_buf),
	    cmocka_unit_test(nothing_may_be_added_and_drained),
	    cmocka_unit_test(what_was_added_is_there_in_order_over_any_growth),
	    cmocka_unit_test(each_addition_has_the_room_it_needs),
	    cmocka_unit_test(reserved_room_counts_only_when_the_caller_says_so),
	    cmocka_unit_test(formatted_text_has_no_limit_and_no_nul),
	    cmocka_unit_test(draining_leaves_the_rest_in_front),
	    cmocka_unit_test(fitting_gives_back_what_is_not_used),
	    cmocka_unit_test(bytes_of_any_value_pass),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
