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
	uint64_t apps, chunks, lines, bytes;
	uint64_t damaged;    /* chunks whose checksum is wrong */
	uint64_t lost_lines; /* of those, as far as their heads say */
	bool tree_damaged;   /* chunks cannot all be reached: only salvaging finds them */
	char fault[256];     /* in words; empty: nothing is wrong */
};

/* Reads every chunk of a spool's folder (DIR/spool, or one that was put aside). */
enum spool_code spool_check(const char *folder, struct spool_report *out)
    __attribute__((warn_unused_result));

/*
 * Finds the chunks in a damaged spool's folder, through its trees or, where these
 * are broken, by looking for chunk heads in all of the file; puts those whose checksum is
 * right, which its marks say are still needed (or nothing says otherwise), and whose app
 * `wanted` knows, into the spool, before what that has of the app.  Marks
 * of its drains go to the first of them.  Runs outside of a transaction.
 */
enum spool_code spool_salvage(const char *folder, struct spool *to,
			      bool (*wanted)(uint64_t app, void *arg), void *arg,
			      struct spool_report *out) __attribute__((warn_unused_result));

#endif
