/*
 * app_home -- an app at its home worker: its log, its drains, in order of
 * adding, and who looks on.
 *
 * Owner: the worker's route to the app (home_state).  Thread: the worker.
 */
#ifndef APP_HOME_H
#define APP_HOME_H

#include "ends/drain.h"
#include "ends/tap.h"
#include "log/app_log.h"

struct app_home {
	struct app_log *log;
	struct drain **drains;
	size_t n;
	struct tap_list taps;
	uint64_t dropped_before; /* lines, by drains that are not on the list any more */
};

struct app_home *app_home_new(struct log_pool *, uint64_t app, const char *name);
/* The app was removed: its drains are removed too.  No list may know its log. */
void app_home_remove(struct app_home *);
/* At the end of the process: frees at once, what waits is counted as abandoned. */
void app_home_abandon(struct app_home *);

void app_home_add(struct app_home *, struct drain *);
/* NULL: there is no drain with that URL. */
struct drain *app_home_find(const struct app_home *, const char *url);
/* Takes it off the list; it is not freed. */
void app_home_take(struct app_home *, struct drain *);
/* Lines that a drain lost of those it should have delivered, for whatever reason. */
uint64_t app_home_dropped(const struct drain_status *);

#endif
