/*
 * outbox -- lines for apps at home on other workers: gathered in one bundle
 * for each receiving worker, posted at the end of each read event.
 *
 * Owner and thread: one worker.  A bundle belongs to its receiver once posted.
 */
#ifndef OUTBOX_H
#define OUTBOX_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"
#include "ends/receipt.h"
#include "plumb/mailbox.h"

/* How a worker is reached; shared by all, the mailbox has its own lock. */
struct post {
	struct mailbox *mailbox;
	_Atomic size_t waiting;	 /* bytes posted to it and not yet taken in */
	_Atomic uint64_t asking; /* bit n: worker n stopped reading until `waiting` has fallen */
};

struct bundle {
	struct mail mail;
	struct receipt *receipt; /* of the session whose lines they are; NULL: it wants none */
	struct mailbox *back;	 /* of its worker */
	size_t n, cap;
	char *data; /* records: app serial, 8 bytes; size, 4 bytes; octet-counted frame */
};

struct outbox {
	struct post **posts; /* by worker index */
	unsigned nposts;
	void (*deliver)(struct mail *, void *owner);
	struct bundle **open; /* being filled, by worker index; NULL: none */
};

void outbox_init(struct outbox *, struct post **posts, unsigned nposts,
		 void (*deliver)(struct mail *, void *owner));
void outbox_clear(struct outbox *);
/* Room for one frame of n bytes, to be written before the next call. */
char *outbox_add(struct outbox *, unsigned worker, uint64_t app, size_t n);
/* The line just added belongs to that receipt, which is held once for each bundle. */
void outbox_ask(struct outbox *, unsigned worker, struct receipt *, struct mailbox *back);
/* Posts what was gathered.  Returns the most bytes that wait at any of those workers. */
size_t outbox_post(struct outbox *, unsigned *fullest);

/* The next record of a bundle at *at; false at its end.  frame has its count. */
bool bundle_next(const struct bundle *, size_t *at, uint64_t *app, struct slice *frame);
void bundle_free(struct bundle *);

#endif
