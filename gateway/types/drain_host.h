/*
 * drain_host -- what may stand for a receiver's host.
 */
#ifndef DRAIN_HOST_H
#define DRAIN_HOST_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/slice.h"

enum { DRAIN_HOST_MAX = 253 }; /* a name without its last dot (RFC 1035, 2.3.4) */

/*
 * Adds the canonical form: a name in lower case, or an address; IPv6, with or
 * without brackets, is shortened (RFC 5952) and loses them.  false: no host;
 * *fault may then be set to a static sentence that says what it is instead.
 *
 * Only letters, digits, ".", "-" and "_" make a name: what a resolver, a URL
 * or a log could take for something else never gets further than this.
 */
bool drain_host_check(struct slice given, struct buf *canonical, const char **fault)
    __attribute__((warn_unused_result));

/* 1 to 65535 in decimal digits, leading zeros allowed; false for all else. */
bool drain_port_parse(struct slice digits, uint16_t *port) __attribute__((warn_unused_result));

#endif
