/*
 * address_policy -- where a drain may not connect to: drain-allow, drain-deny,
 * and the gateway's own listeners (a drain that leads back here would go round
 * for ever).
 *
 * Every address is asked about right before the connection to it, and the
 * connection is made to that very address: a name that changes its
 * mind in between gains nothing.
 *
 * Immutable once made; any thread may ask.
 */
#ifndef ADDRESS_POLICY_H
#define ADDRESS_POLICY_H

#include <stdbool.h>
#include <sys/socket.h>

#include "plumb/config.h"
#include "plumb/resolve.h"

struct address_policy;

enum { ADDRESS_POLICY_WHY_BYTES = 160 };

/* Of the configuration as the gateway runs with it: listeners have their real ports. */
struct address_policy *address_policy_new(const struct config *);
void address_policy_free(struct address_policy *); /* NULL is fine */

/*
 * Port included.  udp: a datagram drain, else TCP.  false: why has a sentence
 * with the address, the rule and the key that it comes from.
 */
bool address_policy_allows(const struct address_policy *, const struct sockaddr *, bool udp,
			   char why[ADDRESS_POLICY_WHY_BYTES]);

/*
 * Takes the addresses out that are not allowed.  If none is left that way,
 * answer->n is 0 and its error says why.
 */
void address_policy_filter(const struct address_policy *, struct resolve_answer *, bool udp);

#endif
