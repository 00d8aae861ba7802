#include "admin/drain_request.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin/reply.h"
#include "base/xmalloc.h"

static const char replaces_inside[] = "belongs beside drain, not into it";

/* What a member may be in JSON, beside a string. */
enum json_form { FORM_STRING, FORM_NUMBER, FORM_BOOLEAN, FORM_ARRAY };

static enum json_form
form_of(enum drain_key key)
{
	switch (key) {
	case DRAIN_PORT:
	case DRAIN_MIN_SEVERITY:
	case DRAIN_RATE:
	case DRAIN_CONCURRENCY:
	case DRAIN_RESEND_BYTES:
		return FORM_NUMBER;
	case DRAIN_GZIP:
	case DRAIN_MARK:
		return FORM_BOOLEAN;
	case DRAIN_MATCH:
	case DRAIN_EXCLUDE:
		return FORM_ARRAY;
	default:
		return FORM_STRING;
	}
}

static const char *const form_faults[] = {
    [FORM_STRING] = "must be a string",
    [FORM_NUMBER] = "must be a string or a whole number",
    [FORM_BOOLEAN] = "must be a string or true or false",
    [FORM_ARRAY] = "must be a string or an array of strings",
};

/* A request's members being made ready for drain_conf_make. */
struct members {
	struct drain_input *in;
	size_t n;
	char (*numbers)[24]; /* numbers as text, one for each of in */
	bool faulty[DRAIN_KEYS + 1];
	json_t *errors;
};

/* Room for every member, and for every one of an array's. */
static size_t
count_members(json_t *drain)
{
	size_t n = json_object_size(drain);
	const char *key;
	json_t *value;

	json_object_foreach(drain, key, value) n += json_array_size(value);
	return n;
}

static void
add_fault(struct members *m, const char *key, const char *fault)
{
	errors_add(m->errors, key, fault);
	m->faulty[drain_key_find(key)] = true;
}

/* A value that is not blank. */
static void
add_member(struct members *m, const char *key, const json_t *value, enum json_form form)
{
	struct drain_input *in = &m->in[m->n];

	*in = (struct drain_input){key, NULL};
	if (json_is_string(value)) {
		in->value = json_string_value(value);
		if (strlen(in->value) != json_string_length(value)) {
			add_fault(m, key, "must not have control characters");
			return;
		}
	} else if (json_is_integer(value) && form == FORM_NUMBER) {
		snprintf(m->numbers[m->n], sizeof(m->numbers[0]), "%lld",
			 (long long)json_integer_value(value));
		in->value = m->numbers[m->n];
	} else if (json_is_boolean(value) && form == FORM_BOOLEAN) {
		in->value = json_is_true(value) ? "true" : "false";
	} else {
		add_fault(m, key, form_faults[form]);
		return;
	}
	m->n++;
}

static void
read_member(struct members *m, const char *key, json_t *value)
{
	enum drain_key known = drain_key_find(key);
	enum json_form form = form_of(known);
	json_t *one;
	size_t i;

	if (json_is_blank(value)) {
		m->in[m->n++] = (struct drain_input){key, NULL};
	} else if (strcmp(key, "replaces") == 0) {
		add_fault(m, key, replaces_inside);
	} else if (known == DRAIN_KEYS) {
		/* Any text will do: drain_conf_make refuses it by its name. */
		m->in[m->n++] = (struct drain_input){key, "?"};
	} else if (form == FORM_ARRAY && json_is_array(value)) {
		json_array_foreach(value, i, one)
		{
			if (!json_is_string(one)) {
				add_fault(m, key, form_faults[form]);
				break;
			}
			add_member(m, key, one, form);
		}
	} else {
		add_member(m, key, value, form);
	}
}

/* false: at least one message is in errors now, and *conf is empty. */
static bool
read_members(json_t *drain, const struct drain_type *type, struct drain_conf *conf, json_t *errors)
{
	size_t room = count_members(drain) + 1;
	struct members m = {.in = xcalloc(room, sizeof(*m.in)),
			    .numbers = xcalloc(room, sizeof(*m.numbers)),
			    .errors = errors};
	struct drain_errors found = {.n = 0};
	const char *key;
	json_t *value;
	bool ok;

	json_object_foreach(drain, key, value)
	{
		if (strcmp(key, "type") != 0)
			read_member(&m, key, value);
	}
	ok = drain_conf_make(conf, type, m.in, m.n, &found);
	for (size_t i = 0; i < found.n; i++) {
		enum drain_key about = drain_key_find(found.at[i].key);

		/* One that has the wrong JSON type is not missing as well. */
		if (about == DRAIN_KEYS || !m.faulty[about])
			errors_add(errors, found.at[i].key, found.at[i].text);
	}
	if (ok && json_object_size(errors) > 0) {
		drain_conf_free(conf);
		ok = false;
	}
	free(m.in);
	free(m.numbers);
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
