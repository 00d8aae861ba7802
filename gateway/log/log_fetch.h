/*
 * log_fetch -- a log's bytes come back from the spool.
 *
 *	cursor: wants -> pool->hungry -> one request a log -> spooler
 *	                                 answer -> chunks in the list, awake
 *
 * Logs line up; who asks for them, and how many at a time, is the worker's
 * business (worker_spool.c).  What is asked for and not there any more, or
 * damaged, is passed by, counted and told as such.
 *
 * Owner and thread: the log's home worker.
 */
#ifndef LOG_FETCH_H
#define LOG_FETCH_H

#include "log/cursor.h"
#include "log/spooler.h"

/* The cursor cannot go on without the chunk that has this line. */
void log_fetch_want(struct cursor *, uint64_t seq);
/* The next log that waits, which is then fetching; NULL: none waits. */
struct app_log *log_fetch_next(struct log_pool *, uint64_t *seq);
/*
 * The answer: takes the chunks' data over.  The log's cursors may go on: flush
 * it.  A read that failed (SPOOL_FAILED) changes nothing: who needs it asks again.
 */
void log_fetch_done(struct app_log *, struct spool_fetch *);
/* The log is about to be freed. */
void log_fetch_forget(struct app_log *);

#endif
