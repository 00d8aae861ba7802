/* Which addresses the HTTP client connects to, and which it does not. */
#include "io/http_client_fixture.h"

static void
a_name_that_does_not_resolve_says_so(void **state)
{
	struct fixture *f = *state;
	struct got g = post_name(f, "nowhere.example");

	assert_error(&g, HTTP_RESOLVE, "no such host");
	assert_string_equal(g.answer.address, "");
	assert_int_equal(g.answer.resolved_ms, -1);
}

static void
a_look_up_that_hangs_is_given_up(void **state)
{
	struct fixture *f = *state;
	struct got g;
	int turns;

	f->config.http_timeout = 200;
	fake_hangs = true;
	turns = f->turns;
	g = post_name(f, "slow.example");
	assert_error(&g, HTTP_RESOLVE, "host name not looked up within 200 ms");
	assert_true(f->turns - turns > 40);
	fake_hangs = false;
}

static void
denied_addresses_are_not_connected_to(void **state)
{
	struct fixture *f = *state;
	struct got g;

	f->config.drain_deny = xstrdup("127.0.0.0/8");
	fixture_client(f, f->tls);
	g = post(f);
	assert_error(&g, HTTP_RESOLVE, "address 127.0.0.1 is denied by drain-deny (127.0.0.0/8)");
	names_are("127.0.0.1", NULL);
	g = post_name(f, "inside.example");
	assert_error(&g, HTTP_RESOLVE, "address 127.0.0.1 is denied by drain-deny (127.0.0.0/8)");
	names_are("::ffff:127.0.0.1", NULL);
	g = post_name(f, "mapped.example");
	assert_error(&g, HTTP_RESOLVE, "address 127.0.0.1 is denied by drain-deny (127.0.0.0/8)");
	assert_int_equal(f->r->accepted, 0);
	free(f->config.drain_deny);
}

/* The name is looked up again after a minute, and then leads inside. */
static void
a_name_that_moves_inside_is_denied_although_a_connection_is_open(void **state)
{
	struct fixture *f = *state;
	struct receiver *inside = receiver_at(f->base, "127.0.0.2", f->r->port, NULL);
	struct got g;

	f->config.drain_deny = xstrdup("127.0.0.2");
	fixture_client(f, f->tls);
	names_are("127.0.0.1", NULL);
	assert_int_equal(post_name(f, "moves.example").answer.status, 200);
	names_are("127.0.0.2", NULL);
	clock_skip_ms = 61 * 1000;
	/* The old address is good for as long as the look-up takes. */
	g = post_name(f, "moves.example");
	UNTIL(f, fake_calls == 2);
	linger_for(f, 50);
	g = post_name(f, "moves.example");
	assert_error(&g, HTTP_RESOLVE, "address 127.0.0.2 is denied by drain-deny");
	assert_int_equal(inside->accepted, 0);
	assert_int_equal(f->r->accepted, 1);
	receiver_free(inside);
	free(f->config.drain_deny);
}

static void
of_several_addresses_only_the_allowed_ones_are_used(void **state)
{
	struct fixture *f = *state;
	struct receiver *inside = receiver_at(f->base, "127.0.0.2", f->r->port, NULL);

	f->config.drain_deny = xstrdup("127.0.0.2");
	fixture_client(f, f->tls);
	names_are("127.0.0.2", "127.0.0.1");
	assert_int_equal(post_name(f, "two.example").answer.status, 200);
	receiver_drop(f->r);
	assert_int_equal(post_name(f, "two.example").answer.status, 200);
	assert_int_equal(inside->accepted, 0);
	receiver_free(inside);
	free(f->config.drain_deny);
}

/* The URL says one host, the post another: the address that was checked counts. */
static void
whatever_the_url_says_the_checked_address_is_used(void **state)
{
	struct fixture *f = *state;
	struct receiver *other = receiver_at(f->base, "127.0.0.2", 0, NULL);
	char *url = xasprintf("http://127.0.0.2:%u/", other->port);
	struct got g =
	    post_wait(f, &(struct http_post){.host = "127.0.0.1", .port = f->r->port, .url = url});

	assert_int_equal(g.answer.status, 200);
	assert_int_equal(f->r->accepted, 1);
	assert_int_equal(other->accepted, 0);
	/* No name is looked up but by the resolver. */
	free(url);
	url = xasprintf("http://nowhere.invalid:%u/", other->port);
	g = post_wait(f, &(struct http_post){.host = "127.0.0.1", .port = f->r->port, .url = url});
	assert_int_equal(g.answer.status, 200);
	assert_int_equal(fake_calls, 0);
	assert_int_equal(other->accepted, 0);
	receiver_free(other);
	free(url);
}

static void
addresses_take_turns_after_failures(void **state)
{
	struct fixture *f = *state;
	struct receiver *second = receiver_at(f->base, "127.0.0.2", f->r->port, NULL);
	struct got g;

	/* The first does not listen: within one call the second is tried. */
	names_are("127.0.0.3", "127.0.0.2");
	g = post_name(f, "two.example");
	assert_int_equal(g.answer.status, 200);
	assert_non_null(strstr(g.answer.address, "127.0.0.2:"));
	assert_int_equal(second->accepted, 1);
	/* And remembered: its connection is used again. */
	assert_int_equal(post_name(f, "two.example").answer.status, 200);
	assert_int_equal(second->accepted, 1);

	/* One that takes requests and answers none is left at the next call. */
	names_are("127.0.0.2", "127.0.0.1");
	second->does = DOES_CLOSE;
	g = post_name(f, "other.example");
	assert_error(&g, HTTP_ANSWER, "connection closed");
	g = post_name(f, "other.example");
	assert_int_equal(g.answer.status, 200);
	assert_int_equal(f->r->accepted, 1);

	/* Nobody there: each is tried once. */
	names_are("127.0.0.3", "127.0.0.4");
	g = post_name(f, "none.example");
	assert_error(&g, HTTP_CONNECT, "connection refused");
	assert_non_null(strstr(g.answer.address, "127.0.0.4:"));
	receiver_free(second);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_name_that_does_not_resolve_says_so),
	    TEST(a_look_up_that_hangs_is_given_up),
	    TEST(denied_addresses_are_not_connected_to),
	    TEST(a_name_that_moves_inside_is_denied_although_a_connection_is_open),
	    TEST(of_several_addresses_only_the_allowed_ones_are_used),
	    TEST(whatever_the_url_says_the_checked_address_is_used),
	    TEST(addresses_take_turns_after_failures),
	};
	int failed;

	http_client_global_init();
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	http_client_global_end();
	return failed;
}
