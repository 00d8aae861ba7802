/*
 * The HTTP server with connections that somebody else accepted: what its
 * requests bring along, how their ends are told, and the bytes that all their
 * bodies may have.
 */
#include "io/http_test_client.h"

enum { BODY = 64 * 1024, BODIES = 100 * 1024 };

static int origin;	      /* its address is what connections are given */
static struct buf body_taken; /* by the handler of /take */
static int closed[3];	      /* by enum http_end */
static bool saw_ssl;

static void
take(const struct http_request *request, struct http_response *response, void *arg)
{
	struct fixture *f = arg;

	(void)response;
	f->handled++;
	assert_ptr_equal(request->origin, &origin);
	saw_ssl = request->ssl != NULL;
	assert_ptr_equal(request->body_buf->p, request->body.p);
	if (slice_is(request->path, "/take")) {
		buf_free(&body_taken);
		body_taken = *request->body_buf;
		*request->body_buf = (struct buf){0};
	}
}

static void
on_closed(void *o, enum http_end end, void *arg)
{
	assert_ptr_equal(o, &origin);
	assert_non_null(arg);
	closed[end]++;
}

static struct fixture *
taking(void)
{
	struct http_limits limits = small_limits();
	struct fixture *f;

	limits.bodies = BODIES;
	f = fixture_with(&limits, NULL, take);
	http_server_on_closed(f->server, on_closed);
	memset(closed, 0, sizeof(closed));
	return f;
}

/* A connected pair, one end of which the server takes. */
static struct client
client_taken(struct fixture *f, SSL_CTX *ctx)
{
	struct sockaddr_storage peer = {.ss_family = AF_UNIX};
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	fcntl(fds[1], F_SETFL, O_NONBLOCK);
	assert_true(http_server_take(f->server, fds[1], ctx, &peer, &origin));
	return client_of(f, fds[0]);
}

static void
wait_closed(struct fixture *f, enum http_end end, int n)
{
	int64_t until = clock_mono_ms() + WAIT_MS;

	while (closed[end] < n) {
		assert_true(clock_mono_ms() < until);
		turn_for(f, 1);
	}
}

static void
begin_post(struct client *c, const char *path, size_t length)
{
	char head[128];

	snprintf(head, sizeof(head), "POST %s HTTP/1.1\r\nHost: h\r\nContent-Length: %zu\r\n\r\n",
		 path, length);
	client_say(c, head);
}

static void
send_body(struct client *c, size_t n)
{
	char *bytes = calloc(1, n);

	assert_non_null(bytes);
	client_send(c, bytes, n);
	free(bytes);
}

static void
a_request_brings_its_origin_and_its_end_is_told(void **state)
{
	struct fixture *f = taking();
	struct client c = client_taken(f, NULL);

	(void)state;
	begin_post(&c, "/", 3);
	client_say(&c, "abc");
	expect_answer(&c, 200, "");
	assert_false(saw_ssl);
	assert_int_equal(closed[HTTP_END_CLOSED], 0);
	client_free(&c);
	wait_closed(f, HTTP_END_CLOSED, 1);
	fixture_free(f);
}

static void
a_handler_may_take_the_body_over(void **state)
{
	struct fixture *f = taking();
	struct client c = client_taken(f, NULL);

	(void)state;
	for (int i = 0; i < 5; i++) {
		begin_post(&c, "/take", BODY);
		send_body(&c, BODY);
		expect_answer(&c, 200, "");
		assert_int_equal(body_taken.n, BODY);
	}
	buf_free(&body_taken);
	client_free(&c);
	fixture_free(f);
}

static void
an_end_says_why(void **state)
{
	/* It needs no certificate to see that this is no handshake. */
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
	struct fixture *f = taking();
	struct client slow = client_taken(f, NULL), plain = client_taken(f, ctx);
	struct client idle = client_taken(f, NULL);

	(void)state;
	client_say(&plain, "GET / HTTP/1.1\r\n\r\n");
	wait_closed(f, HTTP_END_HANDSHAKE, 1);
	client_say(&slow, "POST / HTTP/1.1\r\nHost: h\r\n");
	expect_error(&slow, 408);
	client_free(&slow);
	wait_closed(f, HTTP_END_TIMED_OUT, 1);
	client_wait_closed(&idle);
	wait_closed(f, HTTP_END_CLOSED, 1);
	client_free(&idle);
	client_free(&plain);
	fixture_free(f);
	SSL_CTX_free(ctx);
}

static void
the_free_of_a_server_tells_all_ends(void **state)
{
	struct fixture *f = taking();
	struct client a = client_taken(f, NULL), b = client_taken(f, NULL);

	(void)state;
	begin_post(&b, "/", 10);
	turn_for(f, 20);
	fixture_free(f);
	assert_int_equal(closed[HTTP_END_CLOSED], 2);
	close(a.fd);
	close(b.fd);
}

static void
one_that_is_refused_for_want_of_room_has_no_end(void **state)
{
	struct fixture *f = taking();
	struct sockaddr_storage peer = {.ss_family = AF_UNIX};
	struct client c[4], over;
	int fds[2];

	(void)state;
	for (int i = 0; i < 4; i++)
		c[i] = client_taken(f, NULL);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	fcntl(fds[1], F_SETFL, O_NONBLOCK);
	assert_false(http_server_take(f->server, fds[1], NULL, &peer, &origin));
	over = client_of(f, fds[0]);
	expect_error(&over, 503);
	client_free(&over);
	turn_for(f, 20);
	assert_int_equal(closed[HTTP_END_CLOSED], 0);
	for (int i = 0; i < 4; i++)
		client_free(&c[i]);
	fixture_free(f);
}

/* Two of these bodies are over what all may have: who brings the byte too many is told. */
static void
bodies_are_bounded_in_sum(void **state)
{
	struct fixture *f = taking();
	struct client a = client_taken(f, NULL), b = client_taken(f, NULL);
	struct answer answer;

	(void)state;
	begin_post(&a, "/", BODY);
	send_body(&a, BODY - 1);
	begin_post(&b, "/", BODY);
	send_body(&b, BODY - 1);
	answer = client_answer(&b, false);
	assert_int_equal(answer.status, 503);
	assert_string_equal(head_value(&answer.head, "Retry-After"), "1");
	assert_string_equal(head_value(&answer.head, "Connection"), "close");
	assert_string_equal(buf_cstr(&answer.body),
			    "{\"error\":\"too many requests at once; try again in a moment\"}");
	answer_free(&answer);
	client_free(&b);
	/* The first one is none the worse, and its bytes are free again when it is answered. */
	send_body(&a, 1);
	expect_answer(&a, 200, "");
	begin_post(&a, "/", BODY);
	b = client_taken(f, NULL);
	begin_post(&b, "/", BODY);
	send_body(&b, BODY);
	expect_answer(&b, 200, "");
	send_body(&a, BODY);
	expect_answer(&a, 200, "");
	client_free(&a);
	client_free(&b);
	fixture_free(f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_request_brings_its_origin_and_its_end_is_told),
	    cmocka_unit_test(a_handler_may_take_the_body_over),
	    cmocka_unit_test(an_end_says_why),
	    cmocka_unit_test(the_free_of_a_server_tells_all_ends),
	    cmocka_unit_test(one_that_is_refused_for_want_of_room_has_no_end),
	    cmocka_unit_test(bodies_are_bounded_in_sum),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
