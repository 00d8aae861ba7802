/*
 * The HTTP server over real sockets: what it answers.
 */
#include "io/http_test_client.h"

#include <sys/un.h>

#define GET(path) "GET " path " HTTP/1.1\r\nHost: h\r\n\r\n"
#define POST(headers, body) "POST /echo HTTP/1.1\r\nHost: h\r\n" headers "\r\n" body

static void
a_request_is_answered_and_the_connection_kept(void **state)
{
	struct http_limits limits = small_limits();
	struct fixture *f = fixture_new(&limits, NULL);
	struct client c = client_connect(f);
	struct answer a;
	int day, year, hour, minute, second;
	char weekday[4], month[4];

	(void)state;
	client_say(&c, GET("/a%2Fb?c"));
	a = client_answer(&c, false);
	assert_int_equal(a.status, 200);
	assert_string_equal(buf_cstr(&a.body), "{\"path\":\"/a%2Fb\"}");
	assert_memory_equal(a.head.p, "HTTP/1.1 200 OK\r\n", 17);
	assert_string_equal(head_value(&a.head, "Content-Type"), "application/json");
	assert_string_equal(head_value(&a.head, "Content-Length"), "17");
	assert_string_equal(head_value(&a.head, "Connection"), "keep-alive");
	assert_int_equal(sscanf(head_value(&a.head, "Date"), "%3s, %2d %3s %4d %2d:%2d:%2d GMT",
				weekday, &day, month, &year, &hour, &minute, &second),
			 7);
	assert_int_equal(strlen(head_value(&a.head, "Date")), 29);
	answer_free(&a);
	assert_int_equal(f->family, AF_INET);
	assert_false(f->tls);

	client_say(&c, POST("Content-Length: 3\r\n", "abc"));
	expect_answer(&c, 200, "abc");
	client_say(&c, POST("Transfer-Encoding: chunked\r\n", "2\r\nab\r\n1\r\nc\r\n0\r\n\r\n"));
	expect_answer(&c, 200, "abc");
	assert_int_equal(http_server_connections(f->server), 1);
	client_free(&c);
	turn_for(f, 20);
	assert_int_equal(http_server_connections(f->server), 0);
	fixture_free(f);
}

static void
requests_sent_ahead_are_answered_in_order(void **state)
{
	struct http_limits limits = small_limits();
	struct fixture *f = fixture_new(&limits, NULL);
	struct client c = client_connect(f);
	struct buf all = {0};
	char body[32];
	int i;

	(void)state;
	for (i = 0; i < 2000; i++) {
		buf_addf(&all, "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\n%05d",
			 i);
	}
	client_send(&c, all.p, all.n);
	for (i = 0; i < 2000; i++) {
		snprintf(body, sizeof(body), "%05d", i);
		expect_answer(&c, 200, body);
	}
	assert_int_equal(f->handled, 2000);
	buf_free(&all);
	client_free(&c);
	fixture_free(f);
}

static void
one_request_a_turn_so_that_others_get_theirs(void **state)
{
	struct http_limits limits = small_limits();
	struct fixture *f = fixture_new(&limits, NULL);
	struct client c = client_connect(f);
	const char *two = GET("/1") GET("/2");
	int turns = 0;

	(void)state;
	assert_int_equal(send(c.fd, two, strlen(two), 0), (ssize_t)strlen(two));
	while (f->handled == 0) {
		event_base_loop(f->base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
		assert_true(++turns < 1000);
	}
	assert_int_equal(f->handled, 1);
	expect_answer(&c, 200, "{\"path\":\"/1\"}");
	expect_answer(&c, 200, "{\"path\":\"/2\"}");
	client_free(&c);
	fixture_free(f);
}

static void
head_is_answered_without_a_body(void **state)
{
	struct http_limits limits = small_limits();
	struct fixture *f = fixture_new(&limits, NULL);
	struct client c = client_connect(f);
	struct answer a;

	(void)state;
	client_say(&c, "HEAD /abc HTTP/1.1\r\nHost: h\r\n\r\n" GET("/x"));
	a = client_answer(&c, true);
	assert_int_equal(a.status, 200);
	assert_string_equal(head_value(&a.head, "Content-Length"), "15");
	answer_free(&a);
	expect_answer(&c, 200, "{\"path\":\"/x\"}");

	/* Also when the server itself refuses it. */
	client_say(&c, "HEAD / HTTP/1.1\r\n\r\n");
	a = client_answer(&c, true);
	assert_int_equal(a.status, 400);
	answer_free(&a);
	client_wait_closed(&c);
	assert_int_equal(c.in.n, 0);
	client_free(&c);
	fixture_free(f);
}

static void
no_content_has_neither_body_nor_length(void **state)
{
	struct http_limits limits = small_limits();
	struct fixture *f = fixture_new(&limits, NULL);
	struct client c = client_connect(f);
	struct answer a;

	(void)state;
	client_say(&c, GET("/none") GET("/x"));
	a = client_answer(&c, false);
	assert_int_equal(a.status, 204);
	assert_string_equal(head_value(&a.head, "Content-Length"), "");
	assert_string_equal(head_value(&a.head, "Content-Type"), "");
	answer_free(&a);
	expect_answer(&c, 200, "{\"path\":\"/x\"}");
	client_free(&c);
	fixture_free(f);
}

static void
a_header_value_cannot_end_its_line(void **state)
{
	struct http_limits limits = small_limits();
	struct fixture *f = fixture_new(&limits, NULL);
	struct client c = client_connect(f);
	struct answer a;

	(void)state;
	client_say(&c, GET("/header"));
	a = client_answer(&c, false);
	assert_string_equal(head_value(&a.head, "X-Test"), "a  Injected: b c");
	assert_string_equal(head_value(&a.head, "Injected"), "");
	answer_free(&a);
	client_free(&c);
	fixture_free(f);
}

static void
http_1_0_closes_unless_asked_to_stay(void **state)
{
	struct http_limits limits = small_limits();
	struct fixture *f = fixture_new(&limits, NULL);
	struct client c = client_connect(f);
	struct answer a;

	(void)state;
	client_say(&c, "GET /1 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
	a = client_answer(&c, false);
	assert_string_equal(head_value(&a.head, "Connection"), "keep-alive");
	answer_free(&a);
	client_say(&c, "GET /2 HTTP/1.0\r\n\r\n" GET("/3"));
	a = client_answer(&c, false);
	assert_string_equal(head_value(&a.head, "Connection"), "close");
	answer_free(&a);
	client_wait_closed(&c);
	assert_true(c.closed);
	assert_int_equal(c.in.n, 0);
	assert_int_equal(f->handled, 2);
	client_free(&c);
	fixture_free(f);
}

static void
connection_close_is_honoured(void **state)
{
	struct http_limits limits = small_limits();
	struct fixture *f = fixture_new(&limits, NULL);
	struct client c = client_connect(f);

	(void)state;
	client_say(&c, "GET /1 HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n" GET("/2"));
	expect_answer(&c, 200, "{\"path\":\"/1\"}");
	client_wait_closed(&c);
	assert_true(c.closed);
	assert_int_equal(c.in.n, 0);
	assert_int_equal(f->handled, 1);
	client_free(&c);
	fixture_free(f);
}

static void
a_client_that_waits_is_told_to_continue(void **state)
{
	struct http_limits limits = small_limits();
	struct fixture *f = fixture_new(&limits, NULL);
	struct client c = client_connect(f);
	struct buf interim = {0};

	(void)state;
	client_say(&c, POST("Expect: 100-continue\r\nContent-Length: 3\r\n", ""));
	assert_true(client_wait_for(&c, "\r\n\r\n", &interim));
	assert_string_equal(buf_cstr(&interim), "HTTP/1.1 100 Continue\r\n\r\n");
	assert_int_equal(f->handled, 0);
	client_say(&c, "abc");
	expect_answer(&c, 200, "abc");

	/* The body is there already: no need to say so. */
	client_say(&c, POST("Expect: 100-continue\r\nContent-Length: 3\r\n", "abc"));
	expect_answer(&c, 200, "abc");

	client_say(&c, POST("Expect: 100-continue\r\nContent-Length: 300000\r\n", ""));
	expect_error(&c, 413);
	buf_free(&interim);
	client_free(&c);
	fixture_free(f);
}

static void
errors_are_json_and_the_last_word(void **state)
{
	static const struct {
		int status;
		const char *text;
	} table[] = {
	    {400, "GET / HTTP/1.1\r\n\r\n" GET("/smuggled")},
	    {400, POST("Content-Length: 3\r\nContent-Length: 0\r\n", GET("/smuggled"))},
	    {400, POST("Transfer-Encoding: chunked\r\n", "0x3\r\nabc\r\n0\r\n\r\n")},
	    {400, "\x16\x03\x01\x02\x00\x01"},
	    {411, POST("", GET("/smuggled"))},
	    {413, POST("Content-Length: 300000\r\n", GET("/smuggled"))},
	    {417, "GET / HTTP/1.1\r\nHost: h\r\nExpect: x\r\n\r\n"},
	    {501, "BREW / HTTP/1.1\r\nHost: h\r\n\r\n"},
	    {501, POST("Transfer-Encoding: gzip\r\n", "")},
	    {505, "GET / HTTP/3.0\r\nHost: h\r\n\r\n"},
	};
	struct http_limits limits = small_limits();
	struct fixture *f = fixture_new(&limits, NULL);
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct client c = client_connect(f);

		client_say(&c, table[i].text);
		expect_error(&c, table[i].status);
		client_free(&c);
	}
	assert_int_equal(f->handled, 0);
	fixture_free(f);
}

static void
a_body_too_large_is_refused_while_it_is_still_sent(void **state)
{
	struct http_limits limits = small_limits();
	struct fixture *f = fixture_new(&limits, NULL);
	struct client c = client_connect(f);
	char *mib = calloc(1, 1024 * 1024);

	(void)state;
	assert_non_null(mib);
	client_say(&c, POST("Content-Length: 1048576\r\n", ""));
	client_send(&c, mib, 1024 * 1024);
	assert_false(c.reset);
	expect_error(&c, 413);
	free(mib);
	client_free(&c);
	fixture_free(f);
}

static void
a_large_answer_waits_for_its_reader_and_for_nobody_else(void **state)
{
	struct http_limits limits = small_limits();
	struct fixture *f = fixture_new(&limits, NULL);
	struct client slow = client_connect(f), quick = client_connect(f);
	struct answer a;
	size_t i;

	(void)state;
	client_say(&slow, GET("/big") GET("/after"));
	turn_for(f, 50);
	client_say(&quick, GET("/quick"));
	expect_answer(&quick, 200, "{\"path\":\"/quick\"}");
	assert_int_equal(f->handled, 2);
	a = client_answer(&slow, false);
	assert_int_equal(a.body.n, BIG_BYTES);
	for (i = 0; i < BIG_BYTES && a.body.p[i] == (char)('a' + i % 23); i++)
		;
	assert_int_equal(i, BIG_BYTES);
	answer_free(&a);
	expect_answer(&slow, 200, "{\"path\":\"/after\"}");
	client_free(&slow);
	client_free(&quick);
	fixture_free(f);
}

static void
a_client_that_shut_its_side_still_gets_its_answer(void **state)
{
	struct http_limits limits = small_limits();
	struct fixture *f = fixture_new(&limits, NULL);
	struct client c = client_connect(f);

	(void)state;
	client_say(&c, GET("/1"));
	shutdown(c.fd, SHUT_WR);
	expect_answer(&c, 200, "{\"path\":\"/1\"}");
	client_wait_closed(&c);
	assert_true(c.closed);
	client_free(&c);

	/* Half a request is none. */
	c = client_connect(f);
	client_say(&c, POST("Content-Length: 4\r\n", "abc"));
	shutdown(c.fd, SHUT_WR);
	client_wait_closed(&c);
	assert_int_equal(c.in.n, 0);
	assert_int_equal(f->handled, 1);
	client_free(&c);
	fixture_free(f);
}

static void
a_unix_socket_serves_as_well(void **state)
{
	struct http_limits limits = small_limits();
	struct fixture *f = fixture_new(&limits, NULL);
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	struct client c;
	int fd;

	(void)state;
	/* Abstract: leaves no file behind. */
	snprintf(un.sun_path + 1, sizeof(un.sun_path) - 1, "penstock-unit-http-%d", (int)getpid());
	http_server_listen(f->server, listen_on((struct sockaddr *)&un, sizeof(un)), NULL);
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&un, sizeof(un)), 0);
	c = client_of(f, fd);
	client_say(&c, GET("/u"));
	expect_answer(&c, 200, "{\"path\":\"/u\"}");
	assert_int_equal(f->family, AF_UNIX);
	client_free(&c);
	fixture_free(f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_request_is_answered_and_the_connection_kept),
	    cmocka_unit_test(requests_sent_ahead_are_answered_in_order),
	    cmocka_unit_test(one_request_a_turn_so_that_others_get_theirs),
	    cmocka_unit_test(head_is_answered_without_a_body),
	    cmocka_unit_test(no_content_has_neither_body_nor_length),
	    cmocka_unit_test(a_header_value_cannot_end_its_line),
	    cmocka_unit_test(http_1_0_closes_unless_asked_to_stay),
	    cmocka_unit_test(connection_close_is_honoured),
	    cmocka_unit_test(a_client_that_waits_is_told_to_continue),
	    cmocka_unit_test(errors_are_json_and_the_last_word),
	    cmocka_unit_test(a_body_too_large_is_refused_while_it_is_still_sent),
	    cmocka_unit_test(a_large_answer_waits_for_its_reader_and_for_nobody_else),
	    cmocka_unit_test(a_client_that_shut_its_side_still_gets_its_answer),
	    cmocka_unit_test(a_unix_socket_serves_as_well),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
