/*
 * log_hole -- lines in the middle of a log that were given up: they are neither
 * in memory nor on disk.
 *
 *	[ on disk ] ( hole ) [chunk][chunk] ...
 *
 * A cursor that has yet to come there was told of them when they were given up; they
 * do not wait for it, and it says so at their place.  A hole is forgotten
 * when all cursors have passed it.
 *
 * Owner and thread: the log's home worker.
 */
#ifndef LOG_HOLE_H
#define LOG_HOLE_H

#include "log/app_log.h"

/* What lies between the two places was given up, and none of it before. */
void log_hole_add(struct app_log *, const struct spool_place *from, const struct spool_place *to);
/* How many of the bytes, or lines, between two offsets of the log lie in holes. */
uint64_t log_hole_bytes(const struct app_log *, uint64_t from, uint64_t to);
uint64_t log_hole_lines(const struct app_log *, uint64_t from, uint64_t to);
/* When the first of the lines between two offsets that lie in holes were given up; 0: none do. */
int64_t log_hole_since_us(const struct app_log *, uint64_t from, uint64_t to);
/* The hole that the byte at that offset lies in; NULL: none. */
const struct log_hole *log_hole_at(const struct app_log *, uint64_t bytes);
/* Those before that offset do not matter any more. */
void log_hole_forget(struct app_log *, uint64_t bytes);

#endif
