#include "log/log_hole.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/xmalloc.h"

static void
hole_free(struct app_log *log, struct log_hole *h)
{
	TAILQ_REMOVE(&log->holes, h, link);
	free(h);
}

/* Two that touch are one. */
static void
join_next(struct app_log *log, struct log_hole *h)
{
	struct log_hole *next = TAILQ_NEXT(h, link);

	if (next == NULL || h->to.bytes < next->from.bytes)
		return;
	h->to = next->to;
	if (next->since_us < h->since_us)
		h->since_us = next->since_us;
	hole_free(log, next);
}

void
log_hole_add(struct app_log *log, const struct spool_place *from, const struct spool_place *to)
{
	struct log_hole *h = xcalloc(1, sizeof(*h)), *before = NULL, *each;

	*h = (struct log_hole){.from = *from, .to = *to, .since_us = clock_wall_us()};
	TAILQ_FOREACH(each, &log->holes, link)
	if (each->from.bytes < from->bytes)
		before = each;
	if (before == NULL)
		TAILQ_INSERT_HEAD(&log->holes, h, link);
	else
		TAILQ_INSERT_AFTER(&log->holes, before, h, link);
	join_next(log, h);
	if (before != NULL)
		join_next(log, before);
}

/* What two ranges have in common. */
static uint64_t
common(uint64_t from, uint64_t to, uint64_t first, uint64_t end)
{
	if (first > from)
		from = first;
	if (end < to)
		to = end;
	return from < to ? to - from : 0;
}

uint64_t
log_hole_bytes(const struct app_log *log, uint64_t from, uint64_t to)
{
	const struct log_hole *h;
	uint64_t bytes = 0;

	TAILQ_FOREACH(h, &log->holes, link)
	bytes += common(from, to, h->from.bytes, h->to.bytes);
	return bytes;
}

uint64_t
log_hole_lines(const struct app_log *log, uint64_t from, uint64_t to)
{
	const struct log_hole *h;
	uint64_t lines = 0;

	TAILQ_FOREACH(h, &log->holes, link)
	lines += common(from, to, h->from.lines, h->to.lines);
	return lines;
}

int64_t
log_hole_since_us(const struct app_log *log, uint64_t from, uint64_t to)
{
	const struct log_hole *h;
	int64_t since_us = 0;

	TAILQ_FOREACH(h, &log->holes, link)
	if (common(from, to, h->from.lines, h->to.lines) > 0 &&
	    (since_us == 0 || h->since_us < since_us))
		since_us = h->since_us;
	return since_us;
}

const struct log_hole *
log_hole_at(const struct app_log *log, uint64_t bytes)
{
	const struct log_hole *h;

	TAILQ_FOREACH(h, &log->holes, link)
	if (bytes >= h->from.bytes && bytes < h->to.bytes)
		return h;
	return NULL;
}

void
log_hole_forget(struct app_log *log, uint64_t bytes)
{
	struct log_hole *h;

	while ((h = TAILQ_FIRST(&log->holes)) != NULL && h->to.bytes <= bytes)
		hole_free(log, h);
}
