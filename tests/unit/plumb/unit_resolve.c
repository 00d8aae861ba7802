/* The look-up and the clock are this file's own: no network, no waiting for minutes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <dirent.h>
#include <event2/event.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "plumb/lookup.h"
#include "plumb/resolve_internal.h"

static _Atomic int64_t now_ms;
static _Atomic bool fails;
static _Atomic int octet = 1; /* of the address that look-ups find */
static _Atomic bool shut;     /* names with a 'g' in front hang while it is set */
static _Atomic int calls, inside, most_inside;

int64_t
clock_mono_ms(void)
{
	return now_ms;
}

int64_t
clock_wall_us(void)
{
	return 0;
}

int
lookup_host(const char *host, struct sockaddr_storage *out, size_t max, size_t *n, char *err,
	    size_t len)
{
	struct sockaddr_in in = {.sin_family = AF_INET};
	int here = atomic_fetch_add(&inside, 1) + 1, most = most_inside;

	while (here > most && !atomic_compare_exchange_weak(&most_inside, &most, here))
		;
	calls++;
	while (host[0] == 'g' && shut)
		usleep(500);
	inside--;
	assert_true(max >= 1);
	*n = 0;
	if (fails) {
		snprintf(err, len, "it is on holiday");
		return -1;
	}
	in.sin_addr.s_addr = htonl(0x0a000000U + (uint32_t)octet);
	memset(&out[0], 0, sizeof(out[0]));
	memcpy(&out[0], &in, sizeof(in));
	*n = 1;
	return 0;
}

struct fixture {
	struct event_base *base;
	struct mailbox *box;
	struct resolver *resolver;
	int answers, failures;
	char text[RESOLVE_ERROR_BYTES]; /* of the last answer */
};

static void
on_answer(const struct resolve_answer *answer, void *arg)
{
	struct fixture *f = arg;
	char ip[INET6_ADDRSTRLEN] = "";
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)&answer->addr[0];
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)&answer->addr[0];

	f->answers++;
	if (answer->n == 0) {
		f->failures++;
		snprintf(f->text, sizeof(f->text), "%s", answer->error);
	} else if (v4->sin_family == AF_INET) {
		inet_ntop(AF_INET, &v4->sin_addr, ip, sizeof(ip));
		snprintf(f->text, sizeof(f->text), "%s %d", ip, ntohs(v4->sin_port));
	} else {
		inet_ntop(AF_INET6, &v6->sin6_addr, ip, sizeof(ip));
		snprintf(f->text, sizeof(f->text), "%s %d", ip, ntohs(v6->sin6_port));
	}
}

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	now_ms = 1000000;
	fails = false;
	shut = false;
	octet = 1;
	calls = 0;
	most_inside = 0;
	f->base = event_base_new();
	f->box = mailbox_new(f->base, f);
	f->resolver = resolver_new();
	*state = f;
	return f->box == NULL;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	resolver_free(f->resolver);
	mailbox_turn(f->box);
	mailbox_free(f->box);
	event_base_free(f->base);
	free(f);
	return 0;
}

static struct resolve_request *
ask(struct fixture *f, uint64_t app, const char *host)
{
	return resolve_ask(f->resolver, f->box, app, host, 514, on_answer, f);
}

/* Turns the loop until cond holds, for 20 s at most. */
#define UNTIL(f, cond)                                                             \
	do {                                                                       \
		for (int i_ = 0; !(cond) && i_ < 20000; i_++) {                    \
			event_base_loop((f)->base, EVLOOP_ONCE | EVLOOP_NONBLOCK); \
			if (!(cond))                                               \
				usleep(1000);                                      \
		}                                                                  \
		assert_true(cond);                                                 \
	} while (0)

/* Long enough for what must not happen to happen. */
static void
linger(struct fixture *f)
{
	for (int i = 0; i < 50; i++) {
		event_base_loop(f->base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
		usleep(1000);
	}
}

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
an_app_whose_names_hang_leaves_threads_to_others(void **state)
{
	struct fixture *f = *state;
	char host[32];

	shut = true;
	for (int i = 0; i < 50; i++) {
		snprintf(host, sizeof(host), "g%d", i);
		ask(f, 1, host);
	}
	UNTIL(f, inside == 2);
	linger(f);
	assert_int_equal(inside, 2);
	ask(f, 2, "quick");
	UNTIL(f, f->answers == 1);
	assert_int_equal(inside, 2);
	shut = false;
	UNTIL(f, f->answers == 51);
	assert_int_equal(calls, 51);
	assert_in_range(most_inside, 2, 3);
}

static void
a_queued_name_runs_for_whoever_may(void **state)
{
	struct fixture *f = *state;

	shut = true;
	ask(f, 1, "g1");
	ask(f, 1, "g2");
	UNTIL(f, inside == 2);
	ask(f, 1, "third");
	linger(f);
	assert_int_equal(calls, 2);
	ask(f, 2, "third");
	UNTIL(f, f->answers == 2);
	assert_int_equal(calls, 3);
	shut = false;
	UNTIL(f, f->answers == 4);
}

static void
a_queued_refresh_runs_for_whoever_may(void **state)
{
	struct fixture *f = *state;

	ask(f, 1, "third");
	UNTIL(f, f->answers == 1);
	now_ms += 60000;
	shut = true;
	ask(f, 1, "g1");
	ask(f, 1, "g2");
	UNTIL(f, inside == 2);
	ask(f, 1, "third");
	UNTIL(f, f->answers == 2);
	linger(f);
	assert_int_equal(calls, 3);
	ask(f, 2, "third");
	UNTIL(f, calls == 4 && f->answers == 3);
	shut = false;
	UNTIL(f, f->answers == 5);
}

static void
sixteen_look_ups_run_at_once_and_no_more(void **state)
{
	struct fixture *f = *state;
	char host[32];

	shut = true;
	for (int i = 0; i < 40; i++) {
		snprintf(host, sizeof(host), "g%d", i);
		ask(f, (uint64_t)i, host);
	}
	UNTIL(f, inside == 16);
	linger(f);
	assert_int_equal(inside, 16);
	shut = false;
	UNTIL(f, f->answers == 40);
	assert_int_equal(most_inside, 16);
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

static int
threads(void)
{
	DIR *dir = opendir("/proc/self/task");
	int n = -2; /* . and .. */

	assert_non_null(dir);
	while (readdir(dir) != NULL)
		n++;
	closedir(dir);
	return n;
}

static void
threads_start_on_demand_and_end_when_idle(void **state)
{
	struct fixture *f = *state;
	int before = threads();
	char host[32];

	ask(f, 1, "127.0.0.1");
	UNTIL(f, f->answers == 1);
	assert_int_equal(threads(), before);
	shut = true;
	for (int i = 0; i < 6; i++) {
		snprintf(host, sizeof(host), "g%d", i);
		ask(f, (uint64_t)i, host);
	}
	UNTIL(f, inside == 6);
	assert_int_equal(threads(), before + 6);
	shut = false;
	UNTIL(f, f->answers == 7);
	UNTIL(f, threads() == before);
	ask(f, 1, "again");
	UNTIL(f, f->answers == 8);
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

static void
the_queue_ends_somewhere(void **state)
{
	struct fixture *f = *state;
	char host[32];

	shut = true;
	for (int i = 0; i < RESOLVE_NAMES_MAX; i++) {
		snprintf(host, sizeof(host), "g%d", i);
		ask(f, 1, host);
	}
	UNTIL(f, inside == 2);
	assert_int_equal(f->answers, 0);
	ask(f, 2, "one-more");
	UNTIL(f, f->failures == 1);
	assert_non_null(strstr(f->text, "too many"));
	shut = false;
	UNTIL(f, f->answers == RESOLVE_NAMES_MAX + 1);
	assert_int_equal(f->failures, 1);

	/* Now all of them are only cached: the longest unused makes room. */
	ask(f, 2, "one-more");
	UNTIL(f, f->answers == RESOLVE_NAMES_MAX + 2);
	assert_int_equal(f->failures, 1);
	assert_int_equal(f->resolver->names, RESOLVE_NAMES_MAX);
}

struct asker {
	struct resolver *resolver;
	unsigned seed;
	int answered, asked, cancelled;
};

static void
on_stress(const struct resolve_answer *answer, void *arg)
{
	struct resolve_request **slot = arg;

	(void)answer;
	*slot = NULL;
}

static void *
asker_run(void *arg)
{
	struct asker *a = arg;
	struct event_base *base = event_base_new();
	struct mailbox *box = mailbox_new(base, a);
	struct resolve_request *slot[32] = {NULL};
	char host[16];

	for (int i = 0; i < 5000; i++) {
		int k = rand_r(&a->seed) % 32;

		if (slot[k] != NULL) {
			resolve_cancel(slot[k]);
			slot[k] = NULL;
		} else {
			snprintf(host, sizeof(host), "n%d", rand_r(&a->seed) % 100);
			slot[k] = resolve_ask(a->resolver, box, (uint64_t)k, host, 1, on_stress,
					      &slot[k]);
		}
		if (i % 7 == 0)
			event_base_loop(base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
		if (i % 50 == 0)
			now_ms += 20000;
		if (i % 400 == 0)
			fails = !fails;
	}
	for (int k = 0; k < 32; k++)
		resolve_cancel(slot[k]);
	mailbox_turn(box);
	mailbox_free(box);
	event_base_free(base);
	return NULL;
}

static void
threads_may_ask_and_cancel_as_they_like(void **state)
{
	struct fixture *f = *state;
	struct asker askers[3];
	pthread_t thread[3];

	for (unsigned i = 0; i < 3; i++) {
		askers[i] = (struct asker){.resolver = f->resolver, .seed = i + 1};
		assert_int_equal(pthread_create(&thread[i], NULL, asker_run, &askers[i]), 0);
	}
	for (unsigned i = 0; i < 3; i++)
		pthread_join(thread[i], NULL);
	fails = false;
	ask(f, 1, "last");
	UNTIL(f, f->answers == 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(literal_addresses_are_answered_by_mail_without_a_look_up),
	    TEST(one_look_up_serves_all_who_ask),
	    TEST(an_answer_is_kept_for_sixty_seconds_and_served_stale_while_refreshed),
	    TEST(the_stale_answer_stays_when_the_refresh_fails),
	    TEST(a_failure_names_host_and_reason_and_is_not_kept),
	    TEST(an_app_whose_names_hang_leaves_threads_to_others),
	    TEST(a_queued_name_runs_for_whoever_may),
	    TEST(a_queued_refresh_runs_for_whoever_may),
	    TEST(sixteen_look_ups_run_at_once_and_no_more),
	    TEST(a_cancelled_request_is_never_answered),
	    TEST(a_cancelled_one_leaves_the_others_waiting),
	    TEST(freeing_does_not_wait_for_a_look_up_that_hangs),
	    TEST(a_request_may_be_cancelled_after_the_resolver_is_gone),
	    TEST(threads_start_on_demand_and_end_when_idle),
	    TEST(odd_host_names_are_refused_by_mail),
	    TEST(the_queue_ends_somewhere),
	    TEST(threads_may_ask_and_cancel_as_they_like),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
