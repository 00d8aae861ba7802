#include "whole/call.h"

#include <stdlib.h>
#include <time.h>

#include "base/xmalloc.h"

enum call_state { CALL_POSTED, CALL_RUNNING, CALL_TAKEN_BACK, CALL_LEFT_ALONE };

static void
on_call(struct mail *mail, void *owner)
{
	struct call *c = (struct call *)mail;
	int posted = CALL_POSTED;

	if (!atomic_compare_exchange_strong(&c->state, &posted, CALL_RUNNING) &&
	    posted == CALL_TAKEN_BACK) {
		call_free(c);
		return;
	}
	c->run(c, owner);
	if (!c->later)
		call_answer(c);
}

void
call_answer(struct call *c)
{
	/* Main does not wait for it any more. */
	if (atomic_load(&c->state) == CALL_LEFT_ALONE) {
		call_free(c);
		return;
	}
	pthread_mutex_lock(&c->lock);
	c->done = true;
	pthread_cond_signal(&c->answered);
	/* Inside the lock: main frees the call as soon as it has the lock. */
	pthread_mutex_unlock(&c->lock);
}

void *
call_new(size_t size, void (*run)(struct call *, struct worker *), void (*clear)(struct call *))
{
	struct call *c = xcalloc(1, size);

	c->mail.deliver = on_call;
	c->run = run;
	c->clear = clear;
	pthread_mutex_init(&c->lock, NULL);
	pthread_cond_init(&c->answered, NULL);
	return c;
}

void
call_post(struct call *c, struct worker *w)
{
	mailbox_push(w->mailbox, &c->mail);
}

static void
timespec_add_ms(struct timespec *ts, int64_t ms)
{
	ts->tv_sec += (time_t)(ms / 1000);
	ts->tv_nsec += (long)(ms % 1000) * 1000000;
	if (ts->tv_nsec >= 1000000000) {
		ts->tv_sec++;
		ts->tv_nsec -= 1000000000;
	}
}

/* until NULL: for as long as it takes. */
static bool
wait_until(struct call *c, const struct timespec *until)
{
	bool done;
	int err = 0;

	pthread_mutex_lock(&c->lock);
	while (!c->done && err == 0)
		err = until != NULL
			  ? pthread_cond_clockwait(&c->answered, &c->lock, CLOCK_MONOTONIC, until)
			  : pthread_cond_wait(&c->answered, &c->lock);
	done = c->done;
	pthread_mutex_unlock(&c->lock);
	return done;
}

bool
call_wait(struct call *c, int64_t ms)
{
	struct timespec until;
	int posted = CALL_POSTED;

	clock_gettime(CLOCK_MONOTONIC, &until);
	timespec_add_ms(&until, ms);
	if (wait_until(c, &until))
		return true;
	if (atomic_compare_exchange_strong(&c->state, &posted,
					   c->insist ? CALL_LEFT_ALONE : CALL_TAKEN_BACK))
		return false;
	/* It has begun: it will end soon, and its effect is there. */
	return wait_until(c, NULL);
}

void
call_free(struct call *c)
{
	if (c->clear != NULL)
		c->clear(c);
	pthread_mutex_destroy(&c->lock);
	pthread_cond_destroy(&c->answered);
	free(c);
}

bool
call_all(struct worker **workers, unsigned n, struct call *(*make)(void *arg),
	 void (*read)(struct call *, void *arg), void *arg)
{
	struct call **calls = xcalloc(n, sizeof(struct call *));
	bool all = true;

	for (unsigned i = 0; i < n; i++) {
		calls[i] = make(arg);
		call_post(calls[i], workers[i]);
	}
	for (unsigned i = 0; i < n; i++) {
		if (!call_wait(calls[i], CALL_WAIT_MS)) {
			all = false;
			continue;
		}
		if (read != NULL)
			read(calls[i], arg);
		call_free(calls[i]);
	}
	free(calls);
	return all;
}
