#include "base/nearest.h"

#include <string.h>

enum { NEAREST_WORD_MAX = 40 };

static size_t
least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/*
 * Edits that turn a into b: a letter more, less, other, or two swapped
 * (optimal string alignment).  Three rows of the usual table are enough.
 */
static size_t
nearest_edits(const char *a, size_t na, const char *b, size_t nb)
{
	size_t rows[3][NEAREST_WORD_MAX + 1];
	size_t *before = rows[0], *above = rows[1], *row = rows[2], *spare;

	for (size_t j = 0; j <= nb; j++)
		above[j] = j;
	memcpy(before, above, sizeof(rows[0]));
	for (size_t i = 1; i <= na; i++) {
		row[0] = i;
		for (size_t j = 1; j <= nb; j++) {
			row[j] = least(above[j], row[j - 1]) + 1;
			row[j] = least(row[j], above[j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				row[j] = least(row[j], before[j - 2] + 1);
		}
		spare = before;
		before = above;
		above = row;
		row = spare;
	}
	return above[nb];
}

void
nearest_try(struct nearest *n, const char *word, const char *known)
{
	size_t nw = strlen(word), nk = strlen(known), d;

	if (nw > NEAREST_WORD_MAX || nk > NEAREST_WORD_MAX)
		return;
	d = nearest_edits(word, nw, known, nk);
	/* More than a third of the letters wrong is another word, not a slip. */
	if (d > 1 + nk / 3 || d >= nk)
		return;
	if (n->best == NULL || d < n->distance) {
		n->best = known;
		n->distance = d;
	}
}
