/*
 * lmdb_layout -- the pages of an LMDB file, for those who look at a file that
 * may be broken without LMDB, which believes what pages say.
 *
 * Layout: struct MDB_page, MDB_meta, MDB_db, MDB_node of mdb.c, LMDB 0.9.24.
 * Numbers are in the machine's order.  Copy them out: pages have no alignment here.
 */
#ifndef LMDB_LAYOUT_H
#define LMDB_LAYOUT_H

#include <stddef.h>
#include <stdint.h>

enum {
	LMDB_META_VERSION = 1,
	LMDB_PAGE_LEAST = 512,
	LMDB_PAGE_MOST = 32768, /* MAX_PAGESIZE */
	LMDB_DEPTH_MOST = 32,	/* CURSOR_STACK */
	LMDB_KEY_MOST = 511,	/* MDB_MAXKEYSIZE */

	LMDB_PAGE_BRANCH = 0x01,
	LMDB_PAGE_LEAF = 0x02,
	LMDB_PAGE_OVERFLOW = 0x04,
	LMDB_PAGE_META = 0x08,

	LMDB_NODE_BIG = 0x01,  /* the value lies in overflow pages */
	LMDB_NODE_TREE = 0x02, /* the value is a named database */

	LMDB_FLAG_INTEGER_KEY = 0x08,
	LMDB_FLAGS_OF_ENV = 0x4000, /* MDB_NOSUBDIR */

	LMDB_TREE_FREE = 0,
	LMDB_TREE_MAIN = 1,
};

#define LMDB_META_MAGIC 0xBEEFC0DEU

/* No page: the root of an empty tree. */
#define LMDB_NO_PAGE SIZE_MAX

struct lmdb_page {
	size_t number;
	uint16_t pad;
	uint16_t flags;
	union {
		struct {
			uint16_t lower; /* end of the node offsets */
			uint16_t upper; /* start of the nodes */
		} room;
		uint32_t pages; /* of an overflow run */
	} u;
};

struct lmdb_tree {
	uint32_t pad; /* of the free tree in a meta page: the page size */
	uint16_t flags;
	uint16_t depth;
	size_t branch_pages, leaf_pages, overflow_pages;
	size_t entries;
	size_t root;
};

struct lmdb_meta {
	uint32_t magic;
	uint32_t version;
	size_t address;
	size_t map_bytes;
	struct lmdb_tree tree[2];
	size_t last_page;
	size_t transaction;
};

struct lmdb_node {
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	uint16_t low, high;
#else
	uint16_t high, low;
#endif
	uint16_t flags; /* of a branch's: the child's highest bits */
	uint16_t key_bytes;
};

/* A leaf's value. */
static inline size_t
lmdb_node_bytes(const struct lmdb_node *node)
{
	return node->low | (size_t)node->high << 16;
}

/* A branch's page below. */
static inline size_t
lmdb_node_child(const struct lmdb_node *node)
{
	uint64_t child = node->low | (uint64_t)node->high << 16;

	return (size_t)(sizeof(size_t) > 4 ? child | (uint64_t)node->flags << 32 : child);
}

/* Pages of an overflow run with so many bytes. */
static inline size_t
lmdb_big_pages(size_t bytes, size_t page_bytes)
{
	return (sizeof(struct lmdb_page) - 1 + bytes) / page_bytes + 1;
}

#endif
