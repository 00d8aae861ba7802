#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>

#include "admin/handlers.h"
#include "admin/reply.h"
#include "admin/tails.h"
#include "admin/token_file.h"
#include "base/log.h"

/* secret NULL: it is not known any more. */
static json_t *
token_json(const struct token_record *token, const char *secret)
{
	json_t *json = json_object();

	json_set_text(json, "id", token->id);
	json_set_text(json, "name", token->name);
	if (token->app_id[0] != '\0')
		json_set_text(json, "app_id", token->app_id);
	else
		json_object_set_new(json, "app_id", json_null());
	json_set_time(json, "created_at", token->created_us);
	if (secret != NULL)
		json_set_text(json, "token", secret);
	return json;
}

static bool
on_token(const struct token_record *token, void *arg)
{
	json_array_append_new(arg, token_json(token, NULL));
	return true;
}

void
tokens_list(struct api_call *call)
{
	json_t *tokens = json_array();
	enum store_code code = store_token_walk(call->admin->store, on_token, tokens);
	json_t *body;

	if (code != STORE_OK) {
		json_decref(tokens);
		api_call_store_failed(call, code);
		return;
	}
	body = json_object();
	json_object_set_new(body, "tokens", tokens);
	reply_json(call->resp, 200, body);
}

/* Why the value cannot be a token's name; NULL: it can. */
static const char *
name_fault(const json_t *value)
{
	const char *name = json_string_value(value);
	size_t n = json_string_length(value);
	const struct token_record *token = NULL;

	if (json_is_blank(value))
		return "is required";
	if (name == NULL)
		return "must be a string";
	if (n >= sizeof(token->name))
		return "must not be longer than 63 bytes";
	for (size_t i = 0; i < n; i++) {
		if ((unsigned char)name[i] < ' ' || name[i] == 0x7f)
			return "must not have control characters";
	}
	return NULL;
}

/* Sets the app a token is for: none when absent.  *fault: why it cannot. */
static enum store_code
resolve_app(struct store *store, const json_t *value, struct token_record *token,
	    const char **fault)
{
	struct app_record app;
	enum app_lookup lookup;
	enum store_code code;

	*fault = NULL;
	if (value == NULL || json_is_null(value))
		return STORE_OK;
	if (!json_is_string(value)) {
		*fault = "must be a string";
		return STORE_OK;
	}
	/* Blank is refused: a forgotten name must not make a token for all apps. */
	code = api_call_find_app(
	    store, slice_of(json_string_value(value), json_string_length(value)), &app, &lookup);
	if (code == STORE_OK && lookup != APP_FOUND)
		*fault = "is not the name or id of an app";
	else if (code == STORE_OK)
		memcpy(token->app_id, app.id, sizeof(token->app_id));
	return code;
}

/* Fills name and app from the request; false: answered. */
static bool
read_token(struct api_call *call, json_t *member, struct token_record *token)
{
	json_t *errors = json_object(), *value;
	const char *key, *fault;
	enum store_code code;

	json_object_foreach(member, key, value)
	{
		if (strcmp(key, "name") != 0 && strcmp(key, "app") != 0)
			errors_add(errors, key,
				   "is not a parameter of a token; it takes name, app");
	}
	fault = name_fault(json_object_get(member, "name"));
	if (fault != NULL)
		errors_add(errors, "name", fault);
	else
		snprintf(token->name, sizeof(token->name), "%s",
			 json_string_value(json_object_get(member, "name")));
	code = resolve_app(call->admin->store, json_object_get(member, "app"), token, &fault);
	if (fault != NULL)
		errors_add(errors, "app", fault);
	if (code == STORE_OK && json_object_size(errors) == 0) {
		json_decref(errors);
		return true;
	}
	if (code != STORE_OK) {
		json_decref(errors);
		api_call_store_failed(call, code);
	} else {
		reply_errors(call->resp, errors);
	}
	return false;
}

void
tokens_add(struct api_call *call)
{
	char secret[TOKEN_RANDOM_BYTES * 2 + 1];
	struct token_record token = {.name = ""};
	enum store_code code;
	json_t *body, *member;

	body = api_call_body(call);
	if (body == NULL)
		return;
	member = json_object_get(body, "token");
	if (!json_is_object(member)) {
		reply_error(call->resp, 400, "'token' parameter is required");
	} else if (read_token(call, member, &token)) {
		token_random(secret);
		sha256_of(secret, strlen(secret), token.sha256);
		code = store_token_add(call->admin->store, &token);
		if (code == STORE_OK) {
			json_t *answer = json_object();

			log_info("token added", "id", token.id, "name", token.name, "app_id",
				 token.app_id, NULL);
			json_object_set_new(answer, "token", token_json(&token, secret));
			reply_json(call->resp, 201, answer);
		} else {
			api_call_store_failed(call, code);
		}
		OPENSSL_cleanse(secret, sizeof(secret));
	}
	json_decref(body);
}

void
tokens_remove(struct api_call *call)
{
	struct slice id = call->param[0];
	char text[RECORD_ID_BYTES + 1];
	enum store_code code = STORE_NOT_FOUND;

	if (id.n == RECORD_ID_BYTES) {
		memcpy(text, id.p, id.n);
		text[id.n] = '\0';
		code = store_token_remove(call->admin->store, text);
	}
	if (code == STORE_OK) {
		log_info("token removed", "id", text, NULL);
		tails_end_of_token(call->admin, text);
		reply_empty(call->resp);
	} else if (code == STORE_NOT_FOUND) {
		reply_not_found(call->resp, "token");
	} else {
		api_call_store_failed(call, code);
	}
}
