#include <stdio.h>
#include <string.h>

#include "admin/handlers.h"
#include "admin/reply.h"
#include "base/log.h"
#include "base/name.h"

static json_t *
app_json(const struct app_record *app)
{
	json_t *json = json_object();

	json_set_text(json, "id", app->id);
	json_set_text(json, "name", app->name);
	json_set_time(json, "created_at", app->created_us);
	return json;
}

static void
reply_app(struct api_call *call, int status, const struct app_record *app)
{
	json_t *body = json_object();

	json_object_set_new(body, "app", app_json(app));
	reply_json(call->resp, status, body);
}

struct apps_walk {
	const char *only; /* the id of the one app to list; "": all */
	json_t *apps;
};

static bool
on_app(const struct app_record *app, void *arg)
{
	struct apps_walk *walk = arg;

	if (walk->only[0] == '\0' || strcmp(walk->only, app->id) == 0)
		json_array_append_new(walk->apps, app_json(app));
	return true;
}

void
apps_list(struct api_call *call)
{
	struct apps_walk walk = {call->who.token.app_id, json_array()};
	enum store_code code = store_app_walk(call->admin->store, on_app, &walk);
	json_t *body;

	if (code != STORE_OK) {
		json_decref(walk.apps);
		api_call_store_failed(call, code);
		return;
	}
	body = json_object();
	json_object_set_new(body, "apps", walk.apps);
	reply_json(call->resp, 200, body);
}

void
app_show(struct api_call *call)
{
	if (call->lookup == APP_FOUND)
		reply_app(call, 200, &call->app);
	else
		reply_not_found(call->resp, "app");
}

/* What is wrong with a new app's members; NULL: nothing. */
static json_t *
check_new_app(const json_t *app)
{
	json_t *errors = json_object();
	const json_t *name = json_object_get(app, "name");
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)app, key, value)
	{
		/* The real clients send more members, blank unless they were asked to fill them. */
		if (strcmp(key, "name") != 0 && !json_is_blank(value))
			errors_add(errors, key, "is not a parameter of an app; it takes name");
	}
	if (json_is_blank(name))
		errors_add(errors, "name", "is required");
	else if (!json_is_string(name))
		errors_add(errors, "name", "must be a string");
	else if (!name_is_app(slice_of(json_string_value(name), json_string_length(name))))
		errors_add(errors, "name",
			   "must be 1 to 48 printable ASCII characters without space");
	else if (app_name_is_id(json_string_value(name)))
		errors_add(errors, "name", "must not be 24 hex digits: that is an app's id");
	if (json_object_size(errors) > 0)
		return errors;
	json_decref(errors);
	return NULL;
}

void
apps_add(struct api_call *call)
{
	struct app_record app = {0};
	json_t *body, *member, *errors = NULL;
	enum gateway_code code;

	body = api_call_body(call);
	if (body == NULL)
		return;
	member = json_object_get(body, "app");
	if (json_is_object(member))
		errors = check_new_app(member);
	if (!json_is_object(member)) {
		reply_error(call->resp, 400, "'app' parameter is required");
	} else if (errors != NULL) {
		reply_errors(call->resp, errors);
	} else {
		snprintf(app.name, sizeof(app.name), "%s",
			 json_string_value(json_object_get(member, "name")));
		code = gateway_app_add(call->admin->gateway, &app);
		if (code == GATEWAY_OK) {
			log_info("app added", "app", app.name, "id", app.id, "by",
				 principal_name(&call->who), NULL);
			reply_app(call, 201, &app);
		} else if (code == GATEWAY_EXISTS) {
			reply_field_error(call->resp, "name", "already exists");
		} else {
			api_call_gateway_failed(call, code);
		}
	}
	json_decref(body);
}

void
app_remove(struct api_call *call)
{
	enum gateway_code code = GATEWAY_NOT_FOUND;

	if (call->lookup == APP_FOUND)
		code = gateway_app_remove(call->admin->gateway, call->app.id);
	if (code == GATEWAY_OK) {
		log_info("app removed", "app", call->app.name, "id", call->app.id, "by",
			 principal_name(&call->who), NULL);
		reply_empty(call->resp);
	} else if (code == GATEWAY_NOT_FOUND) {
		reply_not_found(call->resp, "app");
	} else {
		api_call_gateway_failed(call, code);
	}
}
