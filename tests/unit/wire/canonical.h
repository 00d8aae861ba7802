/*
 * canonical -- what holds for every parsed line, whatever came in; for units
 * and the fuzzer.  Ends the process where it does not.
 */
#ifndef CANONICAL_H
#define CANONICAL_H

#include <stdio.h>
#include <stdlib.h>

#include "wire/parse.h"
#include "wire/sd.h"
#include "wire/timestamp.h"

#define MUST(condition)                                                                         \
	do {                                                                                    \
		if (!(condition)) {                                                             \
			fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition); \
			abort();                                                                \
		}                                                                               \
	} while (0)

static inline void
must_be_field(struct slice s)
{
	MUST(s.n > 0);
	for (size_t i = 0; i < s.n; i++)
		MUST(s.p[i] > ' ' && s.p[i] < 127);
}

static inline void
must_be_same(const struct line *a, const struct line *b)
{
	MUST(a->pri == b->pri);
	MUST(slice_eq(a->timestamp, b->timestamp));
	MUST(slice_eq(a->hostname, b->hostname));
	MUST(slice_eq(a->app_name, b->app_name));
	MUST(slice_eq(a->procid, b->procid));
	MUST(slice_eq(a->msgid, b->msgid));
	MUST(slice_eq(a->sd, b->sd));
	MUST(slice_eq(a->msg, b->msg));
	MUST(a->cut == b->cut);
}

/* The line that parse_line made of frame, and its canonical form. */
static inline void
must_be_canonical(struct slice frame, const struct line *line)
{
	size_t n = line_size(line);
	char *text = malloc(n);
	struct line again;

	MUST(text != NULL && line->pri <= 191);
	MUST(slice_is(line->timestamp, "-") || timestamp_valid(line->timestamp));
	must_be_field(line->hostname);
	must_be_field(line->app_name);
	must_be_field(line->procid);
	must_be_field(line->msgid);
	MUST(sd_span(line->sd) == line->sd.n && line->sd.n > 0);
	MUST(!sd_has(line->sd, SLICE(LINE_OWN_SD_ID)));
	/* A message loses nothing: it is what the frame ends with. */
	MUST(line->msg.n == 0 || line->msg.p + line->msg.n == frame.p + frame.n);
	line_write(line, text);
	MUST(!line->verbatim || slice_eq(slice_of(text, n), frame));
	MUST(parse_canonical(slice_of(text, n), &again));
	must_be_same(line, &again);
	MUST(again.verbatim && line_size(&again) == n);
	free(text);
}

#endif
