/*
 * spool_probe -- is a spool's file sound?  Asked in a child process, as the
 * answer may be that who uses it dies.
 *
 * Owner and thread: main, before there are other threads.
 */
#ifndef SPOOL_PROBE_H
#define SPOOL_PROBE_H

#include "store/spool.h"

/*
 * SPOOL_NONE: there is no file.  SPOOL_DAMAGED, SPOOL_FAILED: why says it, a
 * few words.  Large trees are looked at for `ms` at most.
 */
enum spool_code spool_probe(const char *folder, uint64_t map_bytes, int64_t ms, char *why,
			    size_t len) __attribute__((warn_unused_result));

/*
 * Runs work in a child process, which writes what it finds to fd, size bytes at
 * most.  *got: how much that was.  SPOOL_OK: the child ended as it should;
 * SPOOL_DAMAGED: it died, or took longer than ms (0: as long as it likes).
 */
enum spool_code spool_in_child(void (*work)(int fd, void *arg), void *arg, int64_t ms, void *out,
			       size_t size, size_t *got) __attribute__((warn_unused_result));

#endif
