/*
 * What the parser refuses, and with which status: smuggling forms, malformed
 * heads, everything over its limit.
 */
#include "io/http_feed.h"
#include "io/http_rules.h"

struct bad {
	struct slice in;
	int status;
};
#define BAD(status, text)                \
	{                                \
		SLICE_INIT(text), status \
	}

static void
check_bad(const struct http_parse *p, struct outcome out, const void *arg)
{
	const struct bad *bad = arg;

	if (out.result != HTTP_PARSE_BAD || http_parse_status(p) != bad->status) {
		print_error("%.*s\nresult %d status %d (%s), not %d\n", (int)bad->in.n, bad->in.p,
			    (int)out.result, http_parse_status(p), http_parse_error(p),
			    bad->status);
		fail();
	}
	assert_true(strlen(http_parse_error(p)) > 10);
	assert_non_null(strchr(http_parse_error(p), ';'));
	/* By our own rules, not only by the library's, which depend on its build. */
	assert_null(strstr(http_parse_error(p), "RFC 9112"));
}

static void
check_table(const struct bad *table, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		each_way(table[i].in, check_bad, &table[i]);
}
#define CHECK_TABLE(table) check_table(table, sizeof(table) / sizeof(table[0]))

static void
smuggling_forms_are_refused(void **state)
{
	static const struct bad table[] = {
	    BAD(400,
		P "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"),
	    BAD(400, P "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\nabc"),
	    BAD(400, P "Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd"),
	    BAD(400, P "Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc"),
	    BAD(400, P "Content-Length: 3, 3\r\n\r\nabc"),
	    BAD(400, P "Content-Length: +3\r\n\r\nabc"),
	    BAD(400, P "Content-Length: -3\r\n\r\nabc"),
	    BAD(400, P "Content-Length: 0x3\r\n\r\nabc"),
	    BAD(400, P "Content-Length: 3 3\r\n\r\nabc"),
	    BAD(400, P "Content-Length: 3a\r\n\r\nabc"),
	    BAD(400, P "Content-Length:\r\n\r\nabc"),
	    BAD(400, P "Content-Length: \r\n\r\nabc"),
	    BAD(400, P "Content-Length: 00000000000000000000003\r\n\r\nabc"),
	    BAD(400, P "Content-Length: 18446744073709551619\r\n\r\nabc"),
	    BAD(400, P "Content-Length : 3\r\n\r\nabc"),
	    BAD(400, P "Content-Length\t: 3\r\n\r\nabc"),
	    BAD(400, P "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n"),
	    BAD(400, P "Transfer-Encoding: chunked, chunked\r\n\r\n"),
	    BAD(400, P "Transfer-Encoding: chunked, gzip\r\n\r\n"),
	    BAD(400, P "Transfer-Encoding:\r\n\r\n"),
	    BAD(400, P "Transfer-Encoding: \x0b"
		       "chunked\r\n\r\n"),
	    BAD(400, P "X: a\r\n Transfer-Encoding: chunked\r\n\r\n"),
	    BAD(400, P "Transfer-Encoding:\r\n chunked\r\n\r\n"),
	    BAD(400, P "Content-Length: 3\r\n\t4\r\n\r\n"),
	    BAD(400, "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"),
	};

	(void)state;
	CHECK_TABLE(table);
}

/* The library refuses these first; another build or version of it may not. */
static void
lengths_are_refused_without_the_library_too(void **state)
{
	static const struct http_header host = {SLICE_INIT("Host"), SLICE_INIT("h")};
	static const struct {
		const char *name[2], *value[2];
		int status;
	} table[] = {
	    {{"Content-Length", "content-length"}, {"3", "4"}, 400},
	    {{"Content-Length", "Content-Length"}, {"3", "3"}, 400},
	    {{"Content-Length", "Transfer-Encoding"}, {"3", "chunked"}, 400},
	    {{"Transfer-Encoding", "Content-Length"}, {"chunked", "3"}, 400},
	    {{"X", "Content-Length"}, {"", "3,3"}, 400},
	    {{"X", "Content-Length"}, {"", "+3"}, 400},
	    {{"X", "Content-Length"}, {"", "0x3"}, 400},
	    {{"X", "Content-Length"}, {"", "3 3"}, 400},
	    {{"X", "Content-Length"}, {"", ""}, 400},
	    {{"X", "Content-Length"}, {"", "18446744073709551616"}, 400},
	    {{"X", "Content-Length"}, {"", "33"}, 413},
	    {{"X", "Content-Length"}, {"", "32"}, 0},
	    {{"X", "Transfer-Encoding"}, {"", "chunked"}, 0},
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct http_header headers[3] = {
		    host,
		    {slice_str(table[i].name[0]), slice_str(table[i].value[0])},
		    {slice_str(table[i].name[1]), slice_str(table[i].value[1])},
		};
		struct http_request request = {
		    .method = SLICE("POST"), .headers = headers, .nheaders = 3};
		struct http_framing framing;
		struct http_fault fault = {0};

		assert_int_equal(http_rules_head(&request, 1, &limits, &framing, &fault),
				 table[i].status == 0);
		assert_int_equal(fault.status, table[i].status);
	}
}

static void
odd_chunks_are_refused(void **state)
{
	static const struct bad table[] = {
	    BAD(400, C "0x3\r\nabc\r\n0\r\n\r\n"),
	    BAD(400, C "+3\r\nabc\r\n0\r\n\r\n"),
	    BAD(400, C "-3\r\nabc\r\n0\r\n\r\n"),
	    BAD(400, C " 3\r\nabc\r\n0\r\n\r\n"),
	    BAD(400, C "3 \r\nabc\r\n0\r\n\r\n"),
	    BAD(400, C "3 ;a=b\r\nabc\r\n0\r\n\r\n"),
	    BAD(400, C "3\t\r\nabc\r\n0\r\n\r\n"),
	    BAD(400, C "3g\r\nabc\r\n0\r\n\r\n"),
	    BAD(400, C "\r\nabc\r\n0\r\n\r\n"),
	    BAD(400, C ";a\r\nabc\r\n0\r\n\r\n"),
	    BAD(400, C "3\nabc\r\n0\r\n\r\n"),
	    BAD(400, C "3\r\nabcd\r\n0\r\n\r\n"),
	    BAD(400, C "3\r\nabcXX0\r\n\r\n"),
	    BAD(400, C "3\r\nabc\n0\r\n\r\n"),
	    BAD(400, C "3;\n\r\nabc\r\n0\r\n\r\n"),
	    BAD(400, C "0000000000000000000003\r\nabc\r\n0\r\n\r\n"),
	    BAD(413, C "fffffffffffffff\r\nabc"),
	    BAD(400, C "ffffffffffffffff\r\nabc"),
	    BAD(400, C "10000000000000003\r\nabc"),
	    BAD(400, C "0\r\nX : y\r\n\r\n"),
	    BAD(400, C "0\r\nX: y\n\r\n"),
	    BAD(400, C "0\r\nno colon\r\n\r\n"),
	    BAD(400, C "0\r\n folded\r\n\r\n"),
	};

	(void)state;
	CHECK_TABLE(table);
}

static void
malformed_heads_are_refused(void **state)
{
	static const struct bad table[] = {
	    BAD(400, "GET / HTTP/1.1\nHost: h\n\n"),
	    BAD(400, "GET / HTTP/1.1\r\nHost: h\n\r\n"),
	    BAD(400, "GET / HTTP/1.1\r\nHost: h\r\n\n"),
	    BAD(400, "GET / HTTP/1.1\rX\nHost: h\r\n\r\n"),
	    BAD(400, H "X: a\rb\r\n\r\n"),
	    BAD(400, H "X: a\0b\r\n\r\n"),
	    BAD(400, H "X\0: b\r\n\r\n"),
	    BAD(400, H "X: \x7f\r\n\r\n"),
	    BAD(400, H "X: \x1b[0m\r\n\r\n"),
	    BAD(400, H "X y: b\r\n\r\n"),
	    BAD(400, H "X\xc3\xa4: b\r\n\r\n"),
	    BAD(400, H ": b\r\n\r\n"),
	    BAD(400, H "nothing\r\n\r\n"),
	    BAD(400, "GET / HTTP/1.1\r\n Host: h\r\n\r\n"),
	    BAD(400, "GET / HTTP/1.1\r\n\r\n"),
	    BAD(400, "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n"),
	    BAD(400, "GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n"),
	    BAD(400, "GET / HTTP/1.1\r\nHost: a b\r\n\r\n"),
	    BAD(400, "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n"),
	    BAD(400, "GET / HTTP/1.1\r\nHost: u@a\r\n\r\n"),
	    BAD(400, "GET /\r\n\r\n"),
	    BAD(400, "GET\r\n\r\n"),
	    BAD(400, "GET  / HTTP/1.1\r\n\r\n"),
	    BAD(400, "GET /  HTTP/1.1\r\n\r\n"),
	    BAD(400, "GET / HTTP/1.1 \r\n\r\n"),
	    BAD(400, " GET / HTTP/1.1\r\n\r\n"),
	    BAD(400, "GET\t/ HTTP/1.1\r\n\r\n"),
	    BAD(400, "GET  HTTP/1.1\r\n\r\n"),
	    BAD(400, "GET HTTP/1.1\r\n\r\n"),
	    BAD(400, "GET / http/1.1\r\n\r\n"),
	    BAD(400, "GET / HTTP/1.10\r\n\r\n"),
	    BAD(400, "GET / HTTP/11\r\n\r\n"),
	    BAD(400, "GET /a b HTTP/1.1\r\n\r\n"),
	    BAD(400, "GET /a\tb HTTP/1.1\r\n\r\n"),
	    BAD(400, "GET /a\0b HTTP/1.1\r\n\r\n"),
	    BAD(400, "GET /\xff HTTP/1.1\r\n\r\n"),
	    BAD(400, "GET /a#b HTTP/1.1\r\n\r\n"),
	    BAD(400, "GET a HTTP/1.1\r\n\r\n"),
	    BAD(400, "GET * HTTP/1.1\r\n\r\n"),
	    BAD(400, "GET http:///x HTTP/1.1\r\n\r\n"),
	    BAD(400, "GET http:// HTTP/1.1\r\n\r\n"),
	    BAD(400, "GET ftp://h/x HTTP/1.1\r\n\r\n"),
	    BAD(400, "\r\n\r\nGET / HTTP/1.1\r\n\r\n"),
	    BAD(400, "\x16\x03\x01\x02"),
	    BAD(400, "\0"),
	};

	(void)state;
	CHECK_TABLE(table);
}

static void
each_fault_has_its_status(void **state)
{
	static const struct bad table[] = {
	    BAD(501, "get / HTTP/1.1\r\n"),
	    BAD(501, "FROBNICATE / HTTP/1.1\r\n"),
	    BAD(501, "GETT / HTTP/1.1\r\n"),
	    BAD(501, "G / HTTP/1.1\r\n"),
	    BAD(501, "CONNECT h:443 HTTP/1.1\r\n"),
	    BAD(501, P "Transfer-Encoding: gzip\r\n\r\n"),
	    BAD(501, P "Transfer-Encoding: gzip, chunked\r\n\r\n"),
	    BAD(501, P "Transfer-Encoding: identity\r\n\r\n"),
	    BAD(501, P "Transfer-Encoding: xchunked\r\n\r\n"),
	    BAD(501, P "Transfer-Encoding: chunkedx\r\n\r\n"),
	    BAD(505, "GET / HTTP/2.0\r\n"),
	    BAD(505, "GET / HTTP/1.2\r\n"),
	    BAD(505, "GET / HTTP/0.9\r\n"),
	    BAD(505, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
	    BAD(411, P "\r\n"),
	    BAD(411, "PUT / HTTP/1.1\r\nHost: h\r\n\r\n"),
	    BAD(411, "PATCH / HTTP/1.1\r\nHost: h\r\n\r\n"),
	    BAD(413, P "Content-Length: 33\r\n\r\n"),
	    BAD(413, P "Content-Length: 33\r\nExpect: 100-continue\r\n\r\n"),
	    BAD(413, C "21\r\n"),
	    BAD(413, C "20\r\n01234567890123456789012345678901\r\n1\r\n"),
	    BAD(417, P "Content-Length: 3\r\nExpect: tea\r\n\r\n"),
	    BAD(417, H "Expect: 100-continue, tea\r\n\r\n"),
	    BAD(414, "GET /0123456789012345678901234567890123456789012345678901 HTTP/1.1"),
	};

	(void)state;
	CHECK_TABLE(table);
}

static struct buf
sized(size_t request_line, size_t headers)
{
	struct buf b = {0};
	size_t i;

	buf_add_str(&b, "GET /");
	for (i = 0; i < request_line - strlen("GET / HTTP/1.1"); i++)
		buf_add_char(&b, 'a');
	buf_add_str(&b, " HTTP/1.1\r\nHost: h\r\nX: ");
	for (i = 0; i < headers - strlen("Host: h\r\nX: \r\n"); i++)
		buf_add_char(&b, 'b');
	buf_add_str(&b, "\r\n\r\n");
	return b;
}

static void
check_done(const struct http_parse *p, struct outcome out, const void *arg)
{
	(void)arg;
	if (out.result == HTTP_PARSE_BAD)
		print_error("%s\n", http_parse_error(p));
	assert_int_equal(out.result, HTTP_PARSE_DONE);
}

static void
limits_hold_to_the_byte(void **state)
{
	struct bad bad;
	struct buf b;

	(void)state;
	b = sized(limits.request_line, limits.headers);
	each_way(buf_slice(&b), check_done, NULL);
	buf_free(&b);

	b = sized(limits.request_line + 1, limits.headers);
	bad = (struct bad){buf_slice(&b), 414};
	each_way(bad.in, check_bad, &bad);
	buf_free(&b);

	b = sized(limits.request_line, limits.headers + 1);
	bad = (struct bad){buf_slice(&b), 431};
	each_way(bad.in, check_bad, &bad);
	buf_free(&b);

	each_way(SLICE(P "Content-Length: 32\r\n\r\n01234567890123456789012345678901"), check_done,
		 NULL);
	each_way(SLICE(C "1f\r\n0123456789012345678901234567890\r\n1\r\n1\r\n0\r\n\r\n"),
		 check_done, NULL);
}

static void
endless_lines_end_in_a_refusal(void **state)
{
	static const struct {
		const char *head, *repeat;
		int status;
	} table[] = {
	    {"", "A", 414},
	    {"GET / HTTP/1.1\r\n", "A", 431},
	    {"GET / HTTP/1.1\r\n", "A: b\r\n", 431},
	    {C, "0", 400},
	    {C "1;", "x", 400},
	    {C "0\r\n", "A", 431},
	    {C "0\r\n", "A: b\r\n", 431},
	};
	size_t i, j, used;

	(void)state;
	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct http_parse *p = http_parse_new(&limits);
		enum http_parse_result result = HTTP_PARSE_MORE;

		if (table[i].head[0] != '\0')
			result = http_parse_feed(p, table[i].head, strlen(table[i].head), &used);
		assert_int_equal(result, HTTP_PARSE_MORE);
		for (j = 0; j < 1000 && result == HTTP_PARSE_MORE; j++) {
			result =
			    http_parse_feed(p, table[i].repeat, strlen(table[i].repeat), &used);
		}
		assert_int_equal(result, HTTP_PARSE_BAD);
		assert_int_equal(http_parse_status(p), table[i].status);
		http_parse_free(p);
	}
}

static void
chunk_extensions_are_bounded_in_all(void **state)
{
	struct http_limits wide = limits;
	enum http_parse_result result;
	struct http_parse *p;
	char chunk[220];
	size_t i, used;

	(void)state;
	wide.body = 1000;
	memset(chunk, 'x', sizeof(chunk));
	memcpy(chunk, "1;", 2);
	memcpy(chunk + sizeof(chunk) - 5, "\r\nA\r\n", 5);
	p = http_parse_new(&wide);
	result = http_parse_feed(p, C, strlen(C), &used);
	for (i = 0; i < 1000 && result == HTTP_PARSE_MORE; i++)
		result = http_parse_feed(p, chunk, sizeof(chunk), &used);
	assert_int_equal(result, HTTP_PARSE_BAD);
	assert_in_range(i, 10, 30);
	http_parse_free(p);
}

static void
a_refused_request_stays_refused(void **state)
{
	struct http_parse *p = http_parse_new(&limits);
	size_t used;

	(void)state;
	assert_int_equal(http_parse_feed(p, "GET / X\r\n", 9, &used), HTTP_PARSE_BAD);
	assert_int_equal(http_parse_feed(p, H "\r\n", strlen(H) + 2, &used), HTTP_PARSE_BAD);
	assert_int_equal(used, 0);
	http_parse_free(p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(smuggling_forms_are_refused),
	    cmocka_unit_test(lengths_are_refused_without_the_library_too),
	    cmocka_unit_test(odd_chunks_are_refused),
	    cmocka_unit_test(malformed_heads_are_refused),
	    cmocka_unit_test(each_fault_has_its_status),
	    cmocka_unit_test(limits_hold_to_the_byte),
	    cmocka_unit_test(endless_lines_end_in_a_refusal),
	    cmocka_unit_test(chunk_extensions_are_bounded_in_all),
	    cmocka_unit_test(a_refused_request_stays_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
