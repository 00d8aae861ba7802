#include "wire/format_3164.h"

#include <stdio.h>

#include "base/clock.h"
#include "wire/ascii.h"
#include "wire/civil.h"
#include "wire/timestamp.h"
#include "wire/zone.h"

static bool
is_nil(struct slice s)
{
	return s.n == 0 || (s.n == 1 && s.p[0] == '-');
}

static char *
put_stamp(char *dst, struct slice stamp)
{
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	struct civil c = {0};
	int64_t us, seconds;

	if (!timestamp_parse(stamp, &us))
		us = clock_wall_us();
	seconds = us / 1000000 - (us % 1000000 < 0);
	civil_of_seconds(seconds + zone_offset_at(seconds), &c);
	memcpy(dst, months + 3 * (c.month - 1), 3);
	return dst + 3 +
	       snprintf(dst + 3, 14, " %2u %02u:%02u:%02u ", c.day % 100, c.hour % 100,
			c.minute % 100, c.second % 100);
}

/*
 * Letters, digits, '.', '_' and '-', a letter or digit last: rsyslog (its
 * pmrfc3164.c) takes all else, an IPv6 address too, for a TAG.
 */
static char *
put_host(char *dst, struct slice host)
{
	char *end = dst;

	if (host.n > FORMAT_3164_HOST)
		host.n = FORMAT_3164_HOST;
	for (size_t i = 0; i < host.n; i++) {
		char c = host.p[i];
		bool fine = ascii_is(c, ASCII_LETTER | ASCII_DIGIT) || c == '.' || c == '_';

		*end++ = fine ? c : '-';
	}
	while (end > dst && !ascii_is(end[-1], ASCII_LETTER | ASCII_DIGIT))
		end--;
	if (end == dst)
		end = stpcpy(dst, "unknown");
	*end++ = ' ';
	return end;
}

static char *
put_word(char *dst, struct slice word, size_t max)
{
	for (size_t i = 0; i < word.n && i < max; i++)
		*dst++ = ascii_is(word.p[i], ASCII_TAG) ? word.p[i] : '_';
	return dst;
}

struct slice
format_3164_header(const struct line *line, char dst[FORMAT_3164_HEADER])
{
	char *p = dst + snprintf(dst, 8, "<%u>", line->pri % 1000);

	p = put_stamp(p, line->timestamp);
	p = put_host(p, line->hostname);
	/* Without a TAG a receiver would take the message's first word for it. */
	p = put_word(p, is_nil(line->app_name) ? SLICE("-") : line->app_name, FORMAT_3164_TAG);
	if (!is_nil(line->procid)) {
		*p++ = '[';
		p = put_word(p, line->procid, FORMAT_3164_PID);
		*p++ = ']';
	}
	*p++ = ':';
	*p++ = ' ';
	return slice_of(dst, (size_t)(p - dst));
}

struct slice
format_3164_message(const struct line *line)
{
	static const struct slice bom = SLICE_INIT("\xef\xbb\xbf");

	if (line->msg.n >= bom.n && memcmp(line->msg.p, bom.p, bom.n) == 0)
		return slice_skip(line->msg, bom.n);
	return line->msg;
}
