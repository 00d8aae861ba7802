/*
 * spool_check -- penstockd --check-spool: what of a spool can be read, and
 * bringing back lines from damaged ones that were put aside.
 *
 * Owner and thread: main, with no gateway running on that folder.
 */
#ifndef SPOOL_CHECK_H
#define SPOOL_CHECK_H

#include "store/spool.h"

struct spool_report {
	/* Of lines that still wait for somebody: what can be read; salvaging: what came back. */
	uint64_t apps, chunks, lines, bytes;
	uint64_t damaged;    /* chunks whose checksum is wrong */
	uint64_t lost_lines; /* of those, as far as their heads say */
	bool tree_damaged;   /* chunks cannot all be reached: only salvaging finds them */
	/* Then, and of what can be read of the logs: lines that are lost, or were never kept. */
	uint64_t missing;
	char fault[256]; /* in words; empty: nothing is wrong */
};

/*
 * Reads every chunk of a spool's folder (DIR/spool, or one that was put aside).
 * SPOOL_OK: sound; SPOOL_DAMAGED: see the report; SPOOL_NONE: there is none;
 * SPOOL_FAILED: it cannot be read at all, or is of a newer version.
 */
enum spool_code spool_check(const char *folder, struct spool_report *out)
    __attribute__((warn_unused_result));

/*
 * The app's drains, malloc'd; the caller frees them.  false: nobody knows the app.
 */
typedef bool spool_drains_of(uint64_t app, uint64_t **drains, size_t *n, void *arg);

/*
 * Finds the chunks in a damaged spool's folder, through its trees or, where these
 * are broken, by looking for chunk heads in all of the file; puts those whose checksum is
 * right, which its logs say are still needed (or nothing says otherwise), and whose app
 * is known and has drains, into the spool, before what that has of the app.  Each drain's
 * mark goes to where it was, or where that is not known to the first of them.
 *
 * Each app's lines come back together or not at all.  SPOOL_OK: all that can be
 * read is back; SPOOL_FULL, SPOOL_FAILED: not all, and fault says why; to be tried
 * again.  Runs outside of a transaction, in several of its own.
 */
enum spool_code spool_salvage(const char *folder, struct spool *to, spool_drains_of *, void *arg,
			      struct spool_report *out) __attribute__((warn_unused_result));

#endif
