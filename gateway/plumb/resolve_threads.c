/*
 * The resolver's threads.  A thread takes the first queued name that some app
 * may still look up, so an app whose names hang holds two threads and no more.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <time.h>

#include "plumb/lookup.h"
#include "plumb/resolve_internal.h"

bool
resolve_app_may(const struct resolver *r, uint64_t app)
{
	size_t n = 0;

	for (size_t i = 0; i < r->looking; i++)
		n += r->apps[i] == app;
	return n < RESOLVE_APP_MAX;
}

/* The next name to look up, and the app that it is counted for. */
static struct resolve_name *
resolve_runnable(const struct resolver *r, uint64_t *app)
{
	struct resolve_name *name;
	struct resolve_request *request;

	TAILQ_FOREACH(name, &r->queue, link)
	{
		*app = name->asker;
		if (resolve_app_may(r, *app))
			return name;
		TAILQ_FOREACH(request, &name->waiting, link)
		{
			*app = request->app;
			if (resolve_app_may(r, *app))
				return name;
		}
	}
	return NULL;
}

static void
resolve_deadline(struct timespec *ts)
{
	clock_gettime(CLOCK_MONOTONIC, ts);
	ts->tv_sec += RESOLVE_IDLE_MS / 1000;
	ts->tv_nsec += (RESOLVE_IDLE_MS % 1000) * 1000000L;
	if (ts->tv_nsec >= 1000000000L) {
		ts->tv_sec++;
		ts->tv_nsec -= 1000000000L;
	}
}

/* Waits for work.  NULL: the thread is to end. */
static struct resolve_name *
resolve_next(struct resolver *r, uint64_t *app)
{
	struct resolve_name *name;
	struct timespec until;
	int rc = 0;

	resolve_deadline(&until);
	for (;;) {
		if (r->stopping)
			return NULL;
		/* Also after the deadline: a wake-up may have come just then. */
		if ((name = resolve_runnable(r, app)) != NULL || rc == ETIMEDOUT)
			return name;
		r->sleeping++;
		rc = pthread_cond_timedwait(&r->work, &r->lock, &until);
		r->sleeping--;
	}
}

static struct resolve_result *
resolve_look_up(const char *host)
{
	struct resolve_result *result = resolve_result_new();
	struct sockaddr_storage addr[RESOLVE_ADDRS_MAX];
	char why[RESOLVE_ERROR_BYTES / 2] = "";
	size_t n = 0;

	if (lookup_host(host, addr, RESOLVE_ADDRS_MAX, &n, why, sizeof(why)) == 0)
		for (size_t i = 0; i < n; i++)
			resolve_result_add(result, &addr[i]);
	if (result->n == 0)
		snprintf(result->error, sizeof(result->error), "cannot resolve %.60s: %s", host,
			 why[0] != '\0' ? why : "no address");
	return result;
}

static void
resolve_run(struct resolver *r, struct resolve_name *name, uint64_t app)
{
	struct resolve_result *result;
	uint64_t other;
	size_t i;

	TAILQ_REMOVE(&r->queue, name, link);
	name->state = RESOLVE_RUNNING;
	r->apps[r->looking++] = app;
	/* One wake-up may stand for several queued names: pass it on. */
	if (resolve_runnable(r, &other) != NULL)
		(void)resolve_staff(r);

	pthread_mutex_unlock(&r->lock);
	result = resolve_look_up(name->host);
	pthread_mutex_lock(&r->lock);

	for (i = 0; r->apps[i] != app; i++)
		;
	r->apps[i] = r->apps[--r->looking];
	resolve_finish(r, name, result);
}

static void *
resolve_thread(void *arg)
{
	struct resolver *r = arg;
	struct resolve_name *name;
	uint64_t app;

	pthread_mutex_lock(&r->lock);
	r->starting--;
	while ((name = resolve_next(r, &app)) != NULL)
		resolve_run(r, name, app);
	r->threads--;
	pthread_cond_signal(&r->gone);
	pthread_mutex_unlock(&r->lock);
	resolve_put(r);
	return NULL;
}

bool
resolve_staff(struct resolver *r)
{
	sigset_t all, was;
	pthread_attr_t attr;
	pthread_t thread;
	int rc;

	if (r->sleeping > 0) {
		pthread_cond_signal(&r->work);
		return true;
	}
	/* One that is starting passes on what it cannot take itself. */
	if (r->starting > 0 || r->threads == RESOLVE_THREADS_MAX)
		return true;

	/* Detached: nobody waits for one that hangs.  Signals are main's. */
	sigfillset(&all);
	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	pthread_sigmask(SIG_SETMASK, &all, &was);
	rc = pthread_create(&thread, &attr, resolve_thread, r);
	pthread_sigmask(SIG_SETMASK, &was, NULL);
	pthread_attr_destroy(&attr);
	if (rc == 0) {
		/* The new thread waits for the lock, which we hold. */
		r->threads++;
		r->starting++;
		r->refs++;
	}
	return r->threads > 0;
}
