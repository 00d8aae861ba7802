/*
 * The log_drains calls: the specification's requests give its answers, each
 * type its URL, each client its list.
 */
#include "api_test.h"

#define DRAINS "/v1/apps/example-app/log_drains"
#define URL(url) "{\"drain\":{\"url\":\"" url "\"}}"

static const char ovh_request[] = "{\n"
				  "    \"drain\": {\n"
				  "        \"type\": \"ovh-graylog\",\n"
				  "        \"token\": \"5af97be7-34e5-47b6-a016-8d0001228ffb\",\n"
				  "        \"host\": \"tag1.logs.ovh.com\"\n"
				  "    }\n"
				  "  }";
static const char ovh_url[] = "ovh://:5af97be7-34e5-47b6-a016-8d0001228ffb@tag1.logs.ovh.com:6514";
static const char datadog_request[] =
    "{\n"
    "    \"drain\": {\n"
    "        \"type\": \"datadog\",\n"
    "        \"token\": \"5af97be7-34e5-47b6-a016-8d0001228ffb\",\n"
    "        \"drain_region\": \"eu-west-2\"\n"
    "    }\n"
    "  }";
static const char datadog_url[] = "datadog://5af97be7-34e5-47b6-a016-8d0001228ffb?region=eu-west-2";

static void
the_specifications_requests_give_its_answers(void **state)
{
	struct api *t = *state;
	char want[512];

	expect_answer(t, "POST", DRAINS, ovh_request, 201,
		      URL("ovh://:5af97be7-34e5-47b6-a016-8d0001228ffb@tag1.logs.ovh.com:6514"));
	assert_string_equal(t->resp.content_type, "application/json");
	expect_answer(t, "POST", DRAINS, datadog_request, 201,
		      URL("datadog://5af97be7-34e5-47b6-a016-8d0001228ffb?region=eu-west-2"));
	snprintf(want, sizeof(want),
		 "[{\"app_id\":\"%s\",\"url\":\"%s\"},{\"app_id\":\"%s\",\"url\":\"%s\"}]",
		 id_of(t, "example-app"), ovh_url, id_of(t, "example-app"), datadog_url);
	expect_answer(t, "GET", DRAINS, NULL, 200, want);
	expect_answer(t, "GET", DRAINS "?", NULL, 200, want);
	expect_answer(t, "HEAD", DRAINS, NULL, 200, want);
	assert_int_equal(strlen(id_of(t, "example-app")), 24);
}

static void
each_type_has_its_url(void **state)
{
	static const struct {
		const char *drain, *url;
	} table[] = {
	    {"{\"type\":\"datadog\",\"token\":\"k\",\"drain-region\":\"us\"}",
	     URL("datadog://k?region=us")},
	    {"{\"type\":\"ovh-graylog\",\"token\":\"a/b\",\"host\":\"H.Example\"}",
	     URL("ovh://:a%2Fb@h.example:6514")},
	    {"{\"type\":\"logentries\",\"token\":\"k\"}", URL("logentries://k")},
	    {"{\"type\":\"papertrail\",\"host\":\"p.example\",\"port\":\"514\"}",
	     URL("tcp+tls://p.example:514")},
	    {"{\"type\":\"syslog\",\"host\":\"::1\",\"port\":514}", URL("syslog://[::1]:514")},
	    {"{\"type\":\"elk\",\"url\":\"https://u:p@e.example/x?a=b&c=d\"}",
	     URL("https://u:p@e.example/x?a=b&c=d")},
	    /* What the real clients send: all six keys, blanks as "". */
	    {"{\"type\":\"syslog\",\"token\":\"\",\"host\":\"h\",\"port\":\"514\","
	     "\"drain_region\":\"\",\"url\":\"\"}",
	     URL("syslog://h:514")},
	    {"{\"type\":\"syslog\",\"token\":null,\"host\":\"udp://h\",\"port\":514,\"url\":null}",
	     URL("syslog://h:514?protocol=udp")},
	    {"{\"type\":\"syslog\",\"host\":\"h\",\"port\":515,\"resend_bytes\":0}",
	     URL("syslog://h:515?resend_bytes=0")},
	    /* Options in JSON's own types. */
	    {"{\"type\":\"syslog\",\"host\":\"h\",\"port\":516,\"rate\":10,\"min_severity\":4,"
	     "\"match\":[\"a b\",\"\",\"c\",\"a b\"],\"exclude\":\"&\",\"format\":\"rfc3164\"}",
	     URL("syslog://h:516?format=rfc3164&min_severity=warning&match=a%20b&match=c&"
		 "exclude=%26&rate=10")},
	    {"{\"type\":\"syslog\",\"host\":\"h\",\"port\":517,\"match\":[],\"exclude\":null,"
	     "\"rate\":\"\"}",
	     URL("syslog://h:517")},
	    {"{\"type\":\"syslog\",\"host\":\"h\",\"port\":518,\"mark\":true}",
	     URL("syslog://h:518?mark=true")},
	    {"{\"type\":\"syslog\",\"host\":\"h\",\"port\":519,\"mark\":false}",
	     URL("syslog://h:519")},
	    {"{\"type\":\"elk\",\"url\":\"http://h/\",\"gzip\":true,\"concurrency\":3}",
	     URL("http://h/#gzip=true&concurrency=3")},
	    {"{\"type\":\"elk\",\"url\":\"http://h/\",\"gzip\":false}", URL("http://h/")},
	};
	struct api *t = *state;
	char body[512];

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		snprintf(body, sizeof(body), "{\"drain\":%s}", table[i].drain);
		expect_answer(t, "POST", DRAINS, body, 201, table[i].url);
	}
}

static void
add(struct api *t, const char *app, const char *drain)
{
	char path[128], body[512];

	snprintf(path, sizeof(path), "/v1/apps/%s/log_drains", app);
	snprintf(body, sizeof(body), "{\"drain\":{%s}}", drain);
	ask(t, "POST", path, body);
	if (t->resp.status != 201)
		fail_msg("%d %s", t->resp.status, buf_cstr(&t->resp.body));
}

#define SYSLOG(host, port) "\"type\":\"syslog\",\"host\":\"" host "\",\"port\":" #port

static void
the_client_decides_the_lists_shape(void **state)
{
	static const struct {
		enum list_shape shape;
		const char *authorization, *agent;
		bool array;
	} table[] = {
	    {LIST_AUTO, operator_basic, NULL, true},
	    {LIST_AUTO, operator_bearer, NULL, false},
	    {LIST_AUTO, operator_bearer, "Scalingo CLI v1.18.0", true},
	    {LIST_AUTO, operator_bearer, "Scalingo CLI v1.18.0 (linux)", true},
	    {LIST_AUTO, operator_bearer, "Scalingo CLI v1.18.1", false},
	    {LIST_AUTO, operator_bearer, "Scalingo CLI v1.18.01", false},
	    {LIST_AUTO, operator_bearer, "Scalingo CLI v1.18", false},
	    {LIST_ARRAY, operator_bearer, NULL, true},
	    {LIST_OBJECT, operator_basic, NULL, false},
	    {LIST_OBJECT, operator_bearer, "Scalingo CLI v1.18.0", false},
	};
	struct api *t = *state;
	char want[256];

	add(t, "example-app", SYSLOG("h", 514));
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		t->config.list_shape = table[i].shape;
		api_restart(t);
		t->authorization = table[i].authorization;
		t->user_agent = table[i].agent;
		snprintf(want, sizeof(want), "%s[{\"app_id\":\"%s\",\"url\":\"syslog://h:514\"}]%s",
			 table[i].array ? "" : "{\"drains\":", id_of(t, "example-app"),
			 table[i].array ? "" : "}");
		expect_answer(t, "GET", DRAINS, NULL, 200, want);
	}
}

static void
a_drain_goes_by_its_url_however_it_is_written(void **state)
{
	static const struct {
		const char *drain, *target, *body;
	} table[] = {
	    {"\"type\":\"papertrail\",\"host\":\"h\",\"port\":1",
	     DRAINS "?url=tcp%2Btls%3A%2F%2Fh%3A1", NULL},
	    {"\"type\":\"papertrail\",\"host\":\"h\",\"port\":1", DRAINS "?url=tcp+tls://h:1",
	     NULL},
	    {"\"type\":\"papertrail\",\"host\":\"h\",\"port\":1", DRAINS "?x=1&url=tcp%2btls://h:1",
	     NULL},
	    {"\"type\":\"papertrail\",\"host\":\"h\",\"port\":1", DRAINS,
	     "{\"url\":\"tcp+tls://h:1\"}"},
	    {"\"type\":\"papertrail\",\"host\":\"h\",\"port\":1",
	     DRAINS "?url=", "{\"url\":\"tcp+tls://h:1\"}"},
	    {"\"type\":\"elk\",\"url\":\"http://h/?a=1&b=2\"", DRAINS "?url=http://h/?a=1&b=2",
	     NULL},
	    {"\"type\":\"elk\",\"url\":\"http://h/?a=1&b=2\"",
	     DRAINS "?url=http%3A%2F%2Fh%2F%3Fa%3D1%26b%3D2&x=1", NULL},
	    {"\"type\":\"elk\",\"url\":\"http://h/a%20b+c\"",
	     DRAINS "?url=http%3A%2F%2Fh%2Fa%2520b%2Bc", NULL},
	    {"\"type\":\"elk\",\"url\":\"http://h/a%20b+c\"", DRAINS "?url=http://h/a%20b+c", NULL},
	    {"\"type\":\"elk\",\"url\":\"http://h/100%\"", DRAINS "?url=http://h/100%", NULL},
	};
	struct api *t = *state;

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		add(t, "example-app", table[i].drain);
		expect_answer(t, "DELETE", table[i].target, table[i].body, 204, "");
		assert_int_equal(t->gateway.removed, i + 1);
	}
	expect_answer(t, "GET", DRAINS, NULL, 200, "[]");
}

static void
the_decoded_url_counts_before_the_raw_one(void **state)
{
	struct api *t = *state;

	add(t, "example-app", "\"type\":\"elk\",\"url\":\"http://h/%2541\"");
	add(t, "example-app", "\"type\":\"elk\",\"url\":\"http://h/%41\"");
	expect_answer(t, "DELETE", DRAINS "?url=http://h/%2541", NULL, 204, "");
	ask(t, "GET", DRAINS, NULL);
	assert_non_null(strstr(buf_cstr(&t->resp.body), "http://h/%2541"));
}

static void
a_url_that_is_not_there_removes_nothing(void **state)
{
	static const char *const targets[] = {
	    DRAINS "?url=syslog%3A%2F%2Fh%3A514%00", /* a NUL does not end the comparison */
	    DRAINS "?url=syslog://h:514%00junk",     DRAINS "?url=syslog://h:51",
	    DRAINS "?url=syslog://h:5140",	     DRAINS "?url=syslog://H:514",
	    DRAINS "?url=syslog://h:514%2",	     DRAINS "?url=%",
	};
	struct api *t = *state;

	add(t, "example-app", SYSLOG("h", 514));
	add(t, "other", SYSLOG("other", 514));
	for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++)
		expect_answer(t, "DELETE", targets[i], NULL, 404,
			      "{\"resource\":\"log_drain\",\"error\":\"not found\"}");
	expect_answer(t, "DELETE", DRAINS "?url=syslog://other:514", NULL, 404,
		      "{\"resource\":\"log_drain\",\"error\":\"not found\"}");
	expect_answer(t, "DELETE", DRAINS, "{\"url\":\"syslog://h\"}", 404,
		      "{\"resource\":\"log_drain\",\"error\":\"not found\"}");
	assert_int_equal(t->gateway.removed, 0);
}

static void
an_app_is_called_by_name_or_id(void **state)
{
	struct api *t = *state;
	char target[128], id[25], want[128];

	add(t, "a%2Fb%3a", SYSLOG("h", 514));
	snprintf(id, sizeof(id), "%s", id_of(t, "a/b:"));
	snprintf(want, sizeof(want), "[{\"app_id\":\"%s\",\"url\":\"syslog://h:514\"}]", id);
	snprintf(target, sizeof(target), "/v1/apps/%s/log_drains", id);
	expect_answer(t, "GET", target, NULL, 200, want);
	expect_answer(t, "GET", "/v1/apps/a%2fb%3A/log_drains", NULL, 200, want);
	expect_answer(t, "GET", "/v1/apps/A%2fb%3A/log_drains", NULL, 404,
		      "{\"resource\":\"app\",\"error\":\"not found\"}");
	for (char *p = target + 9; *p != '/'; p++)
		*p = (char)(*p >= 'a' ? *p - 32 : *p);
	expect_answer(t, "GET", target, NULL, 200, want);
}

static void
an_app_outlives_its_last_drain(void **state)
{
	struct api *t = *state;

	add(t, "example-app", SYSLOG("h", 514));
	expect_answer(t, "DELETE", DRAINS "?url=syslog://h:514", NULL, 204, "");
	expect_answer(t, "GET", DRAINS, NULL, 200, "[]");
	t->authorization = operator_bearer;
	expect_answer(t, "GET", DRAINS, NULL, 200, "{\"drains\":[]}");
}

static void
a_drain_that_is_there_is_not_added_again(void **state)
{
	struct api *t = *state;

	add(t, "example-app", SYSLOG("h", 514));
	expect_answer(t, "POST", DRAINS, "{\"drain\":{" SYSLOG("H", "0514") "}}", 422,
		      "{\"errors\":{\"url\":[\"already exists\"]}}");
	add(t, "other", SYSLOG("h", 514));
}

static void
secrets_are_masked_on_request(void **state)
{
	struct api *t = *state;
	char body[512];

	add(t, "example-app", "\"type\":\"datadog\",\"token\":\"s3cret\",\"drain_region\":\"eu\"");
	add(t, "example-app", "\"type\":\"ovh-graylog\",\"token\":\"s3cret\",\"host\":\"h\"");
	add(t, "example-app", "\"type\":\"logentries\",\"token\":\"s3cret\"");
	add(t, "example-app", "\"type\":\"papertrail\",\"host\":\"h\",\"port\":514");
	add(t, "example-app", SYSLOG("h", 514) ",\"token\":\"s3cret\"");
	add(t, "example-app", "\"type\":\"elk\",\"url\":\"http://u:s3cret@h/\"");
	ask(t, "GET", DRAINS "?redact=true", NULL);
	assert_int_equal(t->resp.status, 200);
	snprintf(body, sizeof(body), "%s", buf_cstr(&t->resp.body));
	assert_null(strstr(body, "s3cret"));
	assert_non_null(strstr(body, "datadog://***?region=eu"));
	assert_non_null(strstr(body, "syslog://:***@h:514"));
	assert_non_null(strstr(body, "http://u:***@h/"));
	assert_non_null(strstr(body, "tcp+tls://h:514"));
	ask(t, "GET", DRAINS "?redact=false", NULL);
	assert_non_null(strstr(buf_cstr(&t->resp.body), "s3cret"));
}

static void
a_record_that_cannot_be_read_is_masked_whole(void **state)
{
	struct api *t = *state;
	struct drain_record record = {.type = xstrdup("gone"), .url = xstrdup("gone://s3cret")};
	char want[128];

	add(t, "example-app", SYSLOG("h", 514));
	expect_answer(t, "DELETE", DRAINS "?url=syslog://h:514", NULL, 204, "");
	snprintf(record.app_id, sizeof(record.app_id), "%s", id_of(t, "example-app"));
	assert_int_equal(store_drain_add(t->store, NULL, &record), STORE_OK);
	drain_record_free(&record);
	snprintf(want, sizeof(want), "[{\"app_id\":\"%s\",\"url\":\"gone:***\"}]",
		 id_of(t, "example-app"));
	expect_answer(t, "GET", DRAINS "?redact=1", NULL, 200, want);
}

static uint64_t
drain_id(struct api *t, const char *url)
{
	struct drain_record record = {0};
	uint64_t id;

	assert_int_equal(store_drain_find(t->store, id_of(t, "example-app"), url, &record),
			 STORE_OK);
	id = record.id;
	drain_record_free(&record);
	return id;
}

static void
status_tells_how_each_drain_fares(void **state)
{
	struct api *t = *state;
	char want[2048];

	add(t, "example-app", SYSLOG("h", 1));
	add(t, "example-app", SYSLOG("h", 2));
	add(t, "example-app", SYSLOG("h", 3));
	t->gateway.status[0] = (struct drain_status){.id = drain_id(t, "syslog://h:3"),
						     .state = DRAIN_RETRYING,
						     .lines_waiting = 5,
						     .bytes_waiting = 500,
						     .lines_spooled = 3,
						     .bytes_spooled = 200,
						     .lines_dropped_spool = 14,
						     .lines_dropped_age = 15,
						     .lines_dropped_damaged = 16,
						     .lines_filtered = 11,
						     .lines_cut = 12,
						     .lines_old = 13,
						     .lines_dropped_memory = 7,
						     .lines_dropped_rate = 8,
						     .lines_dropped_size = 9,
						     .lines_dropped_refused = 10,
						     .lines_resent = 2,
						     .retries = 3,
						     .oldest_waiting_ms = 1500,
						     .last_error_us = 1767323045000000,
						     .last_error = "refused \xff"};
	t->gateway.status[1] = (struct drain_status){.id = drain_id(t, "syslog://h:1"),
						     .state = DRAIN_CONNECTED,
						     .lines_delivered = 10,
						     .bytes_delivered = 1000,
						     .lines_minute = 4,
						     .oldest_waiting_ms = -1,
						     .delivered_us = 1767323045678902,
						     .connected_since_us = 1767323045678901};
	t->gateway.nstatus = 2;
	snprintf(want, sizeof(want),
		 "[{\"app_id\":\"%s\",\"url\":\"syslog://h:1\",\"type\":\"syslog\","
		 "\"state\":\"connected\",\"delivered\":{\"lines\":10,\"bytes\":1000},"
		 "\"rate\":{\"lines_per_minute\":4},"
		 "\"waiting\":{\"memory\":{\"lines\":0,\"bytes\":0},"
		 "\"spool\":{\"lines\":0,\"bytes\":0},\"oldest_ms\":null},"
		 "\"dropped\":{\"memory\":0,\"rate\":0,\"spool\":0,\"age\":0,\"damaged\":0,"
		 "\"too_long\":0,\"refused\":0},"
		 "\"filtered\":0,\"cut\":0,\"old\":0,\"resent\":0,\"retries\":0,"
		 "\"last_error\":null,\"last_dead_letter\":null,"
		 "\"last_delivered\":\"2026-01-02T03:04:05.678902Z\","
		 "\"connected_since\":\"2026-01-02T03:04:05.678901Z\"},"
		 "{\"app_id\":\"%s\",\"url\":\"syslog://h:2\",\"type\":\"syslog\"},"
		 "{\"app_id\":\"%s\",\"url\":\"syslog://h:3\",\"type\":\"syslog\","
		 "\"state\":\"retrying\",\"delivered\":{\"lines\":0,\"bytes\":0},"
		 "\"rate\":{\"lines_per_minute\":0},"
		 "\"waiting\":{\"memory\":{\"lines\":2,\"bytes\":300},"
		 "\"spool\":{\"lines\":3,\"bytes\":200},\"oldest_ms\":1500},"
		 "\"dropped\":{\"memory\":7,\"rate\":8,\"spool\":14,\"age\":15,\"damaged\":16,"
		 "\"too_long\":9,\"refused\":10},"
		 "\"filtered\":11,\"cut\":12,\"old\":13,\"resent\":2,\"retries\":3,"
		 "\"last_error\":{\"error\":\"refused \xef\xbf\xbd\","
		 "\"at\":\"2026-01-02T03:04:05.000000Z\"},\"last_dead_letter\":null,"
		 "\"last_delivered\":null,\"connected_since\":null}]",
		 id_of(t, "example-app"), id_of(t, "example-app"), id_of(t, "example-app"));
	expect_answer(t, "GET", DRAINS "?status=true", NULL, 200, want);
	t->authorization = operator_bearer;
	ask(t, "GET", DRAINS "?status=true&redact=true", NULL);
	assert_int_equal(strncmp(buf_cstr(&t->resp.body), "{\"drains\":[{", 12), 0);
}

/* The dead letter that a drain tells of, as JSON. */
static void
expect_letter(struct api *t, const char *line, size_t n, size_t line_bytes, const char *want)
{
	struct drain_letter *letter = &t->gateway.status[0].letter;
	char all[512];

	memcpy(letter->line, line, n);
	letter->line_n = n;
	letter->line_bytes = line_bytes;
	ask(t, "GET", DRAINS "?status=true", NULL);
	snprintf(all, sizeof(all),
		 "\"last_dead_letter\":{\"at\":\"2026-01-02T03:04:05.000000Z\",\"status\":413,"
		 "\"error\":\"too \\\"large\\\"\",\"line\":\"%s\",\"line_bytes\":%zu}",
		 want, line_bytes);
	if (strstr(buf_cstr(&t->resp.body), all) == NULL)
		fail_msg("no %s in %s", all, buf_cstr(&t->resp.body));
}

static void
a_dead_letter_is_valid_text_whatever_its_bytes(void **state)
{
	struct api *t = *state;

	add(t, "example-app", SYSLOG("h", 1));
	t->gateway.status[0] = (struct drain_status){
	    .id = drain_id(t, "syslog://h:1"),
	    .letter = {.at_us = 1767323045000000, .status = 413, .error = "too \"large\""}};
	t->gateway.nstatus = 1;
#define LETTER(literal, bytes, want) expect_letter(t, literal, sizeof(literal) - 1, bytes, want)
	LETTER("<14>1 a", 7, "<14>1 a");
	LETTER("", 0, "");
	LETTER("a\xff\0b\n", 5, "a\xef\xbf\xbd\\u0000b\\n");
	/* Whole lines keep what is wrong at their end; a cut one does not get it from the cut. */
	LETTER("a\xe2\x82", 3, "a\xef\xbf\xbd\xef\xbf\xbd");
	LETTER("a\xe2\x82", 2000, "a");
	LETTER("a\xe2", 2000, "a");
	LETTER("a\xf0\x9f\x98", 2000, "a");
	LETTER("a\xe2\x82\xac", 2000, "a\xe2\x82\xac");
	LETTER("a\xc3\xa9", 2000, "a\xc3\xa9");
	LETTER("\x80\x80\x80\x80", 2000, "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
	LETTER("\xe2", 2000, "");
#undef LETTER
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    API_TEST(the_specifications_requests_give_its_answers),
	    API_TEST(each_type_has_its_url),
	    API_TEST(the_client_decides_the_lists_shape),
	    API_TEST(a_drain_goes_by_its_url_however_it_is_written),
	    API_TEST(the_decoded_url_counts_before_the_raw_one),
	    API_TEST(a_url_that_is_not_there_removes_nothing),
	    API_TEST(an_app_is_called_by_name_or_id),
	    API_TEST(an_app_outlives_its_last_drain),
	    API_TEST(a_drain_that_is_there_is_not_added_again),
	    API_TEST(secrets_are_masked_on_request),
	    API_TEST(a_record_that_cannot_be_read_is_masked_whole),
	    API_TEST(status_tells_how_each_drain_fares),
	    API_TEST(a_dead_letter_is_valid_text_whatever_its_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
