/* What a request with lines is answered, and what becomes of its lines. */
#include "ends/http_fixture.h"

static void
one_is_answered_when_its_lines_are_in(void **state)
{
	struct client c = client_new();

	(void)state;
	post(&c, LOGS, TEXT, SLICE("one\ntwo\n"));
	expect(&c, 204, "Connection: keep-alive");
	assert_int_equal(lines, 2);
	post(&c, "/v1/apps/a%2Fb%25/logs?x=1", "", SLICE("three"));
	expect(&c, 204, NULL);
	post(&c, LOGS, TEXT, SLICE(""));
	expect(&c, 204, NULL);
	assert_int_equal(lines, 3);
	assert_int_equal(share.counts.connections, 1);
	assert_int_equal(share.counts.open, 1);
	assert_int_equal(share.counts.requests, 3);
	assert_int_equal(share.counts.requests_refused, 0);
	assert_int_equal(share.counts.lines, 3);
	assert_int_equal(share.counts.lines_acknowledged, 3);
	assert_int_equal(share.counts.bytes, 13);
	assert_int_equal(stats_get(&stats.lines_in), 3);
	assert_int_equal(stats_get(&stats.lines_acknowledged), 3);
	assert_int_equal(stats_get(&stats.lines_rewritten), 3);
	assert_int_equal(stats_get(&stats.bytes_in), 13);
	client_free(&c);
}

static void
those_that_follow_each_other_are_answered_in_order(void **state)
{
	struct client c = client_new();
	struct buf all = {0};

	(void)state;
	for (int i = 0; i < 50; i++)
		buf_addf(&all, "POST %s HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nab%d\n",
			 i % 2 == 0 ? LOGS : "/v1/apps/x/y/logs", i % 10);
	client_send(&c, buf_slice(&all));
	for (int i = 0; i < 50; i++)
		expect(&c, i % 2 == 0 ? 204 : 404, NULL);
	assert_int_equal(lines, 25);
	buf_free(&all);
	client_free(&c);
}

static void
every_type_is_taken_and_counted(void **state)
{
	struct client c = client_new();
	struct buf long_one = {0};

	(void)state;
	post(&c, LOGS, NDJSON, SLICE("{\"msg\":\"a\"}\n{\"msg\":\"b\"}\n"));
	expect(&c, 204, NULL);
	post(&c, LOGS, "Content-Type: application/json\r\n", SLICE("[{\"msg\":\"a\"},{}]"));
	expect(&c, 204, NULL);
	post(&c, LOGS, LOGPLEX "Logplex-Msg-Count: 2\r\nLogplex-Frame-Id: x\r\n",
	     SLICE("15 <14>1 - h a p m15 <14>1 - h a p m"));
	expect(&c, 204, NULL);
	assert_int_equal(lines, 6);
	assert_int_equal(stats_get(&stats.lines_rewritten), 6);
	post(&c, LOGS, "", SLICE("<14>1 - h a p m - already\n"));
	expect(&c, 204, NULL);
	assert_int_equal(stats_get(&stats.lines_rewritten), 6);
	memset(buf_reserve(&long_one, 1001), 'x', 1001);
	long_one.n = 1001;
	post(&c, LOGS, "", buf_slice(&long_one));
	expect(&c, 204, NULL);
	assert_int_equal(stats_get(&stats.lines_cut), 1);
	assert_int_equal(share.counts.lines_cut, 1);
	buf_free(&long_one);
	client_free(&c);
}

static void
what_is_no_path_or_method_or_app_is_said_to_be_so(void **state)
{
	struct client c = client_new();

	(void)state;
	post(&c, "/", TEXT, SLICE("x"));
	expect(&c, 404, "{\"error\":\"not found; lines go to POST /v1/apps/NAME/logs\"}");
	post(&c, "/v1/apps//logs", TEXT, SLICE("x"));
	expect(&c, 404, NULL);
	post(&c, "/v1/apps/logs", TEXT, SLICE("x"));
	expect(&c, 404, NULL);
	post(&c, "/v1/apps/a/b/logs", TEXT, SLICE("x"));
	expect(&c, 404, NULL);
	post(&c, "/v1/apps/shop/logs/", TEXT, SLICE("x"));
	expect(&c, 404, NULL);
	post(&c, "/v1/apps/sh%zzop/logs", TEXT, SLICE("x"));
	expect(&c, 404, "no app can have that name");
	post(&c, "/v1/apps/sh%20op/logs", TEXT, SLICE("x"));
	expect(&c, 404, "no app can have that name");
	client_send(&c, SLICE("GET " LOGS " HTTP/1.1\r\nHost: h\r\n\r\n"));
	expect(&c, 405, "Allow: POST\r\n");
	client_send(&c, SLICE("DELETE " LOGS " HTTP/1.1\r\nHost: h\r\n\r\n"));
	expect(&c, 405, "{\"error\":\"method not allowed; this path takes POST\"}");
	ingest.catch_all = slice_of(NULL, 0);
	post(&c, LOGS, TEXT, SLICE("x"));
	expect(&c, 404, "{\"resource\":\"app\",\"error\":\"not found; add a drain to it");
	post(&c, "/v1/apps/rest/logs", TEXT, SLICE("x"));
	expect(&c, 204, NULL);
	ingest.catch_all = SLICE("gone");
	post(&c, LOGS, TEXT, SLICE("x"));
	expect(&c, 404, "{\"resource\":\"app\"");
	assert_int_equal(lines, 0);
	assert_int_equal(share.counts.requests, 12);
	assert_int_equal(share.counts.requests_refused, 11);
	client_free(&c);
}

static void
what_is_no_type_or_coding_is_said_to_be_so(void **state)
{
	struct client c = client_new();

	(void)state;
	post(&c, LOGS, "Content-Type: application/xml\r\n", SLICE("x"));
	expect(&c, 415,
	       "{\"error\":\"unknown Content-Type; send text/plain, application/x-ndjson, "
	       "application/json or application/logplex-1\"}");
	post(&c, LOGS, "Content-Type: application/x-www-form-urlencoded\r\n", SLICE("x"));
	expect(&c, 415, "a form, which is what curl -d says of everything; send text/plain");
	post(&c, LOGS, "Content-Type: application/xml\r\n", SLICE("x"));
	expect(&c, 415, "Accept: text/plain, ");
	post(&c, LOGS, TEXT "Content-Encoding: br\r\n", SLICE("x"));
	expect(&c, 415, "Accept-Encoding: gzip\r\n");
	post(&c, LOGS, TEXT "Content-Encoding: deflate\r\n", SLICE("x"));
	expect(&c, 415, "{\"error\":\"unknown Content-Encoding; send gzip, or none\"}");
	post(&c, LOGS, TEXT "Content-Encoding: identity\r\n", SLICE("x"));
	expect(&c, 204, NULL);
	post(&c, LOGS, LOGPLEX "Logplex-Msg-Count: two\r\n", SLICE("15 <14>1 - h a p m"));
	expect(&c, 400, "malformed Logplex-Msg-Count");
	post(&c, LOGS, TEXT "Logplex-Msg-Count: two\r\n", SLICE("x"));
	expect(&c, 204, NULL);
	assert_int_equal(lines, 2);
	client_free(&c);
}

static void
of_a_body_with_a_fault_nothing_is_taken(void **state)
{
	struct client c = client_new();

	(void)state;
	post(&c, LOGS, NDJSON, SLICE("{\"msg\":\"a\"}\n{\"msg\":\"b\"}\n{\"msg\":\n"));
	expect(&c, 400,
	       "{\"error\":\"document 3, in line 3: not JSON: it ends too early, 8 bytes from "
	       "where it begins; nothing was taken\"}");
	post(&c, LOGS, LOGPLEX, SLICE("15 <14>1 - h a p m9 <14>1 - h"));
	expect(&c, 400, "frame 2: not <PRI>1 TIMESTAMP");
	post(&c, LOGS, LOGPLEX "Logplex-Msg-Count: 3\r\n",
	     SLICE("15 <14>1 - h a p m15 <14>1 - h a p m"));
	expect(&c, 400,
	       "{\"error\":\"Logplex-Msg-Count is 3 and the body has 2 frames; send all of "
	       "them, or leave it out; nothing was taken\"}");
	post(&c, LOGS, TEXT GZIP, SLICE("not compressed"));
	expect(&c, 400,
	       "{\"error\":\"body is not gzip (RFC 1952); compress it again, or send it as "
	       "it is without Content-Encoding; nothing was taken\"}");
	assert_int_equal(lines, 0);
	assert_int_equal(read_events, 0);
	assert_int_equal(stats_get(&stats.lines_in), 0);
	assert_int_equal(share.counts.requests_refused, 4);
	client_free(&c);
}

static void
a_compressed_body_is_what_it_was(void **state)
{
	struct buf text = text_of(60000), packed = {0};
	struct gzip *gzip = gzip_new();
	struct client c = client_new();

	(void)state;
	assert_true(text.n > HTTP_BODY_PLAIN_BYTES / 8);
	gzip_whole(gzip, buf_slice(&text), &packed);
	post(&c, LOGS, TEXT GZIP, buf_slice(&packed));
	expect(&c, 204, NULL);
	assert_int_equal(lines, 60000);
	post(&c, LOGS, TEXT "Content-Encoding: X-GZIP\r\n", buf_slice(&packed));
	expect(&c, 204, NULL);
	assert_int_equal(lines, 120000);
	gzip_free(gzip);
	buf_free(&packed);
	buf_free(&text);
	client_free(&c);
}

static void
what_is_too_large_is_refused_with_its_limit(void **state)
{
	struct buf text = text_of(350000), packed = {0}, many = {0};
	struct gzip *gzip = gzip_new();
	struct client c = client_new();

	(void)state;
	assert_true(text.n > HTTP_BODY_PLAIN_BYTES);
	gzip_whole(gzip, buf_slice(&text), &packed);
	assert_true(packed.n < HTTP_BODY_BYTES);
	post(&c, LOGS, TEXT GZIP, buf_slice(&packed));
	expect(&c, 413,
	       "{\"error\":\"body too large; send at most 16777216 bytes in one request, "
	       "decompressed; nothing was taken\"}");
	for (int i = 0; i < 700000; i++)
		buf_add_str(&many, "a\n");
	post(&c, LOGS, TEXT, buf_slice(&many));
	expect(&c, 413,
	       "{\"error\":\"the body's lines have over 33554432 bytes as RFC 5424; send "
	       "them in several requests; nothing was taken\"}");
	client_send(&c,
		    SLICE("POST " LOGS " HTTP/1.1\r\nHost: h\r\nContent-Length: 4194305\r\n\r\n"));
	expect(&c, 413,
	       "{\"error\":\"body too large; send at most 4194304 bytes in one request\"}");
	assert_int_equal(lines, 0);
	gzip_free(gzip);
	buf_free(&many);
	buf_free(&packed);
	buf_free(&text);
	client_free(&c);
}

static void
a_rule_says_which_app_a_sender_may_name(void **state)
{
	struct client c;

	(void)state;
	listen_at("http://127.0.0.1:0?app=fixed:shop");
	c = client_new();
	post(&c, LOGS, TEXT, SLICE("x"));
	expect(&c, 204, NULL);
	post(&c, "/v1/apps/other/logs", TEXT, SLICE("x"));
	expect(&c, 403,
	       "{\"error\":\"this listener takes no lines for that app from you\","
	       "\"code\":\"forbidden\"}");
	assert_int_equal(lines, 1);
	assert_int_equal(share.counts.requests_refused, 1);
	client_free(&c);
}

static void
a_client_that_waits_for_100_gets_it(void **state)
{
	struct client c = client_new();

	(void)state;
	client_send(&c, SLICE("POST " LOGS " HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n"
			      "Expect: 100-continue\r\n\r\n"));
	expect(&c, 100, NULL);
	client_send(&c, SLICE("abc\n"));
	expect(&c, 204, NULL);
	client_free(&c);
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
	    T(one_is_answered_when_its_lines_are_in),
	    T(those_that_follow_each_other_are_answered_in_order),
	    T(every_type_is_taken_and_counted),
	    T(what_is_no_path_or_method_or_app_is_said_to_be_so),
	    T(what_is_no_type_or_coding_is_said_to_be_so),
	    T(of_a_body_with_a_fault_nothing_is_taken),
	    T(a_compressed_body_is_what_it_was),
	    T(what_is_too_large_is_refused_with_its_limit),
	    T(a_rule_says_which_app_a_sender_may_name),
	    T(a_client_that_waits_for_100_gets_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
