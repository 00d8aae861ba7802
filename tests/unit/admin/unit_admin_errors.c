/*
 * What is refused, with which status and words; and that a refused request
 * changes nothing.
 */
#include "api_test.h"

#define DRAINS "/v1/apps/web/log_drains"
#define TYPE_REQUIRED "{\"error\":\"'type' parameter is required\"}"
#define APP_NOT_FOUND "{\"resource\":\"app\",\"error\":\"not found\"}"
#define ERRORS(of) "{\"errors\":{" of "}}"
#define TYPES                                                                             \
	"datadog, elk, gelf, https, logentries, logtail, otlp, ovh-graylog, papertrail, " \
	"syslog"

static const struct {
	const char *body;
	int status;
	const char *want;
} refused_posts[] = {
    {NULL, 400, "{\"error\":\"a JSON body is required\"}"},
    {"[]", 400, "{\"error\":\"the body must be a JSON object\"}"},
    {"{}", 400, "{\"error\":\"'drain' parameter is required\"}"},
    {"{\"drain\":null}", 400, "{\"error\":\"'drain' parameter is required\"}"},
    {"{\"drain\":[]}", 400, "{\"error\":\"'drain' parameter is required\"}"},
    {"{\"drain\":\"syslog\"}", 400, "{\"error\":\"'drain' parameter is required\"}"},
    {"{\"drain\":{}}", 400, TYPE_REQUIRED},
    {"{\"drain\":{\"type\":\"\"}}", 400, TYPE_REQUIRED},
    {"{\"drain\":{\"type\":null}}", 400, TYPE_REQUIRED},
    {"{\"drain\":{\"type\":5}}", 400, TYPE_REQUIRED},
    {"{\"drain\":{\"type\":[\"syslog\"]}}", 400, TYPE_REQUIRED},
    {"{\"drain\":{\"type\":{}}}", 400, TYPE_REQUIRED},
    {"{\"drain\":{\"type\":\"Syslog\"}}", 422,
     ERRORS("\"type\":[\"is not known; it is one of " TYPES "\"]")},
    {"{\"drain\":{\"type\":\"syslog\\u0000\",\"host\":\"h\",\"port\":1}}", 422,
     ERRORS("\"type\":[\"is not known; it is one of " TYPES "\"]")},
    {"{\"drain\":{\"type\":\"syslog\"}}", 422,
     ERRORS("\"host\":[\"is required\"],\"port\":[\"is required\"]")},
    {"{\"drain\":{\"type\":\"syslog\",\"host\":5,\"port\":[]}}", 422,
     ERRORS("\"host\":[\"must be a string\"],"
	    "\"port\":[\"must be a string or a whole number\"]")},
    {"{\"drain\":{\"type\":\"syslog\",\"host\":{},\"port\":true}}", 422,
     ERRORS("\"host\":[\"must be a string\"],"
	    "\"port\":[\"must be a string or a whole number\"]")},
    {"{\"drain\":{\"type\":\"syslog\",\"host\":[\"h\"]}}", 422,
     ERRORS("\"host\":[\"must be a string\"],\"port\":[\"is required\"]")},
    {"{\"drain\":{\"type\":\"syslog\",\"host\":\"h\",\"port\":514.0}}", 422,
     ERRORS("\"port\":[\"must be a string or a whole number\"]")},
    {"{\"drain\":{\"type\":\"syslog\",\"host\":\"h\",\"port\":0}}", 422,
     ERRORS("\"port\":[\"must be a number from 1 to 65535\"]")},
    {"{\"drain\":{\"type\":\"syslog\",\"host\":\"h\",\"port\":-1}}", 422,
     ERRORS("\"port\":[\"must be a number from 1 to 65535\"]")},
    {"{\"drain\":{\"type\":\"syslog\",\"host\":\"h\",\"port\":\"65536\"}}", 422,
     ERRORS("\"port\":[\"must be a number from 1 to 65535\"]")},
    {"{\"drain\":{\"type\":\"syslog\",\"host\":\"h\",\"port\":\"5 14\"}}", 422,
     ERRORS("\"port\":[\"must be a number from 1 to 65535\"]")},
    {"{\"drain\":{\"type\":\"syslog\",\"host\":\"h\\u0000x\",\"port\":1}}", 422,
     ERRORS("\"host\":[\"must not have control characters\"]")},
    {"{\"drain\":{\"type\":\"logentries\",\"token\":\"a\\nb\"}}", 422,
     ERRORS("\"token\":[\"must not have control characters\"]")},
    {"{\"drain\":{\"type\":\"datadog\",\"token\":\"k\",\"drain-region\":5}}", 422,
     ERRORS("\"drain-region\":[\"must be a string\"]")},
    {"{\"drain\":{\"type\":\"logentries\",\"token\":\"k\",\"match\":1,\"exclude\":[\"a\",2,3],"
     "\"rate\":1.5,\"min_severity\":true}}",
     422,
     ERRORS("\"match\":[\"must be a string or an array of strings\"],"
	    "\"exclude\":[\"must be a string or an array of strings\"],"
	    "\"rate\":[\"must be a string or a whole number\"],"
	    "\"min_severity\":[\"must be a string or a whole number\"]")},
    {"{\"drain\":{\"type\":\"logentries\",\"token\":\"k\",\"match\":[\"a\",\"b\\u0000\"]}}", 422,
     ERRORS("\"match\":[\"must not have control characters\"]")},
    {"{\"drain\":{\"type\":\"logentries\",\"token\":\"k\",\"match\":[\"a\",\"b\\t\",\"c\\t\"]}}",
     422, ERRORS("\"match\":[\"must not have control characters\"]")},
    {"{\"drain\":{\"type\":\"logentries\",\"token\":\"k\",\"match\":[\"1\",\"2\",\"3\",\"4\",\"5\","
     "\"6\","
     "\"7\",\"8\",\"9\",\"10\",\"11\",\"12\",\"13\",\"14\",\"15\",\"16\",\"17\",\"18\",\"19\"]}}",
     422,
     ERRORS(
	 "\"match\":[\"must be text that a message must have, up to 256 bytes, or an array of 16 "
	 "such texts at most\"]")},
    {"{\"drain\":{\"type\":\"logentries\",\"token\":\"k\",\"rate\":0,\"min_severity\":8}}", 422,
     ERRORS("\"rate\":[\"must be a number of lines a second from 1 to 1000000\"],"
	    "\"min_severity\":[\"must be emerg, alert, crit, err, warning, notice, info or "
	    "debug\"]")},
    {"{\"drain\":{\"type\":\"elk\",\"url\":\"http://h\",\"gzip\":1,\"concurrency\":33}}", 422,
     ERRORS("\"gzip\":[\"must be a string or true or false\"],"
	    "\"concurrency\":[\"must be a number from 1 to 32\"]")},
    {"{\"drain\":{\"type\":\"elk\",\"url\":[\"http://h\"]}}", 422,
     ERRORS("\"url\":[\"must be a string\"]")},
    {"{\"drain\":{\"type\":\"logentries\",\"token\":\"k\",\"ca\":\"x\"}}", 422,
     ERRORS("\"ca\":[\"must be PEM text: -----BEGIN ...-----, base64, -----END ...-----\"]")},
    {"{\"drain\":{\"type\":\"logentries\",\"token\":\"k\",\"replaces\":\"x\"}}", 422,
     ERRORS("\"replaces\":[\"belongs beside drain, not into it\"]")},
    {"{\"replaces\":\"x\",\"drain\":{\"type\":\"logentries\",\"token\":\"k\"}}", 422,
     ERRORS("\"replaces\":[\"is not a drain of this app\"]")},
    {"{\"replaces\":1,\"drain\":{\"type\":\"logentries\",\"token\":\"k\"}}", 422,
     ERRORS("\"replaces\":[\"must be a string\"]")},
    {"{\"replaces\":\"x\\u0000y\",\"drain\":{\"type\":\"logentries\",\"token\":\"k\"}}", 422,
     ERRORS("\"replaces\":[\"must not have control characters\"]")},
    {"{\"drain\":{\"type\":\"logentries\",\"token\":\"k\"},\"port\":1}", 422,
     ERRORS("\"port\":[\"is not known here; parameters go into drain\"]")},
    {"{\"drain\":{\"type\":\"logentries\"},\"token\":\"k\"}", 422,
     ERRORS("\"token\":[\"is not known here; parameters go into drain\","
	    "\"is required\"]")},
};

static void
a_refused_post_says_what_is_wrong_and_creates_nothing(void **state)
{
	struct api *t = *state;

	for (size_t i = 0; i < sizeof(refused_posts) / sizeof(refused_posts[0]); i++) {
		expect_answer(t, "POST", DRAINS, refused_posts[i].body, refused_posts[i].status,
			      refused_posts[i].want);
		assert_string_equal(t->resp.content_type, "application/json");
	}
	assert_int_equal(t->gateway.added, 0);
	assert_false(has_app(t, "web"));
}

static void
a_parameter_the_type_does_not_take_is_named(void **state)
{
	static const char *const extra[] = {"host", "format", "gzip", "\xc3\xa9", "Token"};
	struct api *t = *state;
	char body[256], want[64];

	for (size_t i = 0; i < sizeof(extra) / sizeof(extra[0]); i++) {
		snprintf(body, sizeof(body),
			 "{\"drain\":{\"type\":\"logentries\",\"token\":\"k\",\"%s\":\"x\"}}",
			 extra[i]);
		ask(t, "POST", DRAINS, body);
		assert_int_equal(t->resp.status, 422);
		snprintf(want, sizeof(want), "{\"errors\":{\"%s\":[\"is not a parameter of ",
			 extra[i]);
		assert_int_equal(strncmp(buf_cstr(&t->resp.body), want, strlen(want)), 0);
	}
	/* Old clients send one more key, always blank. */
	ask(t, "POST", DRAINS,
	    "{\"drain\":{\"type\":\"logentries\",\"token\":\"k\",\"param\":\"\"}}");
	assert_int_equal(t->resp.status, 201);
}

static void
malformed_json_is_400_in_json(void **state)
{
	static const struct slice bodies[] = {
	    SLICE_INIT("{"),
	    SLICE_INIT("nope"),
	    SLICE_INIT("{\"drain\":{\"type\":\"syslog\",\"type\":\"elk\"}}"),
	    SLICE_INIT("{\"drain\":{\"type\":\"\xff\"}}"),
	    SLICE_INIT("{\"drain\":{\"a\\u0000b\":1}}"),
	    SLICE_INIT("{}\0"),
	    SLICE_INIT("{} {}"),
	    SLICE_INIT("{\"drain\":{\"type\":\"syslog\",\"port\":99999999999999999999}}"),
	    SLICE_INIT("{\"a\":\"\\ud800\"}"),
	    SLICE_INIT("\xff"),
	};
	struct api *t = *state;

	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
		json_t *json;

		ask_bytes(t, "POST", DRAINS, bodies[i]);
		assert_int_equal(t->resp.status, 400);
		json = json_loadb(t->resp.body.p, t->resp.body.n, 0, NULL);
		assert_true(json_is_string(json_object_get(json, "error")));
		json_decref(json);
	}
}

static void
deep_nesting_is_refused(void **state)
{
	struct api *t = *state;
	char *deep = xmalloc(100001);

	memset(deep, '[', 100000);
	deep[100000] = '\0';
	ask(t, "POST", DRAINS, deep);
	assert_int_equal(t->resp.status, 400);
	free(deep);
}

static void
a_body_that_is_not_json_by_its_type_is_415(void **state)
{
	static const struct {
		const char *type;
		int status;
	} table[] = {
	    {NULL, 201},
	    {"", 201},
	    {"application/json", 201},
	    {"Application/JSON; charset=utf-8", 201},
	    {"application/vnd.api+json ;v=1", 201},
	    {"application/x-www-form-urlencoded", 201}, /* curl -d, untold */
	    {"text/plain", 415},
	    {"text/xml", 415},
	    {"multipart/form-data; boundary=json", 415},
	    {"application/jsonx", 415},
	    {"json", 415},
	};
	struct api *t = *state;
	char body[128];

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		t->content_type = table[i].type;
		snprintf(body, sizeof(body),
			 "{\"drain\":{\"type\":\"syslog\",\"host\":\"h\",\"port\":%zu}}", i + 1);
		ask(t, "POST", DRAINS, body);
		assert_int_equal(t->resp.status, table[i].status);
		if (table[i].status == 415)
			answered(t, 415, "{\"error\":\"the body must be application/json\"}");
	}
}

static void
an_unknown_app_is_404_and_ids_are_never_new_apps(void **state)
{
	static const char post[] = "{\"drain\":{\"type\":\"syslog\",\"host\":\"h\",\"port\":1}}";
	struct api *t = *state;

	expect_answer(t, "GET", DRAINS, NULL, 404, APP_NOT_FOUND);
	expect_answer(t, "DELETE", DRAINS "?url=x", NULL, 404, APP_NOT_FOUND);
	expect_answer(t, "POST", "/v1/apps/5af97be7ff688d0001228ffb/log_drains", post, 404,
		      APP_NOT_FOUND);
	expect_answer(t, "POST", "/v1/apps/5AF97BE7ff688d0001228ffb/log_drains", post, 404,
		      APP_NOT_FOUND);
	expect_answer(t, "GET", "/v1/apps/a%20b/log_drains", NULL, 404, APP_NOT_FOUND);
	expect_answer(t, "GET", "/v1/apps/a%2/log_drains", NULL, 404, APP_NOT_FOUND);
	t->config.apps_declared = true;
	api_restart(t);
	expect_answer(t, "POST", DRAINS, post, 404, APP_NOT_FOUND);
	assert_int_equal(t->gateway.added, 0);
	assert_false(has_app(t, "web"));
}

static void
a_name_that_no_app_can_have_is_refused(void **state)
{
	static const char *const names[] = {"a%20b",
					    "%00",
					    "%C3%A9",
					    "a%0A",
					    "%",
					    "%zz",
					    "1234567890123456789012345678901234567890123456789"};
	static const char post[] = "{\"drain\":{\"type\":\"syslog\",\"host\":\"h\",\"port\":1}}";
	struct api *t = *state;
	char target[256];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(target, sizeof(target), "/v1/apps/%s/log_drains", names[i]);
		expect_answer(t, "POST", target, post, 400,
			      "{\"error\":\"an app's name is 1 to 48 printable ASCII characters "
			      "without space\"}");
	}
	ask(t, "POST", "/v1/apps/123456789012345678901234567890123456789012345678/log_drains",
	    post);
	assert_int_equal(t->resp.status, 201);
}

static void
a_delete_needs_a_url(void **state)
{
	static const struct {
		const char *target, *body;
		int status;
		const char *want;
	} table[] = {
	    {DRAINS, NULL, 400, "{\"error\":\"'url' parameter is required\"}"},
	    {DRAINS "?", NULL, 400, "{\"error\":\"'url' parameter is required\"}"},
	    {DRAINS "?url=", NULL, 400, "{\"error\":\"'url' parameter is required\"}"},
	    {DRAINS "?xurl=1", NULL, 400, "{\"error\":\"'url' parameter is required\"}"},
	    {DRAINS "?url", NULL, 400, "{\"error\":\"'url' parameter is required\"}"},
	    {DRAINS, "{}", 400, "{\"error\":\"'url' parameter is required\"}"},
	    {DRAINS, "{\"url\":\"\"}", 400, "{\"error\":\"'url' parameter is required\"}"},
	    {DRAINS, "{\"url\":null}", 400, "{\"error\":\"'url' parameter is required\"}"},
	    {DRAINS, "{\"url\":5}", 422, ERRORS("\"url\":[\"must be a string\"]")},
	    {DRAINS, "{\"url\":[]}", 422, ERRORS("\"url\":[\"must be a string\"]")},
	    {DRAINS, "{\"url\":\"syslog://h:1\\u0000\"}", 422,
	     ERRORS("\"url\":[\"must not have control characters\"]")},
	    {DRAINS, "[]", 400, "{\"error\":\"the body must be a JSON object\"}"},
	};
	struct api *t = *state;

	ask(t, "POST", DRAINS, "{\"drain\":{\"type\":\"syslog\",\"host\":\"h\",\"port\":1}}");
	assert_int_equal(t->resp.status, 201);
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		expect_answer(t, "DELETE", table[i].target, table[i].body, table[i].status,
			      table[i].want);
	assert_int_equal(t->gateway.removed, 0);
}

static void
what_fails_below_is_503_and_tells_no_more(void **state)
{
	static const char busy[] = "{\"error\":\"the gateway is busy; nothing was changed\"}";
	static const char store[] = "{\"error\":\"the store failed; nothing was changed\"}";
	static const char post[] = "{\"drain\":{\"type\":\"syslog\",\"host\":\"h\",\"port\":1}}";
	struct api *t = *state;

	ask(t, "POST", DRAINS, post);
	assert_int_equal(t->resp.status, 201);
	for (int i = 0; i < 2; i++) {
		const char *want = i == 0 ? busy : store;

		t->gateway.fail = i == 0 ? GATEWAY_BUSY : GATEWAY_STORE;
		expect_answer(t, "POST", DRAINS, post, 503, want);
		expect_answer(t, "DELETE", DRAINS "?url=syslog://h:1", NULL, 503, want);
		expect_answer(t, "DELETE", "/v1/apps/web", NULL, 503, want);
		expect_answer(t, "POST", "/v1/apps", "{\"app\":{\"name\":\"x\"}}", 503, want);
		expect_answer(t, "GET", DRAINS "?status=true", NULL, 503, want);
	}
	ask(t, "GET", DRAINS, NULL);
	assert_int_equal(t->resp.status, 200);
}

static void
an_addon_is_never_there(void **state)
{
	static const char *const methods[] = {"GET", "POST", "DELETE", "HEAD"};
	struct api *t = *state;

	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
		expect_answer(t, methods[i], "/v1/apps/web/addons/ad-1/log_drains?", NULL, 404,
			      "{\"resource\":\"addon\",\"error\":\"not found\"}");
}

static void
unknown_paths_and_methods_are_told_apart(void **state)
{
	static const char *const unknown[] = {"/",
					      "",
					      "*",
					      "/v1",
					      "/v1/",
					      "/v1/apps/",
					      "/v2/apps",
					      "//v1/apps",
					      "/v1//apps",
					      "/v1/apps//log_drains",
					      "/v1/apps/web/log_drains/",
					      "/v1/apps/web/log_drains/x",
					      "/v1/apps/web/x",
					      "/v1/appsx",
					      "/healthz/",
					      "/v1/apps/web/addons//log_drains"};
	static const struct {
		const char *method, *path, *allow;
	} table[] = {
	    {"PUT", DRAINS, "Allow: GET, HEAD, POST, DELETE\r\n"},
	    {"OPTIONS", DRAINS, "Allow: GET, HEAD, POST, DELETE\r\n"},
	    {"get", DRAINS, "Allow: GET, HEAD, POST, DELETE\r\n"},
	    {"PATCH", "/v1/apps/web", "Allow: GET, HEAD, DELETE\r\n"},
	    {"GET", "/v1/tokens/exchange", "Allow: POST\r\n"},
	    {"POST", "/healthz", "Allow: GET, HEAD\r\n"},
	};
	struct api *t = *state;

	for (size_t i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++)
		expect_answer(t, "GET", unknown[i], NULL, 404, "{\"error\":\"not found\"}");
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		ask(t, table[i].method, table[i].path, NULL);
		assert_int_equal(t->resp.status, 405);
		assert_string_equal(buf_cstr(&t->resp.headers), table[i].allow);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    API_TEST(a_refused_post_says_what_is_wrong_and_creates_nothing),
	    API_TEST(a_parameter_the_type_does_not_take_is_named),
	    API_TEST(malformed_json_is_400_in_json),
	    API_TEST(deep_nesting_is_refused),
	    API_TEST(a_body_that_is_not_json_by_its_type_is_415),
	    API_TEST(an_unknown_app_is_404_and_ids_are_never_new_apps),
	    API_TEST(a_name_that_no_app_can_have_is_refused),
	    API_TEST(a_delete_needs_a_url),
	    API_TEST(what_fails_below_is_503_and_tells_no_more),
	    API_TEST(an_addon_is_never_there),
	    API_TEST(unknown_paths_and_methods_are_told_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
