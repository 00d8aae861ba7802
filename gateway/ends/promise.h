/*
 * promise -- the part of a receipt that lies in the logs of one worker.
 *
 *	session's worker                      home worker
 *	receipt ---- lines, in a bundle ----> promise -- waits in each log
 *	        <--- mail: they are safe ---- (or lost)
 *
 * Owner: itself; it ends when all its logs have said what became of the lines.
 * Thread: the worker where the logs are.
 */
#ifndef PROMISE_H
#define PROMISE_H

#include "ends/receipt.h"
#include "log/app_log.h"
#include "plumb/mailbox.h"

struct promise;

/*
 * back: the mailbox of the receipt's worker; NULL: this is that worker.  The
 * receipt is held for it.
 */
struct promise *promise_new(struct receipt *, struct mailbox *back);
/* The newest line of that log belongs to it. */
void promise_add(struct promise *, struct app_log *);
/* No line is added any more; it frees itself once that is known of all.  NULL is fine. */
void promise_close(struct promise *);

#endif
