/*
 * tap -- somebody looks at an app's lines as they come (the API's tail).
 *
 * A tap is a cursor on the app's log that always stands at the log's end: at
 * each flush it copies the lines that its filter passes into batches of its
 * own, at most TAP_BYTES of them, so that a slow reader holds none of the log's
 * chunks and no sender.  What does not fit is dropped, and the next batch says
 * how much that was.
 *
 *	log -> [batch][batch][batch] -> mail, one at a time -> reader
 *	                                <- tap_next: it may have another
 *
 * Owner: its app_home (the list).  Thread: the log's home worker.
 */
#ifndef TAP_H
#define TAP_H

#include <sys/queue.h>

#include "log/cursor.h"
#include "plumb/mailbox.h"
#include "types/drain_filter.h"

/* Lines that wait for a reader, and those that one mail carries (and the last line of it). */
enum { TAP_BYTES = 256 * 1024, TAP_BATCH_BYTES = 64 * 1024 };

struct tap_filter {
	struct drain_filter lines;
	char *text; /* malloc'd; the patterns point into it.  NULL: there are none */
};

/* What the reader gets; freed by it with tap_batch_free. */
struct tap_batch {
	struct mail mail; /* delivered where the tap was told to */
	TAILQ_ENTRY(tap_batch) link;
	uint64_t tap;	     /* its id */
	uint64_t dropped;    /* lines that are missing right before the first of these */
	struct chunk *lines; /* octet-counted frames, as in a log; may be empty */
	bool last;	     /* the app was removed: no other batch follows */
};
TAILQ_HEAD(tap_batch_list, tap_batch);

void tap_batch_free(struct tap_batch *); /* NULL is fine */

struct tap {
	TAILQ_ENTRY(tap) link;
	struct cursor cursor;
	uint64_t id;
	struct tap_filter filter;
	struct mailbox *to;
	void (*deliver)(struct mail *, void *owner);

	struct tap_batch_list waiting;
	size_t bytes;	    /* of lines that wait or are with the reader */
	size_t with_reader; /* of these */
	bool reading;	    /* a batch is with the reader */
	bool dropping;	    /* full: until half is free again */
	uint64_t dropped;   /* since the last line that was taken */
	uint64_t end;	    /* of the cursor's scale */
};
TAILQ_HEAD(tap_list, tap);

/*
 * Sees the lines that are appended from now on.  Batches go to the mailbox, and
 * deliver gets them there; id is in each.  Takes over what the filter points to.
 */
struct tap *tap_new(struct tap_list *, struct app_log *, uint64_t id, struct tap_filter *,
		    struct mailbox *to, void (*deliver)(struct mail *, void *owner));
/* NULL: not there (any more). */
struct tap *tap_find(const struct tap_list *, uint64_t id);
/* The reader is done with the batch that it got. */
void tap_next(struct tap *);
/* The reader is gone. */
void tap_free(struct tap_list *, struct tap *);
/* The app goes: each reader gets a last batch, which says what it missed. */
void tap_end_all(struct tap_list *);

#endif
