#include "ends/unrouted.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/xmalloc.h"

/* A NUL inside would end the name early, and two names would look like one. */
static struct slice
clean_name(struct slice name, char text[UNROUTED_NAME_BYTES])
{
	if (name.n > UNROUTED_NAME_BYTES - 1)
		name.n = UNROUTED_NAME_BYTES - 1;
	for (size_t i = 0; i < name.n; i++)
		text[i] = name.p[i] != '\0' ? name.p[i] : '?';
	text[name.n] = '\0';
	return slice_of(text, name.n);
}

const struct unrouted_name *
unrouted_count(struct unrouted *u, struct slice name, int64_t now_us)
{
	const size_t mask = UNROUTED_NAMES_MAX * 2 - 1;
	char text[UNROUTED_NAME_BYTES];
	struct unrouted_name *e;
	size_t i;

	name = clean_name(name, text);
	for (i = hash_slice(name) & mask; (e = u->names[i]) != NULL; i = (i + 1) & mask) {
		if (strcmp(e->name, text) != 0)
			continue;
		e->lines++;
		e->last_us = now_us;
		return NULL;
	}
	if (u->n == UNROUTED_NAMES_MAX) {
		u->others++;
		return NULL;
	}
	e = u->names[i] = xcalloc(1, sizeof(*e));
	memcpy(e->name, text, name.n + 1);
	e->lines = 1;
	e->last_us = now_us;
	u->n++;
	return e;
}

void
unrouted_clear(struct unrouted *u)
{
	for (size_t i = 0; i < UNROUTED_NAMES_MAX * 2; i++)
		free(u->names[i]);
	*u = (struct unrouted){.n = 0};
}
