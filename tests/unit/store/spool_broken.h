/* A spool that is filled, broken and put aside.  For tests only. */
#ifndef SPOOL_BROKEN_H
#define SPOOL_BROKEN_H

#include "store/spool_fixture.h"

#include "store/image.h"
#include "store/lmdb_tree.h"
#include "store/spool_check.h"
#include "store/spool_record.h"

enum { APP = 7, SMALL = 8, OTHER = 9, GONE = 10, DRAIN = 3, LATER = 4, PAGE = 4096 };

static inline void
mark_at(struct fixture *f, uint64_t app, uint64_t drain, struct spool_place head,
	struct spool_place at)
{
	const struct spool_mark mark = {drain, at};

	begin(f);
	assert_ok(spool_set_marks(f->spool, app, &head, &mark, 1));
	commit(f);
}

/* 40 chunks of APP, of which the head leaves 30 and a half; 20 small ones; another app's. */
static inline void
fill_first(struct fixture *f)
{
	struct spool_place head = place(96, 9 * 20000 + 10000, 95);
	bool more;

	add_chunks(f, APP, 20, 20000);
	add_chunks(f, SMALL, 10, 300);
	add_chunks(f, GONE, 5, 5000);
	add_chunks(f, APP, 20, 20000);
	add_chunks(f, SMALL, 10, 300);
	add_chunks(f, OTHER, 3, 70000);
	mark_at(f, APP, DRAIN, head, head);
	mark_at(f, SMALL, DRAIN, place(1, 0, 0), place(1, 0, 0));
	mark_at(f, OTHER, DRAIN, place(1, 0, 0), place(1, 0, 0));
	begin(f);
	assert_ok(spool_tidy(f->spool, 64, &more));
	commit(f);
}

/* -- the file, to be broken */

static inline void
close_spool(struct fixture *f)
{
	spool_close(f->spool);
	f->spool = NULL;
}

static inline struct image
take_image(struct fixture *f)
{
	close_spool(f);
	return image_read(f->file);
}

static inline size_t
chunk_in_file(struct fixture *f, uint64_t app, uint64_t seq)
{
	unsigned char key[SPOOL_KEY_BYTES];
	struct lmdb_view view = {0};
	struct lmdb_entry entry;
	struct lmdb_tree tree;
	int fd = open(f->file, O_RDONLY);

	spool_key_make(key, app, seq);
	assert_true(lmdb_view_read(&view, fd));
	assert_int_equal(lmdb_view_table(&view, "chunks", &tree), LMDB_FOUND);
	assert_int_equal(lmdb_seek(&view, &tree, slice_of((const char *)key, sizeof(key)), &entry),
			 LMDB_FOUND);
	lmdb_view_clear(&view);
	close(fd);
	return entry.at;
}

/* The root page of a table, or LMDB_NO_PAGE. */
static inline size_t
root_of(struct fixture *f, const char *table)
{
	struct lmdb_view view = {0};
	struct lmdb_tree tree;
	int fd = open(f->file, O_RDONLY);

	assert_true(lmdb_view_read(&view, fd));
	assert_int_equal(lmdb_view_table(&view, table, &tree), LMDB_FOUND);
	lmdb_view_clear(&view);
	close(fd);
	return tree.root;
}

/* Puts the file, as it is in the image, aside; path gets its folder. */
static inline void
put_aside(struct fixture *f, const struct image *image, char *path, size_t len)
{
	close_spool(f);
	image_write(f->file, image->p, image->n);
	assert_ok(spool_quarantine(f->dir, path, len));
	reopen(f);
	assert_int_equal(spool_bytes(f->spool), 0);
}

#endif
