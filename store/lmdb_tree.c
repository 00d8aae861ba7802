#include "store/lmdb_tree.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct search {
	struct lmdb_view *view;
	unsigned depth;
	struct slice key;
	bool before;
	bool bad; /* a broken page was met */
};

static bool
bytes_read(const struct lmdb_view *v, size_t at, void *out, size_t n)
{
	return pread(v->fd, out, n, (off_t)at) == (ssize_t)n;
}

/* Reads the meta page that begins there; false: it is none. */
static bool
meta_read(const struct lmdb_view *v, size_t at, struct lmdb_meta *out)
{
	struct {
		struct lmdb_page head;
		struct lmdb_meta meta;
	} page;
	size_t bytes;

	if (!bytes_read(v, at, &page, sizeof(page)) || page.head.flags != LMDB_PAGE_META ||
	    page.meta.magic != LMDB_META_MAGIC || page.meta.version != LMDB_META_VERSION)
		return false;
	bytes = page.meta.tree[LMDB_TREE_FREE].pad;
	*out = page.meta;
	return bytes >= LMDB_PAGE_LEAST && bytes <= LMDB_PAGE_MOST && (bytes & (bytes - 1)) == 0;
}

bool
lmdb_view_read(struct lmdb_view *v, int fd)
{
	struct lmdb_meta meta[2];
	struct stat st;

	v->fd = fd;
	v->around.n = 0;
	memset(v->on_path, 0, sizeof(v->on_path));
	if (fstat(fd, &st) != 0 || !meta_read(v, 0, &meta[0]))
		return false;
	v->page_bytes = meta[0].tree[LMDB_TREE_FREE].pad;
	v->pages = (size_t)st.st_size / v->page_bytes;
	if (!meta_read(v, v->page_bytes, &meta[1]) ||
	    meta[1].tree[LMDB_TREE_FREE].pad != v->page_bytes)
		return false;
	v->meta = meta[meta[0].transaction < meta[1].transaction];
	return true;
}

void
lmdb_view_clear(struct lmdb_view *v)
{
	buf_free(&v->path);
	buf_free(&v->around);
}

static size_t
page_nodes(const unsigned char *p)
{
	struct lmdb_page head;

	memcpy(&head, p, sizeof(head));
	return (head.u.room.lower - sizeof(head)) / sizeof(uint16_t);
}

/* The i-th node of a sound page; returns where its key begins. */
static const unsigned char *
page_node(const unsigned char *p, size_t i, struct lmdb_node *node)
{
	uint16_t at;

	memcpy(&at, p + sizeof(struct lmdb_page) + i * sizeof(at), sizeof(at));
	memcpy(node, p + at, sizeof(*node));
	return p + at + sizeof(*node);
}

/* Does the i-th node keep inside its page? */
static bool
node_sound(const struct lmdb_view *v, const unsigned char *p, size_t i, size_t upper, bool leaf)
{
	struct lmdb_node node;
	size_t room, bytes;
	uint16_t at;

	memcpy(&at, p + sizeof(struct lmdb_page) + i * sizeof(at), sizeof(at));
	if (at < upper || at % 2 != 0 || at > v->page_bytes - sizeof(node))
		return false;
	memcpy(&node, p + at, sizeof(node));
	room = v->page_bytes - at - sizeof(node);
	if (node.key_bytes > room || node.key_bytes > LMDB_KEY_MOST)
		return false;
	if (!leaf)
		return lmdb_node_child(&node) >= 2 && lmdb_node_child(&node) <= v->meta.last_page;
	if (node.key_bytes == 0 || (node.flags & ~(LMDB_NODE_BIG | LMDB_NODE_TREE)) != 0)
		return false;
	bytes = node.flags & LMDB_NODE_BIG ? sizeof(size_t) : lmdb_node_bytes(&node);
	return bytes <= room - node.key_bytes;
}

/* Is a page that was read what it should be? */
static bool
page_sound(const struct lmdb_view *v, const unsigned char *p, size_t page, bool leaf)
{
	size_t lower, upper, nodes;
	struct lmdb_page head;

	memcpy(&head, p, sizeof(head));
	lower = head.u.room.lower;
	upper = head.u.room.upper;
	nodes = lower < sizeof(head) ? 0 : (lower - sizeof(head)) / sizeof(uint16_t);
	if (head.number != page || head.flags != (leaf ? LMDB_PAGE_LEAF : LMDB_PAGE_BRANCH) ||
	    lower > upper || upper > v->page_bytes || lower % 2 != 0 || nodes < (leaf ? 1 : 2))
		return false;
	for (size_t i = 0; i < nodes; i++)
		if (!node_sound(v, p, i, upper, leaf))
			return false;
	return true;
}

/* A sound page of that level (the root's is 1), or NULL. */
static const unsigned char *
page_at(struct lmdb_view *v, unsigned depth, unsigned level, size_t page)
{
	unsigned char *p = (unsigned char *)v->path.p + (level - 1) * v->page_bytes;
	bool leaf = level == depth;

	if (page < 2 || page >= v->pages || page > v->meta.last_page)
		return NULL;
	if (v->on_path[level - 1] == page && v->leaf_on_path[level - 1] == leaf)
		return p;
	v->on_path[level - 1] = 0;
	if (!bytes_read(v, page * v->page_bytes, p, v->page_bytes) || !page_sound(v, p, page, leaf))
		return NULL;
	v->on_path[level - 1] = page;
	v->leaf_on_path[level - 1] = leaf;
	return p;
}

/* false: a tree that cannot be.  An empty one is searched, too, and has no root. */
static bool
tree_begin(struct lmdb_view *v, const struct lmdb_tree *tree)
{
	if (tree->root == LMDB_NO_PAGE)
		return true;
	if (tree->depth == 0 || tree->depth > LMDB_DEPTH_MOST)
		return false;
	if (v->path.n < tree->depth * v->page_bytes) {
		buf_reserve(&v->path, tree->depth * v->page_bytes - v->path.n);
		v->path.n = tree->depth * v->page_bytes;
	}
	return true;
}

static int
key_compare(struct slice a, struct slice b)
{
	int order = memcmp(a.p, b.p, a.n < b.n ? a.n : b.n);

	if (order != 0)
		return order;
	return a.n < b.n ? -1 : a.n > b.n;
}

/* How many of the nodes from the first-th on are before the key, or (equal) the key itself. */
static size_t
nodes_before(const unsigned char *p, size_t first, struct slice key, bool equal)
{
	size_t low = first, high = page_nodes(p);

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		struct lmdb_node node;
		const unsigned char *k = page_node(p, middle, &node);
		int order = key_compare(slice_of((const char *)k, node.key_bytes), key);

		if (order < 0 || (order == 0 && equal))
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* The i-th node of a leaf. */
static void
entry_take(const struct lmdb_view *v, size_t page, const unsigned char *p, size_t i,
	   struct lmdb_entry *out)
{
	struct lmdb_node node;
	const unsigned char *k = page_node(p, i, &node);

	out->key = slice_of((const char *)k, node.key_bytes);
	out->bytes = lmdb_node_bytes(&node);
	out->first_page = 0;
	out->at = page * v->page_bytes + (size_t)(k + node.key_bytes - p);
	if (node.flags & LMDB_NODE_BIG) {
		memcpy(&out->first_page, k + node.key_bytes, sizeof(out->first_page));
		out->at = out->first_page * v->page_bytes + sizeof(struct lmdb_page);
	}
}

static bool
search_leaf(const struct search *s, size_t page, const unsigned char *p, struct lmdb_entry *out)
{
	size_t i = nodes_before(p, 0, s->key, s->before);

	if (s->before ? i == 0 : i == page_nodes(p))
		return false;
	entry_take(s->view, page, p, s->before ? i - 1 : i, out);
	/* Where keys are not in order, the search may end anywhere. */
	return s->before ? key_compare(out->key, s->key) <= 0 : key_compare(out->key, s->key) >= 0;
}

static bool
search_page(struct search *s, unsigned level, size_t page, struct lmdb_entry *out)
{
	const unsigned char *p = page_at(s->view, s->depth, level, page);
	struct lmdb_node node;
	size_t i, n;

	if (p == NULL) {
		s->bad = true;
		return false;
	}
	if (level == s->depth)
		return search_leaf(s, page, p, out);
	/* A branch's first node has no key: it is before all. */
	i = nodes_before(p, 1, s->key, true) - 1;
	n = page_nodes(p);
	for (;;) {
		page_node(p, i, &node);
		if (search_page(s, level + 1, lmdb_node_child(&node), out))
			return true;
		if (s->before ? i == 0 : i + 1 == n)
			return false;
		i = s->before ? i - 1 : i + 1;
	}
}

static enum lmdb_found
search(struct search *s, const struct lmdb_tree *tree, struct lmdb_entry *out)
{
	if (!tree_begin(s->view, tree))
		return LMDB_BAD;
	if (tree->root == LMDB_NO_PAGE)
		return LMDB_NONE;
	if (search_page(s, 1, tree->root, out))
		return LMDB_FOUND;
	return s->bad ? LMDB_BAD : LMDB_NONE;
}

enum lmdb_found
lmdb_seek(struct lmdb_view *v, const struct lmdb_tree *tree, struct slice key,
	  struct lmdb_entry *out)
{
	struct search s = {.view = v, .depth = tree->depth, .key = key};

	return search(&s, tree, out);
}

enum lmdb_found
lmdb_seek_before(struct lmdb_view *v, const struct lmdb_tree *tree, struct slice key,
		 struct lmdb_entry *out)
{
	struct search s = {.view = v, .depth = tree->depth, .key = key, .before = true};

	return search(&s, tree, out);
}

enum lmdb_found
lmdb_view_table(struct lmdb_view *v, const char *name, struct lmdb_tree *out)
{
	struct lmdb_entry entry;
	enum lmdb_found found;

	found = lmdb_seek(v, &v->meta.tree[LMDB_TREE_MAIN], slice_str(name), &entry);
	if (found == LMDB_FOUND && !slice_is(entry.key, name))
		found = LMDB_NONE;
	if (found != LMDB_FOUND)
		return found;
	if (entry.bytes != sizeof(*out) || !lmdb_value_read(v, &entry, 0, out, sizeof(*out)))
		return LMDB_BAD;
	return LMDB_FOUND;
}

bool
lmdb_value_read(const struct lmdb_view *v, const struct lmdb_entry *e, size_t offset, void *out,
		size_t n)
{
	if (offset > e->bytes || n > e->bytes - offset)
		return false;
	if (e->first_page != 0 &&
	    (e->first_page < 2 || e->first_page >= v->pages ||
	     lmdb_big_pages(e->bytes, v->page_bytes) > v->pages - e->first_page))
		return false;
	return bytes_read(v, e->at + offset, out, n);
}

bool
lmdb_value_sound(const struct lmdb_view *v, const struct lmdb_entry *e)
{
	struct lmdb_page head;

	if (e->first_page == 0)
		return true;
	return e->first_page >= 2 && e->first_page < v->pages &&
	       bytes_read(v, e->first_page * v->page_bytes, &head, sizeof(head)) &&
	       head.number == e->first_page && head.flags == LMDB_PAGE_OVERFLOW &&
	       head.u.pages == lmdb_big_pages(e->bytes, v->page_bytes) &&
	       head.u.pages <= v->pages - e->first_page;
}

/* The bit of a page that is known to be sound; such a one may be no page of the file. */
static unsigned char *
around_bit(struct lmdb_view *v, size_t page, unsigned char *bit)
{
	*bit = (unsigned char)(1U << (page % 8));
	return page < v->pages ? (unsigned char *)v->around.p + page / 8 : NULL;
}

/* The page, and the first page of each level below it: LMDB takes its first key from there. */
static bool
first_sound(struct lmdb_view *v, unsigned depth, unsigned level, size_t page)
{
	unsigned char bit, *known = around_bit(v, page, &bit);
	const unsigned char *p;
	struct lmdb_node node;

	if (known == NULL)
		return false;
	if (*known & bit)
		return true;
	if ((p = page_at(v, depth, level, page)) == NULL)
		return false;
	if (level < depth) {
		page_node(p, 0, &node);
		if (!first_sound(v, depth, level + 1, lmdb_node_child(&node)))
			return false;
	}
	*known |= bit;
	return true;
}

static void
around_begin(struct lmdb_view *v)
{
	size_t bytes = v->pages / 8 + 1;

	if (v->around.n == bytes)
		return;
	v->around.n = 0;
	memset(buf_reserve(&v->around, bytes), 0, bytes);
	v->around.n = bytes;
}

bool
lmdb_around_sound(struct lmdb_view *v, const struct lmdb_tree *tree, struct slice key)
{
	size_t page = tree->root;
	struct lmdb_node node;

	if (!tree_begin(v, tree))
		return false;
	if (tree->root == LMDB_NO_PAGE)
		return true;
	around_begin(v);
	for (unsigned level = 1; level < tree->depth; level++) {
		const unsigned char *p = page_at(v, tree->depth, level, page);
		size_t i, from, to;

		if (p == NULL)
			return false;
		i = nodes_before(p, 1, key, true) - 1;
		from = i == 0 ? 0 : i - 1;
		to = i + 1 < page_nodes(p) ? i + 1 : i;
		for (size_t near = from; near <= to; near++) {
			page_node(p, near, &node);
			if (!first_sound(v, tree->depth, level + 1, lmdb_node_child(&node)))
				return false;
		}
		page_node(p, i, &node);
		page = lmdb_node_child(&node);
	}
	return page_at(v, tree->depth, tree->depth, page) != NULL;
}
