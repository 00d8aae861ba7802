/* Answers: shared, kept, refreshed, cancelled. */
#include "plumb/resolve_fixture.h"

static void
literal_addresses_are_answered_by_mail_without_a_look_up(void **state)
{
	struct fixture *f = *state;

	ask(f, 1, "192.0.2.7");
	assert_int_equal(f->answers, 0);
	UNTIL(f, f->answers == 1);
	assert_string_equal(f->text, "192.0.2.7 514");
	ask(f, 1, "2001:db8::7");
	assert_int_equal(f->answers, 1);
	UNTIL(f, f->answers == 2);
	assert_string_equal(f->text, "2001:db8::7 514");
	assert_int_equal(calls, 0);
}

static void
one_look_up_serves_all_who_ask(void **state)
{
	struct fixture *f = *state;

	shut = true;
	for (uint64_t i = 0; i < 1000; i++)
		ask(f, i, i % 2 == 0 ? "gate.example" : "GATE.Example");
	linger(f);
	assert_int_equal(f->answers, 0);
	shut = false;
	UNTIL(f, f->answers == 1000);
	assert_int_equal(calls, 1);
	assert_string_equal(f->text, "10.0.0.1 514");
}

static void
an_answer_is_kept_for_sixty_seconds_and_served_stale_while_refreshed(void **state)
{
	struct fixture *f = *state;

	ask(f, 1, "gate");
	UNTIL(f, f->answers == 1);
	octet = 2;
	now_ms += 59999;
	ask(f, 1, "gate");
	UNTIL(f, f->answers == 2);
	assert_int_equal(calls, 1);

	shut = true;
	now_ms += 1;
	for (int i = 0; i < 10; i++)
		ask(f, 1, "gate");
	UNTIL(f, f->answers == 12 && calls == 2);
	assert_string_equal(f->text, "10.0.0.1 514");
	shut = false;
	UNTIL(f, inside == 0);
	linger(f);
	ask(f, 1, "gate");
	UNTIL(f, f->answers == 13);
	assert_string_equal(f->text, "10.0.0.2 514");
	assert_int_equal(calls, 2);
}

static void
a_doubted_answer_is_kept_for_a_second(void **state)
{
	struct fixture *f = *state;

	resolve_doubt(f->resolver, "gate");
	resolve_doubt(f->resolver, "");
	ask(f, 1, "gate");
	UNTIL(f, f->answers == 1);
	octet = 2;
	now_ms += 999;
	resolve_doubt(f->resolver, "GATE");
	ask(f, 1, "gate");
	UNTIL(f, f->answers == 2);
	assert_int_equal(calls, 1);

	now_ms += 1;
	ask(f, 1, "gate");
	UNTIL(f, f->answers == 3 && calls == 2);
	assert_string_equal(f->text, "10.0.0.1 514");
	linger(f);
	/* What was found since is not doubted. */
	now_ms += 59999;
	ask(f, 1, "gate");
	UNTIL(f, f->answers == 4);
	assert_string_equal(f->text, "10.0.0.2 514");
	assert_int_equal(calls, 2);
}

static void
the_stale_answer_stays_when_the_refresh_fails(void **state)
{
	struct fixture *f = *state;

	ask(f, 1, "host");
	UNTIL(f, f->answers == 1);
	fails = true;
	for (int i = 2; i < 5; i++) {
		now_ms += 3600000;
		ask(f, 1, "host");
		UNTIL(f, f->answers == i && calls == i);
		assert_string_equal(f->text, "10.0.0.1 514");
		linger(f);
	}
	fails = false;
	octet = 3;
	ask(f, 1, "host");
	UNTIL(f, calls == 5);
	linger(f);
	ask(f, 1, "host");
	UNTIL(f, f->answers == 6);
	assert_string_equal(f->text, "10.0.0.3 514");
}

static void
a_failure_names_host_and_reason_and_is_not_kept(void **state)
{
	struct fixture *f = *state;

	fails = true;
	ask(f, 1, "host.example");
	UNTIL(f, f->answers == 1);
	assert_int_equal(f->failures, 1);
	assert_non_null(strstr(f->text, "host.example"));
	assert_non_null(strstr(f->text, "it is on holiday"));
	fails = false;
	ask(f, 1, "host.example");
	UNTIL(f, f->answers == 2);
	assert_string_equal(f->text, "10.0.0.1 514");
}

static void
a_cancelled_request_is_never_answered(void **state)
{
	struct fixture *f = *state;
	struct resolve_request *running, *queued, *mailed;

	/* In the mail already. */
	mailed = ask(f, 1, "127.0.0.1");
	resolve_cancel(mailed);
	/* Running, and waiting for a thread. */
	shut = true;
	running = ask(f, 1, "g1");
	ask(f, 1, "g2");
	queued = ask(f, 1, "g3");
	UNTIL(f, inside == 2);
	resolve_cancel(running);
	resolve_cancel(queued);
	resolve_cancel(NULL);
	shut = false;
	UNTIL(f, f->answers == 1);
	linger(f);
	assert_int_equal(f->answers, 1);
	/* Nobody wanted g3 any more. */
	assert_int_equal(calls, 2);
	/* What g1's look-up found is kept all the same. */
	ask(f, 1, "g1");
	UNTIL(f, f->answers == 2);
	assert_int_equal(calls, 2);
}

static void
a_cancelled_one_leaves_the_others_waiting(void **state)
{
	struct fixture *f = *state;
	struct resolve_request *first, *last;

	shut = true;
	first = ask(f, 1, "gate");
	ask(f, 1, "gate");
	last = ask(f, 1, "gate");
	resolve_cancel(first);
	resolve_cancel(last);
	shut = false;
	UNTIL(f, f->answers == 1);
	linger(f);
	assert_int_equal(f->answers, 1);
}

static void
freeing_does_not_wait_for_a_look_up_that_hangs(void **state)
{
	struct fixture *f = *state;
	struct resolve_request *running;

	shut = true;
	running = ask(f, 1, "g1");
	ask(f, 1, "127.0.0.1");
	UNTIL(f, f->answers == 1);
	ask(f, 1, "::1");
	UNTIL(f, inside == 1);
	resolver_free(f->resolver);
	f->resolver = NULL;
	UNTIL(f, f->answers == 2);
	/* Comes back to a resolver that is gone for everybody else. */
	shut = false;
	UNTIL(f, inside == 0);
	linger(f);
	assert_int_equal(f->answers, 2);
	resolve_cancel(running);
}

static void
a_request_may_be_cancelled_after_the_resolver_is_gone(void **state)
{
	struct fixture *f = *state;
	struct resolve_request *first, *second, *queued;

	shut = true;
	first = ask(f, 1, "g1");
	second = ask(f, 1, "g2");
	UNTIL(f, inside == 2);
	queued = ask(f, 1, "g3");
	resolver_free(f->resolver);
	f->resolver = NULL;
	resolve_cancel(queued);
	resolve_cancel(first);
	resolve_cancel(second);
	shut = false;
	UNTIL(f, inside == 0);
	linger(f);
	assert_int_equal(f->answers, 0);
}

static void
odd_host_names_are_refused_by_mail(void **state)
{
	struct fixture *f = *state;
	char host[300];

	ask(f, 1, "");
	assert_int_equal(f->answers, 0);
	UNTIL(f, f->failures == 1);
	memset(host, 'a', 256);
	host[256] = '\0';
	ask(f, 1, host);
	UNTIL(f, f->failures == 2);
	assert_int_equal(calls, 0);
	host[255] = '\0';
	ask(f, 1, host);
	UNTIL(f, f->answers == 3);
	assert_int_equal(f->failures, 2);
	fails = true;
	host[0] = 'b';
	ask(f, 1, host);
	UNTIL(f, f->failures == 3);
	assert_non_null(strstr(f->text, "holiday"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(literal_addresses_are_answered_by_mail_without_a_look_up),
	    TEST(one_look_up_serves_all_who_ask),
	    TEST(an_answer_is_kept_for_sixty_seconds_and_served_stale_while_refreshed),
	    TEST(a_doubted_answer_is_kept_for_a_second),
	    TEST(the_stale_answer_stays_when_the_refresh_fails),
	    TEST(a_failure_names_host_and_reason_and_is_not_kept),
	    TEST(a_cancelled_request_is_never_answered),
	    TEST(a_cancelled_one_leaves_the_others_waiting),
	    TEST(freeing_does_not_wait_for_a_look_up_that_hangs),
	    TEST(a_request_may_be_cancelled_after_the_resolver_is_gone),
	    TEST(odd_host_names_are_refused_by_mail),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
