#include "log/spooler_apps.h"

#include <assert.h>
#include <stdlib.h>

#include "base/xmalloc.h"

enum { SLOTS_FIRST = 64 };

/* Open addressing, linear probing, at most half full. */
static size_t
slot_wanted(const struct spooler_apps *t, uint64_t app)
{
	/* Serials are dense: spread them (Fibonacci hashing). */
	return (size_t)(app * UINT64_C(0x9E3779B97F4A7C15) >> 16) & (t->size - 1);
}

/* The slot that has the app, or the free one where it belongs. */
static size_t
slot_of(const struct spooler_apps *t, uint64_t app)
{
	size_t i = slot_wanted(t, app);

	while (t->slots[i] != NULL && t->slots[i]->app != app)
		i = (i + 1) & (t->size - 1);
	return i;
}

void
spooler_apps_init(struct spooler_apps *t)
{
	*t = (struct spooler_apps){0};
	TAILQ_INIT(&t->asked);
}

void
spooler_apps_clear(struct spooler_apps *t)
{
	for (size_t i = 0; i < t->size; i++)
		free(t->slots[i]);
	free(t->slots);
	spooler_apps_init(t);
}

struct spooler_app *
spooler_apps_find(const struct spooler_apps *t, uint64_t app)
{
	return t->used > 0 ? t->slots[slot_of(t, app)] : NULL;
}

static void
grow(struct spooler_apps *t)
{
	struct spooler_app **old = t->slots;
	size_t n = t->size;

	t->size = n > 0 ? n * 2 : SLOTS_FIRST;
	t->slots = xcalloc(t->size, sizeof(struct spooler_app *));
	for (size_t i = 0; i < n; i++)
		if (old[i] != NULL)
			t->slots[slot_of(t, old[i]->app)] = old[i];
	free(old);
}

void
spooler_apps_know(struct spooler_apps *t, uint64_t app, struct mailbox *home)
{
	struct spooler_app *a = spooler_apps_find(t, app);

	if (a == NULL) {
		if ((t->used + 1) * 2 > t->size)
			grow(t);
		a = xcalloc(1, sizeof(*a));
		a->app = app;
		t->slots[slot_of(t, app)] = a;
		t->used++;
	}
	a->home = home;
}

void
spooler_apps_forget(struct spooler_apps *t, uint64_t app)
{
	struct spooler_app *a = spooler_apps_find(t, app);
	size_t mask = t->size - 1, hole;

	if (a == NULL)
		return;
	spooler_apps_unask(t, a);
	hole = slot_of(t, app);
	/* What was pushed on past the hole moves back into it. */
	for (size_t i = (hole + 1) & mask; t->slots[i] != NULL; i = (i + 1) & mask) {
		size_t want = slot_wanted(t, t->slots[i]->app);

		if (((i - want) & mask) < ((i - hole) & mask))
			continue;
		t->slots[hole] = t->slots[i];
		hole = i;
	}
	t->slots[hole] = NULL;
	t->used--;
	free(a);
}

void
spooler_apps_ask(struct spooler_apps *t, struct spooler_app *a, uint64_t bytes, uint64_t cut,
		 int64_t now_ms)
{
	assert(a->asked == 0 && bytes > 0);
	a->asked = bytes;
	a->cut = cut;
	a->asked_ms = now_ms;
	t->cut += cut;
	TAILQ_INSERT_TAIL(&t->asked, a, link);
}

void
spooler_apps_unask(struct spooler_apps *t, struct spooler_app *a)
{
	if (a->asked == 0)
		return;
	TAILQ_REMOVE(&t->asked, a, link);
	t->cut -= a->cut;
	a->asked = a->cut = 0;
}
