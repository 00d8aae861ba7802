/*
 * call -- main asks a worker to do something and waits for it, at most 5 s.
 *
 * A call that the worker has not begun by then is taken back: the worker will
 * drop it unseen, so that "busy" means that nothing was changed.
 */
#ifndef CALL_H
#define CALL_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "whole/worker.h"

/* First member of a call's own struct; made by call_new. */
struct call {
	struct mail mail;
	_Atomic int state;
	pthread_mutex_t lock;
	pthread_cond_t answered;
	bool done; /* under the lock */
	void (*run)(struct call *, struct worker *);
	void (*clear)(struct call *); /* frees what the struct points to; NULL: nothing */
	/* It must happen, late rather than never: it is not taken back. */
	bool insist;
	/* A call that is answered later than its run: run sets it, call_answer ends it. */
	bool later;
};

void *call_new(size_t size, void (*run)(struct call *, struct worker *),
	       void (*clear)(struct call *));
void call_post(struct call *, struct worker *);
/* false: the worker is busy, and the call is not main's any more. */
bool call_wait(struct call *, int64_t ms) __attribute__((warn_unused_result));
/*
 * Posts a make(arg) to each worker and waits for all; each answered call is
 * handed to read (NULL: nothing to read) and freed.  false: some worker was busy.
 */
bool call_all(struct worker **, unsigned n, struct call *(*make)(void *arg),
	      void (*read)(struct call *, void *arg), void *arg)
    __attribute__((warn_unused_result));
/* call_wait returned true and the answer was read. */
void call_free(struct call *);
/* Worker: the call that was kept for later is done. */
void call_answer(struct call *);

enum { CALL_WAIT_MS = 5000 };

#endif
