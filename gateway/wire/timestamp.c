#include "wire/timestamp.h"

#include <string.h>

#include "wire/civil.h"

enum {
	STAMP_SECONDS = 19, /* 2026-01-02T03:04:05 */
	FRACTION_DIGITS = 6,
	NO_PAIR = 100, /* more than any pair of digits */
};

/* 9999-12-31T23:59:59.999999Z and 0000-01-01T00:00:00.000000Z: the form has no other years. */
static const int64_t last_us = 253402300799999999;
static const int64_t first_us = -62167219200000000;

/* The number of two digits; NO_PAIR if they are none. */
static inline unsigned
pair(const char *p)
{
	unsigned tens = (unsigned)(unsigned char)p[0] - '0';
	unsigned ones = (unsigned)(unsigned char)p[1] - '0';

	return tens > 9 || ones > 9 ? NO_PAIR : tens * 10 + ones;
}

/* TIME-SECFRAC and TIME-OFFSET, to the end of s. */
static inline bool
tail_read(struct slice s, struct civil *c)
{
	size_t i = 0;
	unsigned hours, minutes;

	c->us = 0;
	if (s.n > 0 && s.p[0] == '.') {
		unsigned scale = 1000000;

		for (i = 1; i < s.n && i <= FRACTION_DIGITS; i++) {
			unsigned digit = (unsigned)(unsigned char)s.p[i] - '0';

			if (digit > 9)
				break;
			scale /= 10;
			c->us += digit * scale;
		}
		if (i == 1)
			return false;
	}
	c->zone_minutes = 0;
	if (s.n == i + 1)
		return s.p[i] == 'Z';
	if (s.n != i + 6 || (s.p[i] != '+' && s.p[i] != '-') || s.p[i + 3] != ':')
		return false;
	hours = pair(s.p + i + 1);
	minutes = pair(s.p + i + 4);
	c->zone_minutes = (int)(hours * 60 + minutes) * (s.p[i] == '-' ? -1 : 1);
	return hours <= 23 && minutes <= 59;
}

static inline bool
stamp_read(struct slice s, struct civil *c)
{
	unsigned century, year;

	if (s.n <= STAMP_SECONDS || s.p[4] != '-' || s.p[7] != '-' || s.p[10] != 'T' ||
	    s.p[13] != ':' || s.p[16] != ':')
		return false;
	century = pair(s.p);
	year = pair(s.p + 2);
	if (century >= NO_PAIR || year >= NO_PAIR)
		return false;
	c->year = (int)(century * 100 + year);
	c->month = pair(s.p + 5);
	c->day = pair(s.p + 8);
	c->hour = pair(s.p + 11);
	c->minute = pair(s.p + 14);
	c->second = pair(s.p + 17);
	/* RFC 5424 has no leap seconds. */
	return civil_valid(c) && c->second <= 59 && tail_read(slice_skip(s, STAMP_SECONDS), c);
}

bool
timestamp_valid(struct slice s)
{
	struct civil c;

	return stamp_read(s, &c);
}

bool
timestamp_parse(struct slice s, int64_t *wall_us)
{
	struct civil c;

	if (!stamp_read(s, &c))
		return false;
	*wall_us = (civil_seconds(&c) - c.zone_minutes * 60) * 1000000 + c.us;
	return true;
}

static char *
put_number(char *dst, unsigned value, unsigned digits)
{
	for (unsigned i = digits; i > 0; i--) {
		dst[i - 1] = (char)('0' + value % 10);
		value /= 10;
	}
	return dst + digits;
}

struct slice
timestamp_format(int64_t wall_us, char dst[LINE_STAMP_BYTES])
{
	int64_t seconds;
	struct civil c;
	char *p = dst;

	if (wall_us > last_us)
		wall_us = last_us;
	if (wall_us < first_us)
		wall_us = first_us;
	seconds = wall_us / 1000000 - (wall_us % 1000000 < 0);
	civil_of_seconds(seconds, &c);
	p = put_number(p, (unsigned)c.year, 4);
	*p++ = '-';
	p = put_number(p, c.month, 2);
	*p++ = '-';
	p = put_number(p, c.day, 2);
	*p++ = 'T';
	p = put_number(p, c.hour, 2);
	*p++ = ':';
	p = put_number(p, c.minute, 2);
	*p++ = ':';
	p = put_number(p, c.second, 2);
	*p++ = '.';
	p = put_number(p, (unsigned)(wall_us - seconds * 1000000), 6);
	*p++ = 'Z';
	*p = '\0';
	return slice_of(dst, (size_t)(p - dst));
}
