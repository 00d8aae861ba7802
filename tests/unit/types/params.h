/*
 * params -- a drain's parameters written in one string, for tests:
 * "host=h port=514".  A value cannot hold a space here.
 */
#ifndef PARAMS_H
#define PARAMS_H

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/xmalloc.h"
#include "types/drain_type.h"

enum { PARAMS_MAX = 32 };

struct params {
	struct drain_input in[PARAMS_MAX];
	size_t n;
	char *text; /* what `in` points into */
};

/* separators: " " or "\n".  Freed by params_free. */
static inline void
params_split(struct params *p, const char *text, const char *separators)
{
	char *rest;

	p->n = 0;
	p->text = xstrdup(text);
	for (char *word = strtok_r(p->text, separators, &rest); word != NULL;
	     word = strtok_r(NULL, separators, &rest)) {
		char *value = strchr(word, '=');

		assert(value != NULL && p->n < PARAMS_MAX);
		*value = '\0';
		p->in[p->n++] = (struct drain_input){word, value + 1};
	}
}

static inline void
params_free(struct params *p)
{
	free(p->text);
}

#endif
