/*
 * api_call -- one request on its way through the admin API, and what the handlers
 * share: the app it is about, its JSON body, answers to failures below.
 *
 * Owner: endpoints_run, on its stack.  Thread: main.
 */
#ifndef ADMIN_API_CALL_H
#define ADMIN_API_CALL_H

#include <jansson.h>
#include <sys/queue.h>

#include "admin/auth.h"
#include "admin/metrics.h"
#include "io/http_server.h"
#include "plumb/config.h"
#include "store/store.h"
#include "whole/gateway.h"

struct admin {
	struct store *store;
	struct gateway *gateway;
	struct auth auth;
	struct metrics metrics;
	bool apps_declared;
	enum list_shape list_shape;
	LIST_HEAD(, tail) tails; /* open now; tail.c */
};

/* What the path's :app turned out to be. */
enum app_lookup {
	APP_NOT_ASKED, /* the path has none */
	APP_FOUND,
	APP_UNKNOWN,	/* a name that no app has; call->app.name holds it */
	APP_UNKNOWN_ID, /* 24 hex digits that are no app's id */
	APP_BAD_NAME,	/* no app can be called that */
};

enum { API_CALL_PARAMS_MAX = 2 };

struct api_call {
	struct admin *admin;
	const struct http_request *req;
	struct http_response *resp;
	struct principal who;
	struct slice param[API_CALL_PARAMS_MAX]; /* the path's :app and :id, still encoded */
	struct app_record app;
	enum app_lookup lookup;
};

/* Whether it is 24 hex digits: never an app's name. */
bool app_name_is_id(const char *name);

/* Fills *app from a name or an id.  A failed store comes back as its code. */
enum store_code api_call_find_app(struct store *, struct slice name_or_id, struct app_record *app,
				  enum app_lookup *);

/* The body as a JSON object, to be released; NULL: answered. */
json_t *api_call_body(struct api_call *) __attribute__((warn_unused_result));

/* Whether a member counts as absent: null or "". */
bool json_is_blank(const json_t *);

/* A string member's value; NULL, and answered (400 missing, 422 not a string), if it has none. */
const char *api_call_text_member(struct api_call *, json_t *object, const char *key);

/* Answers a code other than OK, NOT_FOUND and EXISTS. */
void api_call_store_failed(struct api_call *, enum store_code);
void api_call_gateway_failed(struct api_call *, enum gateway_code);

#endif
