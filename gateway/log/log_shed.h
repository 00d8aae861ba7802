/*
 * log_shed -- lines are given up: too many in memory that no disk takes, too
 * many or too old on disk.
 *
 * Only what no segment stands in is given up: what was begun is finished.
 * Lines in the middle of the log, between what is on disk and what is new, are
 * counted at once by each drain that has yet to come there, and told at their place.
 *
 * Owner and thread: the log's home worker.
 */
#ifndef LOG_SHED_H
#define LOG_SHED_H

#include "log/cursor.h"
#include "store/spool.h"

/*
 * A cursor lags: at most keep bytes of it stay in memory.  Without a spool its
 * oldest lines go; with one that takes nothing, the log's oldest that are not on
 * disk.  While the spool works nothing has to go.
 */
void log_shed_cursor(struct cursor *, size_t keep);
/* The same for all cursors of a log that lag. */
void log_shed(struct app_log *, size_t keep);
/* The oldest lines on disk: cursors before the place go on there. */
void log_shed_to(struct app_log *, const struct spool_place *, enum cursor_reason);

#endif
