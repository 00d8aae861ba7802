/* The histogram of the measuring tools: its error is bounded, and it counts all. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "bench/histogram.h"

static struct histogram h;

static int
empty(void **state)
{
	(void)state;
	memset(&h, 0, sizeof(h));
	return 0;
}

static void
a_value_is_told_within_one_percent(void **state)
{
	(void)state;
	for (uint64_t v = 1; v < UINT64_C(1) << 40; v = v * 17 / 16 + 1) {
		empty(NULL);
		histogram_add(&h, v);
		histogram_add(&h, UINT64_C(1) << 40); /* else max would cap it */
		assert_true(fabs((double)histogram_at(&h, 0.5) - (double)v) <= 0.01 * (double)v);
	}
}

static void
shares_count_from_the_smallest(void **state)
{
	(void)state;
	for (uint64_t v = 1; v <= 60; v++) /* below 64 values are exact */
		histogram_add(&h, v);
	assert_int_equal(histogram_at(&h, 0.5), 30);
	assert_int_equal(histogram_at(&h, 0.99), 60);
	assert_int_equal(histogram_at(&h, 0.01), 1);
	assert_int_equal(h.n, 60);
}

static void
no_value_is_over_the_greatest(void **state)
{
	(void)state;
	assert_int_equal(histogram_at(&h, 0.99), 0);
	histogram_add(&h, 0);
	histogram_add(&h, 1000003);
	assert_int_equal(histogram_at(&h, 1), 1000003);
	histogram_add(&h, UINT64_MAX);
	assert_int_equal(h.max, UINT64_MAX);
	assert_int_equal(h.n, 3);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_value_is_told_within_one_percent),
	    cmocka_unit_test_setup(shares_count_from_the_smallest, empty),
	    cmocka_unit_test_setup(no_value_is_over_the_greatest, empty),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
