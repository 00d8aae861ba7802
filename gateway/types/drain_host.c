#include "types/drain_host.h"

#include <arpa/inet.h>
#include <netinet/in.h>

static const char has_port[] =
    "must be a host name or an IP address alone; the port has a parameter of its own";

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
all_digits(struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!is_digit(s.p[i]))
			return false;
	return s.n > 0;
}

static bool
add_ipv6(struct slice given, struct buf *canonical)
{
	char text[INET6_ADDRSTRLEN];
	struct in6_addr address;

	if (given.n >= sizeof(text))
		return false;
	memcpy(text, given.p, given.n);
	text[given.n] = '\0';
	if (strlen(text) != given.n || inet_pton(AF_INET6, text, &address) != 1)
		return false;
	if (inet_ntop(AF_INET6, &address, text, sizeof(text)) == NULL)
		return false;
	buf_add_str(canonical, text);
	return true;
}

static bool
add_bracketed(struct slice given, struct buf *canonical, const char **fault)
{
	const char *end = memchr(given.p, ']', given.n);
	struct slice inside, behind;

	if (end == NULL)
		return false;
	inside = slice_of(given.p + 1, (size_t)(end - given.p) - 1);
	behind = slice_skip(given, inside.n + 2);
	if (behind.n > 1 && behind.p[0] == ':' && all_digits(slice_skip(behind, 1)))
		*fault = has_port;
	return behind.n == 0 && add_ipv6(inside, canonical);
}

static bool
add_name(struct slice given, struct buf *canonical)
{
	char *to = buf_reserve(canonical, given.n);

	for (size_t i = 0; i < given.n; i++) {
		char c = given.p[i];

		if (c >= 'A' && c <= 'Z')
			c = (char)(c - 'A' + 'a');
		else if (!(c >= 'a' && c <= 'z') && !is_digit(c) && c != '.' && c != '-' &&
			 c != '_')
			return false;
		to[i] = c;
	}
	canonical->n += given.n;
	return true;
}

/* "://" anywhere: somebody pasted a URL. */
static bool
looks_like_url(struct slice s)
{
	return memmem(s.p, s.n, "://", 3) != NULL;
}

bool
drain_host_check(struct slice given, struct buf *canonical, const char **fault)
{
	const char *colon;

	if (given.n == 0)
		return false;
	if (looks_like_url(given)) {
		*fault = "must be a host name or an IP address, not a URL";
		return false;
	}
	if (given.n > DRAIN_HOST_MAX) {
		*fault = "must not be longer than 253 bytes";
		return false;
	}
	if (given.p[0] == '[')
		return add_bracketed(given, canonical, fault);

	colon = memchr(given.p, ':', given.n);
	if (colon == NULL)
		return add_name(given, canonical);
	if (all_digits(slice_skip(given, (size_t)(colon - given.p) + 1))) {
		*fault = has_port;
		return false;
	}
	return add_ipv6(given, canonical);
}

bool
drain_port_parse(struct slice digits, uint16_t *port)
{
	unsigned value = 0;

	if (!all_digits(digits))
		return false;
	for (size_t i = 0; i < digits.n; i++) {
		value = value * 10 + (unsigned)(digits.p[i] - '0');
		if (value > UINT16_MAX)
			return false;
	}
	*port = (uint16_t)value;
	return value > 0;
}
