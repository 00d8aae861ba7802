/* The calls that the service's own clients make before they come to drains. */
#include <string.h>

#include "admin/handlers.h"
#include "admin/reply.h"

void
health_show(struct api_call *call)
{
	json_t *body = json_object();

	json_set_text(body, "status", "ok");
	reply_json(call->resp, 200, body);
}

void
token_exchange(struct api_call *call)
{
	struct buf jwt = {0};
	json_t *body;

	/* Else a JWT could be renewed for ever without its token. */
	if (call->who.by_jwt) {
		reply_forbidden(call->resp, "exchange takes the token itself, not what it was "
					    "exchanged for");
		return;
	}
	auth_issue(&call->admin->auth, &call->who, &jwt);
	body = json_object();
	json_set_text(body, "token", buf_cstr(&jwt));
	buf_free(&jwt);
	reply_json(call->resp, 200, body);
}

void
user_show(struct api_call *call)
{
	const struct principal *who = &call->who;
	json_t *body = json_object(), *user = json_object();

	json_set_text(user, "id", who->is_operator ? "000000000000000000000000" : who->token.id);
	json_set_text(user, "username", who->is_operator ? "operator" : who->token.name);
	json_set_text(user, "email", who->is_operator ? "operator@localhost" : "token@localhost");
	json_object_set_new(body, "user", user);
	reply_json(call->resp, 200, body);
}

/* The name under which the client reached us; what is not a host's spelling is not repeated. */
static struct slice
own_host(const struct http_request *req)
{
	static const char allowed[] =
	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	    "-._:[]";
	struct slice host = http_request_header(req, "Host");

	if (host.n == 0 || host.n > 255)
		return SLICE("localhost");
	for (size_t i = 0; i < host.n; i++) {
		if (host.p[i] == '\0' || strchr(allowed, host.p[i]) == NULL)
			return SLICE("localhost");
	}
	return host;
}

void
regions_list(struct api_call *call)
{
	static const char *const urls[] = {"api", "database_api", "dashboard"};
	struct slice host = own_host(call->req);
	struct slice forwarded = http_request_header(call->req, "X-Forwarded-Proto");
	/* Behind a proxy that ends TLS, http here would send the next token in the clear. */
	bool https = call->req->tls || slice_is(forwarded, "https");
	json_t *body = json_object(), *regions = json_array(), *region = json_object();
	struct buf text = {0};

	json_set_text(region, "name", "penstock");
	json_set_text(region, "display_name", "penstock");
	buf_addf(&text, "%s://%.*s", https ? "https" : "http", (int)host.n, host.p);
	for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++)
		json_set_text(region, urls[i], buf_cstr(&text));
	json_set_text(region, "ssh", strstr(buf_cstr(&text), "://") + 3);
	json_object_set_new(region, "default", json_true());
	json_array_append_new(regions, region);
	json_object_set_new(body, "regions", regions);
	buf_free(&text);
	reply_json(call->resp, 200, body);
}

void
addons_list(struct api_call *call)
{
	json_t *body;

	if (call->lookup != APP_FOUND) {
		reply_not_found(call->resp, "app");
		return;
	}
	body = json_object();
	json_object_set_new(body, "addons", json_array());
	reply_json(call->resp, 200, body);
}

void
addon_missing(struct api_call *call)
{
	reply_not_found(call->resp, "addon");
}
