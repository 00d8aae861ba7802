/*
 * receipt -- what an input that acknowledges waits for: all lines of one read
 * event (RELP) or one request (HTTP) are delivered to every drain of their
 * apps, or on disk, or were dropped as their drains or the limits of the spool ask.
 * It is lost when one of them was dropped from memory because the spool takes
 * nothing: then its sender has to come with them again.
 *
 *	r = receipt_new(on_done, session);
 *	ingest_begin(in);
 *	in->receipt = r;   ingest_frame(in, ...) ...   in->receipt = NULL;
 *	intake->read_done(intake->arg);
 *	receipt_close(r)      -> RECEIPT_SAFE: all is well already, r is gone
 *	                         RECEIPT_WAITS: on_done(session) will come, or never if the
 *	                         spool fails for good
 *
 * Lines lie in logs of several workers; each part (a log, or a bundle on its
 * way to another worker) counts until it is safe.  Those workers answer by mail.
 *
 * Owner: the session, until closed and done.  Thread: the session's worker.
 */
#ifndef RECEIPT_H
#define RECEIPT_H

#include <stdbool.h>

struct receipt;

/* safe: false: it is lost. */
typedef void receipt_done(void *arg, bool safe);

enum receipt_state { RECEIPT_WAITS, RECEIPT_SAFE, RECEIPT_LOST };

struct receipt *receipt_new(receipt_done *, void *arg);
/* No line is added any more.  Freed, unless it waits. */
enum receipt_state receipt_close(struct receipt *) __attribute__((warn_unused_result));
/* The session is gone: on_done does not come; frees itself in its time. */
void receipt_forget(struct receipt *);

/* One more part of it is not safe. */
void receipt_hold(struct receipt *);
/* It is now.  The last one calls on_done, and frees the receipt. */
void receipt_release(struct receipt *);
/* Before its release: it is not safe, and never will be. */
void receipt_lose(struct receipt *);

#endif
