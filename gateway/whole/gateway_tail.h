/*
 * gateway_tail -- an app's lines as they come, for whoever looks on: main's end
 * of a tap (ends/tap.h).
 *
 * Lines come in batches, one at a time: the next one when gateway_tail_next
 * says that the last was dealt with.  No worker ever waits for that.
 *
 * Owner: who opened it.  Thread: main.
 */
#ifndef GATEWAY_TAIL_H
#define GATEWAY_TAIL_H

#include "ends/tap.h"
#include "whole/gateway.h"

struct gateway_tail;

/* At once: each may cost TAP_BYTES on a worker, and as much again on its way. */
enum { GATEWAY_TAILS_MAX = 128, GATEWAY_TAILS_APP_MAX = 32 };

/* Called from the loop, never from inside gateway_tail_open. */
struct gateway_tail_events {
	/* Valid until gateway_tail_next or gateway_tail_close. */
	void (*lines)(const struct tap_batch *, void *arg);
	/* The app was removed; dropped: lines that were still to come.  Nothing follows. */
	void (*removed)(uint64_t dropped, void *arg);
};

/* Whether one more tail of the app would be too many. */
bool gateway_tails_full(const struct gateway *, const struct app_record *);

/*
 * When it returns GATEWAY_OK, in *tail, lines that are sent from now on are
 * seen; GATEWAY_NOT_FOUND: no such app; GATEWAY_BUSY: its worker is, or there are too many.
 * Takes over what the filter points to, always.  events is copied.
 */
enum gateway_code gateway_tail_open(struct gateway *, const struct app_record *,
				    struct tap_filter *, const struct gateway_tail_events *,
				    void *arg, struct gateway_tail **tail)
    __attribute__((warn_unused_result));
/* The batch was dealt with; lines or removed may be called from inside. */
void gateway_tail_next(struct gateway_tail *);
/* No event follows.  NULL is fine. */
void gateway_tail_close(struct gateway_tail *);

#endif
