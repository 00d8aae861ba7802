/*
 * drain_own_url -- http and https URLs that a user gives as a drain's receiver
 * (elk, https, otlp), or the operator as a vendor's intake.
 *
 * A user's URL is the drain's key as it was given; it is only taken apart to
 * check it and to know whom to connect to.  What two readers of URLs could
 * take for different hosts is refused: the address that was checked must be
 * the one that is used.
 */
#ifndef DRAIN_OWN_URL_H
#define DRAIN_OWN_URL_H

#include "types/drain_http.h"

/*
 * Takes value[DRAIN_URL] apart: sets transport, framing, host, port, target,
 * and url and redacted with the options, and a token, in the fragment; false:
 * an error was added.
 */
bool drain_own_url_finish(struct drain_conf *, struct drain_errors *);

/* Adds "user:password", decoded, the ':' always; nothing if the URL has no user info. */
void drain_own_url_user(const struct drain_conf *, struct buf *out);
/* "Authorization: Basic ..." of it; nothing if there is none. */
void drain_own_url_authorize(const struct drain_conf *, struct drain_request *);

/*
 * Sets transport, framing, host, port and target, in place of those there are,
 * from a vendor's endpoint: a URL in which "%s", if it is there, is the site.
 * An endpoint that is no such URL changes nothing.
 */
void drain_own_url_endpoint(struct drain_conf *, const char *endpoint, const char *site);

#endif
