/*
 * spool_pieces -- all that can be found in a spool's file, however broken it
 * is: through its trees when they are sound, else by looking at every page.
 *
 * LMDB has no part in it, and nothing is believed that has no right checksum.
 * Data stays in the file: 10 GB of chunks are a few dozen MB of pieces.
 *
 * Owner: who read it.  Any thread.
 */
#ifndef SPOOL_PIECES_H
#define SPOOL_PIECES_H

#include <stdbool.h>

#include "store/spool.h"

struct spool_piece {
	struct spool_chunk chunk; /* data is NULL */
	uint64_t data_at;	  /* where in the file */
	bool whole;		  /* its data has the right checksum */
};

struct spool_log_piece {
	struct spool_log log;
	bool dropped;
};

struct spool_mark_piece {
	uint64_t app;
	struct spool_mark mark;
};

struct spool_pieces {
	int fd;
	uint64_t file; /* its number (spool_record.h); 0: there is not one chunk */
	bool scanned;  /* the trees are broken */
	char fault[256];
	struct spool_piece *chunk;     /* by app and sequence, once each */
	struct spool_log_piece *log;   /* by app, the newest of each */
	struct spool_mark_piece *mark; /* by app and drain, the furthest of each */
	size_t nchunks, nlogs, nmarks;
	size_t cap_chunks, cap_logs, cap_marks;
	uint64_t headless; /* chunks that a tree has, and of which nothing can be read */
};

/*
 * SPOOL_NONE: there is no file; SPOOL_FAILED: it cannot be read, fault says
 * why, or is of a newer version.  Else SPOOL_OK, with what there is.
 */
enum spool_code spool_pieces_read(const char *folder, struct spool_pieces *out)
    __attribute__((warn_unused_result));
void spool_pieces_clear(struct spool_pieces *);

/* NULL: none was found. */
const struct spool_log_piece *spool_pieces_log(const struct spool_pieces *, uint64_t app);
/* Do its lines still wait for somebody, as far as is known? */
bool spool_pieces_wanted(const struct spool_pieces *, const struct spool_piece *);

/* What was found is added; for spool_scan.c, too. */
void spool_pieces_add_log(struct spool_pieces *, const struct spool_log *, bool dropped);
void spool_pieces_add_mark(struct spool_pieces *, uint64_t app, const struct spool_mark *);
/* A chunk with that head, and its data at that place; false: it is none of the file. */
bool spool_pieces_add_chunk(struct spool_pieces *, const unsigned char head[], uint64_t data_at,
			    struct spool_chunk *out);

#endif
