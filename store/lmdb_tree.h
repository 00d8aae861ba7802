/*
 * lmdb_tree -- finds entries in an LMDB file that may be broken, by pread.
 *
 * LMDB reads its map and believes what pages say: a page behind the end of a
 * file that was cut is a SIGBUS, a flipped bit maybe a wild read.  Here each
 * page is looked at before it is used; a broken one, and all below it, is as if
 * it were empty.
 *
 * What is read is the last committed state.  That is sound while nobody but the
 * reader's own thread writes: pages in use are never written over before
 * the next commit.
 *
 * Owner: whoever has the view.  Thread: the one that writes the file, if any.
 */
#ifndef LMDB_TREE_H
#define LMDB_TREE_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/slice.h"
#include "store/lmdb_layout.h"

struct lmdb_view {
	int fd; /* not the view's */
	size_t page_bytes;
	size_t pages; /* whole ones in the file */
	struct lmdb_meta meta;
	struct buf path;		 /* a page for each level, the last that was looked at */
	size_t on_path[LMDB_DEPTH_MOST]; /* which; 0: none */
	bool leaf_on_path[LMDB_DEPTH_MOST];
	struct buf around; /* a bit a page: lmdb_around_sound knows it; empty: none */
};

enum lmdb_found {
	LMDB_FOUND,
	LMDB_NONE,
	LMDB_BAD, /* not found, and a page where it might have been is broken */
};

struct lmdb_entry {
	struct slice key;  /* good until the view is used again */
	size_t at, bytes;  /* where in the file its value is */
	size_t first_page; /* of the value's own pages; 0: it has none */
};

/* Reads the newest meta page; again after each commit.  false: a meta page is broken. */
bool lmdb_view_read(struct lmdb_view *, int fd) __attribute__((warn_unused_result));
void lmdb_view_clear(struct lmdb_view *);

/* A named database. */
enum lmdb_found lmdb_view_table(struct lmdb_view *, const char *name, struct lmdb_tree *out)
    __attribute__((warn_unused_result));

/* The first entry at or behind key. */
enum lmdb_found lmdb_seek(struct lmdb_view *, const struct lmdb_tree *, struct slice key,
			  struct lmdb_entry *out) __attribute__((warn_unused_result));
/* The last entry at or before key. */
enum lmdb_found lmdb_seek_before(struct lmdb_view *, const struct lmdb_tree *, struct slice key,
				 struct lmdb_entry *out) __attribute__((warn_unused_result));

/* Bytes of an entry's value.  false: not all are in the file, or cannot be read. */
bool lmdb_value_read(const struct lmdb_view *, const struct lmdb_entry *, size_t offset, void *out,
		     size_t n) __attribute__((warn_unused_result));
/* Are its value's own pages, if it has any, headed as they should be? */
bool lmdb_value_sound(const struct lmdb_view *, const struct lmdb_entry *)
    __attribute__((warn_unused_result));

/*
 * Are the pages sound that LMDB looks at when it puts or deletes the key: those
 * on the way to it, and their neighbours, with which they may be merged?
 */
bool lmdb_around_sound(struct lmdb_view *, const struct lmdb_tree *, struct slice key)
    __attribute__((warn_unused_result));

#endif
