#include "plumb/lookup.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>

int
lookup_host(const char *host, struct sockaddr_storage *out, size_t max, size_t *n, char *err,
	    size_t len)
{
	/*
	 * No AI_ADDRCONFIG: on a machine with loopback only it hides ::1 and
	 * 127.0.0.1.  SOCK_STREAM: else each address comes once a socket type.
	 */
	const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
	struct addrinfo *list = NULL;
	char why[128];
	int rc;

	*n = 0;
	errno = 0;
	rc = getaddrinfo(host, NULL, &hints, &list);
	if (rc != 0) {
		if (rc == EAI_SYSTEM)
			snprintf(err, len, "%s", strerror_r(errno, why, sizeof(why)));
		else
			snprintf(err, len, "%s", gai_strerror(rc));
		return -1;
	}
	for (const struct addrinfo *ai = list; ai != NULL && *n < max; ai = ai->ai_next) {
		if ((ai->ai_family != AF_INET && ai->ai_family != AF_INET6) ||
		    ai->ai_addrlen > sizeof(out[*n]))
			continue;
		memset(&out[*n], 0, sizeof(out[*n]));
		memcpy(&out[*n], ai->ai_addr, ai->ai_addrlen);
		(*n)++;
	}
	freeaddrinfo(list);
	if (*n == 0) {
		snprintf(err, len, "the name has no IPv4 or IPv6 address");
		return -1;
	}
	return 0;
}
