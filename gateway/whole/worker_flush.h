/*
 * worker_flush -- when the lines of a log go to its drains: at once when it was quiet or has
 * plenty, else after `linger`, or later while the worker is busy (architecture, "Linger").
 *
 * Owner and thread: the worker.
 */
#ifndef WORKER_FLUSH_H
#define WORKER_FLUSH_H

#include <stdint.h>

#include "log/app_log.h"

struct event;
struct worker;

struct worker_flush {
	struct app_log_list touched; /* got lines in this turn */
	struct app_log_list due;     /* gather; oldest first */
	struct app_log_list idle;    /* everything delivered: will give up their chunk */
	int64_t linger;		     /* milliseconds; 0 while stopping */
	unsigned more_turns;	     /* turns that left something unread, less those that did not */
	struct event *due_timer;
};

void worker_flush_init(struct worker *);
void worker_flush_clear(struct worker *);

/* The log got lines. */
void worker_touch(struct app_log *, void *worker);
/* A drain of it has more to send than one turn carries. */
void worker_flush_more(struct app_log *, void *worker);
/* Its drains get what they have not seen of it. */
void worker_flush(struct worker *, struct app_log *, int64_t now_ms);
/* After a round of events: what is due goes out. */
void worker_flush_turn(struct worker *);
/* What gathers goes out at the turn's end, and all that comes from now on at once. */
void worker_stop_lingering(struct worker *);

/* Everything of it may be delivered: then it is idle. */
void worker_flush_rest(struct worker *, struct app_log *, int64_t now_ms);
void worker_flush_rests(struct app_log *, void *worker);
/* Logs that have been idle for long give up their chunk. */
void worker_flush_hibernate(struct worker *, int64_t now_ms);

/* The log is about to be freed: none of the worker's lists may know it. */
void worker_forget_log(struct worker *, struct app_log *);

#endif
