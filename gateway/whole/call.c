#include "whole/call.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "base/xmalloc.h"

enum call_state { CALL_POSTED, CALL_RUNNING, CALL_TAKEN_BACK, CALL_LEFT_ALONE };

static void
on_call(struct mail *mail, void *owner)
{
	struct call *c = (struct call *)mail;
	int posted = CALL_POSTED;

	if (!atomic_compare_exchange_strong(&c->state, &posted, CALL_RUNNING)) {
		if (posted == CALL_LEFT_ALONE)
			c->run(c, owner);
		call_free(c);
		return;
	}
	c->run(c, owner);
	if (!c->later)
		sem_post(&c->done);
}

void
call_answer(struct call *c)
{
	sem_post(&c->done);
}

void *
call_new(size_t size, void (*run)(struct call *, struct worker *), void (*clear)(struct call *))
{
	struct call *c = xcalloc(1, size);

	c->mail.deliver = on_call;
	c->run = run;
	c->clear = clear;
	sem_init(&c->done, 0, 0);
	return c;
}

void
call_post(struct call *c, struct worker *w)
{
	mailbox_push(w->mailbox, &c->mail);
}

static int
wait_until(sem_t *sem, const struct timespec *until)
{
	int r;

	do
		r = sem_clockwait(sem, CLOCK_MONOTONIC, until);
	while (r < 0 && errno == EINTR);
	return r;
}

bool
call_wait(struct call *c, int64_t ms)
{
	struct timespec until;
	int posted = CALL_POSTED;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += (time_t)(ms / 1000);
	if (wait_until(&c->done, &until) == 0)
		return true;
	if (atomic_compare_exchange_strong(&c->state, &posted,
					   c->insist ? CALL_LEFT_ALONE : CALL_TAKEN_BACK))
		return false;
	/* It has begun: it will end soon, and its effect is there. */
	while (sem_wait(&c->done) < 0)
		;
	return true;
}

void
call_free(struct call *c)
{
	if (c->clear != NULL)
		c->clear(c);
	sem_destroy(&c->done);
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
