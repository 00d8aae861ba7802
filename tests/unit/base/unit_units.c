#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/nearest.h"
#include "base/units.h"

static int64_t
duration(const char *text)
{
	const char *fault;
	int64_t v = -1;

	return units_parse_duration(text, &v, &fault) ? v : -1;
}

static int64_t
size(const char *text)
{
	const char *fault;
	int64_t v = -1;

	return units_parse_size(text, &v, &fault) ? v : -1;
}

static void
durations_take_every_unit(void **state)
{
	(void)state;
	assert_int_equal(duration("10ms"), 10);
	assert_int_equal(duration("1s"), 1000);
	assert_int_equal(duration("5m"), 300000);
	assert_int_equal(duration("72h"), 259200000);
	assert_int_equal(duration("7d"), 604800000);
	assert_int_equal(duration("0"), 0);
	assert_int_equal(duration("0s"), 0);
	assert_int_equal(duration("007ms"), 7);
}

static void
a_duration_without_unit_says_which_are_there(void **state)
{
	const char *fault;
	int64_t v;

	(void)state;
	assert_false(units_parse_duration("10", &v, &fault));
	assert_non_null(strstr(fault, "no unit"));
	assert_non_null(strstr(fault, "ms, s, m, h or d"));
	assert_false(units_parse_duration("10sec", &v, &fault));
	assert_non_null(strstr(fault, "unknown unit"));
	assert_false(units_parse_duration("", &v, &fault));
	assert_non_null(strstr(fault, "not a number"));
}

static void
durations_refuse_all_else(void **state)
{
	static const char *const bad[] = {"",
					  "ms",
					  "-1s",
					  "+1s",
					  " 1s",
					  "1s ",
					  "1 s",
					  "1.5s",
					  "1S",
					  "1ms1",
					  "1h30m",
					  "0x10s",
					  "9223372036854775808ms",
					  "9223372036854775807s",
					  "99999999999999999999999"};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(duration(bad[i]), -1);
	assert_int_equal(duration("9223372036854775807ms"), INT64_MAX);
}

static void
sizes_take_binary_units_and_plain_bytes(void **state)
{
	(void)state;
	assert_int_equal(size("0"), 0);
	assert_int_equal(size("480"), 480);
	assert_int_equal(size("480B"), 480);
	assert_int_equal(size("128KiB"), 131072);
	assert_int_equal(size("1MiB"), 1048576);
	assert_int_equal(size("10GiB"), 10737418240);
	assert_int_equal(size("1TiB"), (int64_t)1 << 40);
}

static void
sizes_refuse_units_that_mean_two_things(void **state)
{
	static const char *const bad[] = {"64k",  "64K",   "64KB",	 "1MB",
					  "1mib", "1 MiB", "1.5MiB",	 "-1",
					  "",	  "MiB",   "8388608TiB", "9223372036854775808"};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(size(bad[i]), -1);
	assert_int_equal(size("8388607TiB"), (int64_t)8388607 << 40);
}

static void
counts_are_digits(void **state)
{
	const char *fault;
	int64_t v = -1;

	(void)state;
	assert_true(units_parse_count("64", &v, &fault));
	assert_int_equal(v, 64);
	assert_false(units_parse_count("64x", &v, &fault));
	assert_false(units_parse_count("", &v, &fault));
}

static void
what_was_formatted_parses_to_the_same(void **state)
{
	static const int64_t values[] = {0,	1,     10,	 999,	    1000,
					 60000, 61000, 86400000, 259200000, INT64_MAX};
	char text[UNITS_TEXT_BYTES];

	(void)state;
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		assert_int_equal(duration(units_format_duration(values[i], text)), values[i]);
		assert_int_equal(size(units_format_size(values[i], text)), values[i]);
	}
	assert_string_equal(units_format_size(131072, text), "128KiB");
	assert_string_equal(units_format_size(480, text), "480B");
	assert_string_equal(units_format_duration(10, text), "10ms");
	assert_string_equal(units_format_duration(259200000, text), "3d");
	assert_string_equal(units_format_duration(0, text), "0");
}

static void
a_slip_of_the_hand_finds_its_word(void **state)
{
	struct nearest n = {0};

	(void)state;
	nearest_try(&n, "syslog+tpc", "syslog+udp");
	nearest_try(&n, "syslog+tpc", "syslog+tcp");
	nearest_try(&n, "syslog+tpc", "syslog+tls");
	assert_string_equal(n.best, "syslog+tcp");

	n = (struct nearest){0};
	nearest_try(&n, "wrkers", "workers");
	assert_string_equal(n.best, "workers");

	n = (struct nearest){0};
	nearest_try(&n, "verbose", "linger");
	nearest_try(&n, "x", "tz");
	nearest_try(&n, "", "tz");
	nearest_try(&n, "a-word-that-is-much-longer-than-any-key-there-is", "workers");
	assert_null(n.best);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(durations_take_every_unit),
	    cmocka_unit_test(a_duration_without_unit_says_which_are_there),
	    cmocka_unit_test(durations_refuse_all_else),
	    cmocka_unit_test(sizes_take_binary_units_and_plain_bytes),
	    cmocka_unit_test(sizes_refuse_units_that_mean_two_things),
	    cmocka_unit_test(counts_are_digits),
	    cmocka_unit_test(what_was_formatted_parses_to_the_same),
	    cmocka_unit_test(a_slip_of_the_hand_finds_its_word),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
