#include "admin/drain_find.h"

#include <stdlib.h>
#include <string.h>

#include "admin/query.h"
#include "admin/reply.h"
#include "base/percent.h"
#include "base/xmalloc.h"

/* Looks for a drain under one reading of the URL in the request. */
static enum store_code
find_drain(struct api_call *call, struct slice url, struct drain_record *drain)
{
	enum store_code code = STORE_NOT_FOUND;
	char *text;

	/* A NUL would cut the text, and the rest of it would not count. */
	if (url.n == 0 || memchr(url.p, '\0', url.n) != NULL)
		return code;
	text = xstrndup(url.p, url.n);
	code = store_drain_find(call->admin->store, call->app.id, text, drain);
	free(text);
	return code;
}

/*
 * Finds the drain that ?url= means.  A hand-typed one is often not encoded:
 * its '+' then stands for itself, and its '&' does not end it.
 */
static enum store_code
find_by_query(struct api_call *call, struct drain_record *drain)
{
	static const enum percent_plus readings[] = {PERCENT_PLUS_IS_SPACE, PERCENT_PLUS_KEPT};
	struct slice value = query_get(call->req->query, "url");
	enum store_code code = STORE_NOT_FOUND;

	for (size_t i = 0; i < 2 && code == STORE_NOT_FOUND; i++) {
		struct buf url = {0};

		if (percent_decode(value, readings[i], &url))
			code = find_drain(call, buf_slice(&url), drain);
		buf_free(&url);
	}
	if (code == STORE_NOT_FOUND)
		code = find_drain(call, query_get_rest(call->req->query, "url"), drain);
	return code;
}

bool
drain_find_named(struct api_call *call, struct drain_record *drain)
{
	enum store_code code;
	const char *url;
	json_t *body;

	if (query_get(call->req->query, "url").n > 0) {
		code = find_by_query(call, drain);
	} else if (call->req->body.n == 0) {
		reply_error(call->resp, 400, "'url' parameter is required");
		return false;
	} else {
		body = api_call_body(call);
		if (body == NULL)
			return false;
		url = api_call_text_member(call, body, "url");
		code = url == NULL ? STORE_OK : find_drain(call, slice_str(url), drain);
		json_decref(body);
		if (url == NULL)
			return false;
	}
	if (code == STORE_NOT_FOUND)
		reply_not_found(call->resp, "log_drain");
	else if (code != STORE_OK)
		api_call_store_failed(call, code);
	return code == STORE_OK;
}
