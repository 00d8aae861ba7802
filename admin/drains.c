#include <stdlib.h>
#include <string.h>

#include "admin/drain_find.h"
#include "admin/drain_request.h"
#include "admin/handlers.h"
#include "admin/query.h"
#include "admin/reply.h"
#include "admin/status.h"
#include "base/log.h"
#include "base/percent.h"
#include "base/xmalloc.h"

/*
 * The documented curl call gets an array and so do command lines up to
 * 1.18.0; later clients, which send Bearer tokens, decode an object.
 */
static bool
list_is_array(const struct api_call *call)
{
	static const char old_client[] = "Scalingo CLI v1.18.0";
	const size_t n = sizeof(old_client) - 1;
	struct slice agent = http_request_header(call->req, "User-Agent");

	if (call->admin->list_shape != LIST_AUTO)
		return call->admin->list_shape == LIST_ARRAY;
	return call->who.by_basic || (agent.n >= n && memcmp(agent.p, old_client, n) == 0 &&
				      (agent.n == n || agent.p[n] == ' '));
}

struct drains_walk {
	json_t *drains;
	bool redact, with_status;
	struct drain_status *status;
	size_t nstatus, next; /* both lists have one order: where the next one probably is */
};

static const struct drain_status *
walk_status(struct drains_walk *walk, uint64_t id)
{
	for (size_t i = 0; i < walk->nstatus; i++) {
		size_t at = (walk->next + i) % walk->nstatus;

		if (walk->status[at].id == id) {
			walk->next = at + 1;
			return &walk->status[at];
		}
	}
	return NULL;
}

static bool
on_drain(const struct drain_record *record, void *arg)
{
	struct drains_walk *walk = arg;
	json_t *drain = json_object();

	json_set_text(drain, "app_id", record->app_id);
	if (walk->redact) {
		char *url = drain_redacted_url(record);

		json_set_text(drain, "url", url);
		free(url);
	} else {
		json_set_text(drain, "url", record->url);
	}
	if (walk->with_status)
		status_add(drain, record, walk_status(walk, record->id));
	json_array_append_new(walk->drains, drain);
	return true;
}

void
drains_list(struct api_call *call)
{
	struct drains_walk walk = {.redact = query_is_true(call->req->query, "redact"),
				   .with_status = query_is_true(call->req->query, "status")};
	enum gateway_code asked = GATEWAY_OK;
	enum store_code code;
	json_t *body;

	if (call->lookup != APP_FOUND) {
		reply_not_found(call->resp, "app");
		return;
	}
	if (walk.with_status)
		asked = gateway_app_status(call->admin->gateway, &call->app, &walk.status,
					   &walk.nstatus);
	if (asked != GATEWAY_OK && asked != GATEWAY_NOT_FOUND) {
		api_call_gateway_failed(call, asked);
		return;
	}
	walk.drains = json_array();
	code = store_drain_walk(call->admin->store, call->app.id, on_drain, &walk);
	free(walk.status);
	if (code != STORE_OK) {
		json_decref(walk.drains);
		api_call_store_failed(call, code);
	} else if (list_is_array(call)) {
		reply_json(call->resp, 200, walk.drains);
	} else {
		body = json_object();
		json_object_set_new(body, "drains", walk.drains);
		reply_json(call->resp, 200, body);
	}
}

static void
reply_added(struct api_call *call, const char *url)
{
	json_t *body = json_object(), *drain = json_object();

	json_set_text(drain, "url", url);
	json_object_set_new(body, "drain", drain);
	reply_json(call->resp, 201, body);
}

static void
reply_not_added(struct api_call *call, enum gateway_code code)
{
	if (code == GATEWAY_EXISTS)
		reply_field_error(call->resp, "url", "already exists");
	else if (code == GATEWAY_NOT_FOUND)
		reply_not_found(call->resp, "app");
	else
		api_call_gateway_failed(call, code);
}

/* The conf is the gateway's, or freed, when this returns. */
static void
add_drain(struct api_call *call, struct drain_conf *conf)
{
	char *url = xstrdup(conf->url), *redacted = xstrdup(conf->redacted);
	const char *type = conf->type->name;
	enum gateway_code code;

	code =
	    gateway_drain_add(call->admin->gateway, &call->app, call->lookup == APP_UNKNOWN, conf);
	if (code != GATEWAY_OK)
		drain_conf_free(conf);
	if (code == GATEWAY_OK) {
		log_info("drain added", "app", call->app.name, "type", type, "url", redacted, "by",
			 principal_name(&call->who), NULL);
		reply_added(call, url);
	} else {
		reply_not_added(call, code);
	}
	free(url);
	free(redacted);
}

/* The same, in place of the drain `old`. */
static void
swap_drain(struct api_call *call, const struct drain_record *old, struct drain_conf *conf)
{
	char *url = xstrdup(conf->url), *redacted = xstrdup(conf->redacted);
	const char *type = conf->type->name;
	enum gateway_code code;

	code = gateway_drain_replace(call->admin->gateway, &call->app, old->url, conf);
	if (code != GATEWAY_OK)
		drain_conf_free(conf);
	if (code == GATEWAY_OK) {
		char *was = drain_redacted_url(old);

		log_info("drain replaced", "app", call->app.name, "was", was, "type", type, "url",
			 redacted, "by", principal_name(&call->who), NULL);
		free(was);
		reply_added(call, url);
	} else {
		reply_not_added(call, code);
	}
	free(url);
	free(redacted);
}

static void
replace_drain(struct api_call *call, const char *replaces, struct drain_conf *conf)
{
	struct drain_record old = {0};
	enum store_code code = STORE_NOT_FOUND;

	if (call->lookup == APP_FOUND)
		code = store_drain_find(call->admin->store, call->app.id, replaces, &old);
	if (code == STORE_OK) {
		swap_drain(call, &old, conf);
		drain_record_free(&old);
		return;
	}
	drain_conf_free(conf);
	if (code == STORE_NOT_FOUND)
		reply_field_error(call->resp, "replaces", "is not a drain of this app");
	else
		api_call_store_failed(call, code);
}

void
drains_add(struct api_call *call)
{
	struct drain_conf conf;
	const char *replaces;
	json_t *body;

	if (call->lookup == APP_BAD_NAME) {
		reply_error(call->resp, 400,
			    "an app's name is 1 to 48 printable ASCII characters without space");
		return;
	}
	if (call->lookup == APP_UNKNOWN_ID ||
	    (call->lookup == APP_UNKNOWN && call->admin->apps_declared)) {
		reply_not_found(call->resp, "app");
		return;
	}
	body = api_call_body(call);
	if (body == NULL)
		return;
	replaces = drain_request_replaces(body);
	if (drain_request_read(call, body, &conf)) {
		if (replaces != NULL)
			replace_drain(call, replaces, &conf);
		else
			add_drain(call, &conf);
	}
	json_decref(body);
}

void
drains_remove(struct api_call *call)
{
	struct drain_record drain = {0};
	enum gateway_code code;

	if (call->lookup != APP_FOUND) {
		reply_not_found(call->resp, "app");
		return;
	}
	if (!drain_find_named(call, &drain))
		return;
	code = gateway_drain_remove(call->admin->gateway, &call->app, drain.url);
	if (code == GATEWAY_OK) {
		char *redacted = drain_redacted_url(&drain);

		log_info("drain removed", "app", call->app.name, "type", drain.type, "url",
			 redacted, "by", principal_name(&call->who), NULL);
		free(redacted);
		reply_empty(call->resp);
	} else if (code == GATEWAY_NOT_FOUND) {
		reply_not_found(call->resp, "log_drain");
	} else {
		api_call_gateway_failed(call, code);
	}
	drain_record_free(&drain);
}
