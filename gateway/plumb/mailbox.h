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

struct mailbox *mailbox_new(struct event_base *, void *owner);
/* Delivers nothing: what still lies in it must have been taken by mailbox_turn. */
void mailbox_free(struct mailbox *);
void mailbox_push(struct mailbox *, struct mail *);
/* Delivers all that lies in it; the owner's thread only. */
void mailbox_turn(struct mailbox *);

#endif
