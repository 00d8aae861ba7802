/*
 * drain_own_url -- http and https URLs that a user gives as a drain's receiver
 * (elk, https, otlp).
 *
 * The URL is the drain's key as it was given; it is only taken apart to check
 * it and to know whom to connect to.  What two readers of URLs could take for
 * different hosts is refused: the address that was checked must be the one
 * that is used.
 */
#ifndef DRAIN_OWN_URL_H
#define DRAIN_OWN_URL_H

#include "types/drain_type.h"

/*
 * Takes value[DRAIN_URL] apart: sets transport, framing, host, port, target,
 * and url and redacted with the options in the fragment; false: an error was
 * added.
 */
bool drain_own_url_finish(struct drain_conf *, struct drain_errors *)
    __attribute__((warn_unused_result));

/* Adds "user:password", decoded; nothing if the URL has no user info. */
void drain_own_url_user(const struct drain_conf *, struct buf *out);

#endif
