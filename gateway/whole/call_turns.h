/*
 * call_turns -- a call whose work grows with the number of drains: it is done in
 * steps, for a millisecond at most at a time, so that lines get their turns in between.
 *
 * Nothing comes or goes meanwhile: only main adds and removes apps and drains,
 * and main waits for the answer.
 *
 * Owner: main, as of any call.  Thread: the worker.
 */
#ifndef CALL_TURNS_H
#define CALL_TURNS_H

#include "whole/app_home.h"
#include "whole/call.h"

/* First member of a call's own struct; made by call_turns_new. */
struct call_turns {
	struct call call;
	/* A few microseconds of work; false: all is done. */
	bool (*step)(struct call_turns *, struct worker *);
};

void *call_turns_new(size_t size, bool (*step)(struct call_turns *, struct worker *),
		     void (*clear)(struct call *));

/* The app at home on this worker; NULL: it is not. */
struct app_home *worker_home_of(const struct worker *, uint64_t app);

/* Where a walk over all apps and drains at home on a worker stands; zeroed: at its start. */
struct home_walk {
	size_t place;	     /* in the routes, of the next one */
	struct route *route; /* the app that was found last */
	struct app_home *home;
	size_t at; /* the drain that was found last, in home */
	size_t next;
};

enum home_found { HOME_APP, HOME_DRAIN, HOME_NOTHING_YET, HOME_END };

/* A small step on: an app, then each of its drains. */
enum home_found home_walk_next(struct home_walk *, const struct worker *);

#endif
