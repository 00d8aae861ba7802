/*
 * table -- 64-bit keys to pointers: open addressing, grows, forgets nothing.
 *
 * The keys are hashes already: their low bits pick the slot.
 */
#ifndef TABLE_H
#define TABLE_H

#include <stddef.h>
#include <stdint.h>

struct table_slot {
	uint64_t key;
	void *value; /* NULL: free */
};

/* All zero is an empty table. */
struct table {
	struct table_slot *slots;
	size_t size; /* a power of two, or 0 */
	size_t used;
};

/* NULL if it is not there. */
void *table_get(const struct table *, uint64_t key);

/* The key must not be there yet; value is not NULL. */
void table_put(struct table *, uint64_t key, void *value);

/* The values are the caller's. */
void table_clear(struct table *);

#endif
