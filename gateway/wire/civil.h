/*
 * civil -- calendar arithmetic (proleptic Gregorian, as RFC 3339 has it), without
 * the C library's time zone and its lock.
 */
#ifndef CIVIL_H
#define CIVIL_H

#include <stdbool.h>
#include <stdint.h>

enum { CIVIL_DAY_SECONDS = 86400 };

/* A date and a time of day somewhere; which zone, the holder knows. */
struct civil {
	int year;
	unsigned month; /* 1 to 12 */
	unsigned day;	/* 1 to 31 */
	unsigned hour;
	unsigned minute;
	unsigned second; /* 60 in a leap second */
	unsigned us;
	bool zoned;	  /* zone_minutes was said */
	int zone_minutes; /* east of UTC */
};

static inline bool
civil_leap(int year)
{
	return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static inline unsigned
civil_month_days(int year, unsigned month)
{
	if (month == 2)
		return civil_leap(year) ? 29 : 28;
	return 30 + ((month + (month >> 3)) & 1);
}

/* Months and days that exist, times of day up to a leap second. */
static inline bool
civil_valid(const struct civil *c)
{
	return c->month >= 1 && c->month <= 12 && c->day >= 1 && c->hour <= 23 && c->minute <= 59 &&
	       c->second <= 60 && (c->day <= 28 || c->day <= civil_month_days(c->year, c->month));
}

/* Seconds from 1970-01-01T00:00:00 to this date and time in the same zone. */
static inline int64_t
civil_seconds(const struct civil *c)
{
	/* Years are counted from March, so that a leap day is a year's last. */
	int64_t year = c->month <= 2 ? c->year - 1 : c->year;
	int64_t era = (year >= 0 ? year : year - 399) / 400;
	int64_t of_era = year - era * 400;
	int64_t of_year =
	    (153 * ((int64_t)c->month + (c->month > 2 ? -3 : 9)) + 2) / 5 + c->day - 1;
	int64_t days = era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;

	return days * CIVIL_DAY_SECONDS + c->hour * 3600 + c->minute * 60 + c->second;
}

/* The reverse; zone and microseconds are left alone. */
static inline void
civil_of_seconds(int64_t seconds, struct civil *c)
{
	int64_t days = seconds / CIVIL_DAY_SECONDS - (seconds % CIVIL_DAY_SECONDS < 0);
	unsigned of_day = (unsigned)(seconds - days * CIVIL_DAY_SECONDS);
	int64_t era, of_era, year_of_era, of_year, month;

	days += 719468;
	era = (days >= 0 ? days : days - 146096) / 146097;
	of_era = days - era * 146097;
	year_of_era = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	month = (5 * of_year + 2) / 153;
	c->day = (unsigned)(of_year - (153 * month + 2) / 5 + 1);
	c->month = (unsigned)(month < 10 ? month + 3 : month - 9);
	c->year = (int)(year_of_era + era * 400 + (c->month <= 2));
	c->hour = of_day / 3600;
	c->minute = of_day / 60 % 60;
	c->second = of_day % 60;
}

#endif
