/*
 * drain_test -- POST .../log_drains/test: one test line, and what became of it.
 * The answer comes when that is known; others are served meanwhile.
 */
#include <stdio.h>
#include <stdlib.h>

#include "admin/drain_find.h"
#include "admin/drain_request.h"
#include "admin/handlers.h"
#include "admin/reply.h"
#include "base/log.h"
#include "base/xmalloc.h"
#include "io/http_later.h"
#include "io/http_write.h"
#include "whole/gateway_probe.h"

struct drain_test {
	struct http_later *later;
	struct gateway_probe *probe;
	char *url, *redacted;
	char app[RECORD_NAME_MAX + 1];
};

static void
test_free(struct drain_test *t)
{
	free(t->url);
	free(t->redacted);
	free(t);
}

static json_t *
steps_json(const struct probe_report *report)
{
	json_t *steps = json_array();

	for (size_t i = 0; i < report->n; i++) {
		const struct probe_result *r = &report->result[i];
		json_t *step = json_object();

		json_set_text(step, "step", probe_step_name(r->step));
		json_object_set_new(step, "ok", json_boolean(r->ok));
		json_object_set_new(step, "ms", json_integer(r->ms));
		json_set_text(step, "detail", r->detail);
		json_array_append_new(steps, step);
	}
	return steps;
}

static void
on_probed(const struct probe_report *report, void *arg)
{
	struct drain_test *t = arg;
	json_t *body = json_object(), *test = json_object();
	const struct probe_result *last = &report->result[report->n - 1];
	struct http_response response;

	log_info("test line sent", "app", t->app, "drain", t->redacted, "ok",
		 report->ok ? "true" : "false", "step", probe_step_name(last->step), NULL);
	json_set_text(test, "url", t->url);
	json_object_set_new(test, "ok", json_boolean(report->ok));
	json_object_set_new(test, "steps", steps_json(report));
	json_object_set_new(body, "test", test);
	http_response_init(&response);
	reply_json(&response, 200, body);
	http_later_answer(t->later, &response);
	test_free(t);
}

/* The client does not wait any more. */
static void
on_gone(void *arg)
{
	struct drain_test *t = arg;

	gateway_probe_cancel(t->probe);
	test_free(t);
}

static void
start(struct api_call *call, const struct drain_record *drain)
{
	struct drain_test *t = xcalloc(1, sizeof(*t));
	enum gateway_code code;

	t->url = xstrdup(drain->url);
	t->redacted = drain_redacted_url(drain);
	snprintf(t->app, sizeof(t->app), "%s", call->app.name);
	code =
	    gateway_probe_start(call->admin->gateway, &call->app, drain, on_probed, t, &t->probe);
	if (code == GATEWAY_OK) {
		t->later = http_response_later(call->resp, on_gone, t);
		return;
	}
	test_free(t);
	if (code == GATEWAY_BUSY)
		reply_error(call->resp, 503,
			    "too many test lines are under way (%d at a time, %d of one app); try "
			    "again in a few seconds",
			    GATEWAY_PROBES_MAX, GATEWAY_PROBES_APP_MAX);
	else
		reply_error(call->resp, 500, "this version does not understand the drain");
}

void
drain_test(struct api_call *call)
{
	struct drain_record drain = {0};

	if (call->lookup != APP_FOUND) {
		reply_not_found(call->resp, "app");
		return;
	}
	if (!drain_find_named(call, &drain))
		return;
	start(call, &drain);
	drain_record_free(&drain);
}
