/* Calls to workers that answer, that are busy, and that are busy for too long. */
#include "whole/worker_fixture.h"

#include <semaphore.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "whole/call.h"
#include "whole/worker_stop.h"

enum { WAIT_MS = 10 * 1000, SHORT_MS = 60 };

static _Atomic unsigned runs, clears;
static struct call *kept; /* the worker's: answered later */

struct question {
	struct call call;
	int asked, answer;
	unsigned index; /* of the worker that ran it */
	char *text;	/* freed by clear */
};

static void
run_question(struct call *call, struct worker *w)
{
	struct question *q = (struct question *)call;

	runs++;
	q->answer = q->asked * 2;
	q->index = w->index;
}

static void
clear_question(struct call *call)
{
	clears++;
	free(((struct question *)call)->text);
}

static struct question *
question_new(int asked)
{
	struct question *q = call_new(sizeof(*q), run_question, clear_question);

	q->asked = asked;
	q->text = strdup("goes with the call");
	return q;
}

/* Keeps a worker busy until it is told to go on. */
struct block {
	struct call call;
	sem_t *begun, *go_on;
};

static void
run_block(struct call *call, struct worker *w)
{
	struct block *b = (struct block *)call;

	(void)w;
	sem_post(b->begun);
	while (sem_wait(b->go_on) != 0)
		;
}

static sem_t begun, go_on;

/* The worker is in it when this returns. */
static struct block *
block_worker(struct worker *w)
{
	struct block *b = call_new(sizeof(*b), run_block, NULL);

	b->begun = &begun;
	b->go_on = &go_on;
	call_post(&b->call, w);
	while (sem_wait(&begun) != 0)
		;
	return b;
}

static void
unblock(struct block *b)
{
	sem_post(&go_on);
	assert_true(call_wait(&b->call, WAIT_MS));
	call_free(&b->call);
}

/* Everything posted before has been dealt with when this returns. */
static void
settle(struct worker *w)
{
	struct question *q = question_new(0);

	call_post(&q->call, w);
	assert_true(call_wait(&q->call, WAIT_MS));
	call_free(&q->call);
	runs--;
	clears--;
}

static int
setup_of(void **state, unsigned workers)
{
	struct fixture *f = fixture_new(workers);

	runs = clears = 0;
	sem_init(&begun, 0, 0);
	sem_init(&go_on, 0, 0);
	for (unsigned i = 0; i < workers; i++)
		if (!worker_run(f->workers[i]))
			return -1;
	*state = f;
	return 0;
}

static int
setup_one(void **state)
{
	return setup_of(state, 1);
}

static int
setup_three(void **state)
{
	return setup_of(state, 3);
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	for (unsigned i = 0; i < f->setup.workers; i++) {
		struct call *stop = call_new(sizeof(*stop), worker_stop_loop, NULL);

		call_post(stop, f->workers[i]);
		assert_true(call_wait(stop, WAIT_MS));
		call_free(stop);
		worker_join(f->workers[i]);
	}
	fixture_free(f);
	sem_destroy(&begun);
	sem_destroy(&go_on);
	return 0;
}

static void
an_answer_comes_back(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < 2000; i++) {
		struct question *q = question_new(i);

		call_post(&q->call, f->workers[0]);
		assert_true(call_wait(&q->call, WAIT_MS));
		assert_int_equal(q->answer, i * 2);
		call_free(&q->call);
	}
	assert_int_equal(runs, 2000);
	assert_int_equal(clears, 2000);
}

static void
a_call_that_was_not_begun_in_time_never_happens(void **state)
{
	struct fixture *f = *state;
	struct block *b = block_worker(f->workers[0]);
	struct question *q = question_new(1);

	call_post(&q->call, f->workers[0]);
	assert_false(call_wait(&q->call, SHORT_MS));
	unblock(b);
	settle(f->workers[0]);
	assert_int_equal(runs, 0);
	/* What it carried is freed all the same, by the worker. */
	assert_int_equal(clears, 1);
}

static void
an_insisting_call_happens_late(void **state)
{
	struct fixture *f = *state;
	struct block *b = block_worker(f->workers[0]);
	struct question *q = question_new(1);

	q->call.insist = true;
	call_post(&q->call, f->workers[0]);
	assert_false(call_wait(&q->call, SHORT_MS));
	assert_int_equal(runs, 0);
	unblock(b);
	settle(f->workers[0]);
	assert_int_equal(runs, 1);
	assert_int_equal(clears, 1);
}

static void
an_insisting_call_in_time_is_like_any_other(void **state)
{
	struct fixture *f = *state;
	struct question *q = question_new(21);

	q->call.insist = true;
	call_post(&q->call, f->workers[0]);
	assert_true(call_wait(&q->call, WAIT_MS));
	assert_int_equal(q->answer, 42);
	assert_int_equal(clears, 0);
	call_free(&q->call);
	assert_int_equal(runs, 1);
	assert_int_equal(clears, 1);
}

static void *
go_on_soon(void *arg)
{
	(void)arg;
	usleep(3 * SHORT_MS * 1000);
	sem_post(&go_on);
	return NULL;
}

/* Its effect is there, or will be: "busy" would be a lie. */
static void
a_call_that_has_begun_is_waited_for_to_its_end(void **state)
{
	struct fixture *f = *state;
	struct block *b = block_worker(f->workers[0]);
	int64_t since = clock_mono_ms();
	pthread_t thread;

	assert_int_equal(pthread_create(&thread, NULL, go_on_soon, NULL), 0);
	assert_true(call_wait(&b->call, SHORT_MS));
	assert_true(clock_mono_ms() - since >= 3 * SHORT_MS);
	call_free(&b->call);
	pthread_join(thread, NULL);
}

static void
run_later(struct call *call, struct worker *w)
{
	(void)w;
	runs++;
	call->later = true;
	kept = call;
}

static void
run_answer_kept(struct call *call, struct worker *w)
{
	(void)call;
	(void)w;
	if (kept != NULL)
		call_answer(kept);
	kept = NULL;
}

static void *
answer_soon(void *arg)
{
	struct call *c = call_new(sizeof(*c), run_answer_kept, NULL);

	usleep(3 * SHORT_MS * 1000);
	call_post(c, arg);
	if (!call_wait(c, WAIT_MS))
		return NULL;
	call_free(c);
	return NULL;
}

static void
a_call_may_be_answered_later_than_it_ran(void **state)
{
	struct fixture *f = *state;
	struct call *c = call_new(sizeof(*c), run_later, NULL);
	int64_t since = clock_mono_ms();
	pthread_t thread;

	call_post(c, f->workers[0]);
	assert_int_equal(pthread_create(&thread, NULL, answer_soon, f->workers[0]), 0);
	assert_true(call_wait(c, SHORT_MS));
	assert_true(clock_mono_ms() - since >= 3 * SHORT_MS);
	assert_int_equal(runs, 1);
	call_free(c);
	pthread_join(thread, NULL);
}

/* Nobody waits for it when its answer comes; LeakSanitizer watches. */
static void
a_late_call_may_be_answered_later_still(void **state)
{
	struct fixture *f = *state;
	struct block *b = block_worker(f->workers[0]);
	struct call *late = call_new(sizeof(*late), run_later, NULL);
	struct call *answer = call_new(sizeof(*answer), run_answer_kept, NULL);

	late->insist = true;
	call_post(late, f->workers[0]);
	assert_false(call_wait(late, SHORT_MS));
	unblock(b);
	settle(f->workers[0]);
	assert_int_equal(runs, 1);
	call_post(answer, f->workers[0]);
	assert_true(call_wait(answer, WAIT_MS));
	call_free(answer);
}

static void
the_wait_is_as_long_as_asked_for(void **state)
{
	struct fixture *f = *state;
	struct block *b = block_worker(f->workers[0]);
	static const int64_t waits[] = {0, 20, 300, 999, 1100};

	for (size_t i = 0; i < sizeof(waits) / sizeof(waits[0]); i++) {
		struct question *q = question_new(1);
		int64_t since = clock_mono_ms();

		call_post(&q->call, f->workers[0]);
		assert_false(call_wait(&q->call, waits[i]));
		assert_true(clock_mono_ms() - since >= waits[i]);
		assert_true(clock_mono_ms() - since < waits[i] + 5000);
	}
	unblock(b);
}

struct survey {
	int asked;
	unsigned seen; /* bit n: worker n answered */
};

static struct call *
make_question(void *arg)
{
	struct survey *s = arg;

	return &question_new(++s->asked)->call;
}

static void
read_question(struct call *call, void *arg)
{
	const struct question *q = (const struct question *)call;
	struct survey *s = arg;

	assert_int_equal(q->answer, q->asked * 2);
	s->seen |= 1U << q->index;
}

static void
all_workers_are_asked_and_each_answer_is_read(void **state)
{
	struct fixture *f = *state;
	struct survey s = {0};

	assert_true(call_all(f->workers, 3, make_question, read_question, &s));
	assert_int_equal(s.asked, 3);
	assert_int_equal(s.seen, 7);
	assert_true(call_all(f->workers, 3, make_question, NULL, &s));
	assert_int_equal(runs, 6);
	assert_int_equal(clears, 6);
}

static void
one_busy_worker_is_told_of_and_the_others_are_read(void **state)
{
	struct fixture *f = *state;
	struct block *b = block_worker(f->workers[1]);
	struct survey s = {0};

	assert_false(call_all(f->workers, 3, make_question, read_question, &s));
	assert_int_equal(s.seen, 5);
	unblock(b);
	settle(f->workers[1]);
	assert_int_equal(runs, 2);
	assert_int_equal(clears, 3);
}

/* Main gives up at the very moment that the worker begins: one of them frees the call. */
static void
a_wait_that_ends_as_the_call_begins_is_one_or_the_other(void **state)
{
	struct fixture *f = *state;
	unsigned taken_back = 0, answered = 0;

	for (int i = 0; i < 20000; i++) {
		struct question *q = question_new(i);

		call_post(&q->call, f->workers[0]);
		if (call_wait(&q->call, 0)) {
			assert_int_equal(q->answer, i * 2);
			call_free(&q->call);
			answered++;
		} else {
			taken_back++;
		}
	}
	settle(f->workers[0]);
	assert_int_equal(runs, answered);
	assert_int_equal(clears, 20000);
	assert_int_equal(taken_back + answered, 20000);
}

int
main(void)
{
#define ONE(name) cmocka_unit_test_setup_teardown(name, setup_one, teardown)
#define THREE(name) cmocka_unit_test_setup_teardown(name, setup_three, teardown)
	const struct CMUnitTest tests[] = {
	    ONE(an_answer_comes_back),
	    ONE(a_call_that_was_not_begun_in_time_never_happens),
	    ONE(an_insisting_call_happens_late),
	    ONE(an_insisting_call_in_time_is_like_any_other),
	    ONE(a_call_that_has_begun_is_waited_for_to_its_end),
	    ONE(a_call_may_be_answered_later_than_it_ran),
	    ONE(a_late_call_may_be_answered_later_still),
	    ONE(the_wait_is_as_long_as_asked_for),
	    THREE(all_workers_are_asked_and_each_answer_is_read),
	    THREE(one_busy_worker_is_told_of_and_the_others_are_read),
	    ONE(a_wait_that_ends_as_the_call_begins_is_one_or_the_other),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
