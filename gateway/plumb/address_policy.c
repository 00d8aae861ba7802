#include "plumb/address_policy.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/xmalloc.h"
#include "plumb/address_rules.h"

/* A socket of this gateway's own. */
struct own_address {
	struct sockaddr_storage addr;
	bool both_families;
	bool udp;
};

struct address_policy {
	struct address_rules allow, deny;
	struct own_address own[2 * CONFIG_LISTENERS_MAX];
	size_t nown;
};

static const struct sockaddr *
generic(const struct sockaddr_storage *ss)
{
	return (const struct sockaddr *)(const void *)ss;
}

static const struct sockaddr_in *
v4(const struct sockaddr *sa)
{
	return (const struct sockaddr_in *)(const void *)sa;
}

static const struct sockaddr_in6 *
v6(const struct sockaddr *sa)
{
	return (const struct sockaddr_in6 *)(const void *)sa;
}

static void
add_own(struct address_policy *p, const struct listen_url *urls, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (listen_url_is_unix(&urls[i]))
			continue;
		p->own[p->nown++] = (struct own_address){
		    .addr = urls[i].addr,
		    .both_families = urls[i].both_families,
		    .udp = urls[i].kind == LISTEN_UDP,
		};
	}
}

/* The configuration was checked; a value that does not parse after all must not let all through. */
static void
parse_rules(const char *text, struct address_rules *rules)
{
	char fault[CONFIG_ERROR_BYTES];

	if (!address_rules_parse(text, rules, fault, sizeof(fault)))
		abort();
}

struct address_policy *
address_policy_new(const struct config *c)
{
	struct address_policy *p = xcalloc(1, sizeof(*p));

	parse_rules(c->drain_allow != NULL ? c->drain_allow : "none", &p->allow);
	parse_rules(c->drain_deny != NULL ? c->drain_deny : "link-local", &p->deny);
	add_own(p, c->listen, c->nlisten);
	add_own(p, c->admin, c->nadmin);
	return p;
}

void
address_policy_free(struct address_policy *p)
{
	if (p == NULL)
		return;
	address_rules_free(&p->allow);
	address_rules_free(&p->deny);
	free(p);
}

static in_port_t
port_of(const struct sockaddr *sa)
{
	return sa->sa_family == AF_INET ? v4(sa)->sin_port : v6(sa)->sin6_port;
}

/* Family and address; the port was compared before. */
static bool
same_address(const struct sockaddr *a, const struct sockaddr *b)
{
	if (a->sa_family != b->sa_family)
		return false;
	if (a->sa_family == AF_INET)
		return v4(a)->sin_addr.s_addr == v4(b)->sin_addr.s_addr;
	return IN6_ARE_ADDR_EQUAL(&v6(a)->sin6_addr, &v6(b)->sin6_addr);
}

static bool
is_any(const struct sockaddr *sa)
{
	return sa->sa_family == AF_INET ? v4(sa)->sin_addr.s_addr == htonl(INADDR_ANY)
					: IN6_IS_ADDR_UNSPECIFIED(&v6(sa)->sin6_addr);
}

static bool
is_loopback(const struct sockaddr *sa)
{
	return sa->sa_family == AF_INET ? ntohl(v4(sa)->sin_addr.s_addr) >> 24 == IN_LOOPBACKNET
					: IN6_IS_ADDR_LOOPBACK(&v6(sa)->sin6_addr);
}

/* Whether the address is one of this machine's. */
static bool
is_local(const struct sockaddr *sa)
{
	struct ifaddrs *all, *i;
	bool found = false;

	if (is_loopback(sa))
		return true;
	/* What cannot be looked up may be ours: a loop is worse than a drain that waits. */
	if (getifaddrs(&all) != 0)
		return true;
	for (i = all; i != NULL && !found; i = i->ifa_next)
		found = i->ifa_addr != NULL && i->ifa_addr->sa_family == sa->sa_family &&
			same_address(i->ifa_addr, sa);
	freeifaddrs(all);
	return found;
}

/* sa is no mapped address. */
static bool
leads_to(const struct own_address *own, const struct sockaddr *sa)
{
	struct sockaddr_storage forms[ADDRESS_FORMS_MAX];
	const struct sockaddr *at;

	address_forms(generic(&own->addr), forms);
	at = generic(&forms[0]);
	if (port_of(at) != port_of(sa))
		return false;
	if (!is_any(at))
		return same_address(at, sa);
	return (at->sa_family == sa->sa_family || own->both_families) && is_local(sa);
}

/*
 * Connecting to "any address" is connecting to loopback (Linux): one more form
 * of it, for which there is room, as it leads nowhere else.
 */
static size_t
add_loopback(struct sockaddr_storage *forms, size_t n)
{
	struct sockaddr_storage *at = &forms[n];

	if (!is_any(generic(&forms[0])))
		return n;
	*at = forms[0];
	if (at->ss_family == AF_INET)
		((struct sockaddr_in *)(void *)at)->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	else
		((struct sockaddr_in6 *)(void *)at)->sin6_addr = in6addr_loopback;
	return n + 1;
}

static bool
leads_back(const struct address_policy *p, const struct sockaddr *sa, bool udp)
{
	for (size_t i = 0; i < p->nown; i++)
		if (p->own[i].udp == udp && leads_to(&p->own[i], sa))
			return true;
	return false;
}

static const char *
address_text(const struct sockaddr *sa, char text[INET6_ADDRSTRLEN])
{
	const void *at = sa->sa_family == AF_INET ? (const void *)&v4(sa)->sin_addr
						  : (const void *)&v6(sa)->sin6_addr;

	return inet_ntop(sa->sa_family, at, text, INET6_ADDRSTRLEN);
}

/* Whether a rule denies it, and which. */
static bool
is_denied(const struct address_policy *p, const struct sockaddr *sa, char rule[ADDRESS_RULE_BYTES])
{
	char unused[ADDRESS_RULE_BYTES];

	return address_rules_find(&p->deny, sa, rule) && !address_rules_find(&p->allow, sa, unused);
}

bool
address_policy_allows(const struct address_policy *p, const struct sockaddr *sa, bool udp,
		      char why[ADDRESS_POLICY_WHY_BYTES])
{
	char address[INET6_ADDRSTRLEN], form[INET6_ADDRSTRLEN];
	char rule[ADDRESS_RULE_BYTES];
	struct sockaddr_storage forms[ADDRESS_FORMS_MAX];
	size_t n;

	if (sa->sa_family != AF_INET && sa->sa_family != AF_INET6) {
		snprintf(why, ADDRESS_POLICY_WHY_BYTES, "not an IP address");
		return false;
	}
	n = add_loopback(forms, address_forms(sa, forms));
	address_text(generic(&forms[0]), address);
	for (size_t i = 0; i < n; i++) {
		if (leads_back(p, generic(&forms[i]), udp)) {
			snprintf(why, ADDRESS_POLICY_WHY_BYTES,
				 "the drain leads back to this gateway's own listener (address %s, "
				 "port %u)",
				 address, ntohs(port_of(sa)));
			return false;
		}
		if (!is_denied(p, generic(&forms[i]), rule))
			continue;
		if (i == 0)
			snprintf(why, ADDRESS_POLICY_WHY_BYTES,
				 "address %s is denied by drain-deny (%s)", address, rule);
		else
			snprintf(
			    why, ADDRESS_POLICY_WHY_BYTES,
			    "address %s, which leads to %.15s, is denied by drain-deny (%.40s)",
			    address, address_text(generic(&forms[i]), form), rule);
		return false;
	}
	return true;
}

void
address_policy_filter(const struct address_policy *p, struct resolve_answer *answer, bool udp)
{
	char why[ADDRESS_POLICY_WHY_BYTES];
	size_t kept = 0, all = answer->n;

	for (size_t i = 0; i < all; i++) {
		if (address_policy_allows(p, generic(&answer->addr[i]), udp, why))
			answer->addr[kept++] = answer->addr[i];
	}
	answer->n = kept;
	if (kept == 0 && all > 0)
		snprintf(answer->error, sizeof(answer->error), "%s", why);
}
