/*
 * spooler -- the one thread that writes and reads the spool.
 *
 *	worker --- spool_commit ---> [mailbox] -> transaction -> fsync --- back, with a code
 *	worker --- spool_fetch  ---> [mailbox] -> read            --- back, with chunks
 *	worker <-- spool_trim   ---  caps by size and age
 *
 * It commits whenever it is idle and something waits: what came while a commit
 * ran goes into the next one, all together (group commit).  Commits without
 * chunks wait for one that has some, for a second at most.  Each mail returns
 * to its worker when it is done.  A transaction that fails is tried again
 * without the appends, so that marks move and room is made on a full disk.
 *
 * Owner: the gateway.  Functions: any thread, but for new, run, stop and free.
 */
#ifndef SPOOLER_H
#define SPOOLER_H

#include <stdatomic.h>
#include <stdbool.h>

#include "base/buf.h"
#include "plumb/mailbox.h"
#include "store/spool.h"

struct spooler;

/* What one app has in a commit. */
struct spool_part {
	uint64_t app;
	struct spool_place head; /* nobody needs what lies before it */
	size_t chunk, nchunks;	 /* in the commit's arrays */
	size_t mark, nmarks;
};

/* Chunks and marks of some apps of one worker; the worker makes it and gets it back. */
struct spool_commit {
	struct mail mail;
	struct mailbox *back;			  /* returns there ... */
	void (*done)(struct mail *, void *owner); /* ... by this */
	enum spool_code code;			  /* then: of its appends */
	struct buf data;			  /* the chunks' bytes, one after the other */
	struct spool_chunk *chunks;		  /* data is filled in by the spooler */
	struct spool_mark *marks;
	struct spool_part *parts;
	size_t nchunks, nmarks, nparts;
	size_t cap_chunks, cap_marks, cap_parts;
};

struct spool_commit *spool_commit_new(struct mailbox *back,
				      void (*done)(struct mail *, void *owner));
/* A part begins; chunks and marks that are added belong to it. */
void spool_commit_part(struct spool_commit *, uint64_t app, const struct spool_place *head);
/* Copies the bytes. */
void spool_commit_chunk(struct spool_commit *, const struct spool_chunk *);
void spool_commit_mark(struct spool_commit *, uint64_t drain, const struct spool_place *);
void spool_commit_free(struct spool_commit *);

enum { SPOOL_FETCH_CHUNKS = 64 };

/* Asks for the chunk that holds a line, and what follows. */
struct spool_fetch {
	struct mail mail;
	struct mailbox *back;
	void (*done)(struct mail *, void *owner);
	uint64_t app, seq;
	size_t limit; /* bytes, about */
	enum spool_code code;
	bool left_out; /* a damaged one whose place is not known is not among the chunks */
	/* OK: n of them; data is malloc'd and the receiver's, NULL of a damaged one */
	struct spool_chunk chunks[SPOOL_FETCH_CHUNKS];
	size_t n;
};

struct spool_fetch *spool_fetch_new(uint64_t app, uint64_t seq, size_t limit, struct mailbox *back,
				    void (*done)(struct mail *, void *owner));
void spool_fetch_free(struct spool_fetch *); /* with the data that was not taken */

/*
 * Told to the worker at home of the app: lines before that place are too much for one app, or for
 * all together, or too old.  Bytes are counted from head to end here: lines in between that were
 * given up before they were on disk are known to the worker alone.
 */
enum spool_trim_reason { SPOOL_TRIM_CAP, SPOOL_TRIM_SIZE, SPOOL_TRIM_AGE };

struct spool_trim {
	struct mail mail;
	uint64_t app;
	struct spool_place to;
	enum spool_trim_reason reason;
};

struct spooler_options {
	struct spool *spool;
	uint64_t app_cap; /* bytes of one app */
	uint64_t size;	  /* of all: above 85% the greediest is trimmed */
	int64_t age_us;	  /* older lines are trimmed */
	/* Delivers a struct spool_trim (freed by it) at the worker of that app. */
	void (*trim)(struct mail *, void *owner);
};

/* Read by any thread. */
struct spooler_stats {
	_Atomic uint64_t commits, commit_us; /* that worked, and how long they took in all */
	_Atomic uint64_t failures;	     /* commits that did not */
	_Atomic uint64_t chunks_in, bytes_in;
	_Atomic uint64_t chunks_out, bytes_out; /* read back */
	_Atomic uint64_t chunks_damaged;
	_Atomic uint64_t bytes; /* kept now */
	_Atomic bool failing;	/* the last append, or the last marks, could not be written */
};

/* Takes over the spool. */
struct spooler *spooler_new(const struct spooler_options *);
/* Before spooler_run: whom to tell of that app; later the commits say it. */
void spooler_know(struct spooler *, uint64_t app, struct mailbox *home);
/* false: the thread could not be started. */
bool spooler_run(struct spooler *) __attribute__((warn_unused_result));
void spooler_commit(struct spooler *, struct spool_commit *);
void spooler_fetch(struct spooler *, struct spool_fetch *);
/* The app is gone, and all that was kept of it goes. */
void spooler_drop(struct spooler *, uint64_t app);
const struct spooler_stats *spooler_stats(const struct spooler *);
/*
 * Does what was asked for, and joins.  Answers go to mailboxes, which must
 * still be there; nothing but drops may be asked any more.
 */
void spooler_stop(struct spooler *);
/* Closes the spool.  It was stopped, or never ran: then nothing but drops was asked. */
void spooler_free(struct spooler *); /* NULL is fine */

#endif
