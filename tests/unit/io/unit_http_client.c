/* What the HTTP client sends, and what it makes of answers. */
#include "io/http_client_fixture.h"

#include <time.h>

static void
a_post_goes_out_and_its_answer_comes(void **state)
{
	struct fixture *f = *state;
	static const char headers[] = "Content-Type: text/plain\0X-Empty: \0X-Key: a b";
	struct http_post p = {.app = 1,
			      .host = "127.0.0.1",
			      .port = f->r->port,
			      .headers = slice_of(headers, sizeof(headers)),
			      .body = LINES};
	char *host = xasprintf("\r\nHost: 127.0.0.1:%u\r\n", f->r->port);
	char *address = xasprintf("127.0.0.1:%u", f->r->port);
	struct got g;

	f->r->answer = "HTTP/1.1 202 Accepted\r\nContent-Length: 5\r\n\r\nthank";
	g = post_wait(f, &p);
	assert_int_equal(g.answer.status, 202);
	assert_string_equal(g.body, "thank");
	assert_string_equal(g.error, "");
	assert_int_equal(g.answer.step, HTTP_ANSWER);
	assert_int_equal(g.answer.retry_after_ms, -1);
	assert_string_equal(g.answer.address, address);
	assert_true(g.answer.resolved_ms >= 0);
	assert_true(g.answer.connected_ms >= g.answer.resolved_ms);
	assert_int_equal(g.answer.tls_ms, -1);
	assert_true(g.answer.answered_ms >= g.answer.connected_ms);

	assert_ptr_equal(strstr(f->r->request.p, "POST /in?x=1 HTTP/1.1\r\n"), f->r->request.p);
	assert_non_null(strstr(f->r->request.p, host));
	assert_non_null(strstr(f->r->request.p, "\r\nContent-Type: text/plain\r\n"));
	assert_non_null(strstr(f->r->request.p, "\r\nX-Key: a b\r\n"));
	assert_non_null(strstr(f->r->request.p, "\r\nX-Empty:\r\n"));
	assert_non_null(strstr(f->r->request.p, "\r\nContent-Length: 8\r\n"));
	assert_non_null(strstr(f->r->request.p, "\r\nUser-Agent: penstock/" PENSTOCK_VERSION));
	assert_null(strstr(f->r->request.p, "Content-Encoding"));
	assert_null(strstr(f->r->request.p, "Expect"));
	assert_true(slice_is(buf_slice(&f->r->body), "one\ntwo\n"));
	free(host);
	free(address);
}

static void
a_compressed_body_says_so(void **state)
{
	struct fixture *f = *state;
	struct buf big = {0};
	struct got g;

	for (int i = 0; i < 300000; i++)
		buf_addf(&big, "%d", i);
	g = post_wait(
	    f, &(struct http_post){
		   .host = "127.0.0.1", .port = f->r->port, .body = buf_slice(&big), .gzip = true});
	assert_int_equal(g.answer.status, 200);
	assert_non_null(strstr(f->r->request.p, "\r\nContent-Encoding: gzip\r\n"));
	assert_null(strstr(f->r->request.p, "Content-Type"));
	assert_null(strstr(f->r->request.p, "Expect"));
	assert_true(slice_eq(buf_slice(&f->r->body), buf_slice(&big)));
	buf_free(&big);
}

static void
a_path_goes_out_as_it_is(void **state)
{
	struct fixture *f = *state;
	char *url = xasprintf("http://127.0.0.1:%u/a/../b/./%%2e", f->r->port);

	assert_int_equal(post_wait(f, &(struct http_post){.host = "127.0.0.1",
							  .port = f->r->port,
							  .url = url,
							  .body = LINES})
			     .answer.status,
			 200);
	assert_ptr_equal(strstr(f->r->request.p, "POST /a/../b/./%2e HTTP/1.1\r\n"),
			 f->r->request.p);
	free(url);
}

static void
connections_are_used_again(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < 5; i++)
		assert_int_equal(post(f).answer.status, 200);
	assert_int_equal(f->r->accepted, 1);
	assert_int_equal(f->r->requests, 5);
	/* Another name for the same address is another receiver. */
	names_are("127.0.0.1", NULL);
	assert_int_equal(post_name(f, "a.example").answer.status, 200);
	assert_int_equal(f->r->accepted, 2);
	assert_int_equal(post_name(f, "a.example").answer.status, 200);
	assert_int_equal(f->r->accepted, 2);
}

static void
receivers_may_have_ipv6_addresses(void **state)
{
	struct fixture *f = *state;
	struct receiver *six = receiver_at(f->base, "::1", 0, NULL);
	char *url = xasprintf("http://[::1]:%u/x", six->port);
	char *address = xasprintf("[::1]:%u", six->port);
	struct http_post p = {.host = "::1", .port = six->port, .url = url, .body = LINES};
	struct got g = post_wait(f, &p);

	assert_string_equal(g.error, "");
	assert_string_equal(g.answer.address, address);
	p.url = NULL;
	p.host = "six.example";
	names_are("::1", NULL);
	assert_int_equal(post_wait(f, &p).answer.status, 200);
	assert_int_equal(post_wait(f, &p).answer.status, 200);
	assert_int_equal(six->accepted, 2);
	receiver_free(six);
	free(url);
	free(address);
}

static void
a_fresh_post_has_a_connection_of_its_own(void **state)
{
	struct fixture *f = *state;
	struct http_post p = {
	    .host = "127.0.0.1", .port = f->r->port, .body = LINES, .fresh = true};

	assert_int_equal(post(f).answer.status, 200);
	assert_int_equal(post_wait(f, &p).answer.status, 200);
	assert_int_equal(f->r->accepted, 2);
	assert_int_equal(post_wait(f, &p).answer.status, 200);
	assert_int_equal(f->r->accepted, 3);
	assert_int_equal(post(f).answer.status, 200);
	assert_int_equal(f->r->accepted, 3);
}

static void
a_connection_that_died_while_idle_is_no_failure(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(post(f).answer.status, 200);
	receiver_drop(f->r);
	assert_int_equal(post(f).answer.status, 200);
	assert_int_equal(f->r->accepted, 2);
	/* The close is on its way when the request goes out. */
	f->r->does = DOES_ANSWER_CLOSE;
	for (int i = 0; i < 20; i++)
		assert_int_equal(post(f).answer.status, 200);
}

static void
retry_after_comes_in_both_forms(void **state)
{
	struct fixture *f = *state;
	static const struct {
		const char *value;
		int64_t ms;
	} cases[] = {{"7", 7000},
		     {"0", 0},
		     {"3600", 3600000},
		     {"86400", 3600000},
		     {"99999999999999999999", 3600000},
		     {"soon", -1},
		     {"7 minutes", -1},
		     {"-1", -1},
		     {"", -1},
		     {"Fri, 31 Dec 1999 23:59:59 GMT", 0},
		     {"Fri, 31 Dec 2094 23:59:59 GMT", 3600000}};
	char *answer, date[64];
	time_t then = time(NULL) + 100;
	struct got g;
	struct tm tm;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		answer = xasprintf("HTTP/1.1 429 Slow down\r\nretry-after: %s\r\n"
				   "Content-Length: 0\r\n\r\n",
				   cases[i].value);
		f->r->answer = answer;
		g = post(f);
		assert_int_equal(g.answer.status, 429);
		if (g.answer.retry_after_ms != cases[i].ms)
			fail_msg("%s: %lld", cases[i].value, (long long)g.answer.retry_after_ms);
		free(answer);
	}
	strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S GMT", gmtime_r(&then, &tm));
	answer =
	    xasprintf("HTTP/1.1 503 Busy\r\nRetry-After: %s\r\nContent-Length: 0\r\n\r\n", date);
	f->r->answer = answer;
	g = post(f);
	assert_int_equal(g.answer.status, 503);
	assert_in_range(g.answer.retry_after_ms, 95000, 100000);
	free(answer);
}

static void
redirects_are_answers_and_not_followed(void **state)
{
	struct fixture *f = *state;
	char *answer = xasprintf("HTTP/1.1 307 There\r\nLocation: http://127.0.0.1:%u/there\r\n"
				 "Set-Cookie: a=b\r\nContent-Length: 0\r\n\r\n",
				 f->r->port);

	f->r->answer = answer;
	assert_int_equal(post(f).answer.status, 307);
	assert_int_equal(f->r->requests, 1);
	assert_int_equal(post(f).answer.status, 307);
	assert_null(strstr(f->r->request.p, "Cookie"));
	free(answer);
}

static void
only_the_beginning_of_a_body_is_kept(void **state)
{
	struct fixture *f = *state;
	struct buf answer = {0};
	struct got g;

	buf_add_str(&answer, "HTTP/1.1 200 OK\r\nContent-Length: 60000\r\n\r\n");
	for (int i = 0; i < 60000; i++)
		buf_add_char(&answer, (char)('a' + i % 26));
	f->r->answer = buf_cstr(&answer);
	g = post(f);
	assert_int_equal(g.answer.status, 200);
	assert_int_equal(g.answer.body.n, HTTP_ANSWER_BYTES);
	assert_memory_equal(g.body, strchr(answer.p, 'a'), 26);
	assert_int_equal(post(f).answer.status, 200);
	assert_int_equal(f->r->accepted, 1);
	buf_free(&answer);
}

static void
interim_answers_are_passed_over(void **state)
{
	struct fixture *f = *state;
	struct got g;

	f->r->answer = "HTTP/1.1 103 Early\r\nRetry-After: 5\r\n\r\n"
		       "HTTP/1.1 100 Continue\r\n\r\n"
		       "HTTP/1.1 204 No\r\n\r\n";
	g = post(f);
	assert_int_equal(g.answer.status, 204);
	assert_int_equal(g.answer.retry_after_ms, -1);
	assert_int_equal(g.answer.body.n, 0);
}

static void
the_environment_names_no_proxy(void **state)
{
	struct fixture *f = *state;

	setenv("http_proxy", "http://127.0.0.1:1", 1);
	setenv("all_proxy", "http://127.0.0.1:1", 1);
	assert_int_equal(post(f).answer.status, 200);
	unsetenv("http_proxy");
	unsetenv("all_proxy");
}

static void
a_proxy_gets_the_request(void **state)
{
	struct fixture *f = *state;
	struct got g;
	int i;

	f->config.http_proxy = xasprintf("http://us%%65r:p%%40ss@proxy.example:%u", f->r->port);
	fixture_client(f, f->tls);
	setenv("no_proxy", "*", 1);
	names_are("127.0.0.1", NULL);
	for (i = 0; i < 2; i++) {
		g = post_wait(f, &(struct http_post){.host = "receiver.invalid",
						     .port = 80,
						     .url = "http://receiver.invalid:80/x",
						     .body = LINES});
		assert_int_equal(g.answer.status, 200);
	}
	unsetenv("no_proxy");
	assert_int_equal(f->r->accepted, 1);
	assert_ptr_equal(strstr(f->r->request.p, "POST http://receiver.invalid"), f->r->request.p);
	/* user:p@ss */
	assert_non_null(strstr(f->r->request.p, "\r\nProxy-Authorization: Basic dXNlcjpwQHNz\r\n"));

	/* TLS goes through it by CONNECT. */
	f->r->answer = "HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n";
	g = post_wait(f, &(struct http_post){.host = "receiver.invalid",
					     .port = 443,
					     .url = "https://receiver.invalid/x",
					     .body = LINES});
	assert_error(&g, HTTP_CONNECT, "the proxy refuses the connection with status 403");
	assert_ptr_equal(strstr(f->r->request.p, "CONNECT receiver.invalid:443 HTTP/1.1\r\n"),
			 f->r->request.p);

	/* A receiver that is an address is still asked about. */
	i = f->r->requests;
	g = post_wait(f, &(struct http_post){.host = "169.254.169.254",
					     .port = 80,
					     .url = "http://169.254.169.254/",
					     .body = LINES});
	assert_error(&g, HTTP_RESOLVE, "is denied by drain-deny");
	g = post_wait(
	    f, &(struct http_post){
		   .host = "0xa9fea9fe", .port = 80, .url = "http://0xa9fea9fe/", .body = LINES});
	assert_error(&g, HTTP_RESOLVE, "is denied by drain-deny");
	assert_int_equal(f->r->requests, i);
	free(f->config.http_proxy);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_post_goes_out_and_its_answer_comes),
	    TEST(a_compressed_body_says_so),
	    TEST(a_path_goes_out_as_it_is),
	    TEST(connections_are_used_again),
	    TEST(receivers_may_have_ipv6_addresses),
	    TEST(a_fresh_post_has_a_connection_of_its_own),
	    TEST(a_connection_that_died_while_idle_is_no_failure),
	    TEST(retry_after_comes_in_both_forms),
	    TEST(redirects_are_answers_and_not_followed),
	    TEST(only_the_beginning_of_a_body_is_kept),
	    TEST(interim_answers_are_passed_over),
	    TEST(the_environment_names_no_proxy),
	    TEST(a_proxy_gets_the_request),
	};
	int failed;

	http_client_global_init();
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	http_client_global_end();
	return failed;
}
