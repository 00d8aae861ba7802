/* GET /v1/drains: filters, pages, and what it refuses. */
#include "api_test.h"

#define ALL "/v1/drains"

static void
add(struct api *t, const char *app, const char *port)
{
	char path[128], body[256];

	snprintf(path, sizeof(path), "/v1/apps/%s/log_drains", app);
	snprintf(body, sizeof(body),
		 "{\"drain\":{\"type\":\"syslog\",\"host\":\"h\",\"port\":\"%s\"}}", port);
	ask(t, "POST", path, body);
	assert_int_equal(t->resp.status, 201);
}

static int
setup(void **state)
{
	struct api *t;

	if (api_setup(state) != 0)
		return -1;
	t = *state;
	/* Ids 1 to 4; each app's drains lie together in the store. */
	add(t, "web", "1");
	add(t, "api%2Fv2", "2");
	add(t, "web", "3");
	ask(t, "POST", "/v1/apps/a%2Cb/log_drains",
	    "{\"drain\":{\"type\":\"logentries\",\"token\":\"secret\"}}");
	assert_int_equal(t->resp.status, 201);
	t->gateway.status[0] = (struct drain_status){.id = 3, .state = DRAIN_BLOCKED};
	t->gateway.status[1] = (struct drain_status){.id = 2, .state = DRAIN_CONNECTED};
	t->gateway.nstatus = 2;
	return 0;
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, api_teardown)

/* The ids that an answer lists, its next and its total: "1,3 next=3 total=4". */
static const char *
gist(struct api *t, const char *target)
{
	static char text[256];
	json_t *all, *drain;
	const json_t *next;
	size_t i, n = 0;

	ask(t, "GET", target, NULL);
	if (t->resp.status != 200)
		fail_msg("%s: %d %s", target, t->resp.status, buf_cstr(&t->resp.body));
	all = json_loadb(t->resp.body.p, t->resp.body.n, 0, NULL);
	text[0] = '\0';
	json_array_foreach(json_object_get(all, "drains"), i, drain)
	{
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%s", i > 0 ? "," : "",
				      json_string_value(json_object_get(drain, "id")));
	}
	next = json_object_get(all, "next");
	snprintf(text + n, sizeof(text) - n, " next=%s total=%lld",
		 json_is_null(next) ? "null" : json_string_value(next),
		 (long long)json_integer_value(json_object_get(all, "total")));
	json_decref(all);
	return text;
}

static void
drains_of_all_apps_are_listed_in_order_of_adding(void **state)
{
	struct api *t = *state;
	char want[256];

	assert_string_equal(gist(t, ALL), "1,2,3,4 next=null total=4");
	snprintf(
	    want, sizeof(want),
	    "{\"drains\":[{\"id\":\"1\",\"app_id\":\"%s\",\"app\":\"web\",\"url\":\"redacted-1\","
	    "\"type\":\"syslog\",\"state\":\"idle\",\"delivered\":",
	    id_of(t, "web"));
	assert_int_equal(strncmp(buf_cstr(&t->resp.body), want, strlen(want)), 0);
	assert_non_null(strstr(buf_cstr(&t->resp.body),
			       "\"next\":null,\"total\":4,\"states\":{\"idle\":2,\"connected\":1,"
			       "\"retrying\":0,\"blocked\":1}}"));
}

static void
secrets_are_shown_to_who_asks_for_them(void **state)
{
	struct api *t = *state;

	ask(t, "GET", ALL "?redact=true", NULL);
	assert_null(strstr(buf_cstr(&t->resp.body), "secret"));
	ask(t, "GET", ALL "?redact=", NULL);
	assert_null(strstr(buf_cstr(&t->resp.body), "secret"));
	ask(t, "GET", ALL "?redact=false", NULL);
	assert_non_null(strstr(buf_cstr(&t->resp.body), "\"url\":\"logentries://secret\""));
}

static void
a_page_begins_behind_an_id(void **state)
{
	struct api *t = *state;

	assert_string_equal(gist(t, ALL "?per_page=2"), "1,2 next=2 total=4");
	assert_string_equal(gist(t, ALL "?per_page=2&after=2"), "3,4 next=null total=4");
	assert_string_equal(gist(t, ALL "?per_page=1000&after=0"), "1,2,3,4 next=null total=4");
	assert_string_equal(gist(t, ALL "?after=4"), " next=null total=4");
	assert_string_equal(gist(t, ALL "?after=18446744073709551615"), " next=null total=4");
	/* The drain that the page ended with is gone: the next one begins where it stood. */
	ask(t, "DELETE", "/v1/apps/api%2Fv2/log_drains?url=syslog://h:2", NULL);
	assert_int_equal(t->resp.status, 204);
	assert_string_equal(gist(t, ALL "?per_page=2&after=2"), "3,4 next=null total=3");
	add(t, "web", "5");
	assert_string_equal(gist(t, ALL "?per_page=2&after=2"), "3,4 next=4 total=4");
	assert_string_equal(gist(t, ALL "?per_page=2&after=4"), "5 next=null total=4");
}

static void
filters_are_lists_and_all_hold(void **state)
{
	struct api *t = *state;
	char target[128];

	assert_string_equal(gist(t, ALL "?state=blocked"), "3 next=null total=1");
	/* What there is besides the state that was asked for. */
	assert_non_null(strstr(buf_cstr(&t->resp.body), "\"connected\":1"));
	assert_string_equal(gist(t, ALL "?state=blocked,connected"), "2,3 next=null total=2");
	assert_string_equal(gist(t, ALL "?state=blocked&x=1&state=connected"),
			    "2,3 next=null total=2");
	assert_string_equal(gist(t, ALL "?app=web"), "1,3 next=null total=2");
	assert_string_equal(gist(t, ALL "?app=web&state=idle"), "1 next=null total=1");
	assert_string_equal(gist(t, ALL "?app=web,api%2Fv2"), "1,2,3 next=null total=3");
	assert_string_equal(gist(t, ALL "?app=api/v2"), "2 next=null total=1");
	/* A comma in a name. */
	assert_string_equal(gist(t, ALL "?app=a%2Cb"), "4 next=null total=1");
	snprintf(target, sizeof(target), ALL "?app=%s", id_of(t, "web"));
	assert_string_equal(gist(t, target), "1,3 next=null total=2");
	assert_string_equal(gist(t, ALL "?type=logentries"), "4 next=null total=1");
	assert_string_equal(gist(t, ALL "?type=logentries,syslog&app=web"),
			    "1,3 next=null total=2");
	assert_string_equal(gist(t, ALL "?type=elk"), " next=null total=0");
}

static void
what_is_wrong_is_named(void **state)
{
	static const struct {
		const char *query, *key;
	} table[] = {
	    {"state=up", "state"},
	    {"state=", "state"},
	    {"state=idle,", "state"},
	    {"state=Idle", "state"},
	    {"state=%00", "state"},
	    {"state=idle&state=x", "state"},
	    {"state=%zz", "state"},
	    {"app=nowhere", "app"},
	    {"app=", "app"},
	    {"app=web,nowhere", "app"},
	    {"app=web%00", "app"},
	    {"app=5af97be7ff688d0001228ffb", "app"},
	    {"type=carrier-pigeon", "type"},
	    {"type=", "type"},
	    {"per_page=0", "per_page"},
	    {"per_page=1001", "per_page"},
	    {"per_page=", "per_page"},
	    {"per_page=-1", "per_page"},
	    {"per_page=1e2", "per_page"},
	    {"per_page=+1", "per_page"},
	    {"per_page=18446744073709551617", "per_page"},
	    {"after=", "after"},
	    {"after=x", "after"},
	    {"after=18446744073709551616", "after"},
	    {"after=99999999999999999999999999", "after"},
	};
	struct api *t = *state;
	char target[128], want[64];

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		snprintf(target, sizeof(target), ALL "?%s", table[i].query);
		ask(t, "GET", target, NULL);
		snprintf(want, sizeof(want), "{\"errors\":{\"%s\":[\"", table[i].key);
		if (t->resp.status != 422 ||
		    strncmp(buf_cstr(&t->resp.body), want, strlen(want)) != 0)
			fail_msg("%s: %d %s", table[i].query, t->resp.status,
				 buf_cstr(&t->resp.body));
	}
	expect_answer(
	    t, "GET", ALL "?state=x&per_page=0", NULL, 422,
	    "{\"errors\":{\"state\":[\"must be among idle, connected, retrying, blocked\"],"
	    "\"per_page\":[\"must be a number from 1 to 1000\"]}}");
}

static void
an_apps_token_does_not_see_the_others(void **state)
{
	static char bearer[128];
	struct api *t = *state;
	char secret[256];

	ask(t, "POST", "/v1/tokens", "{\"token\":{\"name\":\"x\",\"app\":\"web\"}}");
	snprintf(bearer, sizeof(bearer), "Bearer %.80s", member(t, "token.token", secret));
	t->authorization = bearer;
	expect_answer(t, "GET", ALL "?app=web", NULL, 403,
		      "{\"error\":\"this token is for one app only\",\"code\":\"forbidden\"}");
	t->authorization = NULL;
	ask(t, "GET", ALL, NULL);
	assert_int_equal(t->resp.status, 401);
}

static void
a_busy_worker_is_said(void **state)
{
	struct api *t = *state;

	t->gateway.fail = GATEWAY_BUSY;
	ask(t, "GET", ALL, NULL);
	assert_int_equal(t->resp.status, 503);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(drains_of_all_apps_are_listed_in_order_of_adding),
	    T(secrets_are_shown_to_who_asks_for_them),
	    T(a_page_begins_behind_an_id),
	    T(filters_are_lists_and_all_hold),
	    T(what_is_wrong_is_named),
	    T(an_apps_token_does_not_see_the_others),
	    T(a_busy_worker_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
