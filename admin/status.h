/*
 * status -- what ?status=true adds to a drain in a list.
 */
#ifndef ADMIN_STATUS_H
#define ADMIN_STATUS_H

#include <jansson.h>

#include "store/record.h"
#include "whole/gateway_status.h"

/* status NULL: the gateway has none of it; then its type only. */
void status_add(json_t *drain, const struct drain_record *, const struct drain_status *status);

#endif
