/*
 * mailbox -- the only way from one thread to another, and the only lock on
 * the data path.
 *
 * Any thread pushes; the owner's loop delivers, in the order pushed.  A push
 * never blocks for longer than a list insertion and never fails.
 *
 * Owner: the thread whose event_base it was made with.
 */
#ifndef MAILBOX_H
#define MAILBOX_H

#include <stddef.h>

struct event_base;
struct mailbox;

/* Embed it first in a struct of your own; deliver runs on the owner's thread
 * and owns the mail from then on. */
struct mail {
	struct mail *next;
	void (*deliver)(struct mail *, void *owner);
};

/* NULL: out of descriptors; errno says so. */
struct mailbox *mailbox_new(struct event_base *, void *owner) __attribute__((warn_unused_result));
/*
 * Delivers nothing: what still lies in it must have been taken by
 * mailbox_turn.  Not from inside deliver.  NULL is fine.
 */
void mailbox_free(struct mailbox *);
void mailbox_push(struct mailbox *, struct mail *);
/*
 * Delivers all that lies in it now; what is pushed meanwhile waits for the
 * next turn.  The owner's thread only, and not from inside deliver.
 */
void mailbox_turn(struct mailbox *);

#endif
