/*
 * worker_stop -- the end of a worker, in three steps that main asks for one
 * after the other, so that no step of one worker meets an earlier one of
 * another: read what was sent, deliver what waits, end.
 *
 * Thread: the worker's; the calls' run functions.
 */
#ifndef WORKER_STOP_H
#define WORKER_STOP_H

#include "whole/call.h"

/* Accepts what is queued, closes listeners, reads each session dry (1 s at most); ends them. */
void worker_stop_reading(struct call *, struct worker *);
/*
 * Answers when all that is not delivered is on disk, and its senders were told,
 * or the disk takes nothing.
 */
void worker_stop_committing(struct call *, struct worker *);
/* Answers when every drain is done, or after stop-timeout. */
void worker_stop_delivering(struct call *, struct worker *);
/* The loop ends; the worker may be joined. */
void worker_stop_loop(struct call *, struct worker *);

#endif
