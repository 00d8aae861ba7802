/*
 * status -- what ?status=true adds to a drain in a list, and what GET /v1/drains
 * says of each.
 */
#ifndef ADMIN_STATUS_H
#define ADMIN_STATUS_H

#include <jansson.h>

#include "store/record.h"
#include "whole/gateway_status.h"

/* "idle", "connected", ... */
const char *status_state_name(enum drain_state);

/* status NULL: the gateway has none of it; then its type only. */
void status_add(json_t *drain, const struct drain_record *, const struct drain_status *status);

/* The same without a record, for a drain that has a status. */
void status_add_typed(json_t *drain, const char *type, const struct drain_status *);

#endif
