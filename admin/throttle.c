#include "admin/throttle.h"

#include <netinet/in.h>
#include <string.h>

static void
peer_key(const struct sockaddr *peer, unsigned char key[17])
{
	memset(key, 0, 17);
	if (peer == NULL)
		return;
	key[0] = (unsigned char)(peer->sa_family & 255);
	if (peer->sa_family == AF_INET) {
		struct sockaddr_in in;

		memcpy(&in, peer, sizeof(in));
		memcpy(key + 1, &in.sin_addr, 4);
	} else if (peer->sa_family == AF_INET6) {
		struct sockaddr_in6 in6;

		memcpy(&in6, peer, sizeof(in6));
		if (IN6_IS_ADDR_V4MAPPED(&in6.sin6_addr)) {
			key[0] = AF_INET;
			memcpy(key + 1, in6.sin6_addr.s6_addr + 12, 4);
		} else {
			memcpy(key + 1, in6.sin6_addr.s6_addr, 8);
		}
	}
}

static struct throttle_peer *
peer_slot(struct throttle *t, const unsigned char key[17], int64_t now_ms)
{
	struct throttle_peer *oldest = &t->peers[0];

	for (size_t i = 0; i < THROTTLE_PEERS; i++) {
		struct throttle_peer *p = &t->peers[i];

		if (memcmp(p->key, key, 17) == 0)
			return p;
		if (p->clear_ms < oldest->clear_ms)
			oldest = p;
	}
	memcpy(oldest->key, key, 17);
	oldest->clear_ms = now_ms;
	return oldest;
}

int64_t
throttle_fail(struct throttle *t, const struct sockaddr *peer, int64_t now_ms)
{
	const int64_t most = (int64_t)THROTTLE_BURST * THROTTLE_FORGIVE_MS;
	unsigned char key[17];
	struct throttle_peer *p;
	int64_t clear;

	peer_key(peer, key);
	p = peer_slot(t, key, now_ms);
	clear = (p->clear_ms > now_ms ? p->clear_ms : now_ms) + THROTTLE_FORGIVE_MS;
	if (clear - now_ms > most)
		return (clear - now_ms - most + 999) / 1000;
	p->clear_ms = clear;
	return 0;
}
