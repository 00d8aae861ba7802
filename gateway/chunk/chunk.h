/*
 * chunk -- a run of an app's lines: octet-counted RFC 5424 frames, one after
 * the other ("LEN SP MESSAGE", RFC 6587 3.4.1), as they go to disk, to other
 * threads and, where a drain wants just that, to the receiver.
 *
 *	data                    used            cap
 *	  | frame frame frame ... |    room      |
 *
 * The last chunk of a log is open and grows behind `used`; all others are
 * sealed and never change.  Data never moves.
 *
 * A sealed chunk may be in the spool as well.  Its bytes are then let go when
 * memory is wanted elsewhere (data is NULL: it is asleep), and read back when
 * somebody comes to it.
 *
 * Owner: one app log; freed by it when nothing refers to the chunk any more.
 * Thread: the log's home worker.
 */
#ifndef CHUNK_H
#define CHUNK_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "base/slice.h"

/*
 * Open chunks start small, so that an idle app costs little, and double.  A full one
 * fits, with its head (96 bytes) and LMDB's page header (16), into 16 pages of the spool.
 */
enum { CHUNK_FIRST_BYTES = 1024, CHUNK_FULL_BYTES = 64 * 1024 - 112 };

/* Digits and the space in front of a frame: counts end at 7 digits (RFC 6587 readers' common cap).
 */
enum { CHUNK_COUNT_MAX = 8 };

enum chunk_state {
	CHUNK_MEMORY,  /* nowhere else */
	CHUNK_ASKED,   /* the spooler has a copy and is about to commit it */
	CHUNK_SPOOLED, /* on disk */
	CHUNK_CUT,     /* no more on disk, as it was too much there; a segment still stands in it */
};

struct app_log;

struct chunk {
	/* What each line needs comes first. */
	char *data;   /* NULL: asleep */
	uint32_t cap; /* bytes of data */
	uint32_t used;
	uint32_t lines;
	uint32_t refs; /* segments and cursors that stand in it */
	uint32_t pins; /* of those, who need its bytes in memory */
	bool sealed;
	enum chunk_state state;
	TAILQ_ENTRY(chunk) link;
	struct app_log *log;	       /* whose it is; NULL: nobody's */
	uint64_t base;		       /* bytes of the log before this chunk */
	uint64_t first_seq;	       /* of its first line */
	uint64_t first_line;	       /* lines of the log before this chunk */
	int64_t first_ms;	       /* arrival of its first line, monotonic */
	TAILQ_ENTRY(chunk) cache_link; /* see log_pool.cache */
};

TAILQ_HEAD(chunk_list, chunk);

struct chunk *chunk_new(uint32_t cap);
/* One that has its bytes already: size of them, malloc'd, taken over. */
struct chunk *chunk_of(char *data, uint32_t size);
void chunk_free(struct chunk *);
/* As new, and nobody's; data and cap stay. */
void chunk_clear(struct chunk *);

/* It is nowhere else, and should be. */
static inline bool
chunk_is_unsaved(const struct chunk *c)
{
	return c->state == CHUNK_MEMORY || c->state == CHUNK_ASKED;
}

/* Bytes of the count in front of a message of n bytes: digits and a space. */
size_t chunk_count_size(size_t n);
/* Writes it; returns its size. */
size_t chunk_count_write(char *dst, size_t n);

/*
 * The frame at offset `at` (a frame's start, below `used`); returns the offset
 * of the one behind it.  The chunk is not asleep.
 */
uint32_t chunk_frame(const struct chunk *, uint32_t at, struct slice *message);

#endif
