/*
 * spooler_internal -- what the spooler's own files share.
 *
 *	spooler.c        the thread: mail in, one round after the other
 *	spooler_mail.c   commits and fetches as their askers make and free them
 *	spooler_write.c  transactions: appends, marks, drops, tidying
 *	spooler_read.c   fetches
 *	spooler_trim.c   what is too much or too old
 *	spooler_apps.h   which worker an app is at home with
 *
 * Thread: the spooler's, once it runs.
 */
#ifndef SPOOLER_INTERNAL_H
#define SPOOLER_INTERNAL_H

#include <pthread.h>

#include "log/spooler.h"
#include "log/spooler_apps.h"

/* Mails that wait, linked by their own links. */
struct mails {
	struct mail *first;
	struct mail **end; /* where the next one is linked */
};

static inline void
mails_init(struct mails *m)
{
	m->first = NULL;
	m->end = &m->first;
}

static inline void
mails_add(struct mails *m, struct mail *mail)
{
	mail->next = NULL;
	*m->end = mail;
	m->end = &mail->next;
}

/* NULL: there is none. */
static inline struct mail *
mails_take(struct mails *m)
{
	struct mail *mail = m->first;

	if (mail == NULL)
		return NULL;
	m->first = mail->next;
	if (m->first == NULL)
		m->end = &m->first;
	return mail;
}

struct spool_drop {
	struct mail mail;
	uint64_t app;
	enum spool_code code;
	bool hopeless; /* it failed by itself, and would each time */
};

struct spooler {
	struct spooler_options options;
	struct spool *spool;
	struct event_base *base;
	struct mailbox *mailbox;
	struct event *tick;
	pthread_t thread;
	bool running;

	struct mails changes; /* commits and drops, in the order they came */
	size_t appends;	      /* commits among them that have chunks */
	struct mails fetches;
	bool ticked;   /* a second has passed */
	bool stopping; /* nothing will be asked any more */

	bool tidy;	      /* there may be chunks that are nobody's ... */
	int64_t tidy_wait_ms; /* ... but deleting them is not tried before */

	bool places_only;  /* what failed had no appends: it may end without one */
	bool said_failing; /* failing was logged, so its end will be */
	int64_t said_ms;   /* when; 0: never */
	int64_t fault_ms;  /* when reading was last said to go wrong; 0: never */

	struct spooler_apps apps;
	size_t swept; /* the next log that is looked at for its age */
	size_t eyed;  /* ... for its size while there is too much */

	struct spooler_stats stats;
};

/* Delivers a struct spool_drop: what tells drops from commits among the changes. */
void spooler_on_drop(struct mail *, void *owner);

/* Tidying is worth a transaction now. */
bool spooler_may_tidy(const struct spooler *);
/* One transaction with what waits, as much of it as one may have; answers its mails. */
void spooler_write(struct spooler *);

/* Answers fetches, up to some megabytes. */
void spooler_read(struct spooler *);

/* An app's commit is on disk. */
void spooler_trim_app(struct spooler *, uint64_t app);
/* More may have come than all logs together may have. */
void spooler_trim_all(struct spooler *);
/* Once a second: some of all logs, for their age. */
void spooler_trim_sweep(struct spooler *);

#endif
