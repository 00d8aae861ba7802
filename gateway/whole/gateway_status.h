/*
 * gateway_status -- how the drains of all workers fare.
 *
 * All functions run on main, which may wait in them up to 5 s for workers
 * (GATEWAY_BUSY then).
 */
#ifndef GATEWAY_STATUS_H
#define GATEWAY_STATUS_H

#include "ends/drain_status.h"
#include "whole/gateway.h"

/*
 * The states of one app's drains, in order of adding; *n of them (caller
 * frees).  GATEWAY_NOT_FOUND: no such app.
 */
enum gateway_code gateway_app_status(struct gateway *, const struct app_record *,
				     struct drain_status **out, size_t *n)
    __attribute__((warn_unused_result));

#endif
