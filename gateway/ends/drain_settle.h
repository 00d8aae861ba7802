/*
 * drain_settle -- what a drain's conf leaves to the gateway's configuration:
 * the framing of plain TCP, and where a vendor's intake is.
 */
#ifndef DRAIN_SETTLE_H
#define DRAIN_SETTLE_H

#include "plumb/config.h"
#include "types/drain_type.h"

void drain_settle(struct drain_conf *, const struct config *);

/* The drain's own CA and certificate; all NULL if it has none.  Points into conf. */
struct tls_own drain_tls_own(const struct drain_conf *);
bool drain_has_tls_own(const struct drain_conf *);

#endif
