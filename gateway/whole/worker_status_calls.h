/*
 * worker_status_calls -- what main asks of workers about how drains fare.
 */
#ifndef WORKER_STATUS_CALLS_H
#define WORKER_STATUS_CALLS_H

#include "whole/call_turns.h"
#include "whole/gateway_status.h"

/* Home worker: the states of an app's drains. */
struct call_status {
	struct call_turns turns;
	uint64_t app;
	struct drain_status
	    *status; /* answer; freed with the call unless taken; NULL: no such app */
	size_t n;
};
struct call_status *call_status_new(uint64_t app);

/* All drains at home on a worker, in no order. */
struct call_briefs {
	struct call_turns turns;
	struct home_walk walk;
	struct drain_brief *briefs; /* answer; freed with the call */
	size_t n, cap;
};
struct call_briefs *call_briefs_new(void);

/* Those of n drains that are at home on this worker, into the places of out that are theirs. */
struct call_details {
	struct call_turns turns;
	const struct drain_brief *briefs; /* the caller's, as is out */
	struct drain_detail *out;
	size_t n, next;
};
struct call_details *call_details_new(const struct drain_brief *, size_t n,
				      struct drain_detail *out);

#endif
