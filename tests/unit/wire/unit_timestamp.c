#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "wire/stamp_3164.h"
#include "wire/timestamp.h"
#include "wire/zone.h"

/* 2026-01-15T12:00:00Z */
static const int64_t january = INT64_C(1768478400000000);

static struct slice
exact(const char *text)
{
	size_t n = strlen(text);
	char *p = malloc(n > 0 ? n : 1);

	assert_non_null(p);
	memcpy(p, text, n);
	return slice_of(p, n);
}

static void
check_parse(const char *text, int64_t want)
{
	struct slice s = exact(text);
	int64_t us = -1;

	if (!timestamp_valid(s) || !timestamp_parse(s, &us) || us != want)
		fail_msg("%s gives %lld, not %lld", text, (long long)us, (long long)want);
	free((char *)s.p);
}

static void
check_invalid(const char *text)
{
	struct slice s = exact(text);
	int64_t us;

	if (timestamp_valid(s) || timestamp_parse(s, &us))
		fail_msg("taken as valid: %s", text);
	free((char *)s.p);
}

static void
the_rfcs_examples_are_valid(void **state)
{
	(void)state;
	check_parse("1985-04-12T23:20:50.52Z", INT64_C(482196050520000));
	check_parse("1985-04-12T19:20:50.52-04:00", INT64_C(482196050520000));
	check_parse("2003-10-11T22:14:15.003Z", INT64_C(1065910455003000));
	check_parse("2003-08-24T05:14:15.000003-07:00", INT64_C(1061727255000003));
	check_invalid("2003-08-24T05:14:15.000000003-07:00");
}

static void
edges_of_the_calendar_are_exact(void **state)
{
	(void)state;
	check_parse("1970-01-01T00:00:00Z", 0);
	check_parse("1969-12-31T23:59:59.999999Z", -1);
	check_parse("2000-02-29T00:00:00Z", INT64_C(951782400000000));
	check_parse("2024-02-29T23:59:59Z", INT64_C(1709251199000000));
	check_parse("9999-12-31T23:59:59.999999Z", INT64_C(253402300799999999));
	check_parse("0000-01-01T00:00:00Z", INT64_C(-62167219200000000));
	check_parse("2026-01-01T00:00:00+23:59", INT64_C(1767139260000000));
	check_parse("2026-01-01T00:00:00-00:00", INT64_C(1767225600000000));
	check_invalid("1900-02-29T00:00:00Z");
	check_invalid("2026-02-29T00:00:00Z");
	check_invalid("2026-04-31T00:00:00Z");
	check_invalid("2026-12-32T00:00:00Z");
	check_invalid("2026-13-01T00:00:00Z");
	check_invalid("2026-00-01T00:00:00Z");
	check_invalid("2026-01-00T00:00:00Z");
}

static void
other_forms_are_invalid(void **state)
{
	static const char *const bad[] = {
	    "",
	    "-",
	    "2026-01-01",
	    "2026-01-01T00:00:00",
	    "2026-01-01T24:00:00Z",
	    "2026-01-01T00:60:00Z",
	    "2026-12-31T23:59:60Z",
	    "2026-01-01t00:00:00Z",
	    "2026-01-01T00:00:00z",
	    "2026-01-01 00:00:00Z",
	    "2026-01-01T00:00:00.Z",
	    "2026-01-01T00:00:00.1234567Z",
	    "2026-01-01T00:00:00,5Z",
	    "2026-01-01T00:00:00+0100",
	    "2026-01-01T00:00:00+24:00",
	    "2026-01-01T00:00:00+01:60",
	    "2026-01-01T00:00:00+01",
	    "2026-01-01T00:00:00ZZ",
	    "2026-01-01T00:00:00Z ",
	    "2026-1-01T00:00:00Z",
	    "026-01-01T00:00:00Z",
	    "20a6-01-01T00:00:00Z",
	    "2026-01-01T00:00:0:Z",
	    "2026-01-01T00-00:00Z",
	    "2026/01/01T00:00:00Z",
	    "2026-01-01T00:00:00.123456",
	    "2026-01-01T00:00:00+01:0",
	    "2026-01-01T00:00:00.12+1:00",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		check_invalid(bad[i]);
}

static void
formatting_is_undone_by_parsing(void **state)
{
	char dst[LINE_STAMP_BYTES];
	int64_t us, at = INT64_C(-62167219200000000);

	(void)state;
	assert_true(slice_is(timestamp_format(0, dst), "1970-01-01T00:00:00.000000Z"));
	assert_string_equal(dst, "1970-01-01T00:00:00.000000Z");
	assert_true(slice_is(timestamp_format(-1, dst), "1969-12-31T23:59:59.999999Z"));
	for (int i = 0; i < 100000; i++, at += INT64_C(3155673599777777) / 1000) {
		assert_true(timestamp_parse(timestamp_format(at, dst), &us));
		assert_int_equal(us, at);
	}
	/* Years that the form cannot say become the nearest that it can. */
	assert_true(slice_is(timestamp_format(INT64_MAX, dst), "9999-12-31T23:59:59.999999Z"));
	assert_true(slice_is(timestamp_format(INT64_MIN, dst), "0000-01-01T00:00:00.000000Z"));
}

static void
the_calendar_agrees_with_the_c_library(void **state)
{
	char dst[LINE_STAMP_BYTES], want[LINE_STAMP_BYTES];

	(void)state;
	for (int64_t day = -141427; day < 200000; day += 13) {
		time_t t = (time_t)(day * 86400 + (day * 7919) % 86400);
		struct tm tm;

		assert_non_null(gmtime_r(&t, &tm));
		strftime(want, sizeof(want), "%Y-%m-%dT%H:%M:%S.000000Z", &tm);
		timestamp_format((int64_t)t * 1000000, dst);
		if (tm.tm_year + 1900 >= 1000)
			assert_string_equal(dst, want);
	}
}

/* want NULL: no stamp.  rest: what is behind it. */
static void
check_scan(const char *text, int64_t now_us, int tz_minutes, const char *want, const char *rest)
{
	struct parse_env env = {.now_us = now_us, .tz_minutes = tz_minutes};
	struct slice s = exact(text);
	char dst[LINE_STAMP_BYTES] = "none";
	int64_t us;
	size_t n = stamp_scan(s, &env, &us);

	if (n > 0)
		timestamp_format(us, dst);
	if (strcmp(dst, want != NULL ? want : "none") != 0)
		fail_msg("%s gives %s, not %s", text, dst, want);
	if (want != NULL)
		assert_string_equal(text + n, rest);
	free((char *)s.p);
}

static void
senders_stamps_are_read(void **state)
{
	static const struct {
		const char *text, *want, *rest;
	} stamps[] = {
	    {"Jan  2 03:04:05 h", "2026-01-02T03:04:05.000000Z", " h"},
	    {"Jan 2 03:04:05 h", "2026-01-02T03:04:05.000000Z", " h"},
	    {"Jan 02 03:04:05", "2026-01-02T03:04:05.000000Z", ""},
	    {"Jan  2 3:04:05 h", "2026-01-02T03:04:05.000000Z", " h"},
	    {"Jan 12 03:04:05.678: %A", "2026-01-12T03:04:05.678000Z", ": %A"},
	    {"Jan  1 2025 03:04:05 h", "2025-01-01T03:04:05.000000Z", " h"},
	    {"Aug 21 12:36:30.401 2006 h", "2006-08-21T12:36:30.401000Z", " h"},
	    {"Aug 24 05:34:00 EST 1987 h", "1987-08-24T10:34:00.000000Z", " h"},
	    {"Jan  2 03:04:05 2001:db8::1 x", "2026-01-02T03:04:05.000000Z", " 2001:db8::1 x"},
	    {"Jan  2 03:04:05 2025: %A", "2025-01-02T03:04:05.000000Z", ": %A"},
	    {"2021 Jan 13 12:34:56 UTC: %V", "2021-01-13T12:34:56.000000Z", ": %V"},
	    {"2014 Nov 20 14:04:01.743 PST: x", "2014-11-20T22:04:01.743000Z", ": x"},
	    {"Jan  2 03:04:05 CET h", "2026-01-02T02:04:05.000000Z", " h"},
	    {"Jan  2 03:04:05 -0800 h", "2026-01-02T11:04:05.000000Z", " h"},
	    {"Jan  2 03:04:05 IST: x", "2026-01-02T03:04:05.000000Z", ": x"},
	    {"Jan  2 03:04:05 HOME: %SYS", "2026-01-02T03:04:05.000000Z", ": %SYS"},
	    {"Jan  2 03:04:05 CRON: x", "2026-01-02T03:04:05.000000Z", " CRON: x"},
	    {"Jan  2 03:04:05 WEB h", "2026-01-02T03:04:05.000000Z", " WEB h"},
	    {"2026-01-02T03:04:05.678+01:00 h", "2026-01-02T02:04:05.678000Z", " h"},
	    {"2026-01-02T03:04:05,678+0100 h", "2026-01-02T02:04:05.678000Z", " h"},
	    {"2026-01-02T03:04:05.123456789Z h", "2026-01-02T03:04:05.123456Z", " h"},
	    {"2026-01-02 03:04:05 h", "2026-01-02T03:04:05.000000Z", " h"},
	    {"2026-01-02t03:04:05z", "2026-01-02T03:04:05.000000Z", ""},
	    {"2016-12-31T23:59:60Z h", "2017-01-01T00:00:00.000000Z", " h"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(stamps) / sizeof(stamps[0]); i++)
		check_scan(stamps[i].text, january, 0, stamps[i].want, stamps[i].rest);
}

static void
what_is_no_stamp_is_left_alone(void **state)
{
	static const char *const bad[] = {
	    "",
	    "J",
	    "Jan",
	    "Jan ",
	    "Jan 2",
	    "Jan  2 ",
	    "Jan  2 03:04",
	    "Jan  2 03:04:0",
	    "Jan  2 03:04:05x",
	    "Jan 32 03:04:05 h",
	    "Jan  0 03:04:05 h",
	    "Jan 2 24:00:00 h",
	    "Jan 2 03:60:05 h",
	    "Jan 2 03:04:61 h",
	    "Feb 30 03:04:05 h",
	    "jan  2 03:04:05 h",
	    "January 2 03:04:05 h",
	    "Jan  2 2026",
	    "Jan  2 2026 03:04",
	    "2026-01-02",
	    "2026-01-02T",
	    "2026-02-29T00:00:00Z h",
	    "0000-01-02T03:04:05Z",
	    "2026-01-02T03:04:05+1:00 h",
	    "2026 Jan",
	    "2026",
	    "Jan  2 003:04:05 h",
	    "Feb 29 2026 00:00:00 h",
	    "Jan12 03:04:05 h",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		check_scan(bad[i], january, 0, NULL, NULL);
}

static void
the_year_is_the_one_that_comes_closest(void **state)
{
	/* 2025-12-31T23:59:50Z, 2026-07-01T00:00:00Z, 2024-03-01T00:00:00Z */
	const int64_t sylvester = INT64_C(1767225590000000), july = INT64_C(1782864000000000);
	const int64_t leap = INT64_C(1709251200000000);

	(void)state;
	check_scan("Dec 31 23:59:59", january, 0, "2025-12-31T23:59:59.000000Z", "");
	check_scan("Jan  1 00:00:01", sylvester, 0, "2026-01-01T00:00:01.000000Z", "");
	check_scan("Dec 29 12:00:00", july, 0, "2026-12-29T12:00:00.000000Z", "");
	check_scan("Jan  1 12:00:00", july, 0, "2026-01-01T12:00:00.000000Z", "");
	check_scan("Dec 31 12:00:00", july, 0, "2025-12-31T12:00:00.000000Z", "");
	check_scan("Feb 29 12:00:00", leap, 0, "2024-02-29T12:00:00.000000Z", "");
	/* A clock that is a year off still has a leap day. */
	check_scan("Feb 29 12:00:00", sylvester, 0, "2024-02-29T12:00:00.000000Z", "");
	check_scan("Feb 29 12:00:00", INT64_C(1803859200000000), 0, "2028-02-29T12:00:00.000000Z",
		   "");
	/* 2100-02-10: the leap days around are eight years apart. */
	check_scan("Feb 29 12:00:00", INT64_C(4105728000000000), 0, "2096-02-29T12:00:00.000000Z",
		   "");
}

static void
the_receivers_zone_is_taken_where_none_is_said(void **state)
{
	(void)state;
	check_scan("Jan  2 00:30:00 h", january, 90, "2026-01-01T23:00:00.000000Z", " h");
	check_scan("Jan  2 00:30:00 h", january, -300, "2026-01-02T05:30:00.000000Z", " h");
	check_scan("Jan  2 00:30:00 UTC h", january, 90, "2026-01-02T00:30:00.000000Z", " h");
	check_scan("2026-01-02T00:30:00 h", january, 90, "2026-01-01T23:00:00.000000Z", " h");
	check_scan("2026-01-02T00:30:00Z h", january, 90, "2026-01-02T00:30:00.000000Z", " h");
}

static void
the_processs_zone_knows_summer_time(void **state)
{
	struct parse_env env = {.now_us = january, .tz_local = true};
	int64_t us;

	(void)state;
	setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
	tzset();
	assert_true(stamp_scan(SLICE("Jan  2 12:00:00"), &env, &us) > 0);
	assert_int_equal(us, INT64_C(1767351600000000));
	assert_true(stamp_scan(SLICE("Jul  2 12:00:00"), &env, &us) > 0);
	assert_int_equal(us, INT64_C(1782986400000000));
	assert_int_equal(zone_local_offset(INT64_C(1774749599)), 3600);
	assert_int_equal(zone_local_offset(INT64_C(1774756800)), 7200);
	assert_int_equal(zone_local_offset(-1), 3600);
}

static void
epoch_stamps_have_ten_digits_and_a_fraction(void **state)
{
	int64_t us;

	(void)state;
	assert_int_equal(stamp_scan_epoch(SLICE("1563249630.774247460 h"), &us), 20);
	assert_int_equal(us, INT64_C(1563249630774247));
	assert_int_equal(stamp_scan_epoch(SLICE("1563249630 bottles"), &us), 0);
	assert_int_equal(stamp_scan_epoch(SLICE("1563249630."), &us), 0);
	assert_int_equal(stamp_scan_epoch(SLICE("1563249630.7"), &us), 0);
	assert_int_equal(stamp_scan_epoch(SLICE("156324963.7 h"), &us), 0);
	assert_int_equal(stamp_scan_epoch(SLICE("9563249630.7 h"), &us), 0);
	assert_int_equal(stamp_scan_epoch(SLICE(""), &us), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_rfcs_examples_are_valid),
	    cmocka_unit_test(edges_of_the_calendar_are_exact),
	    cmocka_unit_test(other_forms_are_invalid),
	    cmocka_unit_test(formatting_is_undone_by_parsing),
	    cmocka_unit_test(the_calendar_agrees_with_the_c_library),
	    cmocka_unit_test(senders_stamps_are_read),
	    cmocka_unit_test(what_is_no_stamp_is_left_alone),
	    cmocka_unit_test(the_year_is_the_one_that_comes_closest),
	    cmocka_unit_test(the_receivers_zone_is_taken_where_none_is_said),
	    cmocka_unit_test(the_processs_zone_knows_summer_time),
	    cmocka_unit_test(epoch_stamps_have_ten_digits_and_a_fraction),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
