#include "plumb/listen_options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/name.h"
#include "base/nearest.h"
#include "base/percent.h"
#include "base/xmalloc.h"
#include "plumb/cidr.h"
#include "plumb/tag_rule.h"

#define KIND(k) (1U << (k))

enum {
	LISTEN_HOSTNAME_MAX = 255, /* RFC 5424, section 6 */
	TZ_HOURS_MAX = 14,	   /* the zone farthest from UTC is +14:00 */
	KINDS_TLS =
	    KIND(LISTEN_TLS) | KIND(LISTEN_RELPS) | KIND(LISTEN_INGESTS) | KIND(LISTEN_HTTPS),
	KINDS_STREAM = KIND(LISTEN_TCP) | KIND(LISTEN_TLS) | KIND(LISTEN_UNIX),
	KINDS_RELP = KIND(LISTEN_RELP) | KIND(LISTEN_RELPS),
	KINDS_INGEST = KIND(LISTEN_INGEST) | KIND(LISTEN_INGESTS),
	/* A rule tells the app of each line. */
	KINDS_TAGGED = KINDS_STREAM | KIND(LISTEN_UDP) | KIND(LISTEN_UNIXGRAM) | KINDS_RELP,
	KINDS_LINES = KINDS_TAGGED | KINDS_INGEST,
	KINDS_PROXIED = KIND(LISTEN_TCP) | KIND(LISTEN_TLS) | KINDS_RELP | KINDS_INGEST,
};

struct option {
	const char *name;
	unsigned kinds;	    /* of listeners that take it */
	const char *others; /* what to say of all others */
	bool (*set)(struct listen_url *, const char *value, char *fault, size_t n);
};

static bool
option_app(struct listen_url *u, const char *value, char *fault, size_t n)
{
	if (!tag_rule_check(value, fault, n))
		return false;
	free(u->app);
	u->app = xstrdup(value);
	return true;
}

static bool
option_auth(struct listen_url *u, const char *value, char *fault, size_t n)
{
	if (strcmp(value, "none") == 0) {
		u->auth = TLS_CLIENT_NONE;
	} else if (strcmp(value, "optional") == 0) {
		u->auth = TLS_CLIENT_OPTIONAL;
	} else if (strcmp(value, "required") == 0) {
		u->auth = TLS_CLIENT_REQUIRED;
	} else {
		snprintf(fault, n, "auth=%.60s: unknown; use none, optional or required", value);
		return false;
	}
	return true;
}

static bool
option_framing(struct listen_url *u, const char *value, char *fault, size_t n)
{
	if (framing_parse(value, &u->framing))
		return true;
	snprintf(fault, n, "framing=%.60s: unknown; use auto, octet-counting, lf or nul", value);
	return false;
}

static bool
option_proxy(struct listen_url *u, const char *value, char *fault, size_t n)
{
	struct cidr_list list;
	char err[256];

	if (!cidr_list_parse(value, &list, err, sizeof(err))) {
		snprintf(fault, n, "proxy: %s", err);
		return false;
	}
	cidr_list_free(&list);
	u->proxy = xstrdup(value);
	return true;
}

static bool
option_hostname(struct listen_url *u, const char *value, char *fault, size_t n)
{
	if (strcmp(value, "keep") == 0) {
		u->hostname = HOSTNAME_KEEP;
	} else if (strcmp(value, "peer") == 0) {
		u->hostname = HOSTNAME_PEER;
	} else if (name_printable(slice_str(value), LISTEN_HOSTNAME_MAX)) {
		u->hostname = HOSTNAME_FIXED;
		u->hostname_fixed = xstrdup(value);
	} else {
		snprintf(fault, n,
			 "hostname=%.60s: use keep, peer or a name of 1 to 255 printable "
			 "ASCII characters without space",
			 value);
		return false;
	}
	return true;
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* +HH:MM or -HH:MM */
static bool
tz_offset(const char *s, int *minutes)
{
	int h, m;

	if (strlen(s) != 6 || (s[0] != '+' && s[0] != '-') || s[3] != ':' || !is_digit(s[1]) ||
	    !is_digit(s[2]) || !is_digit(s[4]) || !is_digit(s[5]))
		return false;
	h = (s[1] - '0') * 10 + (s[2] - '0');
	m = (s[4] - '0') * 10 + (s[5] - '0');
	if (m > 59 || h * 60 + m > TZ_HOURS_MAX * 60)
		return false;
	*minutes = (h * 60 + m) * (s[0] == '-' ? -1 : 1);
	return true;
}

static bool
option_tz(struct listen_url *u, const char *value, char *fault, size_t n)
{
	u->tz_local = strcmp(value, "local") == 0;
	u->tz_minutes = 0;
	if (u->tz_local || strcmp(value, "UTC") == 0 || tz_offset(value, &u->tz_minutes))
		return true;
	snprintf(fault, n,
		 "tz=%.60s: use UTC, local or an offset like +02:00, up to 14:00; for a "
		 "zone by name set TZ and use local",
		 value);
	return false;
}

enum {
	OPTION_APP,
	OPTION_AUTH,
	OPTION_FRAMING,
	OPTION_PROXY,
	OPTION_HOSTNAME,
	OPTION_TZ,
	NOPTIONS,
};

static const char no_lines[] = "an admin listener takes no lines";

static const struct option options[NOPTIONS] = {
    [OPTION_APP] = {"app", KINDS_LINES, no_lines, option_app},
    [OPTION_AUTH] = {"auth", KINDS_TLS, "certificates come with TLS only", option_auth},
    [OPTION_FRAMING] = {"framing", KINDS_STREAM,
			"only syslog+tcp, syslog+tls and syslog+unix have a choice",
			option_framing},
    [OPTION_PROXY] = {"proxy", KINDS_PROXIED,
		      "only listeners for lines over TCP and TLS have proxies", option_proxy},
    [OPTION_HOSTNAME] = {"hostname", KINDS_LINES, no_lines, option_hostname},
    [OPTION_TZ] = {"tz", KINDS_LINES, no_lines, option_tz},
};

/* The option's index; NOPTIONS, with fault set, if there is none. */
static size_t
option_find(const char *name, char *fault, size_t n)
{
	struct nearest near = {0};

	for (size_t i = 0; i < NOPTIONS; i++) {
		if (strcmp(name, options[i].name) == 0)
			return i;
		nearest_try(&near, name, options[i].name);
	}
	if (near.best != NULL)
		snprintf(fault, n, "unknown option \"%.60s\"; did you mean %s?", name, near.best);
	else
		snprintf(fault, n,
			 "unknown option \"%.60s\"; use app, auth, framing, proxy, hostname or tz",
			 name);
	return NOPTIONS;
}

/* `name=value`, both NUL-terminated. */
static bool
option_set(const char *name, const char *value, struct listen_url *out, unsigned *seen, char *fault,
	   size_t n)
{
	size_t i = option_find(name, fault, n);

	if (i == NOPTIONS)
		return false;
	if ((options[i].kinds & KIND(out->kind)) == 0) {
		snprintf(fault, n, "option %s: %s; remove it", name, options[i].others);
		return false;
	}
	if (*seen & KIND(i)) {
		snprintf(fault, n, "option %s is given twice; remove one of the two", name);
		return false;
	}
	*seen |= KIND(i);
	if (value[0] == '\0') {
		snprintf(fault, n, "option %s has no value; write %s=VALUE or remove it", name,
			 name);
		return false;
	}
	return options[i].set(out, value, fault, n);
}

static bool
option_parse(struct slice text, struct listen_url *out, unsigned *seen, char *fault, size_t n)
{
	const char *eq = text.n > 0 ? memchr(text.p, '=', text.n) : NULL;
	size_t name_n = eq == NULL ? text.n : (size_t)(eq - text.p);
	char *name = xstrndup(text.n > 0 ? text.p : "", name_n);
	struct buf value = {0};
	bool ok = false;

	if (eq == NULL)
		snprintf(fault, n, "option \"%.60s\" has no value; write NAME=VALUE", name);
	else if (!percent_decode(slice_skip(text, name_n + 1), PERCENT_PLUS_KEPT, &value))
		snprintf(fault, n,
			 "option %.60s: %% is not followed by two hex digits; write %%25 for "
			 "a %% sign",
			 name);
	else if (value.n > 0 && memchr(value.p, '\0', value.n) != NULL)
		snprintf(fault, n, "option %.60s: %%00 cannot stand there; remove it", name);
	else
		ok = option_set(name, buf_cstr(&value), out, seen, fault, n);
	buf_free(&value);
	free(name);
	return ok;
}

static const char *
with_tls(enum listen_kind kind)
{
	if (kind == LISTEN_RELP)
		return "relps";
	return kind == LISTEN_INGEST ? "https" : "syslog+tls";
}

/* The `cert` rule reads what the handshake has verified: it needs one. */
static bool
options_settle(struct listen_url *out, bool auth_given, char *fault, size_t n)
{
	bool cert =
	    out->app != NULL && strcspn(out->app, ",") == 4 && strncmp(out->app, "cert", 4) == 0;

	/* It says who may send lines for the app that a request names. */
	if (out->app != NULL && (KINDS_INGEST & KIND(out->kind)) && !cert &&
	    strncmp(out->app, "fixed:", 6) != 0) {
		snprintf(fault, n,
			 "app=%.60s: the path of a request names the app; use cert or fixed:NAME "
			 "to allow no other one, or remove it",
			 out->app);
		return false;
	}
	if (!cert)
		return true;
	if (!listen_url_is_tls(out)) {
		snprintf(fault, n, "app=cert: there is no certificate without TLS; use %s",
			 with_tls(out->kind));
		return false;
	}
	if (!auth_given)
		out->auth = TLS_CLIENT_REQUIRED;
	if (out->auth == TLS_CLIENT_NONE) {
		snprintf(fault, n, "app=cert needs client certificates; use auth=required");
		return false;
	}
	return true;
}

bool
listen_options_parse(struct slice query, struct listen_url *out, char *fault, size_t n)
{
	unsigned seen = 0;
	const char *amp;
	struct slice one;

	if (KINDS_TAGGED & KIND(out->kind))
		out->app = xstrdup("app-name");
	out->framing = FRAMING_AUTO;
	out->tz_local = true;
	while (query.n > 0) {
		amp = memchr(query.p, '&', query.n);
		one = slice_of(query.p, amp == NULL ? query.n : (size_t)(amp - query.p));
		if (!option_parse(one, out, &seen, fault, n))
			return false;
		query = slice_skip(query, amp == NULL ? one.n : one.n + 1);
	}
	return options_settle(out, (seen & KIND(OPTION_AUTH)) != 0, fault, n);
}
