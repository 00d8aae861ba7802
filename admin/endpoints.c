#include "admin/endpoints.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "admin/handlers.h"
#include "admin/reply.h"
#include "base/log.h"
#include "base/percent.h"

enum access {
	FOR_ANYONE,   /* no token needed */
	FOR_LOCAL,    /* no token needed on this machine, else one for all apps */
	FOR_TOKEN,    /* any token */
	FOR_APP,      /* a token that is good for :app */
	FOR_ALL_APPS, /* a token that is not bound to one app */
	FOR_OPERATOR,
};

static const struct endpoint {
	const char *method;
	const char *path; /* a segment with ':' takes any text but an empty one */
	enum access access;
	api_handler *handler;
} endpoints[] = {
    {"GET", "/healthz", FOR_ANYONE, health_show},
    {"GET", "/metrics", FOR_LOCAL, metrics_show},
    {"GET", "/v1/apps", FOR_TOKEN, apps_list},
    {"POST", "/v1/apps", FOR_ALL_APPS, apps_add},
    {"GET", "/v1/apps/:app", FOR_APP, app_show},
    {"DELETE", "/v1/apps/:app", FOR_ALL_APPS, app_remove},
    {"GET", "/v1/apps/:app/log_drains", FOR_APP, drains_list},
    {"POST", "/v1/apps/:app/log_drains", FOR_APP, drains_add},
    {"DELETE", "/v1/apps/:app/log_drains", FOR_APP, drains_remove},
    {"POST", "/v1/apps/:app/log_drains/test", FOR_APP, drain_test},
    {"GET", "/v1/apps/:app/tail", FOR_APP, tail_show},
    {"GET", "/v1/apps/:app/addons", FOR_APP, addons_list},
    {"GET", "/v1/apps/:app/addons/:id/log_drains", FOR_APP, addon_missing},
    {"POST", "/v1/apps/:app/addons/:id/log_drains", FOR_APP, addon_missing},
    {"DELETE", "/v1/apps/:app/addons/:id/log_drains", FOR_APP, addon_missing},
    {"GET", "/v1/drains", FOR_ALL_APPS, drains_list_all},
    {"GET", "/v1/unrouted", FOR_ALL_APPS, unrouted_list},
    {"POST", "/v1/tokens/exchange", FOR_TOKEN, token_exchange},
    {"GET", "/v1/tokens", FOR_OPERATOR, tokens_list},
    {"POST", "/v1/tokens", FOR_OPERATOR, tokens_add},
    {"DELETE", "/v1/tokens/:id", FOR_OPERATOR, tokens_remove},
    {"GET", "/v1/users/self", FOR_TOKEN, user_show},
    {"GET", "/v1/regions", FOR_TOKEN, regions_list},
};

enum { ENDPOINTS = sizeof(endpoints) / sizeof(endpoints[0]) };

/* Cuts the segment up to the next '/' off the front of *rest. */
static struct slice
next_segment(struct slice *rest)
{
	struct slice segment = *rest;
	const char *slash = rest->n > 0 ? memchr(rest->p, '/', rest->n) : NULL;

	if (slash != NULL)
		segment.n = (size_t)(slash - rest->p);
	*rest = slice_skip(*rest, segment.n + (slash != NULL));
	return segment;
}

static bool
path_matches(const char *pattern, struct slice path, struct slice param[API_CALL_PARAMS_MAX])
{
	struct slice want = slice_str(pattern);
	size_t nparams = 0;

	/* A '/' at the end would be lost below: an empty last segment. */
	if (path.n > 0 && path.p[path.n - 1] == '/')
		return false;
	while (want.n > 0 && path.n > 0) {
		struct slice w = next_segment(&want);
		struct slice p = next_segment(&path);

		if (w.n > 0 && w.p[0] == ':') {
			if (p.n == 0 || nparams == API_CALL_PARAMS_MAX)
				return false;
			param[nparams++] = p;
		} else if (!slice_eq(w, p)) {
			return false;
		}
	}
	return want.n == 0 && path.n == 0;
}

/* NULL: answered.  HEAD is answered as GET; the server leaves the body out. */
static const struct endpoint *
find_endpoint(struct api_call *call)
{
	struct slice method = call->req->method;
	const char *first = NULL; /* the first path that matched: `exchange` is no token's id */
	char allow[128] = "";

	if (slice_is(method, "HEAD"))
		method = SLICE("GET");
	for (size_t i = 0; i < ENDPOINTS; i++) {
		const struct endpoint *e = &endpoints[i];
		size_t n = strlen(allow);

		if (!path_matches(e->path, call->req->path, call->param))
			continue;
		if (first == NULL)
			first = e->path;
		if (strcmp(e->path, first) != 0)
			continue;
		if (slice_is(method, e->method))
			return e;
		snprintf(allow + n, sizeof(allow) - n, "%s%s%s", n > 0 ? ", " : "", e->method,
			 strcmp(e->method, "GET") == 0 ? ", HEAD" : "");
	}
	if (first == NULL) {
		reply_error(call->resp, 404, "not found");
	} else {
		http_response_header(call->resp, "Allow", allow);
		reply_error(call->resp, 405, "method not allowed; this path takes %s", allow);
	}
	return NULL;
}

static const char *
peer_text(const struct sockaddr *peer, char text[INET6_ADDRSTRLEN])
{
	struct sockaddr_in6 in6;
	struct sockaddr_in in;

	if (peer != NULL && peer->sa_family == AF_INET) {
		memcpy(&in, peer, sizeof(in));
		return inet_ntop(AF_INET, &in.sin_addr, text, INET6_ADDRSTRLEN);
	}
	if (peer != NULL && peer->sa_family == AF_INET6) {
		memcpy(&in6, peer, sizeof(in6));
		return inet_ntop(AF_INET6, &in6.sin6_addr, text, INET6_ADDRSTRLEN);
	}
	return "unix";
}

/* What a proxy adds says little of the client, but that there is a proxy. */
static bool
came_by_proxy(const struct http_request *req)
{
	static const char forwarded[] = "X-Forwarded-";
	const size_t n = sizeof(forwarded) - 1;

	for (size_t i = 0; i < req->nheaders; i++) {
		struct slice name = req->headers[i].name;

		if ((name.n > n && strncasecmp(name.p, forwarded, n) == 0) ||
		    http_name_is(name, "Forwarded") || http_name_is(name, "Via") ||
		    http_name_is(name, "X-Real-IP"))
			return true;
	}
	return false;
}

/* Whether it comes from this machine, and not by way of a proxy here. */
static bool
is_local(const struct http_request *req)
{
	struct sockaddr_in6 in6;
	struct sockaddr_in in;

	if (req->peer == NULL || came_by_proxy(req))
		return false;
	switch (req->peer->sa_family) {
	case AF_UNIX:
		return true;
	case AF_INET:
		memcpy(&in, req->peer, sizeof(in));
		return ntohl(in.sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
	case AF_INET6:
		memcpy(&in6, req->peer, sizeof(in6));
		return IN6_IS_ADDR_LOOPBACK(&in6.sin6_addr) ||
		       (IN6_IS_ADDR_V4MAPPED(&in6.sin6_addr) &&
			in6.sin6_addr.s6_addr[12] == IN_LOOPBACKNET);
	default:
		return false;
	}
}

/* false: answered. */
static bool
authenticate(struct api_call *call)
{
	const char *why = "a token is required";
	char peer[INET6_ADDRSTRLEN], seconds[24];
	int64_t wait_s;

	switch (auth_check(&call->admin->auth, call->req, &call->who, &wait_s)) {
	case AUTH_OK:
		return true;
	case AUTH_STORE:
		api_call_store_failed(call, STORE_FAILED);
		return false;
	case AUTH_THROTTLED:
		snprintf(seconds, sizeof(seconds), "%lld", (long long)wait_s);
		http_response_header(call->resp, "Retry-After", seconds);
		reply_error(call->resp, 429, "too many failed logins; try again in %s s", seconds);
		return false;
	case AUTH_WRONG:
		why = "the token is not valid";
		log_warn("login refused", "peer", peer_text(call->req->peer, peer), NULL);
		break;
	case AUTH_MISSING:
		break;
	}
	http_response_header(call->resp, "WWW-Authenticate", "Basic realm=\"penstock\"");
	http_response_header(call->resp, "WWW-Authenticate", "Bearer realm=\"penstock\"");
	reply_error(call->resp, 401, "%s", why);
	return false;
}

/* Finds the app of the path.  false: answered. */
static bool
look_up_app(struct api_call *call)
{
	struct buf name = {0};
	enum store_code code = STORE_OK;

	call->lookup = APP_BAD_NAME;
	if (percent_decode(call->param[0], PERCENT_PLUS_KEPT, &name))
		code = api_call_find_app(call->admin->store, buf_slice(&name), &call->app,
					 &call->lookup);
	buf_free(&name);
	if (code != STORE_OK)
		api_call_store_failed(call, code);
	return code == STORE_OK;
}

/* Apps that are not there are forbidden too, or a token could find out which are. */
static bool
may_call(struct api_call *call, enum access access)
{
	const char *bound_to = call->who.token.app_id;

	if (call->who.is_operator)
		return true;
	switch (access) {
	case FOR_ANYONE:
	case FOR_TOKEN:
		return true;
	case FOR_APP:
		if (bound_to[0] == '\0' ||
		    (call->lookup == APP_FOUND && strcmp(bound_to, call->app.id) == 0))
			return true;
		reply_forbidden(call->resp, "this token is for another app");
		return false;
	case FOR_LOCAL: /* who needs no token has none, and so none that is bound */
	case FOR_ALL_APPS:
		if (bound_to[0] == '\0')
			return true;
		reply_forbidden(call->resp, "this token is for one app only");
		return false;
	case FOR_OPERATOR:
		break;
	}
	reply_forbidden(call->resp, "only the operator's token may do this");
	return false;
}

void
endpoints_run(struct admin *admin, const struct http_request *req, struct http_response *resp)
{
	struct api_call call = {.admin = admin, .req = req, .resp = resp};
	const struct endpoint *endpoint;

	/* Which paths there are is nobody's business without a token. */
	if (!slice_is(req->path, "/healthz") &&
	    !(slice_is(req->path, "/metrics") && is_local(req)) && !authenticate(&call))
		return;
	endpoint = find_endpoint(&call);
	if (endpoint == NULL)
		return;
	if (strncmp(endpoint->path, "/v1/apps/:app", 13) == 0 && !look_up_app(&call))
		return;
	if (may_call(&call, endpoint->access))
		endpoint->handler(&call);
}
