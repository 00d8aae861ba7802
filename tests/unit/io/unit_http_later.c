/*
 * The HTTP server over real sockets: answers that come after their handler.
 */
#include "io/http_test_client.h"

#include "io/http_later.h"
#include "io/http_write.h"

#define GET(path) "GET " path " HTTP/1.1\r\nHost: h\r\n\r\n"

/* What the handler of /later was left with; one at a time is enough. */
static struct http_later *later;
static int gone;

static void
on_gone(void *arg)
{
	assert_ptr_equal(arg, &later);
	gone++;
	later = NULL;
}

static void
answer(int status, const char *body)
{
	struct http_response response;

	http_response_init(&response);
	response.status = status;
	buf_add_str(&response.body, body);
	http_response_header(&response, "X-Late", "yes");
	http_later_answer(later, &response);
	later = NULL;
	assert_null(response.body.p);
}

/* Paths: /later (deferred), /inside (deferred, and answered before it returns); others at once. */
static void
handle_late(const struct http_request *request, struct http_response *response, void *arg)
{
	struct fixture *f = arg;

	f->handled++;
	buf_add_str(&response->body, "at once");
	if (slice_is(request->path, "/later") || slice_is(request->path, "/inside")) {
		assert_null(later);
		later = http_response_later(response, on_gone, &later);
	}
	if (slice_is(request->path, "/inside"))
		answer(202, "inside");
}

static struct http_limits
late_limits(void)
{
	struct http_limits limits = small_limits();

	limits.later_ms = 5000;
	return limits;
}

static int
forget(void **state)
{
	(void)state;
	later = NULL;
	gone = 0;
	return 0;
}

static void
wait_handled(struct fixture *f, int n)
{
	int64_t end = clock_mono_ms() + WAIT_MS;

	while (f->handled < n) {
		assert_true(clock_mono_ms() < end);
		turn_for(f, 1);
	}
}

static void
wait_gone(struct fixture *f)
{
	int64_t end = clock_mono_ms() + WAIT_MS;

	while (gone == 0) {
		assert_true(clock_mono_ms() < end);
		turn_for(f, 1);
	}
}

static void
an_answer_may_come_later_than_its_handler_and_others_do_not_wait(void **state)
{
	struct http_limits limits = late_limits();
	struct fixture *f = fixture_with(&limits, NULL, handle_late);
	struct client c = client_connect(f), other = client_connect(f);
	struct answer a;

	(void)state;
	client_say(&c, GET("/later"));
	wait_handled(f, 1);
	/* Longer than a request or an idle connection may take. */
	turn_for(f, 600);
	assert_false(client_receive(&c));
	client_free(&other);
	other = client_connect(f);
	client_say(&other, GET("/"));
	expect_answer(&other, 200, "at once");

	answer(201, "late");
	a = client_answer(&c, false);
	assert_int_equal(a.status, 201);
	assert_string_equal(buf_cstr(&a.body), "late");
	assert_string_equal(head_value(&a.head, "X-Late"), "yes");
	assert_string_equal(head_value(&a.head, "Connection"), "keep-alive");
	answer_free(&a);
	client_say(&c, GET("/"));
	expect_answer(&c, 200, "at once");
	assert_int_equal(gone, 0);
	client_free(&c);
	client_free(&other);
	fixture_free(f);
	assert_int_equal(gone, 0);
}

static void
an_answer_inside_the_handler_is_one_as_well(void **state)
{
	struct http_limits limits = late_limits();
	struct fixture *f = fixture_with(&limits, NULL, handle_late);
	struct client c = client_connect(f);

	(void)state;
	client_say(&c, GET("/inside") GET("/"));
	expect_answer(&c, 202, "inside");
	expect_answer(&c, 200, "at once");
	client_free(&c);
	fixture_free(f);
	assert_int_equal(gone, 0);
}

static void
requests_sent_ahead_wait_for_the_late_answer(void **state)
{
	struct http_limits limits = late_limits();
	struct fixture *f = fixture_with(&limits, NULL, handle_late);
	struct client c = client_connect(f);

	(void)state;
	client_say(&c, GET("/later") GET("/1"));
	wait_handled(f, 1);
	client_say(&c, GET("/later"));
	turn_for(f, 50);
	assert_int_equal(f->handled, 1);
	assert_false(client_receive(&c));
	answer(200, "first");
	expect_answer(&c, 200, "first");
	expect_answer(&c, 200, "at once");
	wait_handled(f, 3);
	answer(200, "second");
	expect_answer(&c, 200, "second");
	client_free(&c);
	fixture_free(f);
	assert_int_equal(gone, 0);
}

static void
what_is_sent_ahead_is_bounded_and_none_of_it_lost(void **state)
{
	struct http_limits limits = late_limits();
	struct fixture *f = fixture_with(&limits, NULL, handle_late);
	struct client c = client_connect(f);
	struct buf all = {0};
	size_t sent = 0, n;
	int64_t end;
	int i;

	(void)state;
	buf_add_str(&all, GET("/later"));
	for (i = 0; i < 400000; i++)
		buf_add_str(&all, GET("/"));
	end = clock_mono_ms() + 300;
	while (clock_mono_ms() < end) {
		if (client_try_send(&c, all.p + sent, all.n - sent, &n))
			sent += n;
		turn(f);
	}
	/* The rest is in the kernel, or was not taken: the server would have read it all. */
	assert_true(sent < all.n);
	assert_int_equal(f->handled, 1);
	answer(200, "late");
	expect_answer(&c, 200, "late");
	for (i = 0; i < 1000; i++)
		expect_answer(&c, 200, "at once");
	buf_free(&all);
	client_free(&c);
	fixture_free(f);
}

static void
a_client_that_goes_is_told_once(void **state)
{
	struct http_limits limits = late_limits();
	struct fixture *f = fixture_with(&limits, NULL, handle_late);
	struct client c = client_connect(f);

	(void)state;
	client_say(&c, GET("/later"));
	wait_handled(f, 1);
	client_free(&c);
	wait_gone(f);
	turn_for(f, 50);
	assert_int_equal(gone, 1);
	assert_int_equal(http_server_connections(f->server), 0);

	/* The same with requests that nobody will serve any more. */
	c = client_connect(f);
	client_say(&c, GET("/later") GET("/1"));
	wait_handled(f, 2);
	client_free(&c);
	gone = 0;
	wait_gone(f);
	assert_int_equal(f->handled, 2);
	fixture_free(f);
	assert_int_equal(gone, 1);
}

static void
an_answer_to_a_client_that_goes_at_that_moment_hurts_nobody(void **state)
{
	struct http_limits limits = late_limits();
	struct fixture *f = fixture_with(&limits, NULL, handle_late);
	struct client c = client_connect(f);

	(void)state;
	client_say(&c, GET("/later"));
	wait_handled(f, 1);
	answer(200, "late");
	client_free(&c);
	turn_for(f, 50);
	assert_int_equal(gone, 0);
	assert_int_equal(http_server_connections(f->server), 0);
	fixture_free(f);
}

static void
nothing_hangs_for_ever(void **state)
{
	struct http_limits limits = late_limits();
	struct fixture *f;
	struct client c;
	int64_t start;

	(void)state;
	limits.later_ms = 100;
	f = fixture_with(&limits, NULL, handle_late);
	c = client_connect(f);
	start = clock_mono_ms();
	client_say(&c, GET("/later") GET("/"));
	expect_answer(&c, 504, "{\"error\":\"no answer in time; try again\"}");
	assert_in_range(clock_mono_ms() - start, 95, 3000);
	assert_int_equal(gone, 1);
	expect_answer(&c, 200, "at once");
	client_free(&c);
	fixture_free(f);
	assert_int_equal(gone, 1);
}

static void
head_gets_the_late_head_alone(void **state)
{
	struct http_limits limits = late_limits();
	struct fixture *f = fixture_with(&limits, NULL, handle_late);
	struct client c = client_connect(f);
	struct answer a;

	(void)state;
	client_say(&c, "HEAD /later HTTP/1.1\r\nHost: h\r\n\r\n" GET("/"));
	wait_handled(f, 1);
	answer(200, "late");
	a = client_answer(&c, true);
	assert_string_equal(head_value(&a.head, "Content-Length"), "4");
	answer_free(&a);
	expect_answer(&c, 200, "at once");
	client_free(&c);
	fixture_free(f);
}

static void
a_stopping_server_waits_for_late_answers(void **state)
{
	struct http_limits limits = late_limits();
	struct fixture *f = fixture_with(&limits, NULL, handle_late);
	struct client c = client_connect(f);
	struct answer a;

	(void)state;
	client_say(&c, GET("/later"));
	wait_handled(f, 1);
	http_server_stop(f->server);
	turn_for(f, 50);
	assert_int_equal(gone, 0);
	assert_int_equal(http_server_connections(f->server), 1);
	answer(200, "late");
	a = client_answer(&c, false);
	assert_string_equal(buf_cstr(&a.body), "late");
	assert_string_equal(head_value(&a.head, "Connection"), "close");
	answer_free(&a);
	client_wait_closed(&c);
	assert_true(c.closed);
	client_free(&c);
	turn_for(f, 20);
	assert_int_equal(http_server_connections(f->server), 0);
	fixture_free(f);
	assert_int_equal(gone, 0);
}

static void
a_server_that_is_freed_tells_who_owes_an_answer(void **state)
{
	struct http_limits limits = late_limits();
	struct fixture *f = fixture_with(&limits, NULL, handle_late);
	struct client c = client_connect(f);

	(void)state;
	client_say(&c, GET("/later"));
	wait_handled(f, 1);
	fixture_free(f);
	assert_int_equal(gone, 1);
	assert_null(later);

	/* Answered, but not sent yet. */
	f = fixture_with(&limits, NULL, handle_late);
	client_free(&c);
	c = client_connect(f);
	client_say(&c, GET("/later"));
	wait_handled(f, 1);
	answer(200, "late");
	fixture_free(f);
	assert_int_equal(gone, 1);
	client_free(&c);
}

static void
a_response_of_no_connection_takes_the_answer_itself(void **state)
{
	struct http_response response;

	(void)state;
	http_response_init(&response);
	http_response_header(&response, "X-Early", "thrown away");
	later = http_response_later(&response, on_gone, &later);
	answer(202, "late");
	assert_int_equal(response.status, 202);
	assert_string_equal(buf_cstr(&response.body), "late");
	assert_string_equal(buf_cstr(&response.headers), "X-Late: yes\r\n");
	http_response_free(&response);
	assert_int_equal(gone, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(an_answer_may_come_later_than_its_handler_and_others_do_not_wait,
				   forget),
	    cmocka_unit_test_setup(an_answer_inside_the_handler_is_one_as_well, forget),
	    cmocka_unit_test_setup(requests_sent_ahead_wait_for_the_late_answer, forget),
	    cmocka_unit_test_setup(what_is_sent_ahead_is_bounded_and_none_of_it_lost, forget),
	    cmocka_unit_test_setup(a_client_that_goes_is_told_once, forget),
	    cmocka_unit_test_setup(an_answer_to_a_client_that_goes_at_that_moment_hurts_nobody,
				   forget),
	    cmocka_unit_test_setup(nothing_hangs_for_ever, forget),
	    cmocka_unit_test_setup(head_gets_the_late_head_alone, forget),
	    cmocka_unit_test_setup(a_stopping_server_waits_for_late_answers, forget),
	    cmocka_unit_test_setup(a_server_that_is_freed_tells_who_owes_an_answer, forget),
	    cmocka_unit_test_setup(a_response_of_no_connection_takes_the_answer_itself, forget),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
