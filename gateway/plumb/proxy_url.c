#include "plumb/proxy_url.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/percent.h"
#include "base/xmalloc.h"
#include "types/drain_host.h"

/* The decoded text as a string; NULL: a bad escape, or a control character. */
static char *
decoded(struct slice s)
{
	struct buf out = {0};

	if (!percent_decode(s, PERCENT_PLUS_KEPT, &out)) {
		buf_free(&out);
		return NULL;
	}
	for (size_t i = 0; i < out.n; i++) {
		if ((unsigned char)out.p[i] < ' ' || out.p[i] == 0x7f) {
			buf_free(&out);
			return NULL;
		}
	}
	buf_add_char(&out, '\0');
	return out.p;
}

static const char *
parse_user(struct slice s, struct proxy_url *out)
{
	const char *colon = memchr(s.p, ':', s.n);
	size_t n = colon != NULL ? (size_t)(colon - s.p) : s.n;

	out->user = decoded(slice_of(s.p, n));
	out->password = colon != NULL ? decoded(slice_skip(s, n + 1)) : xstrdup("");
	if (out->user == NULL || out->password == NULL)
		return "the user or the password cannot be read; percent-encode what is special";
	/* RFC 7617, section 2: the colon ends the user. */
	if (out->user[0] == '\0' || strchr(out->user, ':') != NULL)
		return "the user is empty or has a colon; write USER:PASSWORD@ before the host";
	return NULL;
}

static const char *
parse_address(struct slice s, struct proxy_url *out)
{
	struct buf host = {0};
	const char *fault = NULL, *colon = memrchr(s.p, ':', s.n);
	size_t n = colon != NULL ? (size_t)(colon - s.p) : 0;
	bool bracket = n > 0 && s.p[0] == '[';

	if (colon == NULL || !drain_port_parse(slice_skip(s, n + 1), &out->port))
		return "no port from 1 to 65535; write http://HOST:PORT";
	if (!drain_host_check(slice_of(s.p, n), &host, &fault) ||
	    (memchr(s.p, ':', n) != NULL && !bracket)) {
		buf_free(&host);
		return "no host; write a name, an IPv4 address, or an IPv6 address in brackets";
	}
	buf_add_char(&host, '\0');
	out->host = host.p;
	return NULL;
}

bool
proxy_url_parse(const char *text, struct proxy_url *out, char *fault, size_t len)
{
	struct slice s = slice_str(text);
	const char *at, *why = NULL;

	memset(out, 0, sizeof(*out));
	if (strncmp(text, "http://", 7) != 0)
		why = strncmp(text, "https://", 8) == 0
			  ? "the way to a proxy is plain HTTP only; write http://HOST:PORT"
			  : "not a proxy; write http://HOST:PORT";
	else
		s = slice_skip(s, 7);
	if (s.n > 0 && s.p[s.n - 1] == '/')
		s.n--;
	at = why == NULL ? memrchr(s.p, '@', s.n) : NULL;
	if (at != NULL) {
		why = parse_user(slice_of(s.p, (size_t)(at - s.p)), out);
		s = slice_skip(s, (size_t)(at - s.p) + 1);
	}
	if (why == NULL)
		why = parse_address(s, out);
	if (why == NULL)
		return true;
	snprintf(fault, len, "%s", why);
	proxy_url_free(out);
	return false;
}

void
proxy_url_free(struct proxy_url *p)
{
	free(p->host);
	free(p->user);
	free(p->password);
	memset(p, 0, sizeof(*p));
}
