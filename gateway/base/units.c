#include "base/units.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

struct unit {
	const char *name;
	int64_t factor;
};

/* Ascending: formatting takes the last one that fits. */
static const struct unit durations[] = {
    {"ms", 1},
    {"s", 1000},
    {"m", INT64_C(60000)},
    {"h", INT64_C(3600000)},
    {"d", INT64_C(86400000)},
    {NULL, 0},
};

static const struct unit sizes[] = {
    {"B", 1},	      {"KiB", 1 << 10},		 {"MiB", 1 << 20},
    {"GiB", 1 << 30}, {"TiB", (int64_t)1 << 40}, {NULL, 0},
};

static const char no_number[] = "not a number; write digits, without sign or blanks";
static const char too_large[] = "too large a number";

/* The leading digits; *rest is what follows.  NULL, or the fault. */
static const char *
units_digits(const char *text, int64_t *n, const char **rest)
{
	int64_t v = 0;
	const char *p;

	for (p = text; *p >= '0' && *p <= '9'; p++) {
		if (__builtin_mul_overflow(v, 10, &v) || __builtin_add_overflow(v, *p - '0', &v))
			return too_large;
	}
	if (p == text)
		return no_number;
	*n = v;
	*rest = p;
	return NULL;
}

static bool
units_scale(const struct unit *units, const char *name, int64_t n, int64_t *out, const char **fault,
	    const char *unknown)
{
	for (; units->name != NULL; units++) {
		if (strcmp(units->name, name) != 0)
			continue;
		if (!__builtin_mul_overflow(n, units->factor, out))
			return true;
		*fault = too_large;
		return false;
	}
	*fault = unknown;
	return false;
}

bool
units_parse_duration(const char *text, int64_t *ms, const char **fault)
{
	const char *unit;
	int64_t n;

	*fault = units_digits(text, &n, &unit);
	if (*fault != NULL)
		return false;
	if (*unit == '\0' && n == 0) {
		*ms = 0;
		return true;
	}
	if (*unit == '\0') {
		*fault = "no unit; write ms, s, m, h or d behind the number";
		return false;
	}
	return units_scale(durations, unit, n, ms, fault,
			   "unknown unit; write ms, s, m, h or d behind the number");
}

bool
units_parse_size(const char *text, int64_t *bytes, const char **fault)
{
	const char *unit;
	int64_t n;

	*fault = units_digits(text, &n, &unit);
	if (*fault != NULL)
		return false;
	if (*unit == '\0')
		unit = "B";
	return units_scale(
	    sizes, unit, n, bytes, fault,
	    "unknown unit; write B, KiB, MiB, GiB or TiB behind the number, or none for bytes");
}

bool
units_parse_count(const char *text, int64_t *n, const char **fault)
{
	const char *rest;

	*fault = units_digits(text, n, &rest);
	if (*fault == NULL && *rest != '\0')
		*fault = no_number;
	return *fault == NULL;
}

static const char *
units_format(const struct unit *units, int64_t v, char text[UNITS_TEXT_BYTES])
{
	const struct unit *best = units;

	for (; units->name != NULL; units++)
		if (v != 0 && v % units->factor == 0)
			best = units;
	snprintf(text, UNITS_TEXT_BYTES, "%" PRId64 "%s", v / best->factor,
		 v == 0 ? "" : best->name);
	return text;
}

const char *
units_format_duration(int64_t v, char text[UNITS_TEXT_BYTES])
{
	return units_format(durations, v, text);
}

const char *
units_format_size(int64_t v, char text[UNITS_TEXT_BYTES])
{
	return units_format(sizes, v, text);
}
