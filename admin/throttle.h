/*
 * throttle -- how often one peer may fail to log in.
 *
 * A bounded table of peers; when it is full the peer that is nearest to being
 * forgiven makes room.  An IPv6 peer is its /64, an IPv4-mapped one its IPv4
 * address, and all Unix socket peers are one.
 */
#ifndef ADMIN_THROTTLE_H
#define ADMIN_THROTTLE_H

#include <stdint.h>
#include <sys/socket.h>

enum {
	THROTTLE_PEERS = 256,
	THROTTLE_BURST = 10,	    /* failures that are free */
	THROTTLE_FORGIVE_MS = 6000, /* one more is free again after this long */
};

/* Zeroed memory is an empty one. */
struct throttle {
	struct throttle_peer {
		unsigned char key[17];
		int64_t clear_ms; /* monotonic: from here on as if it had never failed */
	} peers[THROTTLE_PEERS];
};

/* Counts a failure.  0: within the limit; else the seconds to wait, 1 at least. */
int64_t throttle_fail(struct throttle *, const struct sockaddr *peer, int64_t now_ms);

#endif
