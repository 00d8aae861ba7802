/*
 * proxy_url -- the value of http-proxy, taken apart.
 *
 *	http://[USER[:PASSWORD]@]HOST:PORT[/]
 *
 * HOST is a name, an IPv4 address or an IPv6 address in brackets; USER and
 * PASSWORD are percent-encoded.
 */
#ifndef PROXY_URL_H
#define PROXY_URL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct proxy_url {
	char *host; /* no brackets */
	uint16_t port;
	char *user, *password; /* decoded; NULL: none is given */
};

/* false: fault has what is wrong and the remedy, and out is empty. */
bool proxy_url_parse(const char *text, struct proxy_url *out, char *fault, size_t len)
    __attribute__((warn_unused_result));
void proxy_url_free(struct proxy_url *);

#endif
