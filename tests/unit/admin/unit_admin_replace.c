/* "replaces": a drain takes another's place, or the answer says why not. */
#include "api_test.h"

#define DRAINS "/v1/apps/web/log_drains"
#define SYSLOG(host) "{\"type\":\"syslog\",\"host\":\"" host "\",\"port\":514}"

static void
add(struct api *t, const char *app, const char *drain)
{
	char path[128], body[512];

	snprintf(path, sizeof(path), "/v1/apps/%s/log_drains", app);
	snprintf(body, sizeof(body), "{\"drain\":%s}", drain);
	ask(t, "POST", path, body);
	if (t->resp.status != 201)
		fail_msg("%d %s", t->resp.status, buf_cstr(&t->resp.body));
}

/* The URLs of the app's drains, as the list has them. */
static void
expect_drains(struct api *t, const char *const *urls, size_t n)
{
	json_t *list;

	ask(t, "GET", DRAINS, NULL);
	assert_int_equal(t->resp.status, 200);
	list = json_loadb(t->resp.body.p, t->resp.body.n, 0, NULL);
	assert_int_equal(json_array_size(list), n);
	for (size_t i = 0; i < n; i++)
		assert_string_equal(
		    json_string_value(json_object_get(json_array_get(list, i), "url")), urls[i]);
	json_decref(list);
}

static int
setup(void **state)
{
	if (api_setup(state) != 0)
		return -1;
	add(*state, "web", SYSLOG("a"));
	add(*state, "web", SYSLOG("b"));
	add(*state, "other", SYSLOG("theirs"));
	return 0;
}

static void
the_new_drain_is_answered_and_stands_last(void **state)
{
	static const char *const urls[] = {"syslog://b:514", "syslog://c:514"};
	struct api *t = *state;

	expect_answer(t, "POST", DRAINS,
		      "{\"drain\":" SYSLOG("c") ",\"replaces\":\"syslog://a:514\"}", 201,
		      "{\"drain\":{\"url\":\"syslog://c:514\"}}");
	expect_drains(t, urls, 2);
	assert_int_equal(t->gateway.replaced, 1);
	assert_int_equal(t->gateway.removed, 0);
}

static void
another_type_may_take_its_place(void **state)
{
	static const char *const urls[] = {"syslog://b:514", "https://u:p@c/x"};
	struct api *t = *state;

	expect_answer(t, "POST", DRAINS,
		      "{\"replaces\":\"syslog://a:514\","
		      "\"drain\":{\"type\":\"elk\",\"url\":\"https://u:p@c/x\"}}",
		      201, "{\"drain\":{\"url\":\"https://u:p@c/x\"}}");
	expect_drains(t, urls, 2);
}

static void
a_blank_means_that_nothing_is_replaced(void **state)
{
	static const char *const urls[] = {"syslog://a:514", "syslog://b:514", "syslog://c:514",
					   "syslog://d:514"};
	struct api *t = *state;

	expect_answer(t, "POST", DRAINS, "{\"drain\":" SYSLOG("c") ",\"replaces\":\"\"}", 201,
		      "{\"drain\":{\"url\":\"syslog://c:514\"}}");
	expect_answer(t, "POST", DRAINS, "{\"drain\":" SYSLOG("d") ",\"replaces\":null}", 201,
		      "{\"drain\":{\"url\":\"syslog://d:514\"}}");
	expect_drains(t, urls, 4);
	assert_int_equal(t->gateway.replaced, 0);
}

static void
what_cannot_be_replaced_stays(void **state)
{
	static const char unknown[] =
	    "{\"errors\":{\"replaces\":[\"is not a drain of this app\"]}}";
	static const struct {
		const char *body, *answer;
	} table[] = {
	    {"{\"drain\":" SYSLOG("c") ",\"replaces\":\"syslog://x:514\"}", unknown},
	    /* Not as it was typed, but as it is listed. */
	    {"{\"drain\":" SYSLOG("c") ",\"replaces\":\"syslog://A:514\"}", unknown},
	    {"{\"drain\":" SYSLOG("c") ",\"replaces\":\"syslog://a:514 \"}", unknown},
	    {"{\"drain\":" SYSLOG("c") ",\"replaces\":\"syslog://theirs:514\"}", unknown},
	    {"{\"drain\":" SYSLOG("b") ",\"replaces\":\"syslog://a:514\"}",
	     "{\"errors\":{\"url\":[\"already exists\"]}}"},
	    {"{\"drain\":{\"type\":\"syslog\",\"host\":\"c\"},\"replaces\":\"syslog://a:514\"}",
	     "{\"errors\":{\"port\":[\"is required\"]}}"},
	    {"{\"drain\":{\"type\":\"syslog\",\"host\":\"c\"},\"replaces\":[\"syslog://a:514\"]}",
	     "{\"errors\":{\"replaces\":[\"must be a string\"],\"port\":[\"is required\"]}}"},
	};
	static const char *const urls[] = {"syslog://a:514", "syslog://b:514"};
	struct api *t = *state;

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		expect_answer(t, "POST", DRAINS, table[i].body, 422, table[i].answer);
	expect_drains(t, urls, 2);
	assert_int_equal(t->gateway.replaced, 0);
}

static void
a_refused_replacement_makes_no_app(void **state)
{
	struct api *t = *state;

	expect_answer(t, "POST", "/v1/apps/new/log_drains",
		      "{\"drain\":" SYSLOG("c") ",\"replaces\":\"syslog://a:514\"}", 422,
		      "{\"errors\":{\"replaces\":[\"is not a drain of this app\"]}}");
	assert_false(has_app(t, "new"));
}

static void
a_busy_gateway_is_said_and_nothing_changed(void **state)
{
	static const char *const urls[] = {"syslog://a:514", "syslog://b:514"};
	struct api *t = *state;

	t->gateway.fail = GATEWAY_BUSY;
	expect_answer(t, "POST", DRAINS,
		      "{\"drain\":" SYSLOG("c") ",\"replaces\":\"syslog://a:514\"}", 503,
		      "{\"error\":\"the gateway is busy; nothing was changed\"}");
	expect_drains(t, urls, 2);
}

#define REPLACE_TEST(f) cmocka_unit_test_setup_teardown(f, setup, api_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    REPLACE_TEST(the_new_drain_is_answered_and_stands_last),
	    REPLACE_TEST(another_type_may_take_its_place),
	    REPLACE_TEST(a_blank_means_that_nothing_is_replaced),
	    REPLACE_TEST(what_cannot_be_replaced_stays),
	    REPLACE_TEST(a_refused_replacement_makes_no_app),
	    REPLACE_TEST(a_busy_gateway_is_said_and_nothing_changed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
