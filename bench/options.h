/*
 * options -- command lines of the measuring tools: a table of "--NAME VALUE".
 *
 * A value out of bounds, or none, ends the program with a message (tool.h).
 */
#ifndef OPTIONS_H
#define OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum option_kind { OPTION_FLAG, OPTION_NUMBER, OPTION_TEXT };

struct option_spec {
	const char *name;
	enum option_kind kind;
	void *target; /* a bool, an int64_t or a const char *, which is argv's */
	int64_t min;  /* of a number */
	int64_t max;
};

/* false: argv holds what is none of the n options; the caller says the usage. */
bool options_read(const struct option_spec *, size_t n, int argc, char **argv);

/* Whether value is yes; if it is not no either, that is an error. */
bool options_one_of(const char *option, const char *value, const char *yes, const char *no);

#endif
