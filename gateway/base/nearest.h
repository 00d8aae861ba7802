/*
 * nearest -- the known word that a mistyped one was probably meant to be.
 */
#ifndef NEAREST_H
#define NEAREST_H

#include <stddef.h>

struct nearest {
	const char *best; /* NULL: nothing is near */
	size_t distance;
};

/* Tries one more known word; start from a zeroed struct. */
void nearest_try(struct nearest *, const char *word, const char *known);

#endif
