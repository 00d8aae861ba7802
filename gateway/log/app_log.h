/*
 * app_log -- the lines of one app, once, however many drains read them.
 *
 *	      cursor A              cursor B
 *	         v                     v
 *	[chunk][chunk] ... [chunk][chunk: open]
 *	 held   unsent                        end
 *
 * A log is a list of chunks; a drain is a cursor into it (cursor.h).  A chunk
 * is freed when no cursor will read it and no segment in flight or held for a
 * resend lies in it.  Lines of a log without cursors are not kept at all.
 *
 * Owner and thread: the app's home worker.
 */
#ifndef APP_LOG_H
#define APP_LOG_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "chunk/chunk.h"

struct cursor;
TAILQ_HEAD(cursor_list, cursor);

/* What the logs of one worker share: limits and sums. */
struct log_pool {
	size_t app_memory;  /* unsent bytes a cursor may hold once it lags */
	size_t hold_budget; /* bytes that may be held for resends, over all cursors */
	uint64_t start;	    /* start number: the upper bits of every sequence */
	size_t pressure;    /* unsent bytes of cursors that do not lag: back-pressure's measure */
	size_t lagging;	    /* unsent bytes of cursors that lag */
	size_t chunk_bytes; /* memory of all chunks */
	size_t holders;	    /* cursors with segments in flight or held */
	struct chunk_list spare; /* full-size chunks to use again */
	unsigned spares;
};

struct app_log {
	struct log_pool *pool;
	uint64_t app; /* the app's serial */
	char *name;
	struct chunk_list chunks;
	struct cursor_list cursors;
	unsigned ncursors;
	unsigned ntaps;	    /* of them, taps: who looks on is no drain */
	unsigned nlagging;  /* of them, cursors that lag */
	uint64_t end_bytes; /* all bytes ever appended */
	uint64_t end_seq;   /* the sequence the next line gets */
	uint64_t unkept;    /* lines that came while it had no cursor */
	uint64_t undrained; /* lines that came while it had no drain */
	uint32_t next_cap;  /* of the next chunk */
	size_t pressure;    /* this log's part of pool->pressure */
	size_t lagging;	    /* ... of pool->lagging */

	/* The worker's schedule of flushes; see worker_turn. */
	TAILQ_ENTRY(app_log) touched_link;
	TAILQ_ENTRY(app_log) due_link;
	bool touched, due;
	int64_t due_ms;
	int64_t flushed_ms;
	uint64_t flushed_bytes;
	uint64_t fresh_bytes; /* of the log, before the first line after a flush ... */
	int64_t fresh_ms;     /* ... and when that line came */
	TAILQ_ENTRY(app_log) idle_link;
	bool idle;
	int64_t idle_ms;
};

TAILQ_HEAD(app_log_list, app_log);

void log_pool_init(struct log_pool *, size_t app_memory, size_t hold_budget, uint64_t start);
void log_pool_clear(struct log_pool *);

struct app_log *app_log_new(struct log_pool *, uint64_t app, const char *name);
/* Lines that ever came, kept or not. */
uint64_t app_log_lines(const struct app_log *);
/* No cursor is left. */
void app_log_free(struct app_log *);

/*
 * Room for one frame of n bytes; valid until the next call on this log.
 * Write it there, then commit the same n.  The log has a cursor.
 */
char *app_log_reserve(struct app_log *, size_t n, int64_t now_ms);
void app_log_commit(struct app_log *, size_t n);

/* Every chunk is sent and released: only the open one is left, and it is empty of use. */
bool app_log_is_idle(const struct app_log *);
/* Frees the open chunk of an idle log. */
void app_log_hibernate(struct app_log *);

/* For cursor.c. */
/* Frees the chunks that nobody will read or resend. */
void app_log_collect(struct app_log *);
/* The cursors' positions or lag changed: counts pressure anew. */
void app_log_weigh(struct app_log *);

#endif
