/*
 * Apps, tokens, and what the service's own clients ask before they come to
 * drains.
 */
#include "api_test.h"

#define ERRORS(of) "{\"errors\":{" of "}}"

static void
an_app_is_added_shown_listed_and_removed(void **state)
{
	struct api *t = *state;
	char want[512], app[384], stamp[256], path[64];

	ask(t, "POST", "/v1/apps", "{\"app\":{\"name\":\"web\",\"parent_app\":\"\"}}");
	member(t, "app.created_at", stamp);
	snprintf(app, sizeof(app), "{\"id\":\"%s\",\"name\":\"web\",\"created_at\":\"%s\"}",
		 id_of(t, "web"), stamp);
	snprintf(want, sizeof(want), "{\"app\":%s}", app);
	answered(t, 201, want);
	expect_answer(t, "GET", "/v1/apps/web", NULL, 200, want);
	snprintf(path, sizeof(path), "/v1/apps/%s", id_of(t, "web"));
	expect_answer(t, "GET", path, NULL, 200, want);
	snprintf(want, sizeof(want), "{\"apps\":[%s]}", app);
	expect_answer(t, "GET", "/v1/apps", NULL, 200, want);
	expect_answer(t, "DELETE", "/v1/apps/web?current_name=web", NULL, 204, "");
	expect_answer(t, "GET", "/v1/apps", NULL, 200, "{\"apps\":[]}");
	expect_answer(t, "DELETE", "/v1/apps/web", NULL, 404,
		      "{\"resource\":\"app\",\"error\":\"not found\"}");
	expect_answer(t, "GET", path, NULL, 404, "{\"resource\":\"app\",\"error\":\"not found\"}");
}

static void
a_new_apps_name_is_checked(void **state)
{
	static const char name_rule[] =
	    ERRORS("\"name\":[\"must be 1 to 48 printable ASCII characters without space\"]");
	static const struct {
		const char *body;
		int status;
		const char *want;
	} table[] = {
	    {"{}", 400, "{\"error\":\"'app' parameter is required\"}"},
	    {"{\"app\":\"web\"}", 400, "{\"error\":\"'app' parameter is required\"}"},
	    {"{\"app\":{}}", 422, ERRORS("\"name\":[\"is required\"]")},
	    {"{\"app\":{\"name\":\"\"}}", 422, ERRORS("\"name\":[\"is required\"]")},
	    {"{\"app\":{\"name\":null}}", 422, ERRORS("\"name\":[\"is required\"]")},
	    {"{\"app\":{\"name\":5}}", 422, ERRORS("\"name\":[\"must be a string\"]")},
	    {"{\"app\":{\"name\":[]}}", 422, ERRORS("\"name\":[\"must be a string\"]")},
	    {"{\"app\":{\"name\":\"a b\"}}", 422, name_rule},
	    {"{\"app\":{\"name\":\"a\\u0000\"}}", 422, name_rule},
	    {"{\"app\":{\"name\":\"\xc3\xa9\"}}", 422, name_rule},
	    {"{\"app\":{\"name\":\"1234567890123456789012345678901234567890123456789\"}}", 422,
	     name_rule},
	    {"{\"app\":{\"name\":\"5af97be7ff688d0001228FFB\"}}", 422,
	     ERRORS("\"name\":[\"must not be 24 hex digits: that is an app's id\"]")},
	    {"{\"app\":{\"name\":\"web\",\"stack_id\":\"x\"}}", 422,
	     ERRORS("\"stack_id\":[\"is not a parameter of an app; it takes name\"]")},
	};
	struct api *t = *state;

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		expect_answer(t, "POST", "/v1/apps", table[i].body, table[i].status, table[i].want);
	expect_answer(t, "GET", "/v1/apps", NULL, 200, "{\"apps\":[]}");
	ask(t, "POST", "/v1/apps", "{\"app\":{\"name\":\"web\"}}");
	assert_int_equal(t->resp.status, 201);
	expect_answer(t, "POST", "/v1/apps", "{\"app\":{\"name\":\"web\"}}", 422,
		      ERRORS("\"name\":[\"already exists\"]"));
}

static void
declared_apps_take_drains(void **state)
{
	struct api *t = *state;

	t->config.apps_declared = true;
	api_restart(t);
	ask(t, "POST", "/v1/apps", "{\"app\":{\"name\":\"web\"}}");
	expect_answer(t, "POST", "/v1/apps/web/log_drains",
		      "{\"drain\":{\"type\":\"logentries\",\"token\":\"k\"}}", 201,
		      "{\"drain\":{\"url\":\"logentries://k\"}}");
}

static void
a_tokens_secret_is_shown_once(void **state)
{
	struct api *t = *state;
	char id[256], stamp[256], secret[256], want[1280], path[512];

	ask(t, "POST", "/v1/apps", "{\"app\":{\"name\":\"web\"}}");
	ask(t, "POST", "/v1/tokens", "{\"token\":{\"name\":\"ci\",\"app\":\"web\"}}");
	member(t, "token.id", id);
	member(t, "token.created_at", stamp);
	member(t, "token.token", secret);
	assert_int_equal(strlen(secret), 64);
	snprintf(
	    want, sizeof(want),
	    "{\"token\":{\"id\":\"%s\",\"name\":\"ci\",\"app_id\":\"%s\",\"created_at\":\"%s\","
	    "\"token\":\"%s\"}}",
	    id, id_of(t, "web"), stamp, secret);
	answered(t, 201, want);
	snprintf(want, sizeof(want),
		 "{\"tokens\":[{\"id\":\"%s\",\"name\":\"ci\",\"app_id\":\"%s\","
		 "\"created_at\":\"%s\"}]}",
		 id, id_of(t, "web"), stamp);
	expect_answer(t, "GET", "/v1/tokens", NULL, 200, want);
	snprintf(path, sizeof(path), "/v1/tokens/%s", id);
	expect_answer(t, "DELETE", path, NULL, 204, "");
	expect_answer(t, "DELETE", path, NULL, 404,
		      "{\"resource\":\"token\",\"error\":\"not found\"}");
	expect_answer(t, "DELETE", "/v1/tokens/x", NULL, 404,
		      "{\"resource\":\"token\",\"error\":\"not found\"}");
	expect_answer(t, "GET", "/v1/tokens", NULL, 200, "{\"tokens\":[]}");
	ask(t, "POST", "/v1/tokens", "{\"token\":{\"name\":\"all\"}}");
	assert_non_null(strstr(buf_cstr(&t->resp.body), "\"app_id\":null"));
}

static void
a_new_tokens_members_are_checked(void **state)
{
	static const char long_name[] = "{\"token\":{\"name\":\"12345678901234567890123456789012345"
					"67890123456789012345678901234\"}}";
	static const struct {
		const char *body;
		int status;
		const char *want;
	} table[] = {
	    {"{}", 400, "{\"error\":\"'token' parameter is required\"}"},
	    {"{\"token\":[]}", 400, "{\"error\":\"'token' parameter is required\"}"},
	    {"{\"token\":{}}", 422, ERRORS("\"name\":[\"is required\"]")},
	    {"{\"token\":{\"name\":5}}", 422, ERRORS("\"name\":[\"must be a string\"]")},
	    {"{\"token\":{\"name\":\"a\\u0000b\"}}", 422,
	     ERRORS("\"name\":[\"must not have control characters\"]")},
	    {long_name, 422, ERRORS("\"name\":[\"must not be longer than 63 bytes\"]")},
	    {"{\"token\":{\"name\":\"x\",\"app\":5}}", 422,
	     ERRORS("\"app\":[\"must be a string\"]")},
	    {"{\"token\":{\"name\":\"x\",\"app\":\"\"}}", 422,
	     ERRORS("\"app\":[\"is not the name or id of an app\"]")},
	    {"{\"token\":{\"name\":\"x\",\"app\":\"nowhere\"}}", 422,
	     ERRORS("\"app\":[\"is not the name or id of an app\"]")},
	    {"{\"token\":{\"name\":\"x\",\"scope\":\"y\"}}", 422,
	     ERRORS("\"scope\":[\"is not a parameter of a token; it takes name, app\"]")},
	};
	struct api *t = *state;

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		expect_answer(t, "POST", "/v1/tokens", table[i].body, table[i].status,
			      table[i].want);
	expect_answer(t, "GET", "/v1/tokens", NULL, 200, "{\"tokens\":[]}");
}

static void
the_real_clients_first_calls_are_answered(void **state)
{
	struct api *t = *state;

	expect_answer(t, "GET", "/v1/users/self", NULL, 200,
		      "{\"user\":{\"id\":\"000000000000000000000000\",\"username\":\"operator\","
		      "\"email\":\"operator@localhost\"}}");
	expect_answer(t, "GET", "/v1/regions", NULL, 200,
		      "{\"regions\":[{\"name\":\"penstock\",\"display_name\":\"penstock\","
		      "\"api\":\"http://logs.example:8514\","
		      "\"database_api\":\"http://logs.example:8514\","
		      "\"dashboard\":\"http://logs.example:8514\",\"ssh\":\"logs.example:8514\","
		      "\"default\":true}]}");
	expect_answer(t, "GET", "/v1/apps/web/addons", NULL, 404,
		      "{\"resource\":\"app\",\"error\":\"not found\"}");
	ask(t, "POST", "/v1/apps", "{\"app\":{\"name\":\"web\"}}");
	expect_answer(t, "GET", "/v1/apps/web/addons", NULL, 200, "{\"addons\":[]}");
}

static void
a_host_that_is_none_is_not_repeated(void **state)
{
	static const char *const hosts[] = {"", "a b", "h/x", "h\"", "<h>", "user@h", NULL};
	struct api *t = *state;
	char api[256];
	json_t *json;

	for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
		t->host = hosts[i];
		ask(t, "GET", "/v1/regions", NULL);
		json = json_loadb(t->resp.body.p, t->resp.body.n, 0, NULL);
		snprintf(api, sizeof(api), "%s",
			 json_string_value(json_object_get(
			     json_array_get(json_object_get(json, "regions"), 0), "api")));
		json_decref(json);
		assert_string_equal(api, "http://localhost");
	}
}

static void
names_that_nobody_knows_are_listed_most_lines_first(void **state)
{
	struct api *t = *state;

	expect_answer(
	    t, "GET", "/v1/unrouted", NULL, 200,
	    "{\"unrouted\":["
	    "{\"name\":\"frequent\",\"lines\":9,\"last\":\"1970-01-01T00:00:02.000000Z\"},"
	    "{\"name\":\"also \\\"rare\\\"\",\"lines\":1,"
	    "\"last\":\"1970-01-01T00:00:03.000000Z\"},"
	    "{\"name\":\"rare\",\"lines\":1,\"last\":\"1970-01-01T00:00:01.000000Z\"}],"
	    "\"others\":5}");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    API_TEST(an_app_is_added_shown_listed_and_removed),
	    API_TEST(a_new_apps_name_is_checked),
	    API_TEST(declared_apps_take_drains),
	    API_TEST(a_tokens_secret_is_shown_once),
	    API_TEST(a_new_tokens_members_are_checked),
	    API_TEST(the_real_clients_first_calls_are_answered),
	    API_TEST(a_host_that_is_none_is_not_repeated),
	    API_TEST(names_that_nobody_knows_are_listed_most_lines_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
