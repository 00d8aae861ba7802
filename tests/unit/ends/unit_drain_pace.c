/* Lines of the last minute, in six slots of ten seconds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ends/drain_pace.h"

static void
lines_count_for_fifty_to_sixty_seconds(void **state)
{
	struct drain_pace p = {0};
	int64_t start = 123456789;

	(void)state;
	drain_pace_add(&p, 5, start);
	drain_pace_add(&p, 7, start + 9999);
	assert_int_equal(drain_pace_minute(&p, start + 10000), 12);
	assert_int_equal(drain_pace_minute(&p, start + 49000), 12);
	assert_int_equal(drain_pace_minute(&p, start + 70000), 0);
}

static void
a_steady_stream_counts_as_a_minutes_worth(void **state)
{
	struct drain_pace p = {0};

	(void)state;
	for (int64_t ms = 0; ms < 300 * 1000; ms += 100)
		drain_pace_add(&p, 10, 1000000 + ms);
	assert_in_range(drain_pace_minute(&p, 1000000 + 300 * 1000), 5000, 6000);
}

static void
a_long_silence_is_empty(void **state)
{
	struct drain_pace p = {0};

	(void)state;
	drain_pace_add(&p, 99, 5000);
	assert_int_equal(drain_pace_minute(&p, INT64_C(400) * 24 * 3600 * 1000), 0);
	drain_pace_add(&p, 1, INT64_C(400) * 24 * 3600 * 1000);
	assert_int_equal(drain_pace_minute(&p, INT64_C(400) * 24 * 3600 * 1000), 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(lines_count_for_fifty_to_sixty_seconds),
	    cmocka_unit_test(a_steady_stream_counts_as_a_minutes_worth),
	    cmocka_unit_test(a_long_silence_is_empty),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
