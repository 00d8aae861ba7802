#include <stdbool.h>
#include <string.h>

#include "plumb/address_rules.h"

/*
 * Where IPv6 addresses carry IPv4 ones: IPv4-compatible (RFC 4291, 2.5.5.1),
 * IPv4-translated (RFC 7915's predecessors), NAT64's well-known prefix
 * (RFC 6052) and its local one (RFC 8215) with the prefix lengths of RFC 6052,
 * section 2.2, that it may be used with, 6to4 (RFC 3056), Teredo (RFC 4380:
 * the server, and the client with all bits turned over).
 */
static const struct {
	unsigned char prefix[12];
	unsigned bytes;	     /* of prefix that count */
	unsigned char at[4]; /* of the IPv4 address */
	bool inverted;
} carriers[] = {
    {{0}, 12, {12, 13, 14, 15}, false},
    {{0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}, 12, {12, 13, 14, 15}, false},
    {{0, 0x64, 0xff, 0x9b}, 12, {12, 13, 14, 15}, false},
    {{0, 0x64, 0xff, 0x9b, 0, 1}, 6, {6, 7, 9, 10}, false},
    {{0, 0x64, 0xff, 0x9b, 0, 1}, 6, {7, 9, 10, 11}, false},
    {{0, 0x64, 0xff, 0x9b, 0, 1}, 6, {9, 10, 11, 12}, false},
    {{0, 0x64, 0xff, 0x9b, 0, 1}, 6, {12, 13, 14, 15}, false},
    {{0x20, 0x02}, 2, {2, 3, 4, 5}, false},
    {{0x20, 0x01, 0, 0}, 4, {4, 5, 6, 7}, false},
    {{0x20, 0x01, 0, 0}, 4, {12, 13, 14, 15}, true},
};

static void
add_v4(struct sockaddr_storage *out, const unsigned char a[4], in_port_t port)
{
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = port};

	memcpy(&in.sin_addr, a, 4);
	memset(out, 0, sizeof(*out));
	memcpy(out, &in, sizeof(in));
}

size_t
address_forms(const struct sockaddr *sa, struct sockaddr_storage out[ADDRESS_FORMS_MAX])
{
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)(const void *)sa;
	const unsigned char *a = in6->sin6_addr.s6_addr;
	unsigned char v4[4];
	size_t n = 0;

	memset(&out[0], 0, sizeof(out[0]));
	if (sa->sa_family != AF_INET6) {
		memcpy(&out[0], sa,
		       sa->sa_family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(*sa));
		return 1;
	}
	if (IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr)) {
		add_v4(&out[0], a + 12, in6->sin6_port);
		return 1;
	}
	memcpy(&out[n++], in6, sizeof(*in6));
	/* :: and ::1 look as if they were IPv4-compatible. */
	if (IN6_IS_ADDR_UNSPECIFIED(&in6->sin6_addr) || IN6_IS_ADDR_LOOPBACK(&in6->sin6_addr))
		return n;
	for (size_t i = 0; i < sizeof(carriers) / sizeof(carriers[0]); i++) {
		if (memcmp(a, carriers[i].prefix, carriers[i].bytes) != 0)
			continue;
		for (size_t j = 0; j < 4; j++)
			v4[j] = a[carriers[i].at[j]] ^ (carriers[i].inverted ? 0xff : 0);
		add_v4(&out[n++], v4, in6->sin6_port);
	}
	return n;
}
