/*
 * gateway_numbers -- what workers, listeners, apps and drains have counted since
 * the start, for /metrics.
 *
 * Runs on main; waits and answers as the functions of gateway_status.h do.
 */
#ifndef GATEWAY_NUMBERS_H
#define GATEWAY_NUMBERS_H

#include <stdlib.h>

#include "base/stats.h"
#include "ends/drain_status.h"
#include "whole/gateway.h"

enum worker_count {
#define WORKER_COUNT(name, text) WORKER_COUNT_##name,
	STATS_COUNTERS(WORKER_COUNT)
#undef WORKER_COUNT
	    WORKER_COUNTS
};

enum listener_count {
#define LISTENER_COUNT(name, text) LISTENER_COUNT_##name,
	LISTENER_COUNTERS(LISTENER_COUNT)
#undef LISTENER_COUNT
	    LISTENER_COUNTS
};

enum app_count {
	APP_LINES,    /* all that came for it */
	APP_BYTES,    /* of those that were kept for its drains, as stored */
	APP_NO_DRAIN, /* lines that came while it had no drain */
	APP_DROPPED,  /* lines that a drain lost, one that is gone included */
	APP_COUNTS,
};

enum drain_count {
	DRAIN_DELIVERED_LINES,
	DRAIN_DELIVERED_BYTES,
	DRAIN_FILTERED,
	DRAIN_CUT,
	DRAIN_OLD,
	DRAIN_DROPPED_MEMORY,
	DRAIN_DROPPED_RATE,
	DRAIN_DROPPED_SPOOL,
	DRAIN_DROPPED_AGE,
	DRAIN_DROPPED_DAMAGED,
	DRAIN_DROPPED_TOO_LONG,
	DRAIN_DROPPED_REFUSED,
	DRAIN_RESENT,
	DRAIN_RETRIES,
	DRAIN_COUNTS,
};

struct worker_numbers {
	uint64_t count[WORKER_COUNTS];
	uint64_t unsent_bytes, lagging_bytes, chunk_bytes;
	bool paused;
};

enum { LISTENER_LABEL_BYTES = 320 };

/* Over all workers. */
struct listener_numbers {
	char label[LISTENER_LABEL_BYTES]; /* its URL with the real port, without options */
	uint64_t count[LISTENER_COUNTS];
	uint64_t open;
};

struct app_numbers {
	uint64_t serial;
	char name[RECORD_NAME_MAX + 1];
	uint64_t count[APP_COUNTS];
	size_t drains;
};

struct drain_numbers {
	uint64_t id;
	size_t app; /* index of its app */
	const struct drain_type *type;
	enum drain_state state;
	uint64_t count[DRAIN_COUNTS];
	uint64_t lines_waiting, bytes_waiting;
	int64_t oldest_waiting_ms; /* -1: nothing waits */
};

struct gateway_numbers {
	struct worker_numbers *workers;	    /* by index */
	struct listener_numbers *listeners; /* as configured */
	struct app_numbers *apps;	    /* in no order, as are drains */
	struct drain_numbers *drains;
	size_t nworkers, nlisteners, napps, ndrains;
};

/* gateway_numbers_clear frees what *out holds, also after GATEWAY_BUSY. */
enum gateway_code gateway_numbers(struct gateway *, struct gateway_numbers *out)
    __attribute__((warn_unused_result));

static inline void
gateway_numbers_clear(struct gateway_numbers *n)
{
	free(n->workers);
	free(n->listeners);
	free(n->apps);
	free(n->drains);
}

#endif
