/*
 * spooler_apps -- which worker each app of the spool is at home with, and what
 * that worker was asked to trim and has not trimmed yet.
 *
 * Owner: the spooler.  Thread: its own once it runs.
 */
#ifndef SPOOLER_APPS_H
#define SPOOLER_APPS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

struct mailbox;

struct spooler_app {
	uint64_t app;
	struct mailbox *home;

	uint64_t asked; /* bytes of the log before the place asked for; 0: nothing is asked */
	uint64_t cut;	/* bytes that the log loses by it */
	int64_t asked_ms;
	TAILQ_ENTRY(spooler_app) link; /* in asked, oldest first */
};

TAILQ_HEAD(spooler_app_list, spooler_app);

struct spooler_apps {
	struct spooler_app **slots;
	size_t size; /* a power of two, or 0 */
	size_t used;
	struct spooler_app_list asked;
	uint64_t cut; /* of all that are asked */
};

void spooler_apps_init(struct spooler_apps *);
void spooler_apps_clear(struct spooler_apps *);

/* NULL: not known. */
struct spooler_app *spooler_apps_find(const struct spooler_apps *, uint64_t app);
void spooler_apps_know(struct spooler_apps *, uint64_t app, struct mailbox *home);
void spooler_apps_forget(struct spooler_apps *, uint64_t app);

/* Nothing is asked of it yet; bytes is not 0. */
void spooler_apps_ask(struct spooler_apps *, struct spooler_app *, uint64_t bytes, uint64_t cut,
		      int64_t now_ms);
/* It was trimmed, or is to be asked again; fine when nothing is asked. */
void spooler_apps_unask(struct spooler_apps *, struct spooler_app *);

#endif
