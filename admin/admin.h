/*
 * admin -- the admin API: requests in, JSON out (docs/api.md).
 *
 * It knows neither sockets nor TLS: main makes the http_server and gives it
 * admin_handle.
 *
 * Owner and thread: main.  A reload needs nothing here: the configuration's
 * values that count are copied, and the token file is read once.
 */
#ifndef ADMIN_H
#define ADMIN_H

#include "io/http_server.h"
#include "plumb/config.h"
#include "store/store.h"
#include "whole/gateway.h"

struct admin;

/*
 * Reads or creates the operator's token file.  NULL: err has a sentence with
 * key, fault and remedy.  store and gateway must outlive it.
 */
struct admin *admin_new(const struct config *, struct store *, struct gateway *,
			char err[CONFIG_ERROR_BYTES]) __attribute__((warn_unused_result));
void admin_free(struct admin *); /* NULL is fine */

/* The http_handler; arg is the struct admin. */
void admin_handle(const struct http_request *, struct http_response *, void *arg);

#endif
