#include "admin/metrics_pick.h"

#include <stdlib.h>
#include <string.h>

#include "base/xmalloc.h"

struct pick_known {
	uint64_t key;
	bool picked;
	uint64_t shown[PICK_COUNTS], hidden[PICK_COUNTS];
};

/* A thing in the order in which series are given out. */
struct rank {
	struct pick_entry *entry;
	bool problem;
	uint64_t busy;
};

void
pick_clear(struct pick *p)
{
	free(p->known);
	p->known = NULL;
	p->nknown = 0;
}

static int
lower_key_first(const void *a, const void *b)
{
	const struct pick_entry *x = a, *y = b;

	return (x->key > y->key) - (x->key < y->key);
}

static int
first_rank_first(const void *a, const void *b)
{
	const struct rank *x = a, *y = b;

	if (x->problem != y->problem)
		return x->problem ? -1 : 1;
	if (x->busy != y->busy)
		return x->busy > y->busy ? -1 : 1;
	return lower_key_first(x->entry, y->entry);
}

/* Both lists are by key: known ones that are not among the entries are gone. */
static struct pick_known *
meet(struct pick *p, struct pick_entry *entries, size_t n)
{
	struct pick_known *now = xcalloc(n + 1, sizeof(*now));
	size_t at = 0;

	for (size_t i = 0; i <= n; i++) {
		for (; at < p->nknown && (i == n || p->known[at].key < entries[i].key); at++)
			for (int k = 0; k < PICK_COUNTS; k++)
				p->gone[k] += p->known[at].hidden[k];
		if (i == n)
			break;
		if (at < p->nknown && p->known[at].key == entries[i].key)
			now[i] = p->known[at++];
		now[i].key = entries[i].key;
	}
	return now;
}

static uint64_t
busy_of(const struct pick_entry *e, const struct pick_known *k)
{
	uint64_t was = k->shown[0] + k->hidden[0];
	uint64_t busy = e->count[0] > was ? e->count[0] - was : 0;

	return k->picked ? 2 * busy + 1 : busy;
}

static void
choose(struct pick *p, struct pick_entry *entries, const struct pick_known *known, size_t n)
{
	struct rank *ranks = xcalloc(n + 1, sizeof(*ranks));
	size_t m = 0;

	for (size_t i = 0; i < n; i++) {
		entries[i].picked = false;
		if (!entries[i].never)
			ranks[m++] = (struct rank){&entries[i], entries[i].problem,
						   busy_of(&entries[i], &known[i])};
	}
	if (m > p->max) {
		qsort(ranks, m, sizeof(*ranks), first_rank_first);
		m = p->max;
	}
	for (size_t i = 0; i < m; i++)
		ranks[i].entry->picked = true;
	free(ranks);
}

/* A counter may be corrected downwards: what was said stays said. */
static void
grow(uint64_t *to, uint64_t counted, uint64_t elsewhere)
{
	if (counted > elsewhere && counted - elsewhere > *to)
		*to = counted - elsewhere;
}

void
pick_run(struct pick *p, struct pick_entry *entries, size_t n)
{
	struct pick_known *known;

	if (n > 0)
		qsort(entries, n, sizeof(*entries), lower_key_first);
	known = meet(p, entries, n);
	choose(p, entries, known, n);
	memcpy(p->others, p->gone, sizeof(p->others));
	for (size_t i = 0; i < n; i++) {
		known[i].picked = entries[i].picked;
		for (int k = 0; k < PICK_COUNTS; k++) {
			uint64_t *shown = &known[i].shown[k], *hidden = &known[i].hidden[k];

			if (entries[i].picked)
				grow(shown, entries[i].count[k], *hidden);
			else
				grow(hidden, entries[i].count[k], *shown);
			p->others[k] += *hidden;
			entries[i].count[k] = *shown;
		}
	}
	free(p->known);
	p->known = known;
	p->nknown = n;
}
