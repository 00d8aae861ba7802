#include "store/spool_pieces.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/xmalloc.h"
#include "store/file_check.h"
#include "store/lmdb_tree.h"
#include "store/spool_record.h"
#include "store/spool_scan.h"

enum { PIECES_FIRST = 256 };

/* Room for one more of an array. */
static void *
grow(void *array, size_t n, size_t *cap, size_t size)
{
	if (n < *cap)
		return array;
	*cap = *cap == 0 ? PIECES_FIRST : 2 * *cap;
	return xrealloc(array, *cap * size);
}

void
spool_pieces_add_log(struct spool_pieces *p, const struct spool_log *log, bool dropped)
{
	p->log = grow(p->log, p->nlogs, &p->cap_logs, sizeof(*p->log));
	p->log[p->nlogs++] = (struct spool_log_piece){.log = *log, .dropped = dropped};
}

void
spool_pieces_add_mark(struct spool_pieces *p, uint64_t app, const struct spool_mark *mark)
{
	p->mark = grow(p->mark, p->nmarks, &p->cap_marks, sizeof(*p->mark));
	p->mark[p->nmarks++] = (struct spool_mark_piece){.app = app, .mark = *mark};
}

static bool
data_is_whole(const struct spool_pieces *p, uint64_t at, size_t n, uint64_t hash)
{
	char *data = xmalloc(n);
	bool whole =
	    pread(p->fd, data, n, (off_t)at) == (ssize_t)n && spool_data_hash(data, n) == hash;

	free(data);
	return whole;
}

bool
spool_pieces_add_chunk(struct spool_pieces *p, const unsigned char head[], uint64_t data_at,
		       struct spool_chunk *out)
{
	uint64_t file, hash;

	if (!spool_head_read(head, &file, out, &hash) || file != p->file)
		return false;
	p->chunk = grow(p->chunk, p->nchunks, &p->cap_chunks, sizeof(*p->chunk));
	p->chunk[p->nchunks++] = (struct spool_piece){
	    .chunk = *out, .data_at = data_at, .whole = data_is_whole(p, data_at, out->size, hash)};
	return true;
}

/* -- through the trees */

struct walk {
	struct spool_pieces *pieces;
	struct lmdb_view view;
};

/* One record; false: it is not what it should be. */
typedef bool on_record(struct walk *, const struct lmdb_entry *);

static bool
on_magic(struct walk *w, const struct lmdb_entry *e)
{
	struct spool_pieces *p = w->pieces;
	unsigned char value[SPOOL_MAGIC_BYTES];
	unsigned schema = 0;
	enum spool_code code;

	if (!lmdb_value_read(&w->view, e, 0, value, sizeof(value)))
		return false;
	code = spool_magic_read(value, sizeof(value), &schema, &p->file);
	if (code == SPOOL_FAILED)
		snprintf(p->fault, sizeof(p->fault),
			 "it is of a newer version (schema %u, this penstockd knows %d)", schema,
			 SPOOL_SCHEMA);
	return code == SPOOL_OK;
}

/* The meta page may be the wrong one: spool_env.c. */
static bool
on_stamp(const struct walk *w, const struct lmdb_entry *e)
{
	unsigned char value[SPOOL_STAMP_BYTES];
	uint64_t commit, pages;

	return lmdb_value_read(&w->view, e, 0, value, sizeof(value)) &&
	       spool_stamp_read(value, e->bytes, &commit, &pages) &&
	       commit == w->view.meta.transaction && pages <= w->view.meta.last_page + 1;
}

static bool
on_meta(struct walk *w, const struct lmdb_entry *e)
{
	if (slice_is(e->key, "magic"))
		return on_magic(w, e);
	return !slice_is(e->key, "stamp") || on_stamp(w, e);
}

static bool
on_log(struct walk *w, const struct lmdb_entry *e)
{
	const unsigned char *key = (const unsigned char *)e->key.p;
	unsigned char value[SPOOL_LOG_BYTES];
	struct spool_log log;
	bool dropped;

	if (e->key.n != SPOOL_APP_KEY_BYTES || e->bytes != sizeof(value) ||
	    !lmdb_value_read(&w->view, e, 0, value, sizeof(value)) ||
	    !spool_log_read(value, sizeof(value), w->pieces->file, spool_key_app(key), &log,
			    &dropped))
		return false;
	spool_pieces_add_log(w->pieces, &log, dropped);
	return true;
}

static bool
on_mark(struct walk *w, const struct lmdb_entry *e)
{
	const unsigned char *key = (const unsigned char *)e->key.p;
	unsigned char value[SPOOL_MARK_BYTES];
	struct spool_mark mark;

	if (e->key.n != SPOOL_KEY_BYTES || e->bytes != sizeof(value) ||
	    !lmdb_value_read(&w->view, e, 0, value, sizeof(value)) ||
	    !spool_mark_read(value, sizeof(value), w->pieces->file, spool_key_app(key),
			     spool_key_number(key), &mark))
		return false;
	spool_pieces_add_mark(w->pieces, spool_key_app(key), &mark);
	return true;
}

/* The logs are sorted by then. */
static bool
on_chunk(struct walk *w, const struct lmdb_entry *e)
{
	const unsigned char *key = (const unsigned char *)e->key.p;
	unsigned char head[SPOOL_HEAD_BYTES];
	const struct spool_log_piece *log;
	struct spool_chunk c;

	if (e->key.n != SPOOL_KEY_BYTES)
		return false;
	if (lmdb_value_read(&w->view, e, 0, head, sizeof(head)) &&
	    spool_pieces_add_chunk(w->pieces, head, e->at + SPOOL_HEAD_BYTES, &c) &&
	    c.app == spool_key_app(key) && c.at.seq == spool_key_number(key))
		return true;
	log = spool_pieces_log(w->pieces, spool_key_app(key));
	w->pieces->headless +=
	    log != NULL && !log->dropped && spool_key_number(key) >= log->log.head.seq;
	return true;
}

/* All records of a table, in order. */
static bool
walk_table(struct walk *w, const char *name, on_record *each)
{
	unsigned char next[LMDB_KEY_MOST + 1];
	struct lmdb_entry entry;
	enum lmdb_found found;
	struct lmdb_tree tree;
	size_t n = 1;

	if (lmdb_view_table(&w->view, name, &tree) != LMDB_FOUND)
		return false;
	next[0] = 0;
	while ((found = lmdb_seek(&w->view, &tree, slice_of((const char *)next, n), &entry)) ==
	       LMDB_FOUND) {
		/* The smallest key behind this one: the same, with one byte more. */
		n = entry.key.n;
		memcpy(next, entry.key.p, n);
		next[n++] = 0;
		if (!each(w, &entry))
			return false;
	}
	return found == LMDB_NONE;
}

static int
compare_u64(uint64_t a, uint64_t b)
{
	return a < b ? -1 : a > b;
}

/* By app; the newest last. */
static int
compare_logs(const void *a, const void *b)
{
	const struct spool_log_piece *x = a, *y = b;
	int order = compare_u64(x->log.app, y->log.app);

	if (order == 0)
		order = compare_u64(x->log.end.seq, y->log.end.seq);
	if (order == 0)
		order = compare_u64(x->log.head.seq, y->log.head.seq);
	return order != 0 ? order : x->dropped - y->dropped;
}

static int
compare_marks(const void *a, const void *b)
{
	const struct spool_mark_piece *x = a, *y = b;
	int order = compare_u64(x->app, y->app);

	if (order == 0)
		order = compare_u64(x->mark.drain, y->mark.drain);
	return order != 0 ? order : compare_u64(x->mark.at.seq, y->mark.at.seq);
}

/* By app and sequence; the best copy last. */
static int
compare_chunks(const void *a, const void *b)
{
	const struct spool_piece *x = a, *y = b;
	int order = compare_u64(x->chunk.app, y->chunk.app);

	if (order == 0)
		order = compare_u64(x->chunk.at.seq, y->chunk.at.seq);
	if (order == 0)
		order = x->whole - y->whole;
	return order != 0 ? order : compare_u64(x->chunk.lines, y->chunk.lines);
}

static void
sort(void *array, size_t n, size_t size, int (*compare)(const void *, const void *))
{
	if (n > 1)
		qsort(array, n, size, compare);
}

/* Sorted, and of each app one. */
static void
settle_logs(struct spool_pieces *p)
{
	size_t n = 0;

	sort(p->log, p->nlogs, sizeof(*p->log), compare_logs);
	for (size_t i = 0; i < p->nlogs; i++) {
		if (n > 0 && p->log[n - 1].log.app == p->log[i].log.app)
			n--;
		p->log[n++] = p->log[i];
	}
	p->nlogs = n;
}

static void
settle_marks(struct spool_pieces *p)
{
	size_t n = 0;

	sort(p->mark, p->nmarks, sizeof(*p->mark), compare_marks);
	for (size_t i = 0; i < p->nmarks; i++) {
		if (n > 0 && p->mark[n - 1].app == p->mark[i].app &&
		    p->mark[n - 1].mark.drain == p->mark[i].mark.drain)
			n--;
		p->mark[n++] = p->mark[i];
	}
	p->nmarks = n;
}

static void
settle_chunks(struct spool_pieces *p)
{
	size_t n = 0;

	sort(p->chunk, p->nchunks, sizeof(*p->chunk), compare_chunks);
	for (size_t i = 0; i < p->nchunks; i++) {
		if (n > 0 && p->chunk[n - 1].chunk.app == p->chunk[i].chunk.app &&
		    p->chunk[n - 1].chunk.at.seq == p->chunk[i].chunk.at.seq)
			n--;
		p->chunk[n++] = p->chunk[i];
	}
	p->nchunks = n;
}

static void
forget(struct spool_pieces *p)
{
	p->nchunks = p->nlogs = p->nmarks = 0;
	p->headless = 0;
}

static bool
walk_trees(struct spool_pieces *p)
{
	struct walk w = {.pieces = p};
	bool ok;

	ok = lmdb_view_read(&w.view, p->fd) && walk_table(&w, "meta", on_meta) &&
	     walk_table(&w, "logs", on_log) && walk_table(&w, "marks", on_mark);
	settle_logs(p);
	ok = ok && walk_table(&w, "chunks", on_chunk);
	lmdb_view_clear(&w.view);
	return ok;
}

static enum spool_code
read_file(struct spool_pieces *p, const char *path)
{
	switch (file_check(path, p->fault, sizeof(p->fault))) {
	case FILE_NONE:
		return SPOOL_NONE;
	case FILE_UNREADABLE:
		return SPOOL_FAILED;
	case FILE_DAMAGED:
	case FILE_FOREIGN:
		break;
	case FILE_WHOLE:
		p->fault[0] = '\0';
		if (walk_trees(p))
			return SPOOL_OK;
		if (p->fault[0] != '\0')
			return SPOOL_FAILED;
		snprintf(p->fault, sizeof(p->fault), "a table is damaged");
		break;
	}
	forget(p);
	p->scanned = true;
	if (!spool_scan(p))
		snprintf(p->fault, sizeof(p->fault), "parts of it cannot be read");
	return SPOOL_OK;
}

enum spool_code
spool_pieces_read(const char *folder, struct spool_pieces *out)
{
	char *path = xasprintf("%s/data.mdb", folder);
	enum spool_code code;

	memset(out, 0, sizeof(*out));
	out->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (out->fd < 0) {
		code = errno == ENOENT ? SPOOL_NONE : SPOOL_FAILED;
		snprintf(out->fault, sizeof(out->fault), "%s", strerror(errno));
	} else {
		code = read_file(out, path);
		settle_logs(out);
		settle_marks(out);
		settle_chunks(out);
	}
	free(path);
	return code;
}

void
spool_pieces_clear(struct spool_pieces *p)
{
	if (p->fd >= 0)
		close(p->fd);
	free(p->chunk);
	free(p->log);
	free(p->mark);
	memset(p, 0, sizeof(*p));
	p->fd = -1;
}

const struct spool_log_piece *
spool_pieces_log(const struct spool_pieces *p, uint64_t app)
{
	size_t low = 0, high = p->nlogs;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (p->log[middle].log.app < app)
			low = middle + 1;
		else
			high = middle;
	}
	return low < p->nlogs && p->log[low].log.app == app ? &p->log[low] : NULL;
}

bool
spool_pieces_wanted(const struct spool_pieces *p, const struct spool_piece *piece)
{
	const struct spool_log_piece *log = spool_pieces_log(p, piece->chunk.app);

	return log == NULL ||
	       (!log->dropped && piece->chunk.at.seq + piece->chunk.lines > log->log.head.seq);
}
