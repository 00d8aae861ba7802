/*
 * cursor_place -- where a cursor stands, in the terms of the spool, and putting
 * it somewhere else.
 *
 * Owner and thread: as cursor.h.
 */
#ifndef CURSOR_PLACE_H
#define CURSOR_PLACE_H

#include "log/cursor.h"
#include "store/spool.h"

/* Of the n-th segment of its ring; with n == count, of plan. */
struct spool_place cursor_place_of(const struct cursor *, unsigned n);
/* The first line that was not taken: where it goes on after a restart. */
struct spool_place cursor_taken_place(const struct cursor *);
/* The first line that it may come back to in this life. */
struct spool_place cursor_kept_place(const struct cursor *);

/* Of its unsent segments the bytes that are not on disk, about. */
size_t cursor_unsaved_bytes(const struct cursor *);

/* Plan stands there from now on; nobody is told of lines in between. */
void cursor_put(struct cursor *, const struct spool_place *);
/*
 * At start, of one that was just opened: it goes on there.  A mark may lie behind the log's
 * end, as its drain had taken lines that were not on disk for another one yet:
 * then it stays at the end.
 */
void cursor_resume(struct cursor *, const struct spool_place *);
/*
 * Plan goes on to a place further on; what lies between is dropped for that
 * reason, and counted, as far as it was not when it was shed (log_shed.h).
 */
void cursor_jump(struct cursor *, const struct spool_place *, enum cursor_reason);
/* The same for lines that it had passed over, or dropped and told, before the process began. */
void cursor_pass(struct cursor *, const struct spool_place *);
/*
 * What lies before that place is given up: unsent segments go out of the ring,
 * but for those whose bytes are pinned; plan jumps there if it stands before it.
 */
void cursor_shed(struct cursor *, const struct spool_place *, enum cursor_reason);
/*
 * A chunk cannot be read back: unsent segments in it go out of the ring, plan
 * passes it.
 */
void cursor_spoil(struct cursor *, const struct chunk *, enum cursor_reason);

#endif
