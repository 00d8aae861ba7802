/*
 * relp_owed -- the answers to what one read event of a RELP session brought.
 * They wait, all of them together, until its lines are safe (receipt.h).
 *
 * Clients count their commands up by one, so that a run of lines costs as much
 * here as one line.
 *
 * Owner: the session.  Thread: its worker.
 */
#ifndef RELP_OWED_H
#define RELP_OWED_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "base/buf.h"
#include "ends/receipt.h"

struct relp_session;
struct relp_run;

struct relp_owed {
	STAILQ_ENTRY(relp_owed) link;
	struct relp_session *session;
	struct receipt *receipt; /* NULL: its lines are safe, or it has none */
	struct relp_run *runs;
	size_t n, cap;
	size_t at;	  /* of the runs, written */
	uint32_t at_txnr; /* of that run, written */
	size_t bytes;	  /* of its frames, and what is allocated for them here and elsewhere */
	uint64_t lines;
};

struct relp_owed *relp_owed_new(struct relp_session *);
/* NULL is fine; a receipt is not looked at. */
void relp_owed_free(struct relp_owed *);
void relp_owe_ok(struct relp_owed *, uint32_t txnr);
/* To an `open`, with our offers. */
void relp_owe_open(struct relp_owed *, uint32_t txnr);
/* text: static. */
void relp_owe_error(struct relp_owed *, uint32_t txnr, const char *text);
/* Adds answers until out has limit bytes (or a little more); true: that was all. */
bool relp_owed_write(struct relp_owed *, struct buf *out, size_t limit);

#endif
