/*
 * spool_internal -- what the spool's files share; nobody else includes it.
 *
 *	spool_open.c	open, close, quarantine		spool_logs.c	logs, in memory
 *	spool_env.c	LMDB's environment		spool_record.c	records as bytes
 *	spool_probe.c	is the file sound?		spool_find.c	chunks by key
 *	spool_txn.c	begin, commit, abort, room	spool_read.c	chunks out of it
 *	spool_write.c	append, marks, drop		spool_cut.c	where to cut a log
 *	spool_tidy.c	deleting what is nobody's	spool_salvage.c	and spool_check.c, of a
 *							file that spool_pieces.c has read
 */
#ifndef SPOOL_INTERNAL_H
#define SPOOL_INTERNAL_H

#include <lmdb.h>
#include <sys/types.h>

#include "base/buf.h"
#include "store/lmdb_tree.h"
#include "store/spool_logs.h"
#include "store/spool_record.h"

enum {
	SPOOL_ERROR_BYTES = 256,

	/*
	 * Left to deletes and marks: they too write new pages before old ones are free.
	 * Of the map, whichever is more, but a fourth of it at most: enough for a change of
	 * the marks of 10,000 drains.  As many pages are allocated ahead in the file.
	 */
	SPOOL_SPARE_PERCENT = 5,
	SPOOL_SPARE_PAGES = 1024,
};

enum spool_table { SPOOL_META, SPOOL_LOGS, SPOOL_MARKS, SPOOL_CHUNKS, SPOOL_TABLES };

/* What is known of room in a transaction. */
struct spool_room {
	bool asked, walked; /* allocated ahead; free pages counted */
	int disk;	    /* why the disk gave none; 0: it did */
	size_t have;	    /* pages that the file can hold for sure */
	size_t free;	    /* of those in it, pages that are free */
	size_t taken;	    /* by what this transaction appended, about */
};

struct spool {
	char *dir, *folder, *file; /* the data-dir, DIR/spool, DIR/spool/data.mdb */
	uint64_t map_bytes;

	MDB_env *env;
	MDB_dbi table[SPOOL_TABLES];
	size_t page_bytes, map_pages;
	off_t file_bytes;     /* that it had at least */
	uint64_t file_number; /* of its own */

	struct spool_logs logs;
	size_t tidy_slot; /* where in logs.slot tidying goes on */

	MDB_txn *txn;		/* the changes that are under way; NULL: none */
	enum spool_code broken; /* why it can only be aborted; SPOOL_OK: it is whole */
	bool wrote;		/* it is not empty */
	struct spool_room room;
	bool starved; /* there was no room, and nothing was committed since */

	/* What was committed last, for reading. */
	bool viewed; /* the view is of that */
	struct lmdb_view view;
	struct lmdb_tree tree[SPOOL_TABLES]; /* chunks and marks only */
	struct buf data;		     /* of the chunk that was read last */
	uint64_t left_out;		     /* chunks, by spool_read */

	char error[SPOOL_ERROR_BYTES];
};

/* What is opened, and where the reason of a failure goes. */
struct spool_opening {
	struct spool *spool;
	char *err;
	size_t len;
};

/* spool_open.c: a failure, spool_error's words in a sentence for who starts; returns the code. */
enum spool_code spool_opening_code(const struct spool_opening *, enum spool_code);

/* spool_env.c */

/* Makes a new data.mdb: built in a folder of its own, then renamed. */
enum spool_code spool_create(const struct spool_opening *) __attribute__((warn_unused_result));
/* Opens it, and reads its logs. */
enum spool_code spool_attach(const struct spool_opening *) __attribute__((warn_unused_result));
/* Into the transaction: the record of which commit it is.  LMDB's code. */
int spool_stamp_put(struct spool *, MDB_txn *);
/* What attaching did, undone. */
void spool_detach(struct spool *);

/* spool_txn.c: the code for an LMDB (or errno) error, its words kept; doing: "reading". */
enum spool_code spool_fail(struct spool *, int rc, const char *doing);
enum spool_code spool_damaged(struct spool *, const char *what);
enum spool_code spool_refuse(struct spool *, const char *words);
/* The same, and the transaction that is under way can only be aborted. */
enum spool_code spool_break(struct spool *, int rc, const char *doing);
/* SPOOL_DAMAGED: the file has become shorter since this was asked last. */
enum spool_code spool_length_check(struct spool *) __attribute__((warn_unused_result));
/* SPOOL_FULL when there is no room for so many bytes more. */
enum spool_code spool_room(struct spool *, size_t bytes) __attribute__((warn_unused_result));

/*
 * spool_find.c: in what was committed last, whatever is under way.  Where the
 * file is broken things are not found.
 */

struct spool_found {
	uint64_t seq;
	struct lmdb_entry entry;
};

/* The app's first chunk at or behind seq.  SPOOL_NONE: there is none. */
enum spool_code spool_find(struct spool *, uint64_t app, uint64_t seq, struct spool_found *out)
    __attribute__((warn_unused_result));
/* The app's last chunk that begins at or before seq. */
enum spool_code spool_find_before(struct spool *, uint64_t app, uint64_t seq,
				  struct spool_found *out) __attribute__((warn_unused_result));
enum spool_code spool_find_mark(struct spool *, uint64_t app, uint64_t drain,
				struct spool_mark *out) __attribute__((warn_unused_result));
/* Its head (out->data is NULL).  false: it is damaged, or another's. */
bool spool_found_head(struct spool *, const struct spool_found *, uint64_t app,
		      struct spool_chunk *out, uint64_t *hash);
/* With its data, if that is whole; c is what the head said.  Good until the next is read. */
void spool_found_data(struct spool *, const struct spool_found *, struct spool_chunk *c,
		      uint64_t hash);
/* May LMDB be let to it?  Put: there may be no such chunk. */
enum spool_code spool_may_put(struct spool *, uint64_t app, uint64_t seq)
    __attribute__((warn_unused_result));
bool spool_may_delete(struct spool *, uint64_t app, const struct spool_found *)
    __attribute__((warn_unused_result));

#endif
