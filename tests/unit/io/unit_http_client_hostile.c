/* The HTTP client against receivers that are down, slow, broken or hostile. */
#include "io/http_client_fixture.h"

static struct got
told(struct fixture *f, enum receiver_does does, const char *answer, const char *more)
{
	f->r->does = does;
	f->r->answer = answer;
	f->r->more = more;
	f->r->at = 0;
	return post(f);
}

static void
a_port_that_nobody_listens_on_is_refused(void **state)
{
	struct fixture *f = *state;
	struct got g = post_wait(f, &(struct http_post){.host = "127.0.0.9", .port = f->r->port});

	assert_error(&g, HTTP_CONNECT, "connection refused");
	assert_non_null(strstr(g.answer.address, "127.0.0.9:"));
	assert_true(g.answer.resolved_ms >= 0);
	assert_int_equal(g.answer.connected_ms, -1);
	assert_int_equal(g.answer.answered_ms, -1);
}

static void
who_says_nothing_is_given_up(void **state)
{
	struct fixture *f = *state;
	struct got g;
	int turns;

	f->config.http_timeout = 200;
	turns = f->turns;
	g = told(f, DOES_HANG, NULL, NULL);
	assert_error(&g, HTTP_ANSWER, "no answer within 200 ms");
	assert_true(g.answer.connected_ms >= 0);
	/* The loop was free meanwhile. */
	assert_true(f->turns - turns > 40);
	/* A post may have less time of its own. */
	f->config.http_timeout = 3000;
	g = post_wait(
	    f, &(struct http_post){.host = "127.0.0.1", .port = f->r->port, .timeout_ms = 150});
	assert_error(&g, HTTP_ANSWER, "no answer within 150 ms");
	/* Its connection is not used again. */
	g = told(f, DOES_ANSWER, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", NULL);
	assert_int_equal(g.answer.status, 200);
	assert_int_equal(f->r->accepted, 3);
}

static void
who_closes_is_a_failure(void **state)
{
	struct fixture *f = *state;
	struct got g;

	g = told(f, DOES_CLOSE, NULL, NULL);
	assert_error(&g, HTTP_ANSWER, "connection closed without an answer");
	g = told(f, DOES_RESET, NULL, NULL);
	assert_error(&g, HTTP_ANSWER, "connection reset by the peer");
	g = told(f, DOES_CLOSE_AT_ONCE, NULL, NULL);
	assert_int_equal(g.answer.status, 0);
	assert_true(strstr(g.error, "connection closed") != NULL ||
		    strstr(g.error, "connection reset") != NULL);
	g = told(f, DOES_ANSWER_CLOSE, "HTTP/1.1 200 OK\r\nContent-Le", NULL);
	assert_error(&g, HTTP_ANSWER, "connection closed in the middle of the answer");
	g = told(f, DOES_ANSWER_CLOSE, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf", NULL);
	assert_error(&g, HTTP_ANSWER, "connection closed in the middle of the answer");
	assert_int_equal(g.answer.body.n, 0);
	g = told(f, DOES_ANSWER_CLOSE,
		 "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nha", NULL);
	assert_error(&g, HTTP_ANSWER, "connection closed in the middle of the answer");
	/* This is how some end an answer. */
	g = told(f, DOES_ANSWER_CLOSE, "HTTP/1.0 200 OK\r\n\r\nall of it", NULL);
	assert_int_equal(g.answer.status, 200);
	assert_string_equal(g.body, "all of it");
}

static void
who_trickles_is_given_up_in_time(void **state)
{
	struct fixture *f = *state;
	struct buf answer = {0};
	int64_t start;
	struct got g;

	f->config.http_timeout = 300;
	buf_add_str(&answer, "HTTP/1.1 200 OK\r\nX: ");
	for (int i = 0; i < 10000; i++)
		buf_add_char(&answer, 'x');
	start = clock_mono_ms();
	g = told(f, DOES_TRICKLE, buf_cstr(&answer), NULL);
	assert_error(&g, HTTP_ANSWER, "within 300 ms");
	assert_in_range(clock_mono_ms() - start, 290, 3000);

	answer.n = 0;
	buf_add_str(&answer, "HTTP/1.1 200 OK\r\nContent-Length: 10000\r\n\r\n");
	for (int i = 0; i < 10000; i++)
		buf_add_char(&answer, 'x');
	g = told(f, DOES_TRICKLE, buf_cstr(&answer), NULL);
	assert_error(&g, HTTP_ANSWER, "no whole answer within 300 ms");
	buf_free(&answer);
}

/* The text many times over, some kB. */
static const char *
much_of(struct buf *out, const char *text)
{
	out->n = 0;
	while (out->n < 4096)
		buf_add_str(out, text);
	return buf_cstr(out);
}

static void
endless_headers_fail(void **state)
{
	struct fixture *f = *state;
	struct buf more = {0};
	struct got g;

	g = told(f, DOES_ENDLESS, "HTTP/1.1 200 OK\r\n", much_of(&more, "X-More: and more\r\n"));
	assert_error(&g, HTTP_ANSWER, "the answer's headers are over 64 KiB");
	g = told(f, DOES_ENDLESS, "HTTP/1.1 200 OK\r\nX-Long: ", much_of(&more, "x"));
	assert_error(&g, HTTP_ANSWER, "the answer's headers are over 64 KiB");
	g = told(f, DOES_ENDLESS, "HTTP/1.1 100 Continue\r\n\r\n",
		 much_of(&more, "HTTP/1.1 100 Continue\r\nX-More: and more\r\n\r\n"));
	assert_error(&g, HTTP_ANSWER, "the answer's headers are over 64 KiB");
	buf_free(&more);
}

static void
an_endless_body_counts_by_its_status(void **state)
{
	struct fixture *f = *state;
	struct buf more = {0};
	struct got g;

	for (int i = 0; i < 8192; i++)
		buf_add_char(&more, 'x');
	g = told(f, DOES_ENDLESS, "HTTP/1.1 200 OK\r\n\r\n", buf_cstr(&more));
	assert_int_equal(g.answer.status, 200);
	assert_string_equal(g.error, "");
	assert_int_equal(g.answer.body.n, HTTP_ANSWER_BYTES);
	g = told(f, DOES_ENDLESS, "HTTP/1.1 500 No\r\nContent-Length: 99999999999\r\n\r\n",
		 buf_cstr(&more));
	assert_int_equal(g.answer.status, 500);
	/* Neither connection is used again. */
	g = told(f, DOES_ANSWER, "HTTP/1.1 204 No\r\n\r\n", NULL);
	assert_int_equal(g.answer.status, 204);
	assert_int_equal(f->r->accepted, 3);
	buf_free(&more);
}

static void
what_is_not_http_is_said(void **state)
{
	static const char *const garbage[] = {
	    "SSH-2.0-OpenSSH_9.2\r\n",
	    "220 mail.example ESMTP\r\n",
	    "\x15\x03\x01\x02\x02\x46",
	    "HTTP/1.1\r\n\r\n",
	    "HTTP/1.1 abc OK\r\n\r\n",
	    "HTTP/1.1 99999 OK\r\n\r\n",
	    "HTTP/9.9 200 OK\r\n\r\n",
	    "\r\n\r\n\r\n",
	    "HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n",
	    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
	};
	struct fixture *f = *state;
	struct got g;

	f->config.http_timeout = 500;
	for (size_t i = 0; i < sizeof(garbage) / sizeof(garbage[0]); i++) {
		g = told(f, DOES_ANSWER_CLOSE, garbage[i], NULL);
		if (g.answer.status != 0 || g.error[0] == '\0')
			fail_msg("taken: %s", garbage[i]);
		assert_int_equal(g.answer.step, HTTP_ANSWER);
		/* And also if nothing more comes. */
		g = told(f, DOES_ANSWER, garbage[i], NULL);
		if (g.answer.status != 0 || g.error[0] == '\0')
			fail_msg("taken: %s", garbage[i]);
	}
	g = told(f, DOES_ANSWER_CLOSE, garbage[0], NULL);
	assert_error(&g, HTTP_ANSWER, "the answer is not HTTP");
}

static void
calls_can_be_cancelled_at_any_time(void **state)
{
	struct fixture *f = *state;
	struct http_post p = {.host = "127.0.0.1", .port = f->r->port, .body = LINES};
	struct http_post named = {.host = "slow.example", .port = f->r->port};
	struct got g;

	/* Before anything, while looking up, and when the look-up is done. */
	post_start(f, &g, &p);
	http_call_cancel(g.call);
	fake_hangs = true;
	post_start(f, &g, &named);
	linger_for(f, 20);
	http_call_cancel(g.call);
	fake_hangs = false;
	linger_for(f, 20);
	assert_int_equal(g.answers, 0);
	/* At each of the first turns of the loop. */
	for (int n = 0; n < 12; n++) {
		post_start(f, &g, &p);
		for (int i = 0; i < n && g.answers == 0; i++)
			event_base_loop(f->base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
		if (g.answers == 0)
			http_call_cancel(g.call);
		linger_for(f, 5);
	}
	/* While an answer comes. */
	f->r->does = DOES_HANG;
	post_start(f, &g, &p);
	linger_for(f, 30);
	http_call_cancel(g.call);
	f->r->does = DOES_TRICKLE;
	post_start(f, &g, &p);
	linger_for(f, 30);
	http_call_cancel(g.call);
	linger_for(f, 30);
	assert_int_equal(g.answers, 0);
	f->r->does = DOES_ANSWER;
	assert_int_equal(post(f).answer.status, 200);
}

struct chain {
	struct fixture *f;
	struct got other;
	struct got next;
	int answers;
};

static void
on_chain(const struct http_answer *answer, void *arg)
{
	struct chain *c = arg;

	assert_int_equal(answer->status, 200);
	c->answers++;
	http_call_cancel(c->other.call);
	post_start(c->f, &c->next,
		   &(struct http_post){.host = "127.0.0.1", .port = c->f->r->port, .body = LINES});
}

static void
inside_an_answer_calls_are_made_and_cancelled(void **state)
{
	struct fixture *f = *state;
	struct receiver *silent = receiver_at(f->base, "127.0.0.1", 0, NULL);
	struct chain c = {.f = f};
	char *url = xasprintf("http://127.0.0.1:%u/", f->r->port);

	silent->does = DOES_HANG;
	post_start(f, &c.other, &(struct http_post){.host = "127.0.0.1", .port = silent->port});
	linger_for(f, 20);
	http_client_post(f->client,
			 &(struct http_post){.host = "127.0.0.1", .port = f->r->port, .url = url},
			 on_chain, &c);
	UNTIL(f, c.answers == 1 && c.next.answers == 1);
	assert_int_equal(c.next.answer.status, 200);
	assert_int_equal(c.other.answers, 0);
	receiver_free(silent);
	free(url);
}

enum { CROWD = 12 };

struct member {
	struct member *all;
	struct http_call *call;
	int answers;
};

/* The first to be answered takes all others with it, whose answers lie ready. */
static void
on_member(const struct http_answer *answer, void *arg)
{
	struct member *me = arg;

	(void)answer;
	me->answers++;
	me->call = NULL;
	for (size_t i = 0; i < CROWD; i++) {
		if (me->all[i].call != NULL)
			http_call_cancel(me->all[i].call);
		me->all[i].call = NULL;
	}
}

static void
answers_that_lie_ready_can_be_cancelled(void **state)
{
	struct fixture *f = *state;
	struct member all[CROWD] = {0};
	char *url = xasprintf("http://127.0.0.1:%u/", f->r->port);
	int answers = 0;

	f->r->does = DOES_HANG;
	for (size_t i = 0; i < CROWD; i++) {
		all[i].all = all;
		all[i].call = http_client_post(
		    f->client,
		    &(struct http_post){.host = "127.0.0.1", .port = f->r->port, .url = url},
		    on_member, &all[i]);
	}
	UNTIL(f, f->r->requests == CROWD);
	for (size_t i = 0; i < CONNS_MAX; i++)
		if (f->r->conns[i].s != NULL)
			conn_say(&f->r->conns[i], f->r->answer, strlen(f->r->answer));
	linger_for(f, 100);
	for (size_t i = 0; i < CROWD; i++)
		answers += all[i].answers;
	assert_int_equal(answers, 1);
	free(url);
}

static void
many_that_hang_do_not_cost_others_their_connections(void **state)
{
	struct fixture *f = *state;
	struct receiver *hangs = receiver_at(f->base, "127.0.0.1", 0, NULL);
	static struct got got[150];
	struct got one;

	hangs->does = DOES_HANG;
	for (int i = 0; i < 150; i++) {
		post_start(f, &got[i],
			   &(struct http_post){.host = "127.0.0.1",
					       .port = hangs->port,
					       .body = LINES,
					       .timeout_ms = 60000});
		UNTIL(f, hangs->accepted == i + 1);
	}
	for (int i = 0; i < 3; i++) {
		one = post(f);
		assert_int_equal(one.answer.status, 200);
	}
	assert_int_equal(f->r->accepted, 1);
	for (size_t i = 0; i < 150; i++)
		http_call_cancel(got[i].call);
	receiver_free(hangs);
}

static void
many_calls_run_at_a_time(void **state)
{
	struct fixture *f = *state;
	static struct got got[40];
	int answers = 0;

	for (size_t i = 0; i < 40; i++)
		post_start(f, &got[i],
			   &(struct http_post){
			       .app = i, .host = "127.0.0.1", .port = f->r->port, .body = LINES});
	for (int64_t until = clock_mono_ms() + 20000; answers < 40 && clock_mono_ms() < until;) {
		event_base_loop(f->base, EVLOOP_ONCE);
		answers = 0;
		for (size_t i = 0; i < 40; i++)
			answers += got[i].answers;
	}
	for (size_t i = 0; i < 40; i++)
		assert_int_equal(got[i].answer.status, 200);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_port_that_nobody_listens_on_is_refused),
	    TEST(who_says_nothing_is_given_up),
	    TEST(who_closes_is_a_failure),
	    TEST(who_trickles_is_given_up_in_time),
	    TEST(endless_headers_fail),
	    TEST(an_endless_body_counts_by_its_status),
	    TEST(what_is_not_http_is_said),
	    TEST(calls_can_be_cancelled_at_any_time),
	    TEST(inside_an_answer_calls_are_made_and_cancelled),
	    TEST(answers_that_lie_ready_can_be_cancelled),
	    TEST(many_that_hang_do_not_cost_others_their_connections),
	    TEST(many_calls_run_at_a_time),
	};
	int failed;

	http_client_global_init();
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	http_client_global_end();
	return failed;
}
