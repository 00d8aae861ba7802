#include "plumb/cidr.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/units.h"
#include "base/xmalloc.h"

/* The longest: an IPv6 address with a dotted quad, a slash, three digits. */
enum { CIDR_TEXT_MAX = INET6_ADDRSTRLEN + 4, MAPPED_BITS = 96 };

static const unsigned char mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

/* Whether the first `bits` bits of a and b are the same. */
static bool
cidr_bits_equal(const unsigned char *a, const unsigned char *b, unsigned bits)
{
	unsigned rest = bits % 8;

	if (memcmp(a, b, bits / 8) != 0)
		return false;
	return rest == 0 || ((a[bits / 8] ^ b[bits / 8]) >> (8 - rest)) == 0;
}

static bool
cidr_host_bits_set(const struct cidr *c)
{
	unsigned all = c->v6 ? 128 : 32;

	for (unsigned i = c->bits; i < all; i++)
		if (c->addr[i / 8] & (0x80U >> (i % 8)))
			return true;
	return false;
}

/* ::ffff:a.b.c.d/96 and longer is an IPv4 range in IPv6's clothes. */
static void
cidr_unmap(struct cidr *c)
{
	if (!c->v6 || c->bits < MAPPED_BITS || memcmp(c->addr, mapped, sizeof(mapped)) != 0)
		return;
	c->v6 = false;
	c->bits -= MAPPED_BITS;
	memmove(c->addr, c->addr + sizeof(mapped), 4);
}

/* NULL, or the fault. */
static const char *
cidr_parse(char *text, struct cidr *c)
{
	char *slash = strchr(text, '/');
	const char *fault;
	int64_t bits;

	memset(c, 0, sizeof(*c));
	if (slash != NULL)
		*slash = '\0';
	if (inet_pton(AF_INET, text, c->addr) == 1)
		c->bits = 32;
	else if (inet_pton(AF_INET6, text, c->addr) == 1)
		c->bits = 128;
	else
		return "not an address; write one like 192.0.2.7, 10.0.0.0/8 or 2001:db8::/32";
	c->v6 = c->bits == 128;
	if (slash != NULL) {
		if (!units_parse_count(slash + 1, &bits, &fault) || bits > (c->v6 ? 128 : 32) ||
		    strlen(slash + 1) > 3)
			return c->v6 ? "the prefix length is 0 to 128"
				     : "the prefix length is 0 to 32";
		c->bits = (unsigned)bits;
	}
	if (cidr_host_bits_set(c))
		return "bits are set behind the prefix; write the first address of the range";
	cidr_unmap(c);
	return NULL;
}

bool
cidr_list_parse(const char *text, struct cidr_list *out, char *err, size_t errlen)
{
	char item[CIDR_TEXT_MAX + 1];
	const char *p = text, *fault;
	size_t n;

	out->v = NULL;
	out->n = 0;
	for (;;) {
		n = strcspn(p, ",");
		fault = "too many ranges; give 256 at most";
		if (out->n < CIDR_LIST_MAX) {
			out->v = xrealloc(out->v, (out->n + 1) * sizeof(*out->v));
			snprintf(item, sizeof(item), "%.*s",
				 (int)(n < CIDR_TEXT_MAX ? n : CIDR_TEXT_MAX), p);
			fault = cidr_parse(item, &out->v[out->n]);
		}
		if (fault != NULL) {
			snprintf(err, errlen, "\"%.*s\": %s", (int)(n < 100 ? n : 100), p, fault);
			cidr_list_free(out);
			return false;
		}
		out->n++;
		if (p[n] == '\0')
			return true;
		p += n + 1;
	}
}

void
cidr_list_free(struct cidr_list *list)
{
	free(list->v);
	list->v = NULL;
	list->n = 0;
}

bool
cidr_list_has(const struct cidr_list *list, const struct sockaddr *sa)
{
	const unsigned char *addr;
	bool v6 = false;

	if (sa->sa_family == AF_INET) {
		addr = (const unsigned char *)&((const struct sockaddr_in *)(const void *)sa)
			   ->sin_addr;
	} else if (sa->sa_family == AF_INET6) {
		addr = ((const struct sockaddr_in6 *)(const void *)sa)->sin6_addr.s6_addr;
		v6 = memcmp(addr, mapped, sizeof(mapped)) != 0;
		if (!v6)
			addr += sizeof(mapped);
	} else {
		return false;
	}
	for (size_t i = 0; i < list->n; i++)
		if (list->v[i].v6 == v6 && cidr_bits_equal(list->v[i].addr, addr, list->v[i].bits))
			return true;
	return false;
}
