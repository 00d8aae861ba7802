#include "admin/drain_request.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin/reply.h"
#include "base/xmalloc.h"

static const char replaces_inside[] = "belongs beside drain, not into it";

/* A member given as a JSON number, as text. */
struct number {
	char text[24];
};

static bool
takes_number(enum drain_key key)
{
	return key == DRAIN_PORT || key == DRAIN_RESEND_BYTES;
}

/* A member's value as text, NULL when absent; *fault: why it has none. */
static const char *
member_text(const char *key, const json_t *value, struct number *number, const char **fault)
{
	enum drain_key known = drain_key_find(key);

	*fault = NULL;
	if (json_is_blank(value))
		return NULL;
	if (strcmp(key, "replaces") == 0) {
		*fault = replaces_inside;
	} else if (known == DRAIN_KEYS) {
		/* Any text will do: drain_conf_make refuses it by its name. */
		return "?";
	} else if (json_is_string(value)) {
		if (strlen(json_string_value(value)) == json_string_length(value))
			return json_string_value(value);
		*fault = "must not have control characters";
	} else if (json_is_integer(value) && takes_number(known)) {
		snprintf(number->text, sizeof(number->text), "%lld",
			 (long long)json_integer_value(value));
		return number->text;
	} else {
		*fault =
		    takes_number(known) ? "must be a string or a whole number" : "must be a string";
	}
	return NULL;
}

/* false: at least one message is in errors now, and *conf is empty. */
static bool
read_members(json_t *drain, const struct drain_type *type, struct drain_conf *conf, json_t *errors)
{
	size_t size = json_object_size(drain), n = 0;
	struct drain_input *in = xcalloc(size + 1, sizeof(*in));
	struct number *numbers = xcalloc(size + 1, sizeof(*numbers));
	struct drain_errors found = {.n = 0};
	bool faulty[DRAIN_KEYS + 1] = {false};
	const char *key, *fault;
	json_t *value;
	bool ok;

	json_object_foreach(drain, key, value)
	{
		if (strcmp(key, "type") == 0)
			continue;
		in[n] = (struct drain_input){key, member_text(key, value, &numbers[n], &fault)};
		if (fault == NULL) {
			n++;
			continue;
		}
		errors_add(errors, key, fault);
		faulty[drain_key_find(key)] = true;
	}
	ok = drain_conf_make(conf, type, in, n, &found);
	for (size_t i = 0; i < found.n; i++) {
		enum drain_key about = drain_key_find(found.at[i].key);

		/* One that has the wrong JSON type is not missing as well. */
		if (about == DRAIN_KEYS || !faulty[about])
			errors_add(errors, found.at[i].key, found.at[i].text);
	}
	if (ok && json_object_size(errors) > 0) {
		drain_conf_free(conf);
		ok = false;
	}
	free(in);
	free(numbers);
	return ok;
}

static char *
unknown_type_text(void)
{
	const struct drain_type *const *type = drain_type_all();
	struct buf text = {0};
	char *copy;

	buf_add_str(&text, "is not known; it is one of ");
	for (size_t i = 0; type[i] != NULL; i++)
		buf_addf(&text, "%s%s", i > 0 ? ", " : "", type[i]->name);
	copy = xstrdup(buf_cstr(&text));
	buf_free(&text);
	return copy;
}

/* The type that the request names; NULL: answered. */
static const struct drain_type *
request_type(struct api_call *call, const json_t *drain)
{
	const json_t *name = json_object_get(drain, "type");
	const struct drain_type *type = NULL;
	char *text;

	if (!json_is_string(name) || json_string_length(name) == 0) {
		reply_error(call->resp, 400, "'type' parameter is required");
		return NULL;
	}
	if (strlen(json_string_value(name)) == json_string_length(name))
		type = drain_type_find(json_string_value(name));
	if (type == NULL) {
		text = unknown_type_text();
		reply_field_error(call->resp, "type", text);
		free(text);
	}
	return type;
}

/* Members beside the drain; any but `replaces` is refused. */
static void
check_beside(json_t *body, json_t *errors)
{
	const char *key;
	json_t *value;

	json_object_foreach(body, key, value)
	{
		if (strcmp(key, "drain") == 0 || json_is_blank(value))
			continue;
		if (strcmp(key, "replaces") != 0)
			errors_add(errors, key, "is not known here; parameters go into drain");
		else if (!json_is_string(value))
			errors_add(errors, key, "must be a string");
		else if (strlen(json_string_value(value)) != json_string_length(value))
			errors_add(errors, key, "must not have control characters");
	}
}

bool
drain_request_read(struct api_call *call, json_t *body, struct drain_conf *conf)
{
	json_t *drain = json_object_get(body, "drain");
	const struct drain_type *type;
	json_t *errors;

	if (!json_is_object(drain)) {
		reply_error(call->resp, 400, "'drain' parameter is required");
		return false;
	}
	type = request_type(call, drain);
	if (type == NULL)
		return false;
	errors = json_object();
	check_beside(body, errors);
	if (!read_members(drain, type, conf, errors)) {
		reply_errors(call->resp, errors);
		return false;
	}
	json_decref(errors);
	return true;
}

const char *
drain_request_replaces(const json_t *body)
{
	const json_t *url = json_object_get(body, "replaces");

	return json_is_blank(url) ? NULL : json_string_value(url);
}

char *
drain_redacted_url(const struct drain_record *record)
{
	const struct drain_type *type = drain_type_find(record->type);
	struct drain_input in[RECORD_PARAMS_MAX];
	struct drain_errors errors;
	struct drain_conf conf;
	char *redacted;

	for (size_t i = 0; i < record->nparams; i++)
		in[i] = (struct drain_input){record->params[i].key, record->params[i].value};
	/* A record that this version can not read shows nothing rather than a secret. */
	if (type == NULL || !drain_conf_make(&conf, type, in, record->nparams, &errors))
		return xasprintf("%s:***", record->type);
	redacted = xstrdup(conf.redacted);
	drain_conf_free(&conf);
	return redacted;
}
