/*
 * worker -- one thread with its event_base, its listeners and sessions, and
 * the logs and drains of the apps at home there.  Workers share nothing but
 * mailboxes; each is told by mail from main what apps and drains there are.
 *
 * Owner: the gateway.  All of a worker's state belongs to its thread, but for
 * `post` (any thread) and `stats` (read by any thread).
 */
#ifndef WORKER_H
#define WORKER_H

#include <pthread.h>
#include <stdbool.h>

#include "ends/drain.h"
#include "ends/ingest.h"
#include "ends/intake.h"
#include "ends/unrouted.h"
#include "whole/worker_await.h"
#include "whole/worker_flush.h"
#include "whole/worker_spool.h"

struct event;

/* What all workers are given; constant while they run. */
struct worker_setup {
	const struct config *config;
	struct resolver *resolver;
	SSL_CTX *drain_tls;
	const struct address_policy *policy;
	struct slice host;
	uint64_t start;	     /* start number of sequences */
	struct post **posts; /* of all workers, by index */
	unsigned workers;
	struct spooler *spooler;		     /* NULL: there is no spool */
	struct mailbox *main;			     /* for what main should know */
	void (*unknown)(struct mail *, void *owner); /* delivers a struct unknown_app there */
};

/* A line came for an app nobody knows: the first of that name on a worker. */
struct unknown_app {
	struct mail mail;
	char name[UNROUTED_NAME_BYTES];
};

struct worker {
	unsigned index;
	const struct worker_setup *setup;
	pthread_t thread;
	struct event_base *base;
	struct mailbox *mailbox;
	struct post post;
	struct stats stats;

	struct routes *routes;
	struct log_pool pool;
	struct ingest ingest;
	struct intake intake;
	struct drain_env drains;

	struct event *tick;
	int64_t swept_ms;

	/* Back-pressure: worker_pressure.c */
	bool pressing;	    /* this worker told all to stop reading */
	unsigned paused_by; /* workers, and full mailboxes, that stop us */
	uint64_t asked;	    /* bit n: we wait for worker n's mailbox to empty */

	struct worker_flush flush;
	struct worker_spool spool;
	struct worker_await await;
	struct unrouted unrouted;

	/* Stopping: worker_stop.c */
	struct worker_stop *stop;
	bool quit;
};

struct worker *worker_new(unsigned index, const struct worker_setup *);
/* After worker_join: takes in what others have answered, the spooler above all; nothing is sent. */
void worker_hear(struct worker *);
/*
 * After worker_join, or when it never ran: closes everything; what was not
 * delivered is counted.  It may still post to other workers.  A second call
 * does nothing.
 */
void worker_end(struct worker *);
/* After worker_end of all workers, once or more: takes in what lies in its mailbox. */
void worker_empty(struct worker *);
/* After worker_empty of all workers. */
void worker_free(struct worker *);
/* false: the thread could not be started. */
bool worker_run(struct worker *) __attribute__((warn_unused_result));
void worker_join(struct worker *);

/* worker_pressure.c */
/* Compares what waits with the limits; pauses or resumes all. */
void worker_weigh(struct worker *);
/* Posts the outbox; stops reading when a mailbox it goes to is too full. */
void worker_post(struct worker *);
/* Under pressure: judges all logs, so that dead drains do not hold up the rest. */
void worker_relieve(struct worker *);

#endif
