/*
 * relp -- frames of the Reliable Event Logging Protocol, as a server reads and
 * answers them (rsyslog.com/doc/relp.html; librelp 1.11 is the client to serve).
 *
 *	TXNR SP COMMAND SP DATALEN [SP DATA] LF
 *	TXNR, DATALEN: 1 to 9 digits.  COMMAND: 1 to 32 letters.
 *	DATALEN 0: no SP, no DATA.  TXNR 0: a hint, which is never answered.
 *
 * Knows bytes and nothing of sockets.  DATA over max_line is cut as by frame.h:
 * its first max_line bytes are kept, the rest is skipped and counted, and the
 * next frame is intact.  A frame that is none says so: where the next one
 * begins cannot be known then, and the connection has to end.
 *
 * The reader's part is that of frame.h: keep the unread bytes in one piece,
 * call relp_next until it says RELP_MORE, keep `keep` bytes, read on.
 *
 * Owner: one session.  Thread: the owner's.
 */
#ifndef RELP_H
#define RELP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

struct relp_reader {
	size_t max_line;    /* bytes of DATA that are kept */
	uint64_t skipped;   /* of the current frame's DATA, dropped */
	uint64_t skip_left; /* of it, still to come */
	bool cut;	    /* the kept bytes are the head of a frame that is cut */
};

struct relp_frame {
	uint32_t txnr;
	struct slice command;
	struct slice data; /* without a trailing LF or CRLF */
	uint64_t cut;	   /* bytes that max_line cost it; 0: whole */
	size_t used;	   /* bytes of the input that this frame took */
	size_t keep;	   /* RELP_MORE: leading bytes that must be handed in again */
	const char *fault; /* RELP_BAD: what is wrong, in words */
};

enum relp_result {
	RELP_FRAME, /* *out points into the input */
	RELP_MORE,  /* no whole frame; out->keep says what to keep, the rest was consumed */
	RELP_BAD,   /* out->fault says why; nothing may be read any more */
};

/* keep is never more than max_line and this: a header, CR LF. */
enum { RELP_KEEP_EXTRA = 64 };

/* max_line is at least 1. */
void relp_reader_init(struct relp_reader *, size_t max_line);
enum relp_result relp_next(struct relp_reader *, struct slice in, struct relp_frame *out);

/*
 * What an `open` offers, against what we do: version 0 (which is what librelp
 * calls the one that there is) and the command syslog.  NULL: it will do; else
 * a sentence for the sender.
 */
const char *relp_offers_fault(struct slice data);

/* Answers: frames to the client.  An answer has RELP_ANSWER_MAX bytes at most. */
enum { RELP_ANSWER_MAX = 160 };
/* "200 OK": what it was about is done. */
void relp_answer_ok(struct buf *, uint32_t txnr);
/* "500 TEXT", up to 80 bytes of it.  librelp forgets a line that is answered so. */
void relp_answer_error(struct buf *, uint32_t txnr, const char *text);
/* To an `open`: OK, and our offers. */
void relp_answer_open(struct buf *, uint32_t txnr);
/* The hint that this end closes the connection. */
void relp_serverclose(struct buf *);

#endif
