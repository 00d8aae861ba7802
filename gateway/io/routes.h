/*
 * routes -- one worker's table: an app's name leads to the app, its home
 * worker and, when that is this worker, its log.
 *
 * Changed only by mail from main, so no lock; a change and a look-up cost the
 * same with 10 apps or 100,000.
 *
 * Owner and thread: one worker.
 */
#ifndef ROUTES_H
#define ROUTES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

struct app_log;
struct routes;

struct route {
	uint64_t app;	     /* the app's serial, never reused */
	unsigned home;	     /* index of its home worker */
	struct app_log *log; /* NULL when home is another worker */
	void *home_state;    /* the home worker's own; NULL elsewhere */
	struct slice name;   /* owned by the table */
	char id[25];	     /* the app's; "" where nobody asks by it */
};

struct routes *routes_new(void);
/* Logs are the caller's. */
void routes_free(struct routes *);

/* The new route, its log NULL; the name and the app are not there yet. */
struct route *routes_add(struct routes *, struct slice name, uint64_t app, unsigned home);
void routes_remove(struct routes *, struct route *);

/* NULL: nobody knows that name (that app).  Valid until the route is removed. */
struct route *routes_by_name(const struct routes *, struct slice name);
struct route *routes_by_app(const struct routes *, uint64_t app);

/* Calls each with every route; each must not change the table. */
void routes_walk(const struct routes *, void (*each)(struct route *, void *arg), void *arg);

/*
 * For a walk by pieces, while nothing is added or removed: the route in one of
 * the table's places, NULL if that is free.
 */
size_t routes_places(const struct routes *);
struct route *routes_at(const struct routes *, size_t place);

#endif
