/* What golden files of RFC 3164 drains cannot show: the present time, and the longest header. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "base/xmalloc.h"
#include "wire/format_3164.h"
#include "wire/zone.h"

static struct line
line_of(struct slice stamp, struct slice host, struct slice app, struct slice proc)
{
	return (struct line){.pri = 191,
			     .timestamp = stamp,
			     .hostname = host,
			     .app_name = app,
			     .procid = proc,
			     .msgid = SLICE("-"),
			     .sd = SLICE("-"),
			     .msg = SLICE("m")};
}

static void
a_line_without_a_time_gets_the_present_one(void **state)
{
	struct line line = line_of(SLICE("-"), SLICE("h"), SLICE("a"), SLICE("-"));
	char dst[FORMAT_3164_HEADER], want[3][32];
	time_t now = (time_t)(clock_wall_us() / 1000000);
	struct slice got = format_3164_header(&line, dst);
	bool found = false;

	(void)state;
	for (int i = 0; i < 3; i++) {
		time_t at = now + i;
		struct tm tm;

		strftime(want[i], sizeof(want[i]),
			 "<191>%b %e %H:%M:%S h a: ", localtime_r(&at, &tm));
		found = found || slice_is(got, want[i]);
	}
	if (!found)
		fail_msg("%.*s, want about %s", (int)got.n, got.p, want[0]);
}

/* Fields of any length and bytes, into a block of the promised size. */
static void
no_field_makes_a_header_too_long(void **state)
{
	static const unsigned char fills[] = {'x', ' ', '\0', '\n', 0xff, '9', ']', '-'};
	char *dst = xmalloc(FORMAT_3164_HEADER), field[1000];

	(void)state;
	for (size_t i = 0; i < sizeof(fills); i++) {
		struct slice f = slice_of(field, sizeof(field));
		struct slice got;

		memset(field, fills[i], sizeof(field));
		struct line line = line_of(SLICE("2020-05-14T09:12:44Z"), f, f, f);
		got = format_3164_header(&line, dst);
		assert_in_range(got.n, 1, FORMAT_3164_HEADER);
		for (size_t k = 0; k < got.n; k++)
			assert_in_range(got.p[k], ' ', '~');
		line = line_of(SLICE(""), SLICE(""), SLICE(""), SLICE(""));
		got = format_3164_header(&line, dst);
		assert_memory_equal(got.p + got.n - 12, " unknown -: ", 12);
	}
	free(dst);
}

static void
a_byte_order_mark_alone_is_left_out(void **state)
{
	struct line line = {.msg = SLICE("\xef\xbb\xbf")};

	(void)state;
	assert_int_equal(format_3164_message(&line).n, 0);
	line.msg = SLICE("\xef\xbb");
	assert_int_equal(format_3164_message(&line).n, 2);
	line.msg = slice_of(NULL, 0);
	assert_int_equal(format_3164_message(&line).n, 0);
}

static void
offsets_follow_summer_time_to_the_second(void **state)
{
	static const int64_t march = 1585443600, october = 1603587600; /* of 2020, 01:00 UTC */

	(void)state;
	for (int64_t s = march - 1000; s < march; s += 37)
		assert_int_equal(zone_offset_at(s), 3600);
	assert_int_equal(zone_offset_at(march - 1), 3600);
	assert_int_equal(zone_offset_at(march), 7200);
	assert_int_equal(zone_offset_at(october - 1), 7200);
	assert_int_equal(zone_offset_at(october), 3600);
	/* Before 1970, too. */
	assert_int_equal(zone_offset_at(-1), 3600);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_line_without_a_time_gets_the_present_one),
	    cmocka_unit_test(no_field_makes_a_header_too_long),
	    cmocka_unit_test(a_byte_order_mark_alone_is_left_out),
	    cmocka_unit_test(offsets_follow_summer_time_to_the_second),
	};

	setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
