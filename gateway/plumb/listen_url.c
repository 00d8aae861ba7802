#include "plumb/listen_url.h"

#include <arpa/inet.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include "base/percent.h"
#include "base/units.h"
#include "base/xmalloc.h"
#include "plumb/listen_options.h"

struct scheme {
	const char *name;
	enum listen_kind kind;
};

static const struct scheme listen_schemes[] = {
    {"syslog+tcp", LISTEN_TCP},
    {"syslog+tls", LISTEN_TLS},
    {"syslog+udp", LISTEN_UDP},
    {"syslog+unix", LISTEN_UNIX},
    {"syslog+unixgram", LISTEN_UNIXGRAM},
    {"relp", LISTEN_RELP},
    {"relps", LISTEN_RELPS},
    {"http", LISTEN_INGEST},
    {"https", LISTEN_INGESTS},
    {NULL, LISTEN_TCP},
};

static const struct scheme admin_schemes[] = {
    {"http", LISTEN_HTTP},
    {"https", LISTEN_HTTPS},
    {"unix", LISTEN_HTTP_UNIX},
    {NULL, LISTEN_HTTP},
};

static const char listen_remedy[] =
    "use syslog+tcp, syslog+tls, syslog+udp, syslog+unix, syslog+unixgram, relp, relps, http or "
    "https";
static const char admin_remedy[] = "use http, https or unix";

/* The parts of SCHEME://PLACE[?QUERY]. */
struct parts {
	struct slice scheme, place, query;
	bool has_query;
};

static bool
url_split(const char *text, struct parts *parts)
{
	const char *colon = strstr(text, "://"), *mark;
	struct slice rest;

	if (colon == NULL)
		return false;
	parts->scheme = slice_of(text, (size_t)(colon - text));
	rest = slice_str(colon + 3);
	mark = memchr(rest.p, '?', rest.n);
	parts->has_query = mark != NULL;
	parts->place = slice_of(rest.p, mark == NULL ? rest.n : (size_t)(mark - rest.p));
	parts->query = slice_skip(rest, mark == NULL ? rest.n : parts->place.n + 1);
	return true;
}

static bool
url_scheme(struct slice name, bool admin, struct listen_url *out, char *fault, size_t n)
{
	const struct scheme *s = admin ? admin_schemes : listen_schemes;
	const char *remedy = admin ? admin_remedy : listen_remedy;

	for (; s->name != NULL; s++) {
		if (!slice_is(name, s->name))
			continue;
		out->kind = s->kind;
		return true;
	}
	snprintf(fault, n, "unknown scheme \"%.*s\"; %s", (int)(name.n < 40 ? name.n : 40), name.p,
		 remedy);
	return false;
}

static bool
url_path(struct slice place, struct listen_url *out, char *fault, size_t n)
{
	enum { PATH_MAX_BYTES = sizeof(((struct sockaddr_un *)NULL)->sun_path) - 1 };
	struct buf path = {0};

	if (place.n == 0 || place.p[0] != '/')
		snprintf(fault, n, "the path is not absolute; write a third slash behind ://");
	else if (!percent_decode(place, PERCENT_PLUS_KEPT, &path))
		snprintf(fault, n,
			 "%% is not followed by two hex digits; write %%25 for a %% sign");
	else if (memchr(path.p, '\0', path.n) != NULL)
		snprintf(fault, n, "%%00 cannot stand in a path; remove it");
	else if (path.n > PATH_MAX_BYTES)
		snprintf(fault, n, "the path has %zu bytes; a Unix socket takes %d at most", path.n,
			 (int)PATH_MAX_BYTES);
	else if (path.p[path.n - 1] == '/')
		snprintf(fault, n, "the path is a directory's; write a file name behind it");
	else
		out->path = xstrdup(buf_cstr(&path));
	buf_free(&path);
	return out->path != NULL;
}

/* Digits of a port, 0 to 65535; -1 for all else. */
static int
url_port(const char *digits)
{
	const char *fault;
	int64_t port;

	if (strlen(digits) > 5 || !units_parse_count(digits, &port, &fault) || port > UINT16_MAX)
		return -1;
	return (int)port;
}

/* ADDR without brackets, or `*`. */
static bool
url_address(const char *host, bool bracketed, uint16_t port, struct listen_url *out)
{
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(port)};
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};

	if (!bracketed && inet_pton(AF_INET, host, &in.sin_addr) == 1) {
		memcpy(&out->addr, &in, sizeof(in));
		return true;
	}
	out->both_families = !bracketed && strcmp(host, "*") == 0;
	if (!out->both_families && (!bracketed || inet_pton(AF_INET6, host, &in6.sin6_addr) != 1))
		return false;
	memcpy(&out->addr, &in6, sizeof(in6));
	return true;
}

static bool
url_authority(struct slice place, struct listen_url *out, char *fault, size_t n)
{
	static const char remedy[] = "write ADDR:PORT, as in 127.0.0.1:1514, [::1]:1514 or *:1514";
	char text[INET6_ADDRSTRLEN + 10], *host = text, *colon;
	bool bracketed;
	int port;

	if (place.n > 0 && place.p[place.n - 1] == '/')
		place.n--;
	if (place.n >= sizeof(text) || memchr(place.p, '/', place.n) != NULL) {
		snprintf(fault, n, "no address and port; %s", remedy);
		return false;
	}
	memcpy(text, place.p, place.n);
	text[place.n] = '\0';
	colon = strrchr(text, ':');
	if (colon == NULL || strchr(colon, ']') != NULL) {
		snprintf(fault, n, "no port; %s", remedy);
		return false;
	}
	*colon = '\0';
	port = url_port(colon + 1);
	if (port < 0) {
		snprintf(fault, n, "port \"%s\" is not a number from 0 to 65535; %s", colon + 1,
			 remedy);
		return false;
	}
	bracketed = host[0] == '[' && colon[-1] == ']';
	if (bracketed) {
		host++;
		colon[-1] = '\0';
	}
	if (url_address(host, bracketed, (uint16_t)port, out))
		return true;
	snprintf(fault, n, "\"%s\" is not an address (names are not resolved); %s", host, remedy);
	return false;
}

static bool
url_parse(const char *text, bool admin, struct listen_url *out, char *fault, size_t n)
{
	struct parts parts;

	if (!url_split(text, &parts)) {
		snprintf(fault, n, "no scheme; write %s://ADDR:PORT",
			 admin ? "http" : "syslog+tcp");
		return false;
	}
	if (!url_scheme(parts.scheme, admin, out, fault, n))
		return false;
	if (!(listen_url_is_unix(out) ? url_path(parts.place, out, fault, n)
				      : url_authority(parts.place, out, fault, n)))
		return false;
	if (parts.has_query && (parts.query.n == 0 || parts.query.p[parts.query.n - 1] == '&')) {
		snprintf(fault, n,
			 "no option behind the last ? or &; write NAME=VALUE or remove it");
		return false;
	}
	return listen_options_parse(parts.query, out, fault, n);
}

bool
listen_url_parse(const char *text, bool admin, struct listen_url *out, char *err, size_t errlen)
{
	char fault[512];

	memset(out, 0, sizeof(*out));
	if (url_parse(text, admin, out, fault, sizeof(fault))) {
		out->text = xstrdup(text);
		return true;
	}
	snprintf(err, errlen, "%s: \"%.200s\": %s", admin ? "admin" : "listen", text, fault);
	listen_url_free(out);
	return false;
}

void
listen_url_free(struct listen_url *u)
{
	free(u->text);
	free(u->path);
	free(u->app);
	free(u->hostname_fixed);
	free(u->proxy);
	memset(u, 0, sizeof(*u));
}

bool
listen_url_is_unix(const struct listen_url *u)
{
	return u->kind == LISTEN_UNIX || u->kind == LISTEN_UNIXGRAM || u->kind == LISTEN_HTTP_UNIX;
}

bool
listen_url_is_tls(const struct listen_url *u)
{
	return u->kind == LISTEN_TLS || u->kind == LISTEN_RELPS || u->kind == LISTEN_INGESTS ||
	       u->kind == LISTEN_HTTPS;
}

socklen_t
listen_url_sockaddr(const struct listen_url *u, struct sockaddr_storage *out)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};

	memset(out, 0, sizeof(*out));
	if (!listen_url_is_unix(u)) {
		*out = u->addr;
		return u->addr.ss_family == AF_INET ? sizeof(struct sockaddr_in)
						    : sizeof(struct sockaddr_in6);
	}
	memcpy(un.sun_path, u->path, strlen(u->path) + 1);
	memcpy(out, &un, sizeof(un));
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(u->path) + 1);
}

static bool
is_wildcard(const struct listen_url *u)
{
	static const struct in6_addr any6 = IN6ADDR_ANY_INIT;
	struct sockaddr_in6 in6;
	struct sockaddr_in in;

	memcpy(&in, &u->addr, sizeof(in));
	memcpy(&in6, &u->addr, sizeof(in6));
	if (u->addr.ss_family == AF_INET)
		return in.sin_addr.s_addr == htonl(INADDR_ANY);
	return memcmp(&in6.sin6_addr, &any6, sizeof(any6)) == 0;
}

bool
listen_url_conflicts(const struct listen_url *a, const struct listen_url *b)
{
	struct sockaddr_in in_a, in_b;

	if (listen_url_is_unix(a) || listen_url_is_unix(b))
		return listen_url_is_unix(a) && listen_url_is_unix(b) &&
		       strcmp(a->path, b->path) == 0;
	/* The port lies at the same place in both families. */
	memcpy(&in_a, &a->addr, sizeof(in_a));
	memcpy(&in_b, &b->addr, sizeof(in_b));
	if ((a->kind == LISTEN_UDP) != (b->kind == LISTEN_UDP) || in_a.sin_port != in_b.sin_port ||
	    in_a.sin_port == 0)
		return false;
	if (a->both_families || b->both_families)
		return true;
	if (a->addr.ss_family != b->addr.ss_family)
		return false;
	return is_wildcard(a) || is_wildcard(b) || memcmp(&a->addr, &b->addr, sizeof(a->addr)) == 0;
}
