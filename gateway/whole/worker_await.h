/*
 * worker_await -- logs whose senders wait until lines are delivered or on disk.
 *
 * Most drains take lines at once, and then they need not go to disk: so every
 * few milliseconds such lines are sent, and receivers asked what they have
 * taken; what they do not take soon (7 ms after it went out, 30 ms after it came) is
 * committed.
 *
 * Without a spool it is only asked.
 *
 * Owner and thread: the worker; init before it runs.
 */
#ifndef WORKER_AWAIT_H
#define WORKER_AWAIT_H

#include "log/app_log.h"

struct worker;
struct event;

struct worker_await {
	struct app_log_list logs;
	struct event *timer; /* runs as long as there are any */
	unsigned rounds;     /* of asking */
};

void worker_await_init(struct worker *);
void worker_await_clear(struct worker *);
/* The log is about to be freed. */
void worker_await_forget(struct worker *, struct app_log *);

#endif
