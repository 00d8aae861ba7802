/*
 * Requests from bytes: what a good one comes out as, whatever the cuts.
 */
#include "io/http_feed.h"

struct good {
	struct slice in;
	const char *method, *path, *query, *body; /* query NULL: none */
	bool keep_alive;
	int continues;
};
#define GOOD(text, ...)                       \
	{                                     \
		SLICE_INIT(text), __VA_ARGS__ \
	}

static void
check_good(const struct http_parse *p, struct outcome out, const void *arg)
{
	const struct good *good = arg;
	const struct http_request *r = http_parse_request(p);

	if (out.result != HTTP_PARSE_DONE)
		print_error("%.*s\n%s\n", (int)good->in.n, good->in.p, http_parse_error(p));
	assert_int_equal(out.result, HTTP_PARSE_DONE);
	assert_int_equal(out.used, good->in.n);
	assert_true(slice_is(r->method, good->method));
	assert_true(slice_is(r->path, good->path));
	assert_true((r->query.p == NULL) == (good->query == NULL));
	if (good->query != NULL)
		assert_true(slice_is(r->query, good->query));
	assert_true(slice_is(r->body, good->body));
	assert_int_equal(http_parse_keep_alive(p), good->keep_alive);
	assert_int_equal(out.continues, good->continues);
}

static void
good_requests_come_out_whole(void **state)
{
	static const struct good table[] = {
	    GOOD(H "\r\n", "GET", "/", NULL, "", true, 0),
	    GOOD("\r\n" H "\r\n", "GET", "/", NULL, "", true, 0),
	    GOOD("GET /a?b HTTP/1.1\r\nhost:\r\n\r\n", "GET", "/a", "b", "", true, 0),
	    GOOD("GET /a? HTTP/1.1\r\nHost:h:1\r\n\r\n", "GET", "/a", "", "", true, 0),
	    GOOD("GET /a??b=c HTTP/1.1\r\nHost: [::1]:1\r\n\r\n", "GET", "/a", "?b=c", "", true, 0),
	    GOOD("GET http://h/x?y HTTP/1.1\r\nHost: h\r\n\r\n", "GET", "/x", "y", "", true, 0),
	    GOOD("GET HTTPS://h:1 HTTP/1.1\r\nHost: h\r\n\r\n", "GET", "/", NULL, "", true, 0),
	    GOOD("GET http://h?y HTTP/1.1\r\nHost: h\r\n\r\n", "GET", "/", "y", "", true, 0),
	    GOOD("OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n", "OPTIONS", "*", NULL, "", true, 0),
	    GOOD("DELETE /d?url=tcp+tls://h:1 HTTP/1.1\r\nHost: h\r\n\r\n", "DELETE", "/d",
		 "url=tcp+tls://h:1", "", true, 0),
	    GOOD("DELETE /d HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\n{}", "DELETE", "/d",
		 NULL, "{}", true, 0),
	    GOOD("HEAD / HTTP/1.0\r\n\r\n", "HEAD", "/", NULL, "", false, 0),
	    GOOD("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", "GET", "/", NULL, "", true, 0),
	    GOOD(H "Connection: close\r\n\r\n", "GET", "/", NULL, "", false, 0),
	    GOOD(H "Connection: x, close\r\n\r\n", "GET", "/", NULL, "", false, 0),
	    GOOD(H "Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n", "GET", "/", NULL, "", true,
		 0),
	    GOOD(P "Connection: Upgrade\r\nUpgrade: h2c\r\nContent-Length: 1\r\n\r\nx", "POST",
		 "/p", NULL, "x", true, 0),
	    GOOD(P "Content-Length: 0\r\n\r\n", "POST", "/p", NULL, "", true, 0),
	    GOOD(P "Content-Length:3 \r\n\r\nabc", "POST", "/p", NULL, "abc", true, 0),
	    GOOD(P "Content-Length: 3\r\nExpect: 100-Continue\r\n\r\nabc", "POST", "/p", NULL,
		 "abc", true, 1),
	    GOOD(H "Expect: 100-continue\r\n\r\n", "GET", "/", NULL, "", true, 0),
	    GOOD("POST / HTTP/1.0\r\nContent-Length: 1\r\nExpect: x\r\n\r\na", "POST", "/", NULL,
		 "a", false, 0),
	    GOOD(C "0\r\n\r\n", "POST", "/p", NULL, "", true, 0),
	    GOOD(C "3\r\nabc\r\n0A\r\n0123456789\r\n0\r\n\r\n", "POST", "/p", NULL, "abc0123456789",
		 true, 0),
	    GOOD(C "3;a=\"b\"\r\na\r\n\r\n000;z\r\nX: y\r\nZ:\r\n\r\n", "POST", "/p", NULL, "a\r\n",
		 true, 0),
	    GOOD(C "0\r\nContent-Length: 7\r\nTransfer-Encoding: chunked\r\n\r\n", "POST", "/p",
		 NULL, "", true, 0),
	    GOOD(P "TRANSFER-ENCODING: Chunked\r\nExpect: 100-continue\r\n\r\n1\r\nx\r\n0\r\n\r\n",
		 "POST", "/p", NULL, "x", true, 1),
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		each_way(table[i].in, check_good, &table[i]);
}

static void
check_headers(const struct http_parse *p, struct outcome out, const void *arg)
{
	const struct http_request *r = http_parse_request(p);

	(void)arg;
	assert_int_equal(out.result, HTTP_PARSE_DONE);
	assert_int_equal(r->nheaders, 6);
	assert_true(slice_is(r->headers[1].name, "X-One"));
	assert_true(slice_is(r->headers[1].value, "a b\tc"));
	assert_true(slice_is(http_request_header(r, "x-one"), "a b\tc"));
	assert_true(slice_is(http_request_header(r, "EMPTY"), ""));
	assert_non_null(http_request_header(r, "EMPTY").p);
	assert_true(slice_is(http_request_header(r, "twice"), "\xc3\xa4"));
	assert_true(slice_is(http_request_header(r, "last"), ""));
	assert_null(http_request_header(r, "x-on").p);
	assert_null(http_request_header(r, "").p);
}

static void
headers_are_trimmed_and_found_without_case(void **state)
{
	(void)state;
	each_way(SLICE(H "X-One: \t a b\tc \t\r\nEmpty: \t \r\nTwice: \xc3\xa4\r\ntwice: 2\r\n"
			 "last:\r\n\r\n"),
		 check_headers, NULL);
}

static void
pipelined_requests_come_one_by_one(void **state)
{
	static const char in[] = P "Content-Length: 1\r\n\r\na" C "1\r\nb\r\n0\r\n\r\n" H "\r\nGET";
	static const char *const bodies[] = {"a", "b", ""};
	struct http_parse *p = http_parse_new(&limits);
	size_t at = 0, used, i;

	(void)state;
	for (i = 0; i < 3; i++) {
		assert_false(http_parse_started(p));
		assert_int_equal(http_parse_feed(p, in + at, sizeof(in) - 1 - at, &used),
				 HTTP_PARSE_DONE);
		at += used;
		assert_true(http_parse_started(p));
		assert_true(slice_is(http_parse_request(p)->body, bodies[i]));
		http_parse_next(p);
	}
	assert_int_equal(at, sizeof(in) - 1 - 3);
	assert_int_equal(http_parse_feed(p, in + at, 3, &used), HTTP_PARSE_MORE);
	assert_true(http_parse_started(p));
	http_parse_free(p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(good_requests_come_out_whole),
	    cmocka_unit_test(headers_are_trimmed_and_found_without_case),
	    cmocka_unit_test(pipelined_requests_come_one_by_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
