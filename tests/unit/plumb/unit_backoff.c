#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "plumb/backoff.h"

static void
assert_about(int64_t got, int64_t want)
{
	assert_in_range(got, want - want / 5, want + want / 5);
}

static void
failures_double_from_one_second_to_twenty(void **state)
{
	static const int64_t want[] = {1000, 2000, 4000, 8000, 16000, 20000, 20000};
	struct backoff b;

	(void)state;
	for (uint32_t seed = 0; seed < 200; seed++) {
		backoff_init(&b, seed);
		for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++)
			assert_about(backoff_next(&b, false, 0), want[i]);
	}
}

static void
ten_thousand_failures_still_wait_no_longer(void **state)
{
	struct backoff b;

	(void)state;
	backoff_init(&b, 7);
	for (int i = 0; i < 10000; i++)
		backoff_next(&b, false, 0);
	assert_about(backoff_next(&b, false, 9999), 20000);
}

static void
a_connection_that_took_lines_is_followed_by_the_next_at_once(void **state)
{
	struct backoff b;

	(void)state;
	backoff_init(&b, 7);
	assert_int_equal(backoff_next(&b, true, 50), 100);
	assert_int_equal(backoff_next(&b, true, 3600000), 100);
}

static void
a_short_connection_that_took_lines_does_not_forget_failures(void **state)
{
	struct backoff b;

	(void)state;
	backoff_init(&b, 7);
	assert_about(backoff_next(&b, false, 0), 1000);
	assert_about(backoff_next(&b, false, 0), 2000);
	assert_int_equal(backoff_next(&b, true, 9999), 100);
	assert_about(backoff_next(&b, false, 0), 4000);
}

static void
ten_seconds_alive_starts_anew(void **state)
{
	struct backoff b;

	(void)state;
	backoff_init(&b, 7);
	for (int i = 0; i < 9; i++)
		backoff_next(&b, false, 0);
	assert_about(backoff_next(&b, false, 10000), 1000);
	assert_about(backoff_next(&b, false, 0), 2000);
	assert_int_equal(backoff_next(&b, true, 10000), 100);
	assert_about(backoff_next(&b, false, 0), 1000);
}

static void
drains_with_other_seeds_wait_otherwise(void **state)
{
	int64_t least = INT64_MAX, most = 0;
	struct backoff b;

	(void)state;
	for (uint32_t seed = 1; seed <= 1000; seed++) {
		int64_t wait;

		backoff_init(&b, seed * 2654435761U);
		wait = backoff_next(&b, false, 0);
		least = wait < least ? wait : least;
		most = wait > most ? wait : most;
	}
	assert_in_range(least, 800, 850);
	assert_in_range(most, 1150, 1200);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(failures_double_from_one_second_to_twenty),
	    cmocka_unit_test(ten_thousand_failures_still_wait_no_longer),
	    cmocka_unit_test(a_connection_that_took_lines_is_followed_by_the_next_at_once),
	    cmocka_unit_test(a_short_connection_that_took_lines_does_not_forget_failures),
	    cmocka_unit_test(ten_seconds_alive_starts_anew),
	    cmocka_unit_test(drains_with_other_seeds_wait_otherwise),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
