/*
 * app_log -- the lines of one app, once, however many drains read them.
 *
 *	    cursor C                 cursor A              cursor B
 *	       v                        v                     v
 *	[ in the spool only ] [chunk][chunk] ... [chunk][chunk: open]
 *	                       held   unsent                        end
 *
 * A log is a list of chunks; a drain is a cursor into it (cursor.h).  A chunk
 * is freed when no cursor will read it and no segment in flight or held for a
 * resend lies in it.  Lines of a log without cursors are not kept at all.
 *
 * With a spool the list may have holes: chunks that are on disk and were let
 * go.  Those that a cursor or a segment stands in stay in the list, asleep.  What
 * is in the list is in order; two neighbours without a hole between them have
 * base + used == base.  See log_spool.h, log_fetch.h, log_shed.h.
 *
 * Owner and thread: the app's home worker.
 */
#ifndef APP_LOG_H
#define APP_LOG_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "chunk/chunk.h"
#include "store/spool.h"

struct app_log;
struct cursor;
TAILQ_HEAD(cursor_list, cursor);
TAILQ_HEAD(app_log_list, app_log);

/* What the logs of one worker share: limits and sums. */
struct log_pool {
	size_t app_memory;  /* unsent bytes a cursor may hold in memory once it lags */
	size_t hold_budget; /* bytes that may be held for resends, over all cursors */
	uint64_t start;	    /* start number: the upper bits of every sequence */
	size_t pressure;    /* unsent bytes that hold up senders: back-pressure's measure */
	size_t lagging;	    /* unsent bytes of cursors that lag, as far as they must be in memory */
	size_t chunk_bytes; /* memory of all chunks */
	size_t holders;	    /* cursors with segments in flight or held */
	unsigned laggards;  /* logs with a cursor that lags */
	struct chunk_list spare; /* full-size chunks to use again */
	unsigned spares;

	/* The spool: log_spool.h and its neighbours. */
	bool spooling;		 /* there is one */
	bool failing;		 /* it takes nothing now */
	struct chunk_list cache; /* on disk and in memory; the one let go first is first */
	size_t cache_bytes, cache_limit;
	struct app_log_list hungry; /* a cursor waits for bytes from the spool */
	/* A log has something that is not safe, or its marks moved: it gets looked at soon. */
	void (*stir)(struct app_log *, void *arg);
	/* Somebody waits for a line of it to be safe. */
	void (*await)(struct app_log *, void *arg);
	void *arg;
};

/* Somebody waits until lines are delivered or on disk. */
struct log_wait {
	TAILQ_ENTRY(log_wait) link;
	uint64_t from;	  /* the first of them */
	uint64_t seq;	  /* behind the last */
	int64_t since_ms; /* since the first came */
	int64_t out_ms;	  /* when they were seen to have gone out; 0: not yet.  The worker's */
	bool lost;	  /* one was given up that was neither */
	void (*told)(void *arg, bool safe);
	void *arg;
};
TAILQ_HEAD(log_wait_list, log_wait);

/* Lines that were given up; see log_hole.h. */
struct log_hole {
	TAILQ_ENTRY(log_hole) link;
	struct spool_place from, to;
	int64_t since_us; /* wall clock, when the first of them were */
};
TAILQ_HEAD(log_hole_list, log_hole);

/* Ends of the log at the last looks, spool-after being so many of them. */
enum { LOG_LOOKS = 4 };

struct app_log {
	/* What each line needs comes first: with many apps it is out of the caches by then. */
	struct log_pool *pool;
	struct chunk *last; /* of chunks; NULL: none */
	uint64_t end_bytes; /* all bytes ever appended */
	uint64_t end_lines; /* all lines */
	uint64_t end_seq;   /* the sequence the next line gets */
	uint64_t flushed_bytes;
	unsigned ncursors;
	unsigned ntaps;	   /* of them, taps: who looks on is no drain */
	unsigned nlagging; /* of them, cursors that lag */
	bool touched, dirty, due;
	bool moved;	      /* a mark moved since they were told */
	size_t pressure;      /* this log's part of pool->pressure */
	uint64_t fresh_bytes; /* of the log, before the first line after a flush ... */
	int64_t fresh_ms;     /* ... and when that line came */

	uint64_t app; /* the app's serial */
	char *name;
	struct chunk_list chunks;
	struct cursor_list cursors;
	uint64_t unkept;    /* lines that came while it had no cursor */
	uint64_t undrained; /* lines that came while it had no drain */
	uint32_t next_cap;  /* of the next chunk */
	size_t lagging;	    /* this log's part of pool->lagging */

	/* The worker's schedule of flushes; see worker_turn. */
	TAILQ_ENTRY(app_log) touched_link;
	TAILQ_ENTRY(app_log) due_link;
	int64_t due_since_ms;
	int64_t flushed_ms;
	TAILQ_ENTRY(app_log) idle_link;
	bool idle;
	int64_t idle_ms;

	/* The spool's; the first three are the worker's lists (worker_spool.c, worker_await.c). */
	TAILQ_ENTRY(app_log) dirty_link, urgent_link, awaited_link, hungry_link;
	bool urgent, awaited, hungry;
	bool leaving;		    /* its app is being removed: no list takes it any more */
	bool fetching;		    /* an answer of the spooler is on its way */
	bool kept;		    /* the spool has chunks or marks of it */
	uint64_t spooled_bytes;	    /* all before it is on disk, delivered or given up */
	uint64_t asked_bytes;	    /* nothing behind it was ever given to the spool */
	uint64_t looks[LOG_LOOKS];  /* end_seq then; the oldest first */
	struct log_wait_list waits; /* by seq */
	struct log_hole_list holes; /* in order */
	struct spool_place cut;	    /* what lies before it is not on disk any more */
};

void log_pool_init(struct log_pool *, size_t app_memory, size_t hold_budget, uint64_t start);
void log_pool_clear(struct log_pool *);

/* With a spool its bytes and lines count from SPOOL_ORIGIN. */
struct app_log *app_log_new(struct log_pool *, uint64_t app, const char *name);
/* A new log that goes on behind what the spool has of it. */
void app_log_restore(struct app_log *, uint64_t bytes, uint64_t lines);
/* Lines that came since the start, kept or not. */
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
/* One of its drains lags; who looks on does so by rule. */
bool app_log_lags(const struct app_log *);
/* Frees the open chunk of an idle log. */
void app_log_hibernate(struct app_log *);

/* For the files of this folder. */
/* No line is added to its open chunk any more. */
void app_log_seal(struct app_log *);
/* Takes a chunk out of the list, and frees it. */
void app_log_drop_chunk(struct app_log *, struct chunk *);
/* Something is not safe, or a mark moved. */
void app_log_stir(struct app_log *);
/* Frees the chunks that nobody will read or resend. */
void app_log_collect(struct app_log *);
/* The cursors' positions or lag changed: counts pressure anew. */
void app_log_weigh(struct app_log *);

#endif
