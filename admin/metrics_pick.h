/*
 * metrics_pick -- which of many things (apps, drains) are told one by one, and
 * the sum of the others, so that what is counted is counted once and no counter
 * goes back.
 *
 * A thing has a key that is never used again and counters that grow.  At most
 * `max` things have series of their own: those with problems first, then the
 * busiest since the last pick; who has series keeps them until another one is
 * twice as busy.  What a thing counts while it has none goes to `others`
 * for good, also when the thing is gone; and what it has counted there
 * is left out of its own series, should it get some again:
 *
 *	counted = shown + hidden	shown grows while it is picked, hidden while not
 *	others  = hidden of all that ever were
 *
 * Owner: the admin API.  Thread: main.
 */
#ifndef ADMIN_METRICS_PICK_H
#define ADMIN_METRICS_PICK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PICK_COUNTS = 16 };

struct pick_entry {
	uint64_t key;
	size_t index;		     /* the caller's */
	bool problem;		     /* comes first */
	bool never;		     /* is always among the others */
	uint64_t count[PICK_COUNTS]; /* in: counted; out: shown.  The first one tells who is busy */
	bool picked;		     /* out */
};

struct pick {
	size_t max;
	struct pick_known *known; /* by key */
	size_t nknown;
	uint64_t gone[PICK_COUNTS];   /* hidden of things that are not any more */
	uint64_t others[PICK_COUNTS]; /* after pick_run */
};

void pick_clear(struct pick *);
/* All there is now; sorts entries by key. */
void pick_run(struct pick *, struct pick_entry *entries, size_t n);

#endif
