#include "ends/peer_name.h"

#include <arpa/inet.h>

struct slice
peer_name(const struct sockaddr *peer, struct slice host, char text[PEER_NAME_BYTES])
{
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)peer;
	const void *addr = NULL;
	int family = peer->sa_family;

	text[0] = '\0';
	if (family == AF_INET) {
		addr = &((const struct sockaddr_in *)peer)->sin_addr;
	} else if (family == AF_INET6) {
		addr = &v6->sin6_addr;
		/* A v4 sender on a v6 socket is still a v4 sender. */
		if (IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr)) {
			family = AF_INET;
			addr = &v6->sin6_addr.s6_addr[12];
		}
	}
	if (addr == NULL || inet_ntop(family, addr, text, PEER_NAME_BYTES) == NULL)
		return host;
	return slice_str(text);
}
