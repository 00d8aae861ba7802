#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "ends/unrouted.h"

static struct unrouted table;

static int
empty_table(void **state)
{
	(void)state;
	unrouted_clear(&table);
	return 0;
}

static void
only_the_first_line_of_a_name_is_new(void **state)
{
	const struct unrouted_name *first = unrouted_count(&table, SLICE("web"), 100);

	(void)state;
	assert_non_null(first);
	assert_string_equal(first->name, "web");
	assert_null(unrouted_count(&table, SLICE("web"), 200));
	assert_int_equal(first->lines, 2);
	assert_int_equal(first->last_us, 200);
	assert_non_null(unrouted_count(&table, SLICE("we"), 300));
}

static void
lines_without_any_name_are_counted_too(void **state)
{
	const struct unrouted_name *first = unrouted_count(&table, slice_of(NULL, 0), 1);

	(void)state;
	assert_non_null(first);
	assert_string_equal(first->name, "");
	assert_null(unrouted_count(&table, SLICE(""), 2));
}

static void
a_name_with_nul_bytes_is_one_name(void **state)
{
	static const char name[] = {'a', '\0', 'b'};
	const struct unrouted_name *first = unrouted_count(&table, slice_of(name, sizeof(name)), 1);

	(void)state;
	assert_string_equal(first->name, "a?b");
	assert_null(unrouted_count(&table, slice_of(name, sizeof(name)), 2));
	assert_int_equal(table.n, 1);
}

static void
a_name_too_long_is_cut(void **state)
{
	char name[1000];
	const struct unrouted_name *first;

	(void)state;
	memset(name, 'x', sizeof(name));
	first = unrouted_count(&table, slice_of(name, sizeof(name)), 1);
	assert_int_equal(strlen(first->name), UNROUTED_NAME_BYTES - 1);
}

static void
names_beyond_the_bound_are_counted_as_others(void **state)
{
	char name[16];

	(void)state;
	for (int i = 0; i < UNROUTED_NAMES_MAX + 10; i++) {
		int n = snprintf(name, sizeof(name), "app%d", i);
		bool fresh = unrouted_count(&table, slice_of(name, (size_t)n), 1) != NULL;

		assert_int_equal(fresh, i < UNROUTED_NAMES_MAX);
	}
	assert_int_equal(table.others, 10);
	assert_null(unrouted_count(&table, SLICE("app7"), 2));
	assert_int_equal(table.others, 10);
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, empty_table, empty_table)
	const struct CMUnitTest tests[] = {
	    T(only_the_first_line_of_a_name_is_new),
	    T(lines_without_any_name_are_counted_too),
	    T(a_name_with_nul_bytes_is_one_name),
	    T(a_name_too_long_is_cut),
	    T(names_beyond_the_bound_are_counted_as_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
