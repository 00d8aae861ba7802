/*
 * worker_spool -- a worker and the spooler: what is committed when, what is
 * read back, what comes of the answers.
 *
 * A log that has anything unsafe is dirty, and looked at by the tick; one whose
 * lines are over spool-after old, or waited for and not taken soon, is urgent, and committed at
 * the end of a turn.  One commit of a worker is under way at a time: what gets
 * urgent meanwhile goes together in the next one.
 *
 * Owner and thread: the worker; init and load before it runs.
 */
#ifndef WORKER_SPOOL_H
#define WORKER_SPOOL_H

#include <stdbool.h>
#include <stdint.h>

#include "log/app_log.h"
#include "log/spooler.h"

struct worker;

struct worker_spool {
	struct spooler *spooler; /* NULL: there is none */
	struct app_log_list dirty, urgent;
	struct event *tick;
	unsigned failing;	 /* so many workers have lines that it does not take now */
	bool committing;	 /* chunks are with the spooler */
	unsigned marking;	 /* so many commits with marks alone are */
	unsigned fetches;	 /* requests that are not answered */
	int64_t commit_after_ms; /* after a failure: not before */
	int64_t fetch_after_ms;
	int64_t marked_ms; /* when marks alone were last sent */
	unsigned ticks;
	unsigned look_ticks; /* so many from one look at the age of lines to the next */
};

void worker_spool_init(struct worker *);
void worker_spool_clear(struct worker *);
/* After each round of events: commits what is urgent, asks for what is wanted. */
void worker_spool_turn(struct worker *);
/* A log got lines and is about to be flushed. */
void worker_spool_lines(struct worker *, struct app_log *);
/* What is not safe of it is committed as soon as may be. */
void worker_spool_urge(struct worker *, struct app_log *);
/* The worker is over worker-memory: what a drain that lags has in it does not wait. */
void worker_spool_relieve(struct worker *, struct app_log *);
/* The log is about to be freed.  drop: its app is gone, and what the spool has of it goes. */
void worker_spool_forget(struct worker *, struct app_log *, bool drop);
/* Everything that is not safe, and all marks, as soon as may be. */
void worker_spool_hurry(struct worker *);
/* Nothing unsafe is left that the spool would take.  Marks may be under way. */
bool worker_spool_is_done(const struct worker *);
/* The spooler's trim, delivered to a worker's mailbox. */
void worker_spool_on_trim(struct mail *, void *worker);

#endif
