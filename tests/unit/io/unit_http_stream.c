/*
 * The HTTP server over real sockets: answers that are written bit by bit.
 */
#include "io/http_test_client.h"

#include "io/http_stream.h"

#define GET(path) "GET " path " HTTP/1.1\r\nHost: h\r\n\r\n"

static struct http_stream *stream; /* of the last /stream; NULL: gone or ended */
static int opened, gone, empty;
static bool write_inside;

static void
on_gone(void *arg)
{
	(void)arg;
	gone++;
	stream = NULL;
}

static void
on_empty(void *arg)
{
	assert_ptr_equal(arg, &stream);
	empty++;
}

static void
handle_stream(const struct http_request *request, struct http_response *response, void *arg)
{
	struct fixture *f = arg;
	struct http_stream *s;

	f->handled++;
	if (!slice_is(request->path, "/stream")) {
		buf_add_str(&response->body, "whole");
		return;
	}
	s = http_response_stream(response, on_gone, &stream);
	if (s == NULL)
		return;
	stream = s;
	opened++;
	response->content_type = "text/plain";
	http_response_header(response, "X-Test", "live");
	if (write_inside)
		assert_true(http_stream_write(s, "inside", 6));
}

static int
forget(void **state)
{
	(void)state;
	stream = NULL;
	opened = gone = empty = 0;
	write_inside = false;
	return 0;
}

static struct fixture *
stream_fixture(int64_t stall_ms)
{
	struct http_limits limits = small_limits();

	limits.stall_ms = stall_ms;
	return fixture_with(&limits, NULL, handle_stream);
}

static void
wait_for(struct fixture *f, const int *count, int n)
{
	int64_t end = clock_mono_ms() + WAIT_MS;

	while (*count < n) {
		assert_true(clock_mono_ms() < end);
		turn_for(f, 1);
	}
}

static void
say(const char *text)
{
	assert_true(http_stream_write(stream, text, strlen(text)));
}

static void
expect_bytes(struct client *c, const char *text)
{
	int64_t end = clock_mono_ms() + WAIT_MS;

	while (c->in.n < strlen(text)) {
		assert_false(c->closed || c->reset);
		assert_true(clock_mono_ms() < end);
		client_wait(c);
	}
	assert_memory_equal(c->in.p, text, strlen(text));
	buf_drain(&c->in, strlen(text));
}

static struct buf
expect_head(struct client *c)
{
	struct buf head = {0};

	assert_true(client_wait_for(c, "\r\n\r\n", &head));
	assert_memory_equal(head.p, "HTTP/1.1 200 OK\r\n", 17);
	return head;
}

static void
what_is_written_arrives_in_chunks(void **state)
{
	struct fixture *f = stream_fixture(5000);
	struct client c = client_connect(f);
	struct buf head;

	(void)state;
	client_say(&c, GET("/stream"));
	/* The head comes at once, before there is anything to say. */
	head = expect_head(&c);
	assert_string_equal(head_value(&head, "Transfer-Encoding"), "chunked");
	assert_string_equal(head_value(&head, "Content-Type"), "text/plain");
	assert_string_equal(head_value(&head, "X-Test"), "live");
	assert_string_equal(head_value(&head, "Connection"), "close");
	assert_string_equal(head_value(&head, "Content-Length"), "");
	say("hello");
	say("");
	say("0123456789abcdefg");
	expect_bytes(&c, "5\r\nhello\r\n11\r\n0123456789abcdefg\r\n");
	/* A quiet stream is not an idle connection. */
	turn_for(f, 600);
	say("still");
	expect_bytes(&c, "5\r\nstill\r\n");
	http_stream_end(stream);
	client_wait_closed(&c);
	assert_true(c.closed);
	assert_int_equal(c.in.n, 5);
	assert_memory_equal(c.in.p, "0\r\n\r\n", 5);
	client_free(&c);
	turn_for(f, 20);
	assert_int_equal(http_server_connections(f->server), 0);
	assert_int_equal(gone, 0);
	buf_free(&head);
	fixture_free(f);
	assert_int_equal(gone, 0);
}

static void
the_handler_itself_may_write(void **state)
{
	struct fixture *f = stream_fixture(5000);
	struct client c = client_connect(f);
	struct buf head;

	(void)state;
	write_inside = true;
	client_say(&c, GET("/stream"));
	head = expect_head(&c);
	expect_bytes(&c, "6\r\ninside\r\n");
	buf_free(&head);
	client_free(&c);
	fixture_free(f);
}

static void
http_1_0_gets_no_chunks(void **state)
{
	struct fixture *f = stream_fixture(5000);
	struct client c = client_connect(f);
	struct buf head;

	(void)state;
	client_say(&c, "GET /stream HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
	head = expect_head(&c);
	assert_string_equal(head_value(&head, "Transfer-Encoding"), "");
	assert_string_equal(head_value(&head, "Connection"), "close");
	say("hello");
	http_stream_end(stream);
	client_wait_closed(&c);
	assert_string_equal(buf_cstr(&c.in), "hello");
	buf_free(&head);
	client_free(&c);
	fixture_free(f);
}

static void
head_gets_no_body_and_its_stream_is_gone(void **state)
{
	struct fixture *f = stream_fixture(5000);
	struct client c = client_connect(f);
	struct buf head;

	(void)state;
	write_inside = true;
	client_say(&c, "HEAD /stream HTTP/1.1\r\nHost: h\r\n\r\n");
	head = expect_head(&c);
	client_wait_closed(&c);
	assert_int_equal(c.in.n, 0);
	assert_int_equal(gone, 1);
	buf_free(&head);
	client_free(&c);
	fixture_free(f);
	assert_int_equal(gone, 1);
}

static void
a_slow_reader_fills_the_buffer_and_no_more(void **state)
{
	struct fixture *f = stream_fixture(5000);
	struct client c = client_connect(f);
	char kib[1024];
	size_t written = 0, got;
	int64_t end;

	(void)state;
	memset(kib, 'x', sizeof(kib));
	client_say(&c, "GET /stream HTTP/1.0\r\n\r\n");
	wait_for(f, &opened, 1);
	turn_for(f, 20);
	end = clock_mono_ms() + 300;
	while (clock_mono_ms() < end) {
		while (http_stream_write(stream, kib, sizeof(kib)))
			written += sizeof(kib);
		turn_for(f, 5);
	}
	assert_in_range(http_stream_buffered(stream), HTTP_STREAM_BYTES - 1023, HTTP_STREAM_BYTES);
	assert_int_equal(gone, 0);
	http_stream_when_empty(stream, on_empty);
	turn_for(f, 20);
	assert_int_equal(empty, 0);

	/* It reads again: every byte is there, and who waited for room is told once. */
	for (got = 0; empty == 0 || c.in.n > 0; got += c.in.n, c.in.n = 0)
		client_wait(&c);
	assert_int_equal(http_stream_buffered(stream), 0);
	http_stream_end(stream);
	client_wait_closed(&c);
	got += c.in.n;
	assert_in_range(got, written + 20, written + 1024); /* and the head */
	assert_int_equal(empty, 1);
	client_free(&c);
	fixture_free(f);
}

static void
one_write_into_an_empty_buffer_is_taken_whatever_its_size(void **state)
{
	struct fixture *f = stream_fixture(5000);
	struct client c = client_connect(f);
	char *much = calloc(1, 3 * HTTP_STREAM_BYTES);
	struct buf head;

	(void)state;
	assert_non_null(much);
	client_say(&c, "GET /stream HTTP/1.0\r\n\r\n");
	head = expect_head(&c);
	assert_true(http_stream_write(stream, much, 3 * HTTP_STREAM_BYTES));
	assert_false(http_stream_write(stream, much, 1));
	http_stream_end(stream);
	client_wait_closed(&c);
	assert_int_equal(c.in.n, 3 * HTTP_STREAM_BYTES);
	free(much);
	buf_free(&head);
	client_free(&c);
	fixture_free(f);
}

static void
a_reader_that_takes_nothing_is_cut_off(void **state)
{
	struct fixture *f = stream_fixture(200);
	struct client c = client_connect(f);
	char kib[1024];
	int64_t start;

	(void)state;
	memset(kib, 'x', sizeof(kib));
	client_say(&c, GET("/stream"));
	wait_for(f, &opened, 1);
	/* Nothing to take is no fault of the reader's. */
	turn_for(f, 400);
	assert_int_equal(gone, 0);
	start = clock_mono_ms();
	while (gone == 0) {
		assert_true(clock_mono_ms() - start < WAIT_MS);
		while (stream != NULL && http_stream_write(stream, kib, sizeof(kib)))
			;
		turn_for(f, 5);
	}
	assert_true(clock_mono_ms() - start >= 195);
	assert_int_equal(gone, 1);
	assert_int_equal(http_server_connections(f->server), 0);
	client_wait_closed(&c);
	assert_true(c.reset);
	client_free(&c);
	fixture_free(f);
}

static void
a_client_that_goes_is_noticed_without_a_write(void **state)
{
	struct fixture *f = stream_fixture(5000);
	struct client c = client_connect(f);

	(void)state;
	client_say(&c, GET("/stream") GET("/never"));
	wait_for(f, &opened, 1);
	turn_for(f, 50);
	client_free(&c);
	wait_for(f, &gone, 1);
	turn_for(f, 20);
	assert_int_equal(http_server_connections(f->server), 0);
	assert_int_equal(f->handled, 1);
	fixture_free(f);
	assert_int_equal(gone, 1);
}

static void
streams_take_half_of_the_connections_at_most(void **state)
{
	struct fixture *f = stream_fixture(5000);
	struct client one = client_connect(f), two = client_connect(f), three = client_connect(f);
	struct answer a;

	(void)state;
	client_say(&one, GET("/stream"));
	wait_for(f, &opened, 1);
	client_say(&two, GET("/stream"));
	wait_for(f, &opened, 2);
	client_say(&three, GET("/stream") GET("/"));
	a = client_answer(&three, false);
	assert_int_equal(a.status, 503);
	assert_string_equal(head_value(&a.head, "Retry-After"), "10");
	assert_memory_equal(a.body.p, "{\"error\":\"", 10);
	answer_free(&a);
	/* And the connection serves other calls. */
	expect_answer(&three, 200, "whole");

	client_free(&one);
	wait_for(f, &gone, 1);
	client_say(&three, GET("/stream"));
	wait_for(f, &opened, 3);
	client_free(&two);
	client_free(&three);
	fixture_free(f);
	assert_int_equal(gone, 3);
}

static void
quiet_streams_are_kept_alive(void **state)
{
	struct fixture *f = stream_fixture(5000);
	struct client c = client_connect(f);
	struct buf head;
	int64_t start;

	(void)state;
	client_say(&c, GET("/stream"));
	head = expect_head(&c);
	http_stream_keep_alive(stream, ": still here\n\n", 100);
	start = clock_mono_ms();
	expect_bytes(&c, "e\r\n: still here\n\n\r\n"
			 "e\r\n: still here\n\n\r\n");
	assert_in_range(clock_mono_ms() - start, 190, 3000);
	/* Not while there is something to say. */
	for (int i = 0; i < 10; i++) {
		say("x");
		turn_for(f, 30);
		expect_bytes(&c, "1\r\nx\r\n");
	}
	buf_free(&head);
	client_free(&c);
	fixture_free(f);
}

static void
a_stopping_server_ends_streams_properly(void **state)
{
	struct fixture *f = stream_fixture(5000);
	struct client c = client_connect(f);
	struct buf head;

	(void)state;
	client_say(&c, GET("/stream"));
	head = expect_head(&c);
	http_stream_keep_alive(stream, ": still here\n\n", 10000);
	say("last words");
	http_server_stop(f->server);
	assert_int_equal(gone, 1);
	client_wait_closed(&c);
	assert_true(c.closed);
	assert_string_equal(buf_cstr(&c.in), "a\r\nlast words\r\n0\r\n\r\n");
	client_free(&c);
	turn_for(f, 20);
	assert_int_equal(http_server_connections(f->server), 0);
	buf_free(&head);
	fixture_free(f);
	assert_int_equal(gone, 1);
}

static void
a_server_that_is_freed_tells_who_writes(void **state)
{
	struct fixture *f = stream_fixture(5000);
	struct client c = client_connect(f);

	(void)state;
	client_say(&c, GET("/stream"));
	wait_for(f, &opened, 1);
	say("never sent");
	fixture_free(f);
	assert_int_equal(gone, 1);
	client_free(&c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(what_is_written_arrives_in_chunks, forget),
	    cmocka_unit_test_setup(the_handler_itself_may_write, forget),
	    cmocka_unit_test_setup(http_1_0_gets_no_chunks, forget),
	    cmocka_unit_test_setup(head_gets_no_body_and_its_stream_is_gone, forget),
	    cmocka_unit_test_setup(a_slow_reader_fills_the_buffer_and_no_more, forget),
	    cmocka_unit_test_setup(one_write_into_an_empty_buffer_is_taken_whatever_its_size,
				   forget),
	    cmocka_unit_test_setup(a_reader_that_takes_nothing_is_cut_off, forget),
	    cmocka_unit_test_setup(a_client_that_goes_is_noticed_without_a_write, forget),
	    cmocka_unit_test_setup(streams_take_half_of_the_connections_at_most, forget),
	    cmocka_unit_test_setup(quiet_streams_are_kept_alive, forget),
	    cmocka_unit_test_setup(a_stopping_server_ends_streams_properly, forget),
	    cmocka_unit_test_setup(a_server_that_is_freed_tells_who_writes, forget),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
