/*
 * proxy_header -- who is behind a load balancer: the PROXY protocol, versions
 * 1 and 2 (HAProxy's "The PROXY protocol", sections 2.1 and 2.2).
 *
 * Knows a buffer and no socket.  It stands once at the start of a connection,
 * before TLS; whether a peer may send it is the caller's question (cidr.h).
 * Strict: what the specification does not allow is PROXY_BAD.
 */
#ifndef PROXY_HEADER_H
#define PROXY_HEADER_H

#include <stddef.h>
#include <sys/socket.h>

#include "base/slice.h"

enum {
	PROXY_V1_MAX = 107, /* section 2.1: with CR LF */
	PROXY_V2_FIXED = 16,
	PROXY_V2_MORE_MAX = 4096, /* our own bound on addresses and TLVs */
	PROXY_HEADER_MAX = PROXY_V2_FIXED + PROXY_V2_MORE_MAX,
};

enum proxy_result {
	PROXY_MORE, /* so far it may be one; never said of PROXY_HEADER_MAX bytes */
	PROXY_NONE, /* the first bytes are no header's */
	PROXY_BAD,  /* a header with a fault: the connection is to be closed */
	PROXY_OK,   /* *out is filled */
};

enum proxy_source {
	PROXY_ADDRESS, /* out->source */
	PROXY_UNKNOWN, /* the proxy cannot say, or a Unix socket: the peer's own address counts */
	PROXY_LOCAL,   /* the proxy itself connected (health checks): likewise */
};

struct proxy_header {
	size_t length; /* bytes to skip */
	enum proxy_source from;
	struct sockaddr_storage source; /* IPv4 or IPv6 with port; zeroed unless PROXY_ADDRESS */
};

enum proxy_result proxy_header_parse(struct slice in, struct proxy_header *out)
    __attribute__((warn_unused_result));

#endif
