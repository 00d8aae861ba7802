/*
 * elk -- Logstash's http input, by its URL.
 *
 * The URL is the drain's key as it was given; it is only taken apart to check
 * it and to know whom to connect to.  What two readers of URLs could take for
 * different hosts is refused: the address that was checked must be the one
 * that is used.
 */
#include <strings.h>

#include "base/percent.h"
#include "base/xmalloc.h"
#include "types/drain_host.h"
#include "types/drain_lines.h"
#include "types/drain_type.h"

/* Slices into the URL (RFC 3986, section 3.2). */
struct authority {
	struct slice user; /* user info; p is NULL without one */
	struct slice host; /* brackets included */
	struct slice port; /* with its ':'; empty without one */
	uint16_t usual_port;
};

/* These return what is wrong, or NULL. */

static const char *
split_scheme(struct slice *rest, struct authority *a)
{
	if (strncasecmp(rest->p, "http://", 7) == 0) {
		a->usual_port = 80;
		*rest = slice_skip(*rest, 7);
	} else if (strncasecmp(rest->p, "https://", 8) == 0) {
		a->usual_port = 443;
		*rest = slice_skip(*rest, 8);
	} else {
		return "must begin with http:// or https://";
	}
	return NULL;
}

static const char *
check_user(struct slice user)
{
	struct buf decoded = {0};
	bool whole = percent_decode(user, PERCENT_PLUS_KEPT, &decoded);

	buf_free(&decoded);
	return whole ? NULL : "must write '%' in its user or password as %25";
}

static const char *
split_authority(const char *url, struct authority *a)
{
	struct slice rest = slice_str(url);
	const char *fault = split_scheme(&rest, a);
	const char *at, *end;

	if (fault != NULL)
		return fault;
	if (strchr(url, '#') != NULL)
		return "must not have a fragment ('#'): it would never be sent";
	if (strchr(url, '\\') != NULL)
		return "must write '\\' as %5C";

	rest.n = strcspn(rest.p, "/?");
	at = memchr(rest.p, '@', rest.n);
	if (at != NULL) {
		a->user = slice_of(rest.p, (size_t)(at - rest.p));
		rest = slice_skip(rest, a->user.n + 1);
		if (memchr(rest.p, '@', rest.n) != NULL)
			return "must write '@' in its user or password as %40";
		fault = check_user(a->user);
		if (fault != NULL)
			return fault;
	}
	end = rest.n > 0 && rest.p[0] == '[' ? memchr(rest.p, ']', rest.n) : rest.p;
	if (end != NULL)
		end = memchr(end, ':', rest.n - (size_t)(end - rest.p));
	a->host = slice_of(rest.p, end != NULL ? (size_t)(end - rest.p) : rest.n);
	a->port = slice_skip(rest, a->host.n);
	return NULL;
}

static const char *
fill_address(struct drain_conf *conf, const struct authority *a)
{
	struct buf host = {0};
	const char *fault = NULL;

	if (!drain_host_check(a->host, &host, &fault)) {
		buf_free(&host);
		return "must have a host name or an IP address behind http:// or https://";
	}
	conf->host = xstrdup(buf_cstr(&host));
	buf_free(&host);
	conf->port = a->usual_port;
	if (a->port.n > 0 && !drain_port_parse(slice_skip(a->port, 1), &conf->port))
		return "must have a port from 1 to 65535, or none";
	return NULL;
}

/* The password as ***; user info without ':' may be a key, and goes whole. */
static char *
redact(const char *url, struct slice user)
{
	const char *colon, *secret;
	size_t shown;

	if (user.n == 0)
		return xstrdup(url);
	colon = memchr(user.p, ':', user.n);
	secret = colon != NULL ? colon + 1 : user.p;
	shown = (size_t)(secret - url);
	return xasprintf("%.*s***%s", (int)shown, url, user.p + user.n);
}

static void
finish(struct drain_conf *conf, struct drain_errors *errors)
{
	const char *url = conf->value[DRAIN_URL];
	struct authority a = {0};
	const char *fault = split_authority(url, &a);

	if (fault == NULL)
		fault = fill_address(conf, &a);
	if (fault != NULL) {
		drain_error(errors, drain_key_name(DRAIN_URL), "%s", fault);
		return;
	}
	conf->transport = DRAIN_HTTP;
	conf->framing = DRAIN_FRAMING_NONE;
	conf->url = xstrdup(url);
	conf->redacted = redact(url, a.user);
}

const struct drain_type drain_type_elk = {
    .name = "elk",
    .need = {[DRAIN_URL] = DRAIN_REQUIRED},
    .finish = finish,
    .encode = NULL,
    .verbatim = drain_never_verbatim,
};
