#include "io/http_turns.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/xmalloc.h"

enum { TURNS = 1024 };

struct turn {
	uint64_t key; /* of host and port; 0: free */
	struct sockaddr_storage addr;
};

struct http_turns {
	struct turn at[TURNS];
};

struct http_turns *
http_turns_new(void)
{
	return xcalloc(1, sizeof(struct http_turns));
}

void
http_turns_free(struct http_turns *t)
{
	free(t);
}

static uint64_t
key_of(const char *host, uint16_t port)
{
	return (hash_slice(slice_str(host)) ^ ((uint64_t)port << 16)) | 1;
}

bool
http_same_address(const struct sockaddr *a, const struct sockaddr *b)
{
	if (a->sa_family != b->sa_family)
		return false;
	if (a->sa_family == AF_INET)
		return ((const struct sockaddr_in *)(const void *)a)->sin_addr.s_addr ==
		       ((const struct sockaddr_in *)(const void *)b)->sin_addr.s_addr;
	return memcmp(&((const struct sockaddr_in6 *)(const void *)a)->sin6_addr,
		      &((const struct sockaddr_in6 *)(const void *)b)->sin6_addr,
		      sizeof(struct in6_addr)) == 0;
}

size_t
http_turns_first(const struct http_turns *t, const char *host, uint16_t port,
		 const struct sockaddr_storage *addr, size_t n)
{
	uint64_t key = key_of(host, port);
	const struct turn *turn = &t->at[key / 2 % TURNS];

	if (turn->key != key)
		return 0;
	for (size_t i = 0; i < n; i++)
		if (http_same_address((const struct sockaddr *)&addr[i],
				      (const struct sockaddr *)&turn->addr))
			return i;
	return 0;
}

void
http_turns_set(struct http_turns *t, const char *host, uint16_t port,
	       const struct sockaddr_storage *addr)
{
	uint64_t key = key_of(host, port);
	struct turn *turn = &t->at[key / 2 % TURNS];

	turn->key = key;
	turn->addr = *addr;
}
