/*
 * receipt -- what an input that acknowledges waits for: all lines of one read
 * event (RELP) or one request (HTTP) are delivered to every drain of their
 * apps, or on disk, or were dropped for a reason that is counted.
 *
 *	r = receipt_new(on_done, session);
 *	ingest_begin(in);
 *	in->receipt = r;   ingest_frame(in, ...) ...   in->receipt = NULL;
 *	intake->read_done(intake->arg);
 *	if (receipt_close(r)) -> all is well already, r is gone
 *	else                  -> on_done(session) will come, or never if the spool fails for good
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

typedef void receipt_done(void *arg);

struct receipt *receipt_new(receipt_done *, void *arg);
/* No line is added any more.  true: all are safe, and the receipt is freed. */
bool receipt_close(struct receipt *) __attribute__((warn_unused_result));
/* The session is gone: on_done does not come; frees itself in its time. */
void receipt_forget(struct receipt *);

/* One more part of it is not safe. */
void receipt_hold(struct receipt *);
/* It is now.  The last one calls on_done, and frees the receipt. */
void receipt_release(struct receipt *);

#endif
