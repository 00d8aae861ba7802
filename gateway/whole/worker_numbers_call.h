/*
 * worker_numbers_call -- main asks a worker for all that it has counted.
 */
#ifndef WORKER_NUMBERS_CALL_H
#define WORKER_NUMBERS_CALL_H

#include "whole/call_turns.h"
#include "whole/gateway_numbers.h"

struct call_numbers {
	struct call_turns turns;
	struct home_walk walk;
	bool begun;

	/* Answer; freed with the call. */
	unsigned index; /* the worker's */
	struct worker_numbers worker;
	struct listener_numbers *listeners; /* by configured listener, labels empty */
	struct app_numbers *apps;
	struct drain_numbers *drains;
	size_t napps, ndrains, apps_cap, drains_cap;
};
struct call_numbers *call_numbers_new(void);

#endif
