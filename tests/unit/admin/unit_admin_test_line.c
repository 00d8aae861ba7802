/* POST .../log_drains/test: the answer waits for what becomes of the test line. */
#include "api_test.h"

#define TEST "/v1/apps/web/log_drains/test"

static int
setup(void **state)
{
	struct api *t;

	if (api_setup(state) != 0)
		return -1;
	t = *state;
	ask(t, "POST", "/v1/apps/web/log_drains",
	    "{\"drain\":{\"type\":\"syslog\",\"host\":\"h\",\"port\":514,\"token\":\"s3cret\"}}");
	assert_int_equal(t->resp.status, 201);
	ask(t, "POST", "/v1/apps/web/log_drains",
	    "{\"drain\":{\"type\":\"papertrail\",\"host\":\"p\",\"port\":514}}");
	assert_int_equal(t->resp.status, 201);
	return 0;
}

static const struct probe_report refused = {
    .n = 2,
    .result = {{PROBE_RESOLVE, true, 3, "192.0.2.7"},
	       {PROBE_CONNECT, false, 12, "192.0.2.7:514: connection \"refused\" \xff"}}};

static void
finish(struct api *t, const struct probe_report *report)
{
	assert_non_null(t->gateway.probe_done);
	t->gateway.probe_done(report, t->gateway.probe_arg);
	t->gateway.probe_done = NULL;
}

static void
the_answer_has_the_steps_up_to_the_one_that_failed(void **state)
{
	struct api *t = *state;

	ask(t, "POST", TEST, "{\"url\":\"syslog://:s3cret@h:514\"}");
	assert_int_equal(t->resp.body.n, 0);
	assert_string_equal(t->gateway.probe_url, "syslog://:s3cret@h:514");
	finish(t, &refused);
	answered(t, 200,
		 "{\"test\":{\"url\":\"syslog://:s3cret@h:514\",\"ok\":false,\"steps\":["
		 "{\"step\":\"resolve\",\"ok\":true,\"ms\":3,\"detail\":\"192.0.2.7\"},"
		 "{\"step\":\"connect\",\"ok\":false,\"ms\":12,"
		 "\"detail\":\"192.0.2.7:514: connection \\\"refused\\\" \xef\xbf\xbd\"}]}}");
	assert_string_equal(t->resp.content_type, "application/json");
}

static void
all_that_worked_is_ok(void **state)
{
	static const struct probe_report report = {.ok = true,
						   .n = 3,
						   .result = {{PROBE_RESOLVE, true, 0, "192.0.2.7"},
							      {PROBE_SEND, true, 1, "80 bytes"},
							      {PROBE_ANSWER, true, 300, "sent"}}};
	struct api *t = *state;

	ask(t, "POST", TEST, "{\"url\":\"syslog://:s3cret@h:514\"}");
	finish(t, &report);
	answered(t, 200,
		 "{\"test\":{\"url\":\"syslog://:s3cret@h:514\",\"ok\":true,\"steps\":["
		 "{\"step\":\"resolve\",\"ok\":true,\"ms\":0,\"detail\":\"192.0.2.7\"},"
		 "{\"step\":\"send\",\"ok\":true,\"ms\":1,\"detail\":\"80 bytes\"},"
		 "{\"step\":\"answer\",\"ok\":true,\"ms\":300,\"detail\":\"sent\"}]}}");
}

static void
the_drain_is_named_as_for_a_removal(void **state)
{
	static const struct {
		const char *target, *body;
	} table[] = {
	    {TEST, "{\"url\":\"tcp+tls://p:514\"}"},
	    {TEST "?url=tcp%2Btls%3A%2F%2Fp%3A514", NULL},
	    {TEST "?url=tcp+tls://p:514", NULL},
	};
	struct api *t = *state;

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		ask(t, "POST", table[i].target, table[i].body);
		assert_string_equal(t->gateway.probe_url, "tcp+tls://p:514");
		t->gateway.probe_url[0] = '\0';
		finish(t, &refused);
		assert_int_equal(t->resp.status, 200);
	}
}

static void
what_cannot_be_tested_is_said_at_once(void **state)
{
	static const char no_drain[] = "{\"resource\":\"log_drain\",\"error\":\"not found\"}";
	static const char no_url[] = "{\"error\":\"'url' parameter is required\"}";
	struct api *t = *state;

	expect_answer(t, "POST", TEST, "{\"url\":\"syslog://h:514\"}", 404, no_drain);
	expect_answer(t, "POST", TEST "?url=syslog://h:514", NULL, 404, no_drain);
	expect_answer(t, "POST", TEST, NULL, 400, no_url);
	expect_answer(t, "POST", TEST, "{}", 400, no_url);
	expect_answer(t, "POST", TEST, "{\"url\":\"\"}", 400, no_url);
	expect_answer(t, "POST", TEST, "{\"url\":7}", 422,
		      "{\"errors\":{\"url\":[\"must be a string\"]}}");
	expect_answer(t, "POST", "/v1/apps/new/log_drains/test", "{\"url\":\"x\"}", 404,
		      "{\"resource\":\"app\",\"error\":\"not found\"}");
	assert_false(has_app(t, "new"));
	ask(t, "GET", TEST, NULL);
	assert_int_equal(t->resp.status, 405);
	t->authorization = NULL;
	ask(t, "POST", TEST, "{\"url\":\"syslog://:s3cret@h:514\"}");
	assert_int_equal(t->resp.status, 401);
	assert_null(t->gateway.probe_done);
}

static void
too_many_at_a_time_are_told_to_wait(void **state)
{
	struct api *t = *state;

	t->gateway.fail = GATEWAY_BUSY;
	expect_answer(
	    t, "POST", TEST, "{\"url\":\"syslog://:s3cret@h:514\"}", 503,
	    "{\"error\":\"too many test lines are under way (16 at a time, 4 of one app); try "
	    "again in a few seconds\"}");
	t->gateway.fail = GATEWAY_NOT_FOUND;
	expect_answer(t, "POST", TEST, "{\"url\":\"syslog://:s3cret@h:514\"}", 500,
		      "{\"error\":\"this version does not understand the drain\"}");
}

#define LINE_TEST(f) cmocka_unit_test_setup_teardown(f, setup, api_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    LINE_TEST(the_answer_has_the_steps_up_to_the_one_that_failed),
	    LINE_TEST(all_that_worked_is_ok),
	    LINE_TEST(the_drain_is_named_as_for_a_removal),
	    LINE_TEST(what_cannot_be_tested_is_said_at_once),
	    LINE_TEST(too_many_at_a_time_are_told_to_wait),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
