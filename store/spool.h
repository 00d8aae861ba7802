/*
 * spool -- lines on disk: the logs of apps whose drains lag, and the places of
 * their drains, in one LMDB environment of its own (DIR/spool, full sync).
 *
 *	an app's log:   [chunk][chunk][chunk] ... [chunk]
 *	               head     ^ mark    ^ mark          end
 *
 * A chunk is what the gateway's log calls one: whole octet-counted frames, one
 * after the other.  It has a checksum, and its head says all that is needed to
 * use it without anything else in the file (that is how damaged files are
 * salvaged).  A mark is where a drain goes on.  Chunks before the head are
 * nobody's and are deleted bit by bit.
 *
 * Drains, apps and tokens are not in here (store.h): losing this file costs
 * lines, never the configuration.
 *
 * What changes within spool_begin ... spool_commit is on disk together or not
 * at all.  Never logs: it returns a code, spool_error() has the words.
 *
 * Owner: main until the spooler's thread runs, then that thread, alone.
 */
#ifndef SPOOL_H
#define SPOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum spool_code {
	SPOOL_OK,
	SPOOL_NONE,    /* there is no such thing */
	SPOOL_DAMAGED, /* the file, or what was asked for, cannot be what was written */
	SPOOL_FULL,    /* disk, map or size: nothing was changed; deleting still works */
	SPOOL_FAILED,  /* anything else; nothing was changed */
};

/*
 * A place in an app's log, between two lines: the sequence of the line behind
 * it, and the bytes (frames with their counts) and lines before it.  Bytes and
 * lines only grow and have no holes, over restarts too, but for chunks that
 * were damaged; sequences have holes (a start begins with a number of its own).
 */
struct spool_place {
	uint64_t seq, bytes, lines;
};

/* Bytes and lines of a log that is new count from here, so that older lines can be put before it.
 */
#define SPOOL_ORIGIN (UINT64_C(1) << 48)

/* What a chunk has on disk besides its data: size it so that the two are n * 4096 - 16 bytes. */
enum { SPOOL_HEAD_BYTES = 96 };

/* Its lines have sequences without a hole. */
struct spool_chunk {
	uint64_t app;
	struct spool_place at;
	uint32_t lines, size;
	int64_t first_us, last_us; /* arrival of its first and last line: clock_age_us */
	const char *data;	   /* size bytes.  NULL: damaged, and only the rest is known */
};

struct spool_mark {
	uint64_t drain;
	struct spool_place at;
};

struct spool_log {
	uint64_t app;
	struct spool_place head, end;
	int64_t first_us; /* arrival of the oldest line behind head; 0: there is none */
};

struct spool;

struct spool_options {
	const char *dir;    /* the data-dir */
	uint64_t map_bytes; /* how far the file may grow; appends end at 95% of it */
};

/*
 * Opens or creates DIR/spool (0700), and looks whether the file is sound: its
 * meta pages, its length, the pages of its trees; bounded to well below a
 * second, in a child process, as a broken file can be the end of who reads it.
 * Call it before there are other threads.  SPOOL_DAMAGED: untouched; see
 * spool_quarantine.  On failure *out is NULL and err holds one sentence
 * with path, fault and remedy.
 */
enum spool_code spool_open(const struct spool_options *, struct spool **out, char *err,
			   size_t errlen) __attribute__((warn_unused_result));
void spool_close(struct spool *); /* NULL is fine */
const char *spool_error(const struct spool *);

/*
 * Renames DIR/spool to DIR/spool.damaged-TIMESTAMP; path gets the new name.
 * The next spool_open makes a new one.
 */
enum spool_code spool_quarantine(const char *dir, char *path, size_t pathlen)
    __attribute__((warn_unused_result));

/*
 * -- what is there; valid until the next change.  The logs are as the changes under
 * way make them; chunks and marks are read from what was committed last.
 */

/* NULL: nothing was ever kept of it. */
const struct spool_log *spool_log_of(const struct spool *, uint64_t app);
/* The n-th of all, in no order; NULL: there are not so many. */
const struct spool_log *spool_log_at(const struct spool *, size_t n);
/* The log with the most bytes behind its head; NULL: none. */
const struct spool_log *spool_greediest(const struct spool *);
/* Bytes behind the heads, of all logs. */
uint64_t spool_bytes(const struct spool *);
enum spool_code spool_mark_of(struct spool *, uint64_t app, uint64_t drain, struct spool_place *out)
    __attribute__((warn_unused_result));
/*
 * The chunk that holds the sequence, or else the first behind it, and what
 * follows that, until `limit` bytes are given (at least one chunk); stops early
 * when each returns false.  c->data is good during the call only.  A damaged
 * chunk is given once with data NULL, or left out when even its place is
 * not known: what follows then begins later than expected.  SPOOL_NONE: there
 * is no such chunk.
 */
enum spool_code spool_read(struct spool *, uint64_t app, uint64_t seq, size_t limit,
			   bool (*each)(const struct spool_chunk *c, void *arg), void *arg)
    __attribute__((warn_unused_result));
/* How often chunks were left out by that, so far. */
uint64_t spool_left_out(const struct spool *);
/* The place of the first chunk behind which at most so many bytes are; the end, if none is. */
enum spool_code spool_cut_bytes(struct spool *, uint64_t app, uint64_t keep,
				struct spool_place *out) __attribute__((warn_unused_result));
/*
 * The place of the first chunk whose last line came at or after that time; looks
 * at a bounded number of chunks, so that a later call may find one further on.
 */
enum spool_code spool_cut_time(struct spool *, uint64_t app, int64_t before_us,
			       struct spool_place *out) __attribute__((warn_unused_result));

/* -- changes; one transaction at a time */

enum spool_code spool_begin(struct spool *) __attribute__((warn_unused_result));
/*
 * Its place is the log's end, or behind it (lines that were not kept lie
 * between), or in such a hole: lines that were delivered, and have to go out again.
 */
enum spool_code spool_append(struct spool *, const struct spool_chunk *)
    __attribute__((warn_unused_result));
/*
 * All of an app's marks, in the place of those it had, and where its log
 * begins: a place that lies behind the log's end moves the end there too.
 */
enum spool_code spool_set_marks(struct spool *, uint64_t app, const struct spool_place *head,
				const struct spool_mark *, size_t n)
    __attribute__((warn_unused_result));
/* Marks and log go; its chunks by spool_tidy. */
enum spool_code spool_drop(struct spool *, uint64_t app) __attribute__((warn_unused_result));
/*
 * Deletes up to so many chunks that are nobody's (before a head, of a dropped
 * app).  *more: there are others.
 */
enum spool_code spool_tidy(struct spool *, unsigned max, bool *more)
    __attribute__((warn_unused_result));
/* Everything since spool_begin is on disk, or (any code but OK) none of it is. */
enum spool_code spool_commit(struct spool *) __attribute__((warn_unused_result));
void spool_abort(struct spool *);

#endif
