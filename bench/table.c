#include "table.h"

#include <stdlib.h>

#include "tool.h"

static struct table_slot *
find(const struct table *t, uint64_t key)
{
	size_t i = (size_t)key & (t->size - 1);

	while (t->slots[i].value != NULL && t->slots[i].key != key)
		i = (i + 1) & (t->size - 1);
	return &t->slots[i];
}

void *
table_get(const struct table *t, uint64_t key)
{
	return t->size == 0 ? NULL : find(t, key)->value;
}

static void
grow(struct table *t)
{
	struct table old = *t;

	t->size = old.size == 0 ? 16 : old.size * 2;
	t->slots = calloc(t->size, sizeof(*t->slots));
	if (t->slots == NULL)
		tool_die("out of memory");
	for (size_t i = 0; i < old.size; i++)
		if (old.slots[i].value != NULL)
			*find(t, old.slots[i].key) = old.slots[i];
	free(old.slots);
}

void
table_put(struct table *t, uint64_t key, void *value)
{
	if ((t->used + 1) * 2 > t->size)
		grow(t);
	*find(t, key) = (struct table_slot){.key = key, .value = value};
	t->used++;
}

void
table_clear(struct table *t)
{
	free(t->slots);
	*t = (struct table){0};
}
