#include "plumb/proxy_header.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdint.h>
#include <string.h>

static const struct slice v1_start = SLICE_INIT("PROXY ");
static const struct slice v2_start = SLICE_INIT("\r\n\r\n\0\r\nQUIT\n");

/* Version 2: what follows the 16 fixed bytes at least, by family. */
enum { V2_INET_BYTES = 12, V2_INET6_BYTES = 36, V2_UNIX_BYTES = 216 };

/* MORE: in is the head of start; OK: it begins with it; else NONE. */
static enum proxy_result
proxy_begins(struct slice in, struct slice start)
{
	size_t n = in.n < start.n ? in.n : start.n;

	if (n > 0 && memcmp(in.p, start.p, n) != 0)
		return PROXY_NONE;
	return n == start.n ? PROXY_OK : PROXY_MORE;
}

/* The bytes up to the next SP, which is skipped, or to the end. */
static struct slice
proxy_word(struct slice *rest)
{
	const char *space = rest->n > 0 ? memchr(rest->p, ' ', rest->n) : NULL;
	struct slice word = *rest;

	if (space == NULL) {
		*rest = slice_skip(*rest, rest->n);
		return word;
	}
	word.n = (size_t)(space - rest->p);
	*rest = slice_skip(*rest, word.n + 1);
	return word;
}

/* 0 to 65535 without leading zeros, -1 for all else. */
static int
proxy_port(struct slice word)
{
	int port = 0;

	if (word.n == 0 || word.n > 5 || (word.n > 1 && word.p[0] == '0'))
		return -1;
	for (size_t i = 0; i < word.n; i++) {
		if (word.p[i] < '0' || word.p[i] > '9')
			return -1;
		port = port * 10 + (word.p[i] - '0');
	}
	return port <= UINT16_MAX ? port : -1;
}

/* The address in binary; false if it is none of that family. */
static bool
proxy_v1_address(int family, struct slice word, unsigned char addr[16])
{
	char text[INET6_ADDRSTRLEN];

	if (word.n >= sizeof(text) || (word.n > 0 && memchr(word.p, '\0', word.n) != NULL))
		return false;
	memcpy(text, word.p, word.n);
	text[word.n] = '\0';
	return inet_pton(family, text, addr) == 1;
}

static void
proxy_source_set(struct proxy_header *out, int family, const unsigned char *addr, uint16_t port_net)
{
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = port_net};
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = port_net};

	out->from = PROXY_ADDRESS;
	if (family == AF_INET) {
		memcpy(&in.sin_addr, addr, sizeof(in.sin_addr));
		memcpy(&out->source, &in, sizeof(in));
	} else {
		memcpy(&in6.sin6_addr, addr, sizeof(in6.sin6_addr));
		memcpy(&out->source, &in6, sizeof(in6));
	}
}

/* line: what stands between "PROXY " and CR LF. */
static enum proxy_result
proxy_v1_line(struct slice line, struct proxy_header *out)
{
	unsigned char source[16], destination[16];
	struct slice word = proxy_word(&line), from, to;
	int family, port;

	/* All that follows UNKNOWN is to be ignored. */
	if (slice_is(word, "UNKNOWN"))
		return PROXY_OK;
	if (slice_is(word, "TCP4"))
		family = AF_INET;
	else if (slice_is(word, "TCP6"))
		family = AF_INET6;
	else
		return PROXY_BAD;
	from = proxy_word(&line);
	to = proxy_word(&line);
	if (!proxy_v1_address(family, from, source) || !proxy_v1_address(family, to, destination))
		return PROXY_BAD;
	port = proxy_port(proxy_word(&line));
	/* The last port is the rest of the line: one space too many is not a digit. */
	if (port < 0 || proxy_port(line) < 0)
		return PROXY_BAD;
	proxy_source_set(out, family, source, htons((uint16_t)port));
	return PROXY_OK;
}

static enum proxy_result
proxy_v1(struct slice in, struct proxy_header *out)
{
	size_t look = in.n < PROXY_V1_MAX ? in.n : PROXY_V1_MAX;
	const char *cr = memchr(in.p, '\r', look);
	size_t n;

	if (cr == NULL)
		return look == PROXY_V1_MAX ? PROXY_BAD : PROXY_MORE;
	n = (size_t)(cr - in.p);
	if (n + 1 == look)
		return look == PROXY_V1_MAX ? PROXY_BAD : PROXY_MORE;
	if (cr[1] != '\n')
		return PROXY_BAD;
	out->length = n + 2;
	return proxy_v1_line(slice_of(in.p + v1_start.n, n - v1_start.n), out);
}

/* What the family byte asks for; SIZE_MAX: a value that is not defined. */
static size_t
proxy_v2_least(unsigned char family)
{
	switch (family) {
	case 0x00:
		return 0;
	case 0x11:
	case 0x12:
		return V2_INET_BYTES;
	case 0x21:
	case 0x22:
		return V2_INET6_BYTES;
	case 0x31:
	case 0x32:
		return V2_UNIX_BYTES;
	default:
		return SIZE_MAX;
	}
}

static enum proxy_result
proxy_v2(struct slice in, struct proxy_header *out)
{
	const unsigned char *p = (const unsigned char *)in.p;
	size_t more;
	uint16_t port;

	/* Version and command are judged as soon as they are there. */
	if (in.n > 12 && p[12] != 0x20 && p[12] != 0x21)
		return PROXY_BAD;
	if (in.n < PROXY_V2_FIXED)
		return PROXY_MORE;
	more = (size_t)p[14] << 8 | p[15];
	if (more > PROXY_V2_MORE_MAX)
		return PROXY_BAD;
	/* LOCAL: family and addresses are to be ignored, whatever they are. */
	if (p[12] == 0x21 && proxy_v2_least(p[13]) > more)
		return PROXY_BAD;
	if (in.n < PROXY_V2_FIXED + more)
		return PROXY_MORE;
	out->length = PROXY_V2_FIXED + more;
	if (p[12] == 0x20) {
		out->from = PROXY_LOCAL;
	} else if (p[13] >> 4 == 1) {
		memcpy(&port, p + PROXY_V2_FIXED + 8, sizeof(port));
		proxy_source_set(out, AF_INET, p + PROXY_V2_FIXED, port);
	} else if (p[13] >> 4 == 2) {
		memcpy(&port, p + PROXY_V2_FIXED + 32, sizeof(port));
		proxy_source_set(out, AF_INET6, p + PROXY_V2_FIXED, port);
	}
	return PROXY_OK;
}

enum proxy_result
proxy_header_parse(struct slice in, struct proxy_header *out)
{
	enum proxy_result v1 = proxy_begins(in, v1_start), v2 = proxy_begins(in, v2_start);

	memset(out, 0, sizeof(*out));
	out->from = PROXY_UNKNOWN;
	if (v1 == PROXY_OK)
		return proxy_v1(in, out);
	if (v2 == PROXY_OK)
		return proxy_v2(in, out);
	return v1 == PROXY_MORE || v2 == PROXY_MORE ? PROXY_MORE : PROXY_NONE;
}
