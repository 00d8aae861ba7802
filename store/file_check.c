#include "store/file_check.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/xmalloc.h"
#include "store/lmdb_layout.h"

/*
 * LMDB loses no pages; more than these neither in use nor free are a last page
 * that is wrong, and would let the file grow without end.
 */
enum { LOST_MOST = 1024 };

struct check {
	int fd;
	size_t page_bytes;
	size_t pages; /* in the file; what is cut off at the end is none */
	struct lmdb_meta meta;
	unsigned char *used; /* a bit a page */
	size_t known;	     /* pages in use or listed as free */
	int64_t until_ms;    /* when large trees are left; 0: never */
	bool left;	     /* one was */
	enum file_check verdict;
	char *why;
	size_t len;
};

enum walk_kind { WALK_FREE, WALK_MAIN, WALK_NAMED };

/* The walk of one tree. */
struct walk {
	struct check *c;
	enum walk_kind kind;
	unsigned depth;
	size_t entries;
	size_t freed; /* by the transaction of the last record of the free tree */
	bool large;
};

static bool check_tree(struct check *, const struct lmdb_tree *, enum walk_kind);

static bool
check_fail(struct check *c, size_t page, const char *what)
{
	c->verdict = FILE_DAMAGED;
	snprintf(c->why, c->len, "page %zu %s", page, what);
	return false;
}

static bool
check_foreign(struct check *c)
{
	c->verdict = FILE_FOREIGN;
	snprintf(c->why, c->len, "it has not the form of one");
	return false;
}

static bool
check_read(struct check *c, size_t page, size_t offset, void *out, size_t n)
{
	ssize_t got = pread(c->fd, out, n, (off_t)(page * c->page_bytes + offset));

	if (got == (ssize_t)n)
		return true;
	if (got < 0) {
		c->verdict = FILE_UNREADABLE;
		snprintf(c->why, c->len, "%s", strerror(errno));
		return false;
	}
	return check_fail(c, page, "is cut off");
}

/* Marks n pages as in use, each for the first time. */
static bool
check_use(struct check *c, size_t page, size_t n)
{
	if (page < 2 || page > c->meta.last_page || n > c->meta.last_page - page + 1)
		return check_fail(c, page, "is none that it can have");
	if (page >= c->pages || n > c->pages - page)
		return check_fail(c, page + n - 1, "lies beyond its end");
	for (size_t i = page; i < page + n; i++) {
		if (c->used[i / 8] & (1U << (i % 8)))
			return check_fail(c, i, "is used twice");
		c->used[i / 8] |= (unsigned char)(1U << (i % 8));
	}
	c->known += n;
	return true;
}

/* A record of the free tree: how many, then page numbers, largest first. */
static bool
check_free_list(struct check *c, size_t page, const unsigned char *p, size_t n)
{
	size_t count, number, last = SIZE_MAX;

	if (n < sizeof(count))
		return check_fail(c, page, "has a broken free list");
	memcpy(&count, p, sizeof(count));
	if (count > n / sizeof(count) - 1)
		return check_fail(c, page, "has a broken free list");
	for (size_t i = 1; i <= count; i++) {
		memcpy(&number, p + i * sizeof(number), sizeof(number));
		if (number < 2 || number > c->meta.last_page || number >= last)
			return check_fail(c, page, "has a broken free list");
		last = number;
		/* Free pages may lie beyond the end of the file. */
		if (number >= c->pages)
			c->known++;
		else if (!check_use(c, number, 1))
			return false;
	}
	return true;
}

/* A value in overflow pages. */
static bool
check_big(const struct walk *w, size_t page, const unsigned char *node, size_t bytes)
{
	struct check *c = w->c;
	struct lmdb_page head;
	unsigned char *value;
	size_t first, pages;
	bool ok;

	memcpy(&first, node, sizeof(first));
	pages = lmdb_big_pages(bytes, c->page_bytes);
	if (!check_use(c, first, pages))
		return false;
	if (c->until_ms != 0 && w->kind != WALK_FREE)
		return true;
	if (!check_read(c, first, 0, &head, sizeof(head)))
		return false;
	if (head.number != first || head.flags != LMDB_PAGE_OVERFLOW || head.u.pages != pages)
		return check_fail(c, first, "is not the value that it should be");
	if (w->kind != WALK_FREE)
		return true;

	value = xmalloc(bytes);
	ok = check_read(c, first, sizeof(head), value, bytes) &&
	     check_free_list(c, page, value, bytes);
	free(value);
	return ok;
}

/* Records of the free tree, in order: of the transactions that freed pages. */
static bool
check_freed(struct walk *w, size_t page, const struct lmdb_node *node, const unsigned char *data)
{
	size_t freed = 0;

	if (node->key_bytes == sizeof(freed))
		memcpy(&freed, data - sizeof(freed), sizeof(freed));
	if (freed <= w->freed || freed > w->c->meta.transaction)
		return check_fail(w->c, page, "has a broken free list");
	w->freed = freed;
	return true;
}

/* One node of a leaf; data has the room bytes up to the page's end. */
static bool
check_value(struct walk *w, size_t page, const struct lmdb_node *node, const unsigned char *data,
	    size_t room)
{
	struct check *c = w->c;
	size_t bytes = lmdb_node_bytes(node);
	size_t inside = node->flags == LMDB_NODE_BIG ? sizeof(size_t) : bytes;
	struct lmdb_tree tree;

	w->entries++;
	if (node->flags & ~(LMDB_NODE_BIG | LMDB_NODE_TREE))
		return check_foreign(c);
	if (node->key_bytes == 0 || node->key_bytes > LMDB_KEY_MOST || inside > room)
		return check_fail(c, page, "has a node that leaves it");
	if (w->kind == WALK_FREE && !check_freed(w, page, node, data))
		return false;
	if (node->flags == LMDB_NODE_BIG)
		return check_big(w, page, data, bytes);
	if (w->kind == WALK_FREE)
		return check_free_list(c, page, data, bytes);
	if (node->flags == 0)
		return true;
	if (w->kind != WALK_MAIN || bytes != sizeof(tree))
		return check_fail(c, page, "has a node of a wrong kind");
	memcpy(&tree, data, sizeof(tree));
	return check_tree(c, &tree, WALK_NAMED);
}

static bool check_page(struct walk *, size_t page, unsigned level);

/* The i-th node of a page. */
static bool
check_node(struct walk *w, size_t page, unsigned level, const unsigned char *p, size_t i)
{
	struct check *c = w->c;
	struct lmdb_page head;
	struct lmdb_node node;
	uint16_t at;
	size_t room;

	memcpy(&head, p, sizeof(head));
	memcpy(&at, p + sizeof(head) + i * sizeof(at), sizeof(at));
	if (at < head.u.room.upper || at % 2 != 0 || at > c->page_bytes - sizeof(node))
		return check_fail(c, page, "has a node that leaves it");
	memcpy(&node, p + at, sizeof(node));
	room = c->page_bytes - at - sizeof(node);
	if (node.key_bytes > room)
		return check_fail(c, page, "has a node that leaves it");
	if (level == w->depth)
		return check_value(w, page, &node, p + at + sizeof(node) + node.key_bytes,
				   room - node.key_bytes);

	return check_page(w, lmdb_node_child(&node), level + 1);
}

/* Is the time over for a tree that is large? */
static bool
check_leaves(struct walk *w)
{
	struct check *c = w->c;

	if (!w->large || c->until_ms == 0 || (!c->left && clock_mono_ms() < c->until_ms))
		return false;
	c->left = true;
	return true;
}

/* A branch or leaf page and all below it. */
static bool
check_page(struct walk *w, size_t page, unsigned level)
{
	struct check *c = w->c;
	bool leaf = level == w->depth, ok = true;
	size_t nodes, lower, upper, least;
	struct lmdb_page head;
	unsigned char *p;

	if (!check_use(c, page, 1))
		return false;
	if (check_leaves(w))
		return true;
	p = xmalloc(c->page_bytes);
	if (!check_read(c, page, 0, p, c->page_bytes)) {
		free(p);
		return false;
	}
	memcpy(&head, p, sizeof(head));
	lower = head.u.room.lower;
	upper = head.u.room.upper;
	/* LMDB asserts two children, but not of the free tree. */
	least = leaf || w->kind == WALK_FREE ? 1 : 2;
	nodes = lower < sizeof(head) ? 0 : (lower - sizeof(head)) / sizeof(uint16_t);
	if (head.number != page || head.flags != (leaf ? LMDB_PAGE_LEAF : LMDB_PAGE_BRANCH))
		ok = check_fail(c, page, "is not the one that it should be");
	else if (lower > upper || upper > c->page_bytes || lower % 2 != 0 || nodes < least)
		ok = check_fail(c, page, "has a broken head");
	for (size_t i = 0; ok && i < nodes; i++)
		ok = check_node(w, page, level, p, i);
	free(p);
	return ok;
}

static bool
check_tree(struct check *c, const struct lmdb_tree *tree, enum walk_kind kind)
{
	struct walk w = {.c = c, .kind = kind, .depth = tree->depth};

	/* Only the free tree has flags, together with some of the environment's: ours are plain. */
	if ((tree->flags & ~LMDB_FLAGS_OF_ENV) != (kind == WALK_FREE ? LMDB_FLAG_INTEGER_KEY : 0))
		return check_foreign(c);
	if (tree->root == LMDB_NO_PAGE) {
		if (tree->depth == 0 && tree->entries == 0)
			return true;
		return check_fail(c, 0, "has a tree that should have a root");
	}
	if (tree->depth == 0 || tree->depth > LMDB_DEPTH_MOST)
		return check_fail(c, tree->root, "is the root of too deep a tree");
	w.large = tree->leaf_pages > FILE_CHECK_SMALL;
	if (!check_page(&w, tree->root, 1))
		return false;
	if (w.entries != tree->entries && !(w.large && c->left))
		return check_fail(c, tree->root, "is the root of an incomplete tree");
	return true;
}

/* Reads the meta page that starts at offset; *out is untouched if it is none. */
static bool
check_meta(struct check *c, size_t offset, struct lmdb_meta *out)
{
	struct {
		struct lmdb_page head;
		struct lmdb_meta meta;
	} page;
	size_t bytes;

	if (pread(c->fd, &page, sizeof(page), (off_t)offset) != (ssize_t)sizeof(page) ||
	    page.head.flags != LMDB_PAGE_META || page.meta.magic != LMDB_META_MAGIC ||
	    page.meta.version != LMDB_META_VERSION)
		return false;
	bytes = page.meta.tree[LMDB_TREE_FREE].pad;
	if (bytes < LMDB_PAGE_LEAST || bytes > LMDB_PAGE_MOST || (bytes & (bytes - 1)) != 0 ||
	    page.meta.last_page < 1 || page.meta.last_page > SIZE_MAX / bytes / 2)
		return false;
	*out = page.meta;
	return true;
}

/*
 * Transactions write the two by turns, and never make the file smaller.  (A
 * new file's have the same number.)
 */
static bool
check_metas(const struct check *c, const struct lmdb_meta *older)
{
	return c->meta.transaction - older->transaction <= 1 &&
	       c->meta.last_page >= older->last_page;
}

static enum file_check
check_file(struct check *c, size_t size)
{
	struct lmdb_meta meta[2];

	if (size == 0) {
		snprintf(c->why, c->len, "it is empty");
		return FILE_DAMAGED;
	}
	/* LMDB too looks for the second where the first says. */
	if (!check_meta(c, 0, &meta[0])) {
		if (check_meta(c, (size_t)sysconf(_SC_PAGESIZE), &meta[1]))
			check_fail(c, 0, "is not a meta page");
		else
			check_foreign(c);
		return c->verdict;
	}
	c->page_bytes = meta[0].tree[LMDB_TREE_FREE].pad;
	c->pages = size / c->page_bytes;
	if (!check_meta(c, c->page_bytes, &meta[1]) ||
	    meta[1].tree[LMDB_TREE_FREE].pad != c->page_bytes) {
		check_fail(c, 1, "is not a meta page");
		return c->verdict;
	}
	c->meta = meta[meta[0].transaction < meta[1].transaction];
	if (!check_metas(c, &meta[meta[0].transaction >= meta[1].transaction])) {
		check_fail(c, c->meta.transaction & 1, "is not a meta page of its file");
		return c->verdict;
	}
	c->used = xcalloc(c->pages / 8 + 1, 1);
	c->verdict = FILE_WHOLE;
	if (check_tree(c, &c->meta.tree[LMDB_TREE_MAIN], WALK_MAIN) &&
	    check_tree(c, &c->meta.tree[LMDB_TREE_FREE], WALK_FREE) && !c->left &&
	    c->meta.last_page - 1 > c->known + LOST_MOST)
		check_fail(c, c->meta.last_page, "cannot be the last one");
	free(c->used);
	return c->verdict;
}

static enum file_check
check_path(const char *path, int64_t until_ms, char *why, size_t len)
{
	struct check c = {.verdict = FILE_UNREADABLE, .until_ms = until_ms, .why = why, .len = len};
	struct stat st;

	snprintf(why, len, "it is not a file");
	c.fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (c.fd < 0) {
		if (errno == ENOENT)
			return FILE_NONE;
		snprintf(why, len, "%s", strerror(errno));
		return FILE_UNREADABLE;
	}
	if (fstat(c.fd, &st) != 0)
		snprintf(why, len, "%s", strerror(errno));
	else if (S_ISREG(st.st_mode))
		c.verdict = check_file(&c, (size_t)st.st_size);
	else
		c.verdict = FILE_FOREIGN;
	close(c.fd);
	return c.verdict;
}

enum file_check
file_check(const char *path, char *why, size_t len)
{
	return check_path(path, 0, why, len);
}

enum file_check
file_check_for(const char *path, int64_t ms, char *why, size_t len)
{
	return check_path(path, clock_mono_ms() + ms, why, len);
}
