/*
 * endpoints -- which handler answers which method and path, and who may call it.
 */
#ifndef ADMIN_ENDPOINTS_H
#define ADMIN_ENDPOINTS_H

#include "admin/api_call.h"

/* Answers the request, whatever it is. */
void endpoints_run(struct admin *, const struct http_request *, struct http_response *);

#endif
