/*
 * log_spool -- what of a log goes to the spool, and what is safe.
 *
 * Safe is a line that every drain of the log has taken, or that is on disk, or
 * that was given up.  Chunks are committed in order, and only what is not
 * taken.  Each commit of a log also has the marks of all its drains.
 *
 * Owner and thread: the log's home worker.
 */
#ifndef LOG_SPOOL_H
#define LOG_SPOOL_H

#include "log/app_log.h"
#include "log/spooler.h"

/* All before it is safe. */
uint64_t log_spool_safe_seq(const struct app_log *);
/* The same, or a little before it. */
struct spool_place log_spool_safe_place(const struct app_log *);

/*
 * Calls told(arg) once the newest line is safe, or was given up in memory because
 * the spool takes nothing (safe: false).  false: that arg waits for the line before
 * it already, and will be told once, of all of them.
 */
bool log_spool_await(struct app_log *, void (*told)(void *arg, bool safe), void *arg);
/* The lines from one sequence to before another are given up in memory. */
void log_spool_lose(struct app_log *, uint64_t from, uint64_t to);
/* Tells those whose lines are safe now. */
void log_spool_settle(struct app_log *);
/* The log goes: so nobody needs its lines. */
void log_spool_settle_all(struct app_log *);

/*
 * Called LOG_LOOKS times in the time of spool-after: true when a line that was
 * there LOG_LOOKS looks ago is not safe yet.
 */
bool log_spool_look(struct app_log *);

/*
 * Adds the chunks that are not safe to a commit, the open one sealed, until it
 * has limit bytes; and the marks.  false: there was nothing to add.  *more: the limit
 * was reached.
 */
bool log_spool_gather(struct app_log *, struct spool_commit *, size_t limit, bool *more);
/* Adds the marks alone, if the spool has lines of the log and they have moved. */
bool log_spool_gather_marks(struct app_log *, struct spool_commit *);
/* The commit came back. */
void log_spool_done(struct app_log *, const struct spool_commit *, const struct spool_part *);
/* What it has on disk or is about to, without what was given up in between. */
uint64_t log_spool_kept_bytes(const struct app_log *);
/* Nothing is left to be told to the spool. */
bool log_spool_is_settled(const struct app_log *);

#endif
