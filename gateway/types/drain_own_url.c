#include "types/drain_own_url.h"

#include <stdlib.h>
#include <strings.h>

#include "base/percent.h"
#include "base/xmalloc.h"
#include "types/drain_host.h"
#include "types/drain_pem.h"
#include "types/drain_url.h"

/* Slices into the URL (RFC 3986, section 3). */
struct parts {
	bool tls;
	struct slice user; /* user info; p is NULL without one */
	struct slice host; /* brackets included */
	struct slice port; /* with its ':'; empty without one */
	struct slice path; /* and query */
};

/* These return what is wrong, or NULL. */

static const char *
split_scheme(struct slice *rest, struct parts *p)
{
	p->tls = strncasecmp(rest->p, "https://", 8) == 0;
	if (!p->tls && strncasecmp(rest->p, "http://", 7) != 0)
		return "must begin with http:// or https://";
	*rest = slice_skip(*rest, p->tls ? 8 : 7);
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
split_user(struct slice *rest, struct parts *p)
{
	const char *at = memchr(rest->p, '@', rest->n);

	if (at == NULL)
		return NULL;
	p->user = slice_of(rest->p, (size_t)(at - rest->p));
	*rest = slice_skip(*rest, p->user.n + 1);
	if (memchr(rest->p, '@', rest->n) != NULL)
		return "must write '@' in its user or password as %40";
	return check_user(p->user);
}

static const char *
split(const char *url, struct parts *p)
{
	struct slice rest = slice_str(url);
	const char *fault, *end;

	*p = (struct parts){0};
	fault = split_scheme(&rest, p);
	if (fault != NULL)
		return fault;
	if (strchr(url, '#') != NULL)
		return "must not have a fragment ('#'): it would never be sent";
	if (strchr(url, '\\') != NULL)
		return "must write '\\' as %5C";

	p->path = slice_skip(rest, strcspn(rest.p, "/?"));
	rest.n -= p->path.n;
	fault = split_user(&rest, p);
	if (fault != NULL)
		return fault;
	end = rest.n > 0 && rest.p[0] == '[' ? memchr(rest.p, ']', rest.n) : rest.p;
	if (end != NULL)
		end = memchr(end, ':', rest.n - (size_t)(end - rest.p));
	p->host = slice_of(rest.p, end != NULL ? (size_t)(end - rest.p) : rest.n);
	p->port = slice_skip(rest, p->host.n);
	return NULL;
}

static char *
target_of(const struct parts *p, const char *host, uint16_t port)
{
	struct buf out = {0};

	buf_add_str(&out, p->tls ? "https://" : "http://");
	buf_addf(&out, strchr(host, ':') != NULL ? "[%s]" : "%s", host);
	if (port != (p->tls ? 443 : 80))
		buf_addf(&out, ":%u", (unsigned)port);
	if (p->path.n == 0 || p->path.p[0] != '/')
		buf_add_char(&out, '/');
	buf_add_slice(&out, p->path);
	buf_add_char(&out, '\0');
	return out.p;
}

/* Nothing of conf is changed if there is a fault. */
static const char *
fill_receiver(struct drain_conf *conf, const struct parts *p)
{
	struct buf host = {0};
	uint16_t port = p->tls ? 443 : 80;
	const char *fault = NULL;

	if (!drain_host_check(p->host, &host, &fault)) {
		buf_free(&host);
		return "must have a host name or an IP address behind http:// or https://";
	}
	if (p->port.n > 0 && !drain_port_parse(slice_skip(p->port, 1), &port)) {
		buf_free(&host);
		return "must have a port from 1 to 65535, or none";
	}
	free(conf->host);
	free(conf->target);
	conf->transport = DRAIN_HTTP;
	conf->framing = DRAIN_FRAMING_NONE;
	conf->host = xstrdup(buf_cstr(&host));
	conf->port = port;
	conf->target = target_of(p, conf->host, port);
	buf_free(&host);
	return NULL;
}

/* The password as ***; user info without one is likely to be a key, and goes whole. */
static void
add_redacted(struct buf *out, const char *url, struct slice user)
{
	const char *colon = user.n > 0 ? memchr(user.p, ':', user.n) : NULL;
	const char *secret = user.p;

	if (user.n == 0) {
		buf_add_str(out, url);
		return;
	}
	if (colon != NULL && colon + 1 < user.p + user.n)
		secret = colon + 1;
	buf_add(out, url, (size_t)(secret - url));
	buf_add_str(out, "***");
	buf_add_str(out, user.p + user.n);
}

static void
fill_url(struct drain_conf *conf, struct slice user)
{
	struct drain_url url = {.fragment = true};
	const char *given = conf->value[DRAIN_URL];

	buf_add_str(&url.full, given);
	add_redacted(&url.redacted, given, user);
	if (conf->value[DRAIN_TOKEN] != NULL) {
		drain_url_add(&url, "#token=");
		drain_url_add_secret(&url, conf->value[DRAIN_TOKEN]);
		url.query = true;
	}
	drain_url_add_options(&url, conf);
	drain_url_finish(&url, conf);
}

bool
drain_own_url_finish(struct drain_conf *conf, struct drain_errors *errors)
{
	size_t before = errors->n;
	struct parts p;
	const char *fault = split(conf->value[DRAIN_URL], &p);

	if (fault == NULL)
		fault = fill_receiver(conf, &p);
	if (fault != NULL) {
		drain_error(errors, drain_key_name(DRAIN_URL), "%s", fault);
		return false;
	}
	if (!p.tls)
		drain_pem_refuse(conf, errors, "needs a url that begins with https://");
	if (errors->n > before)
		return false;
	fill_url(conf, p.user);
	return true;
}

void
drain_own_url_user(const struct drain_conf *conf, struct buf *out)
{
	size_t start = out->n;
	struct parts p;

	/* It was decoded once already, when the drain was made. */
	if (split(conf->value[DRAIN_URL], &p) != NULL || p.user.n == 0 ||
	    !percent_decode(p.user, PERCENT_PLUS_KEPT, out))
		return;
	/* A user alone has an empty password (RFC 7617, section 2). */
	if (memchr(out->p + start, ':', out->n - start) == NULL)
		buf_add_char(out, ':');
}

void
drain_own_url_authorize(const struct drain_conf *conf, struct drain_request *req)
{
	struct buf user = {0};

	drain_own_url_user(conf, &user);
	if (user.n > 0)
		drain_request_basic(req, buf_slice(&user));
	buf_free(&user);
}

void
drain_own_url_endpoint(struct drain_conf *conf, const char *endpoint, const char *site)
{
	const char *hole = strstr(endpoint, "%s");
	struct parts p;
	char *url;

	if (hole == NULL)
		url = xstrdup(endpoint);
	else
		url = xasprintf("%.*s%s%s", (int)(hole - endpoint), endpoint, site, hole + 2);
	if (split(url, &p) == NULL)
		fill_receiver(conf, &p);
	free(url);
}
