/* Which thread looks up what, and when there is one. */
#include "plumb/resolve_fixture.h"

#include <dirent.h>
#include <pthread.h>

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

static int threads_at_start;

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
	int before = threads_at_start;
	char host[32];

	/* Those of the tests before may still be on their way out. */
	UNTIL(f, threads() == before);
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

static void *
nothing(void *arg)
{
	return arg;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(an_app_whose_names_hang_leaves_threads_to_others),
	    TEST(a_queued_name_runs_for_whoever_may),
	    TEST(a_queued_refresh_runs_for_whoever_may),
	    TEST(sixteen_look_ups_run_at_once_and_no_more),
	    TEST(threads_start_on_demand_and_end_when_idle),
	    TEST(the_queue_ends_somewhere),
	    TEST(threads_may_ask_and_cancel_as_they_like),
	};
	pthread_t first;

	/* ThreadSanitizer starts a thread of its own along with the first. */
	if (pthread_create(&first, NULL, nothing, NULL) != 0 || pthread_join(first, NULL) != 0)
		return 1;
	/* A joined thread may still be listed for a moment. */
	usleep(100 * 1000);
	threads_at_start = threads();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
