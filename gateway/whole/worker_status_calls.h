/*
 * worker_status_calls -- what main asks of workers about how drains fare.
 */
#ifndef WORKER_STATUS_CALLS_H
#define WORKER_STATUS_CALLS_H

#include "ends/drain_status.h"
#include "whole/call.h"

/* Home worker: the states of an app's drains. */
struct call_status {
	struct call call;
	uint64_t app;
	struct drain_status *status; /* answer; freed with the call unless taken */
	size_t n;
};
struct call_status *call_status_new(uint64_t app);

#endif
