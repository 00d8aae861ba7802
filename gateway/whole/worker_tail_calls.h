/*
 * worker_tail_calls -- what main asks an app's home worker for its tails: to
 * open one (and waits for that), and then, by mail that nobody waits for, the
 * next batch, or the end.
 */
#ifndef WORKER_TAIL_CALLS_H
#define WORKER_TAIL_CALLS_H

#include "ends/tap.h"
#include "whole/call.h"

/* Home worker: the tap stands at its log's end from now on. */
struct call_tail_open {
	struct call call;
	uint64_t app;
	uint64_t id;
	struct tap_filter filter;
	/* Gets struct tap_batch, on main. */
	void (*deliver)(struct mail *, void *owner);
	bool found; /* answer: the app is there */
};
/* Takes over what the filter points to. */
struct call_tail_open *call_tail_open_new(uint64_t app, uint64_t id, struct tap_filter *,
					  void (*deliver)(struct mail *, void *owner));

/* The batch that came was taken; a tap that is not there (any more) is none of our business. */
void worker_tail_next(struct worker *, uint64_t app, uint64_t id);
void worker_tail_close(struct worker *, uint64_t app, uint64_t id);

#endif
