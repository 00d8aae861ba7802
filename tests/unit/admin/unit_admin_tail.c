/*
 * The tail of an app as the API sees it: what may be asked, what is refused,
 * and how lines are shown.  Lines that really come are tested end to end.
 */
#include "api_test.h"

#include "admin/tail_query.h"

#define TAIL "/v1/apps/web/tail"
#define ERRORS(of) "{\"errors\":{" of "}}"
#define APP_NOT_FOUND "{\"resource\":\"app\",\"error\":\"not found\"}"

static const struct {
	const char *query, *want;
} refused[] = {
    {"format=xml", ERRORS("\"format\":[\"must be text, sse or rfc5424\"]")},
    {"format=TEXT", ERRORS("\"format\":[\"must be text, sse or rfc5424\"]")},
    {"format=text%00", ERRORS("\"format\":[\"must be text, sse or rfc5424\"]")},
    {"min_severity=8", ERRORS("\"min_severity\":[\"must be emerg, alert, crit, err, warning, "
			      "notice, info or debug\"]")},
    {"match=%", ERRORS("\"match\":[\"has a '%' without two hex digits behind it\"]")},
    {"exclude=a%2", ERRORS("\"exclude\":[\"has a '%' without two hex digits behind it\"]")},
    {"follow", ERRORS("\"follow\":[\"is not a parameter of a tail; it takes format, "
		      "min_severity, match and exclude\"]")},
    {"=x", ERRORS("\"\":[\"is not a parameter of a tail; it takes format, min_severity, match "
		  "and exclude\"]")},
    {"format=a&min_severity=notice&format=b",
     ERRORS("\"format\":[\"must be text, sse or rfc5424\",\"must be text, sse or rfc5424\"]")},
};

static void
what_is_wrong_is_named(void **state)
{
	struct api *t = *state;
	char target[256];

	ask(t, "POST", "/v1/apps", "{\"app\":{\"name\":\"web\"}}");
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		snprintf(target, sizeof(target), TAIL "?%s", refused[i].query);
		expect_answer(t, "GET", target, NULL, 422, refused[i].want);
	}
}

static void
too_many_are_told_to_come_back(void **state)
{
	struct api *t = *state;

	ask(t, "POST", "/v1/apps", "{\"app\":{\"name\":\"web\"}}");
	expect_answer(t, "GET", TAIL "?match=x", NULL, 503,
		      "{\"error\":\"too many tails are open: 32 of an app, 128 in all, are the "
		      "most\"}");
	assert_non_null(strstr(buf_cstr(&t->resp.headers), "Retry-After: "));
	t->gateway.tails_max = 1;
	t->gateway.fail = GATEWAY_BUSY;
	expect_answer(t, "GET", TAIL "?match=x", NULL, 503,
		      "{\"error\":\"the gateway is busy; nothing was changed\"}");
	t->gateway.fail = GATEWAY_NOT_FOUND;
	expect_answer(t, "GET", TAIL, NULL, 404, APP_NOT_FOUND);
	/* No connection to write to: what was opened is closed again. */
	t->gateway.fail = GATEWAY_OK;
	ask(t, "GET", TAIL, NULL);
	assert_int_equal(t->resp.status, 503);
	assert_int_equal(t->gateway.tails, 0);
}

static void
only_who_may_see_the_app(void **state)
{
	struct api *t = *state;

	expect_answer(t, "GET", TAIL, NULL, 404, APP_NOT_FOUND);
	expect_answer(t, "GET", "/v1/apps/0123456789abcdef01234567/tail", NULL, 404, APP_NOT_FOUND);
	expect_answer(t, "POST", TAIL, "{}", 405,
		      "{\"error\":\"method not allowed; this path takes GET, HEAD\"}");
	t->authorization = NULL;
	expect_answer(t, "GET", TAIL, NULL, 401, "{\"error\":\"a token is required\"}");
}

/* On the heap, of its exact size. */
static void
parse(const char *text, const char *accept, struct tail_query *query)
{
	struct slice exact_text = exact(text, strlen(text));

	assert_null(tail_query_parse(exact_text, slice_str(accept), query));
	free((char *)exact_text.p);
}

static void
parameters_become_a_filter(void **state)
{
	struct tail_query q;

	(void)state;
	parse("", "", &q);
	assert_int_equal(q.format, TAIL_TEXT);
	assert_true(drain_filter_is_open(&q.filter.lines));
	assert_null(q.filter.text);

	/* Blank is absent; the last of two formats counts. */
	parse("&format=&match=&min_severity&format=sse&&format=rfc5424", "text/event-stream", &q);
	assert_int_equal(q.format, TAIL_RFC5424);
	assert_true(drain_filter_is_open(&q.filter.lines));
	free(q.filter.text);

	parse("match=a+b&match=%00%26&exclude=c%2bd&min_severity=err", "", &q);
	assert_int_equal(q.filter.lines.severity, 3);
	assert_int_equal(q.filter.lines.nmatch, 2);
	assert_true(slice_eq(q.filter.lines.match[0], SLICE("a b")));
	assert_true(slice_eq(q.filter.lines.match[1], SLICE("\0&")));
	assert_int_equal(q.filter.lines.nexclude, 1);
	assert_true(slice_eq(q.filter.lines.exclude[0], SLICE("c+d")));
	free(q.filter.text);
}

static void
the_accept_header_chooses_events(void **state)
{
	struct tail_query q;

	(void)state;
	parse("", "text/event-stream", &q);
	assert_int_equal(q.format, TAIL_SSE);
	parse("", "text/html, Text/Event-Stream;q=0.9", &q);
	assert_int_equal(q.format, TAIL_SSE);
	parse("", "*/*", &q);
	assert_int_equal(q.format, TAIL_TEXT);
	parse("", "text/event-strea", &q);
	assert_int_equal(q.format, TAIL_TEXT);
}

static void
patterns_have_bounds(void **state)
{
	struct tail_query q;
	struct buf text = {0};
	json_t *errors;

	(void)state;
	for (int i = 0; i < DRAIN_PATTERNS_MAX; i++)
		buf_add_str(&text, "match=a&exclude=b&");
	buf_add_str(&text, "min_severity=debug");
	errors = tail_query_parse(buf_slice(&text), SLICE(""), &q);
	assert_null(errors);
	assert_int_equal(q.filter.lines.nmatch, DRAIN_PATTERNS_MAX);
	free(q.filter.text);
	buf_add_str(&text, "&exclude=c");
	errors = tail_query_parse(buf_slice(&text), SLICE(""), &q);
	assert_int_equal(json_object_size(errors), 1);
	assert_non_null(json_object_get(errors, "exclude"));
	assert_null(q.filter.text);
	json_decref(errors);

	text.n = 0;
	buf_add_str(&text, "match=");
	for (int i = 0; i < DRAIN_PATTERN_BYTES; i++)
		buf_add_str(&text, "%61");
	errors = tail_query_parse(buf_slice(&text), SLICE(""), &q);
	assert_null(errors);
	assert_int_equal(q.filter.lines.match[0].n, DRAIN_PATTERN_BYTES);
	free(q.filter.text);
	buf_add_str(&text, "a");
	errors = tail_query_parse(buf_slice(&text), SLICE(""), &q);
	assert_non_null(json_object_get(errors, "match"));
	json_decref(errors);
	buf_free(&text);
}

static void
check_line(enum tail_format format, struct slice frame, const char *want)
{
	struct slice exact_frame = exact(frame.p, frame.n);
	struct buf out = {0};

	tail_add_line(format, exact_frame, &out);
	assert_string_equal(buf_cstr(&out), want);
	free((char *)exact_frame.p);
	buf_free(&out);
}

static void
lines_are_shown(void **state)
{
	struct slice full = SLICE("<14>1 2020-05-14T09:12:44.123456Z web-1 my-app web-1 ID47 "
				  "[a b=\"c\"] \xef\xbb\xbfhello \x1b[31m\"world\"");
	struct slice bare = SLICE("<191>1 - - my-app - - -");

	(void)state;
	check_line(TAIL_TEXT, full,
		   "2020-05-14T09:12:44.123456Z web-1 my-app[web-1]: hello #033[31m\"world\"\n");
	check_line(TAIL_TEXT, bare, "- - my-app: \n");
	check_line(TAIL_RFC5424, full,
		   "<14>1 2020-05-14T09:12:44.123456Z web-1 my-app web-1 ID47 [a b=\"c\"] "
		   "\xef\xbb\xbfhello #033[31m\"world\"\n");
	check_line(TAIL_RFC5424, bare, "<191>1 - - my-app - - -\n");
	check_line(TAIL_SSE, full,
		   "data: {\"timestamp\":\"2020-05-14T09:12:44.123456Z\",\"hostname\":\"web-1\","
		   "\"app\":\"my-app\",\"procid\":\"web-1\",\"msgid\":\"ID47\",\"severity\":6,"
		   "\"facility\":1,\"message\":\"hello \\u001b[31m\\\"world\\\"\"}\n\n");
	check_line(TAIL_SSE, SLICE("<14>1 - h a - - - \xc2\x9b\x7f\x9b\xc2\xa0"),
		   "data: {\"timestamp\":null,\"hostname\":\"h\",\"app\":\"a\",\"procid\":null,"
		   "\"msgid\":null,\"severity\":6,\"facility\":1,"
		   "\"message\":\"\\u009b\\u007f\xef\xbf\xbd\xc2\xa0\"}\n\n");
	check_line(TAIL_SSE, bare,
		   "data: {\"timestamp\":null,\"hostname\":null,\"app\":\"my-app\","
		   "\"procid\":null,\"msgid\":null,\"severity\":7,\"facility\":23,"
		   "\"message\":\"\"}\n\n");
}

static void
the_tail_itself_speaks_in_each_format(void **state)
{
	struct buf out = {0};

	(void)state;
	tail_add_dropped(TAIL_TEXT, 1, &out);
	tail_add_dropped(TAIL_TEXT, 123, &out);
	tail_add_end(TAIL_TEXT, "the app was removed", &out);
	assert_string_equal(buf_cstr(&out), "-- 1 line dropped: this reader is too slow --\n"
					    "-- 123 lines dropped: this reader is too slow --\n"
					    "-- the app was removed --\n");
	out.n = 0;
	tail_add_dropped(TAIL_SSE, UINT64_C(1) << 40, &out);
	tail_add_end(TAIL_SSE, "the app was removed", &out);
	assert_string_equal(buf_cstr(&out),
			    "event: dropped\ndata: {\"lines\":1099511627776}\n\n"
			    "event: end\ndata: {\"reason\":\"the app was removed\"}\n\n");
	out.n = 0;
	tail_add_dropped(TAIL_RFC5424, 2, &out);
	assert_memory_equal(out.p, "<172>1 2", 8);
	assert_non_null(strstr(buf_cstr(&out),
			       "Z - penstock tail - - 2 lines dropped: this reader is too slow\n"));
	buf_free(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    API_TEST(what_is_wrong_is_named),
	    API_TEST(too_many_are_told_to_come_back),
	    API_TEST(only_who_may_see_the_app),
	    cmocka_unit_test(parameters_become_a_filter),
	    cmocka_unit_test(the_accept_header_chooses_events),
	    cmocka_unit_test(patterns_have_bounds),
	    cmocka_unit_test(lines_are_shown),
	    cmocka_unit_test(the_tail_itself_speaks_in_each_format),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
