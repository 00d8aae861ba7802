/*
 * metrics -- what GET /metrics remembers between two answers (metrics_pick.h says
 * why), and its parts.
 *
 * Owner: the admin API.  Thread: main.
 */
#ifndef ADMIN_METRICS_H
#define ADMIN_METRICS_H

#include <stddef.h>
#include <stdint.h>

#include "admin/metrics_pick.h"
#include "base/buf.h"
#include "log/spooler.h"
#include "whole/gateway_numbers.h"

/* Apps, and drains, that are told one by one; with this many an answer is about 2 MB. */
enum { METRICS_DETAIL_MAX = 1000 };

/* Zeroed: nothing was answered yet. */
struct metrics {
	struct pick apps, drains;
	struct worker_numbers *said; /* by worker: counters do not go back */
	size_t nsaid;
};

void metrics_clear(struct metrics *);

/* metrics.c: all of an answer.  Changes the numbers. */
void metrics_write(struct metrics *, struct gateway_numbers *, struct buf *out);
/* metrics_drains.c: the families of apps and of drains. */
void metrics_write_apps(struct metrics *, const struct gateway_numbers *, struct buf *out);
void metrics_write_drains(struct metrics *, const struct gateway_numbers *, struct buf *out);
/* metrics_spool.c: those of the spool; NULL: there is none, nor are they. */
void metrics_write_spool(const struct spooler_stats *, struct buf *out);
/* metrics_process.c: those of the process, under the names that all exporters use. */
void metrics_write_process(struct buf *out);

#endif
