/*
 * cidr -- a list of address ranges, `10.0.0.0/8,192.0.2.7,2001:db8::/32`.
 *
 * An address alone is a range of one.  IPv4 and IPv6 are kept apart: ::/0 holds
 * no IPv4 address, and an IPv4-mapped IPv6 address (::ffff:192.0.2.7, RFC 4291
 * section 2.5.5.2) is the IPv4 address, in the list and in what is looked up.
 *
 * Immutable once made; any thread may read it.
 */
#ifndef CIDR_H
#define CIDR_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

enum { CIDR_LIST_MAX = 256 };

struct cidr {
	bool v6;
	unsigned bits;		/* of addr that count; 0 to 32 or 128 */
	unsigned char addr[16]; /* network order; the first 4 for IPv4 */
};

struct cidr_list {
	struct cidr *v;
	size_t n;
};

/* false: err has the fault and the remedy, and out is empty. */
bool cidr_list_parse(const char *text, struct cidr_list *out, char *err, size_t errlen)
    __attribute__((warn_unused_result));
void cidr_list_free(struct cidr_list *);
/* Whether the address lies in a range; Unix and other sockets never do. */
bool cidr_list_has(const struct cidr_list *, const struct sockaddr *);

#endif
