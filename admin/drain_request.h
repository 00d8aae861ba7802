/*
 * drain_request -- from a request's JSON to a checked drain_conf, and from a
 * kept drain back to one.
 */
#ifndef ADMIN_DRAIN_REQUEST_H
#define ADMIN_DRAIN_REQUEST_H

#include <jansson.h>
#include <stdbool.h>

#include "admin/api_call.h"
#include "store/record.h"
#include "types/drain_type.h"

/* Fills *conf from a POST's body.  false: answered, and *conf is empty. */
bool drain_request_read(struct api_call *, json_t *body, struct drain_conf *conf)
    __attribute__((warn_unused_result));

/* The URL of the drain to replace, of a body that was read well; NULL: none.  Lives as long as
 * body. */
const char *drain_request_replaces(const json_t *body);

/* A kept drain's URL without its secrets, for logs and ?redact=true.  The caller frees it. */
char *drain_redacted_url(const struct drain_record *);

#endif
