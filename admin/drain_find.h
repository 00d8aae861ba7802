/*
 * drain_find -- the drain that a request names by its URL.
 */
#ifndef ADMIN_DRAIN_FIND_H
#define ADMIN_DRAIN_FIND_H

#include <stdbool.h>

#include "admin/api_call.h"
#include "store/record.h"

/*
 * By ?url=, else by the member `url` of the body.  call->app was found.  true:
 * the caller frees *drain; false: answered.
 */
bool drain_find_named(struct api_call *, struct drain_record *drain)
    __attribute__((warn_unused_result));

#endif
