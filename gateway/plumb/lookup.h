/*
 * lookup -- one blocking look-up of a host name.  A file of its own, so that a
 * test can link its own in place of it.  Any thread.
 */
#ifndef LOOKUP_H
#define LOOKUP_H

#include <stddef.h>
#include <sys/socket.h>

/*
 * Up to max IPv4 and IPv6 addresses in the system's order of preference, port
 * 0.  0: at least one; -1: none, and err says why.
 */
int lookup_host(const char *host, struct sockaddr_storage *out, size_t max, size_t *n, char *err,
		size_t len) __attribute__((warn_unused_result));

#endif
