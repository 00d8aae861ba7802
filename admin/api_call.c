#include "admin/api_call.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "admin/reply.h"
#include "base/log.h"
#include "base/name.h"

bool
app_name_is_id(const char *name)
{
	return strlen(name) == RECORD_ID_BYTES &&
	       strspn(name, "0123456789abcdefABCDEF") == RECORD_ID_BYTES;
}

enum store_code
api_call_find_app(struct store *store, struct slice name_or_id, struct app_record *app,
		  enum app_lookup *lookup)
{
	char name[RECORD_NAME_MAX + 1];
	enum store_code code;
	bool is_id;

	memset(app, 0, sizeof(*app));
	*lookup = APP_BAD_NAME;
	if (!name_is_app(name_or_id))
		return STORE_OK;
	memcpy(name, name_or_id.p, name_or_id.n);
	name[name_or_id.n] = '\0';
	is_id = app_name_is_id(name);
	if (is_id) {
		for (char *p = name; *p != '\0'; p++)
			*p = (char)tolower((unsigned char)*p);
		code = store_app_by_id(store, name, app);
	} else {
		code = store_app_by_name(store, name, app);
	}
	if (code == STORE_OK) {
		*lookup = APP_FOUND;
	} else if (code == STORE_NOT_FOUND) {
		*lookup = is_id ? APP_UNKNOWN_ID : APP_UNKNOWN;
		memset(app, 0, sizeof(*app));
		if (!is_id)
			memcpy(app->name, name, name_or_id.n + 1);
		code = STORE_OK;
	}
	return code;
}

static bool
ends_with(struct slice s, const char *end)
{
	size_t n = strlen(end);

	return s.n >= n && strncasecmp(s.p + s.n - n, end, n) == 0;
}

/*
 * Whether a body of that type may be JSON.  `curl -d` says that it sends a
 * form unless told otherwise; its body is JSON all the same.
 */
static bool
type_may_be_json(struct slice type)
{
	static const char *const names[] = {"application/json", "text/json",
					    "application/x-www-form-urlencoded"};
	const char *end = type.n > 0 ? memchr(type.p, ';', type.n) : NULL;

	if (end != NULL)
		type.n = (size_t)(end - type.p);
	while (type.n > 0 && (type.p[type.n - 1] == ' ' || type.p[type.n - 1] == '\t'))
		type.n--;
	if (type.n == 0 || ends_with(type, "+json"))
		return true;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (type.n == strlen(names[i]) && ends_with(type, names[i]))
			return true;
	}
	return false;
}

json_t *
api_call_body(struct api_call *call)
{
	struct slice body = call->req->body;
	json_error_t error;
	json_t *json;

	if (body.n == 0) {
		reply_error(call->resp, 400, "a JSON body is required");
		return NULL;
	}
	if (!type_may_be_json(http_request_header(call->req, "Content-Type"))) {
		reply_error(call->resp, 415, "the body must be application/json");
		return NULL;
	}
	/* NUL inside a string is taken here and refused with the member's name later. */
	json = json_loadb(body.p, body.n, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);
	if (json == NULL) {
		reply_error(call->resp, 400, "malformed JSON, line %d column %d: %s", error.line,
			    error.column, error.text);
		return NULL;
	}
	if (!json_is_object(json)) {
		json_decref(json);
		reply_error(call->resp, 400, "the body must be a JSON object");
		return NULL;
	}
	return json;
}

bool
json_is_blank(const json_t *value)
{
	return value == NULL || json_is_null(value) ||
	       (json_is_string(value) && json_string_length(value) == 0);
}

const char *
api_call_text_member(struct api_call *call, json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);

	if (json_is_blank(value)) {
		reply_error(call->resp, 400, "'%s' parameter is required", key);
		return NULL;
	}
	if (!json_is_string(value)) {
		reply_field_error(call->resp, key, "must be a string");
		return NULL;
	}
	if (strlen(json_string_value(value)) != json_string_length(value)) {
		reply_field_error(call->resp, key, "must not have control characters");
		return NULL;
	}
	return json_string_value(value);
}

void
api_call_store_failed(struct api_call *call, enum store_code code)
{
	log_error("store failed", "error", store_error(call->admin->store), NULL);
	if (code == STORE_FULL)
		reply_error(call->resp, 503, "the store is full; nothing was changed");
	else
		reply_error(call->resp, 500, "the store failed; its log says why");
}

void
api_call_gateway_failed(struct api_call *call, enum gateway_code code)
{
	if (code == GATEWAY_STORE) {
		log_error("store failed", "error", store_error(call->admin->store), NULL);
		reply_error(call->resp, 503, "the store failed; nothing was changed");
	} else {
		log_error("a worker did not answer in time", NULL);
		reply_error(call->resp, 503, "the gateway is busy; nothing was changed");
	}
}
