#include "wire/stamp_3164.h"

#include "wire/civil.h"
#include "wire/zone.h"

/* A zone's name that the table does not have: Cisco's `clock timezone NAME`. */
enum { ZONE_WORD_MIN = 2, ZONE_WORD_MAX = 7 };

static unsigned
digit(struct slice s, size_t i)
{
	return i < s.n ? (unsigned)(unsigned char)s.p[i] - '0' : 10;
}

/* Takes min to max digits off the front, no more of them behind. */
static bool
take_number(struct slice *s, size_t min, size_t max, unsigned *out)
{
	unsigned value = 0;
	size_t i;

	for (i = 0; i < max && digit(*s, i) <= 9; i++)
		value = value * 10 + digit(*s, i);
	if (i < min || digit(*s, i) <= 9)
		return false;
	*s = slice_skip(*s, i);
	*out = value;
	return true;
}

static bool
take_char(struct slice *s, char c)
{
	if (s->n == 0 || s->p[0] != c)
		return false;
	*s = slice_skip(*s, 1);
	return true;
}

static bool
take_spaces(struct slice *s)
{
	struct slice before = *s;

	while (take_char(s, ' '))
		;
	return s->n < before.n;
}

/* Whether a stamp, or a part of one, may end here. */
static bool
ends(struct slice s)
{
	return s.n == 0 || s.p[0] == ' ' || s.p[0] == ':';
}

static bool
take_month(struct slice *s, unsigned *month)
{
	static const char names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

	if (s->n < 3)
		return false;
	for (unsigned i = 0; i < 12; i++) {
		const char *name = names + (size_t)3 * i;

		if (s->p[0] == name[0] && s->p[1] == name[1] && s->p[2] == name[2]) {
			*month = i + 1;
			*s = slice_skip(*s, 3);
			return true;
		}
	}
	return false;
}

/* Digits behind '.' or ','; more than six are read over. */
static unsigned
take_fraction(struct slice *s)
{
	unsigned scale = 1000000, us = 0;
	size_t i;

	if (s->n < 2 || (s->p[0] != '.' && s->p[0] != ',') || digit(*s, 1) > 9)
		return 0;
	for (i = 1; digit(*s, i) <= 9; i++) {
		scale /= 10;
		us += digit(*s, i) * scale;
	}
	*s = slice_skip(*s, i);
	return us;
}

static bool
take_time(struct slice *s, struct civil *c)
{
	if (!take_number(s, 1, 2, &c->hour) || !take_char(s, ':') ||
	    !take_number(s, 2, 2, &c->minute) || !take_char(s, ':') ||
	    !take_number(s, 2, 2, &c->second))
		return false;
	c->us = take_fraction(s);
	return true;
}

/* +01:00, +0100 */
static bool
take_numeric_zone(struct slice *s, struct civil *c)
{
	struct slice rest = *s;
	unsigned hours, minutes;
	bool west = rest.n > 0 && rest.p[0] == '-';

	if (!west && (rest.n == 0 || rest.p[0] != '+'))
		return false;
	rest = slice_skip(rest, 1);
	if (take_number(&rest, 4, 4, &hours)) {
		minutes = hours % 100;
		hours /= 100;
	} else if (!take_number(&rest, 2, 2, &hours) || !take_char(&rest, ':') ||
		   !take_number(&rest, 2, 2, &minutes)) {
		return false;
	}
	if (hours > 23 || minutes > 59 || !ends(rest))
		return false;
	c->zoned = true;
	c->zone_minutes = (int)(hours * 60 + minutes) * (west ? -1 : 1);
	*s = rest;
	return true;
}

/* " CET", " +01:00"; a name that is not known only before Cisco's ": %". */
static void
take_zone(struct slice *s, struct civil *c)
{
	struct slice rest = *s;
	size_t n = 0;
	bool known = false;

	if (!take_char(&rest, ' '))
		return;
	if (take_numeric_zone(&rest, c)) {
		*s = rest;
		return;
	}
	while (n < rest.n && rest.p[n] >= 'A' && rest.p[n] <= 'Z')
		n++;
	if (n > ZONE_WORD_MAX || !ends(slice_skip(rest, n)))
		return;
	if (zone_word(slice_of(rest.p, n), &known, &c->zone_minutes))
		c->zoned = known;
	else if (n < ZONE_WORD_MIN || rest.n < n + 3 || memcmp(rest.p + n, ": %", 3) != 0)
		return;
	*s = slice_skip(rest, n);
}

static bool
take_year(struct slice *s, struct civil *c)
{
	struct slice rest = *s;
	unsigned year;

	if (!take_number(&rest, 4, 4, &year) || year < 1970 || year > 2199 || !ends(rest))
		return false;
	c->year = (int)year;
	*s = rest;
	return true;
}

static int64_t
civil_us(const struct civil *c, const struct parse_env *env)
{
	int64_t seconds = civil_seconds(c);

	if (c->zoned)
		seconds -= c->zone_minutes * 60;
	else if (env->tz_local)
		seconds -= zone_local_offset(seconds);
	else
		seconds -= env->tz_minutes * 60;
	return seconds * 1000000 + c->us;
}

/* Half a year decides, so what a zone adds does not matter here. */
static bool
guess_year(struct civil *c, int64_t now_us)
{
	/* The eight years around a century that is no leap year. */
	enum { LEAP_SPAN = 8 };
	int64_t now = now_us / 1000000, best = INT64_MAX;
	struct civil at;
	int found = 0, span = c->month == 2 && c->day == 29 ? LEAP_SPAN : 1;

	civil_of_seconds(now, &at);
	for (int year = at.year - span; year <= at.year + span; year++) {
		int64_t away;

		c->year = year;
		if (!civil_valid(c))
			continue;
		away = civil_seconds(c) - now;
		if (away < 0)
			away = -away;
		if (away < best) {
			best = away;
			found = year;
		}
	}
	c->year = found;
	return best != INT64_MAX;
}

/* " 2026", unless the year is known; "2001:db8::1" is no year but a host. */
static void
take_year_behind(struct slice *s, struct civil *c)
{
	struct slice rest = *s;

	if (c->year != 0 || !take_char(&rest, ' ') || !take_year(&rest, c))
		return;
	if (rest.n > 1 && rest.p[0] == ':' && rest.p[1] != ' ')
		c->year = 0;
	else
		*s = rest;
}

/* Jan  2 03:04:05 and its kin, the month to start with. */
static bool
take_month_first(struct slice *s, struct civil *c)
{
	struct slice rest = *s;

	if (!take_month(&rest, &c->month) || !take_spaces(&rest) ||
	    !take_number(&rest, 1, 2, &c->day) || !take_spaces(&rest))
		return false;
	if (take_year(&rest, c) && !take_spaces(&rest))
		return false;
	if (!take_time(&rest, c) || !ends(rest))
		return false;
	take_year_behind(&rest, c);
	take_zone(&rest, c);
	take_year_behind(&rest, c);
	*s = rest;
	return true;
}

/* 2026-01-02T03:04:05.678+01:00, also with a space, or without a zone. */
static bool
take_iso(struct slice *s, struct civil *c)
{
	struct slice rest = *s;
	unsigned year;

	if (!take_number(&rest, 4, 4, &year) || year == 0 || !take_char(&rest, '-') ||
	    !take_number(&rest, 2, 2, &c->month) || !take_char(&rest, '-') ||
	    !take_number(&rest, 2, 2, &c->day))
		return false;
	if (!take_char(&rest, 'T') && !take_char(&rest, 't') && !take_char(&rest, ' '))
		return false;
	if (!take_time(&rest, c))
		return false;
	c->year = (int)year;
	if (take_char(&rest, 'Z') || take_char(&rest, 'z'))
		c->zoned = true;
	else
		take_numeric_zone(&rest, c);
	if (!ends(rest))
		return false;
	*s = rest;
	return true;
}

size_t
stamp_scan(struct slice s, const struct parse_env *env, int64_t *wall_us)
{
	struct slice rest = s;
	struct civil c = {0};
	bool found;

	if (digit(s, 0) > 9) {
		found = take_month_first(&rest, &c);
	} else {
		found = take_iso(&rest, &c);
		if (!found) {
			c = (struct civil){0};
			rest = s;
			found = take_year(&rest, &c) && take_spaces(&rest) &&
				take_month_first(&rest, &c);
		}
	}
	if (!found)
		return 0;
	if (c.year == 0 ? !guess_year(&c, env->now_us) : !civil_valid(&c))
		return 0;
	*wall_us = civil_us(&c, env);
	return s.n - rest.n;
}

size_t
stamp_scan_epoch(struct slice s, int64_t *wall_us)
{
	struct slice rest = s;
	unsigned seconds, us;
	size_t before;

	if (!take_number(&rest, 10, 10, &seconds) || s.p[0] != '1')
		return 0;
	before = rest.n;
	us = take_fraction(&rest);
	if (rest.n == before || rest.n == 0 || rest.p[0] != ' ')
		return 0;
	*wall_us = (int64_t)seconds * 1000000 + us;
	return s.n - rest.n;
}
