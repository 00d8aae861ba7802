/*
 * check -- what a sink knows about the lines that came.
 *
 * A flow is the lines of one sender connection for one app ("app=… conn=…").
 * Each (tag, app, conn, seq) is wanted `copies` times: fewer is missing, more
 * is duplicated.  The tag keeps apart drains that each have to get everything.
 *
 * Order is judged within one receiving connection: a line that comes for the
 * first time but behind a later one of its flow is reordered.  (A line that
 * came before is a duplicate, wherever it comes.)
 *
 * Lines that tell when they were sent ("at=…") also tell how long they took:
 * each that was still wanted.
 */
#ifndef CHECK_H
#define CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "histogram.h"
#include "table.h"

struct check_counts {
	uint64_t lines;	 /* all, also those that follow */
	uint64_t bytes;	 /* of them, without framing */
	uint64_t wanted; /* lines that came and were still wanted */
	uint64_t duplicated;
	uint64_t reordered;
	uint64_t misrouted; /* on a connection that began with another app */
	uint64_t misparsed; /* no line of flood's, or an altered one */
};

struct check {
	unsigned copies;
	size_t size; /* every line's length; 0: any */
	struct table flows;
	struct histogram latency; /* nanoseconds */
	struct check_counts counts;
};

/* Of one receiving connection; all zero save the tag is a new one. */
struct check_conn {
	unsigned tag;
	uint64_t app; /* of its first line */
	struct table orders;
};

/* A whole line, header and all, that came at now (CLOCK_MONOTONIC, ns). */
void check_line(struct check *, struct check_conn *, const char *line, size_t len, int64_t now);

/*
 * All lines in a body, whatever is around them, without their headers; none at
 * all counts as one that was misparsed.
 */
void check_body(struct check *, struct check_conn *, const char *body, size_t len, int64_t now);

void check_conn_clear(struct check_conn *);
void check_clear(struct check *);

#endif
