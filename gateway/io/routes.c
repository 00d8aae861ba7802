#include "io/routes.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/xmalloc.h"

enum { SLOTS_FIRST = 64 };

struct slot {
	uint64_t hash;
	struct route *route; /* NULL: free */
};

/* Open addressing, linear probing, at most half full. */
struct table {
	struct slot *slots;
	size_t size; /* a power of two */
	size_t used;
};

struct routes {
	struct table names;
	struct table apps;
};

static uint64_t
app_hash(uint64_t app)
{
	/* Serials are dense: spread them (Fibonacci hashing). */
	return app * UINT64_C(0x9E3779B97F4A7C15) >> 16;
}

static void
table_init(struct table *t, size_t size)
{
	t->slots = xcalloc(size, sizeof(*t->slots));
	t->size = size;
	t->used = 0;
}

static void
table_put(struct table *t, uint64_t hash, struct route *route)
{
	size_t i = hash & (t->size - 1);

	while (t->slots[i].route != NULL)
		i = (i + 1) & (t->size - 1);
	t->slots[i] = (struct slot){hash, route};
	t->used++;
}

static void
table_add(struct table *t, uint64_t hash, struct route *route)
{
	struct table old = *t;

	if ((t->used + 1) * 2 > t->size) {
		table_init(t, old.size * 2);
		for (size_t i = 0; i < old.size; i++)
			if (old.slots[i].route != NULL)
				table_put(t, old.slots[i].hash, old.slots[i].route);
		free(old.slots);
	}
	table_put(t, hash, route);
}

static void
table_remove(struct table *t, uint64_t hash, const struct route *route)
{
	size_t mask = t->size - 1;
	size_t hole = hash & mask;

	while (t->slots[hole].route != route)
		hole = (hole + 1) & mask;
	/* What was pushed on past the hole moves back into it. */
	for (size_t i = (hole + 1) & mask; t->slots[i].route != NULL; i = (i + 1) & mask) {
		size_t want = t->slots[i].hash & mask;

		if (((i - want) & mask) < ((i - hole) & mask))
			continue;
		t->slots[hole] = t->slots[i];
		hole = i;
	}
	t->slots[hole].route = NULL;
	t->used--;
}

struct routes *
routes_new(void)
{
	struct routes *r = xcalloc(1, sizeof(*r));

	table_init(&r->names, SLOTS_FIRST);
	table_init(&r->apps, SLOTS_FIRST);
	return r;
}

static void
route_free(struct route *route, void *arg)
{
	(void)arg;
	free((char *)route->name.p);
	free(route);
}

void
routes_free(struct routes *r)
{
	if (r == NULL)
		return;
	routes_walk(r, route_free, NULL);
	free(r->names.slots);
	free(r->apps.slots);
	free(r);
}

struct route *
routes_add(struct routes *r, struct slice name, uint64_t app, unsigned home)
{
	struct route *route = xcalloc(1, sizeof(*route));

	assert(routes_by_app(r, app) == NULL && routes_by_name(r, name) == NULL);
	route->app = app;
	route->home = home;
	route->name = slice_of(xstrndup(name.p, name.n), name.n);
	table_add(&r->names, hash_slice(route->name), route);
	table_add(&r->apps, app_hash(app), route);
	return route;
}

void
routes_remove(struct routes *r, struct route *route)
{
	table_remove(&r->names, hash_slice(route->name), route);
	table_remove(&r->apps, app_hash(route->app), route);
	route_free(route, NULL);
}

struct route *
routes_by_name(const struct routes *r, struct slice name)
{
	uint64_t hash = hash_slice(name);
	size_t mask = r->names.size - 1;

	for (size_t i = hash & mask; r->names.slots[i].route != NULL; i = (i + 1) & mask)
		if (r->names.slots[i].hash == hash && slice_eq(r->names.slots[i].route->name, name))
			return r->names.slots[i].route;
	return NULL;
}

struct route *
routes_by_app(const struct routes *r, uint64_t app)
{
	size_t mask = r->apps.size - 1;

	for (size_t i = app_hash(app) & mask; r->apps.slots[i].route != NULL; i = (i + 1) & mask)
		if (r->apps.slots[i].route->app == app)
			return r->apps.slots[i].route;
	return NULL;
}

size_t
routes_places(const struct routes *r)
{
	return r->apps.size;
}

struct route *
routes_at(const struct routes *r, size_t place)
{
	return r->apps.slots[place].route;
}

void
routes_walk(const struct routes *r, void (*each)(struct route *, void *arg), void *arg)
{
	for (size_t i = 0; i < r->apps.size; i++)
		if (r->apps.slots[i].route != NULL)
			each(r->apps.slots[i].route, arg);
}
