/*
 * address_rules -- a value of drain-allow or drain-deny: ranges (cidr.h) and
 * words for sets of ranges, with commas between them.
 *
 *	link-local	169.254.0.0/16, fe80::/10, and fd00:ec2::254, where a cloud
 *			keeps its machines' secrets
 *	untrusted	link-local, and all that is not the public Internet (RFC 6890):
 *			loopback, private, shared, multicast, reserved, documentation,
 *			and the IPv6 ranges that lead to IPv4 addresses
 *	none		nothing; stands alone
 *
 * An IPv6 address that leads to an IPv4 address (NAT64, 6to4, Teredo, ...) is
 * looked up under each of its forms.
 *
 * Immutable once made; any thread may read it.
 */
#ifndef ADDRESS_RULES_H
#define ADDRESS_RULES_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>

#include "plumb/cidr.h"

struct address_rules {
	struct cidr_list ranges;
	const char **word; /* of each range: the word it comes from; NULL: written as it is */
};

/* false: fault has what is wrong and the remedy, and out is empty. */
bool address_rules_parse(const char *text, struct address_rules *out, char *fault, size_t len)
    __attribute__((warn_unused_result));
void address_rules_free(struct address_rules *);

enum { ADDRESS_RULE_BYTES = 64, ADDRESS_FORMS_MAX = 6 };

/* The rule that the address falls under ("10.0.0.0/8", "untrusted: 10.0.0.0/8"); false: none. */
bool address_rules_find(const struct address_rules *, const struct sockaddr *,
			char rule[ADDRESS_RULE_BYTES]);

/*
 * The address itself (a mapped one as the IPv4 address that it is), then the
 * IPv4 addresses that it may lead to; the port is kept.  Returns how many.
 */
size_t address_forms(const struct sockaddr *, struct sockaddr_storage out[ADDRESS_FORMS_MAX]);

#endif
