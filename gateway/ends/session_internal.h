/*
 * session_internal -- what the kinds of sessions share: a connection that is
 * read into the worker's buffer, its deadlines, its end.  For session*.c and
 * relp_session.c only.
 */
#ifndef SESSION_INTERNAL_H
#define SESSION_INTERNAL_H

#include "ends/peer_name.h"
#include "ends/session.h"
#include "io/stream.h"

/*
 * What a session does with the bytes that it reads.  Only take is always there;
 * the object of `size` bytes begins with its struct session.
 */
struct session_kind {
	size_t size;
	void (*init)(struct session *);
	/*
	 * Bytes came behind those that were kept: takes what is whole out of them, and
	 * returns what is to be kept (INTAKE_KEEP_EXTRA over max-line at most).
	 */
	struct slice (*take)(struct session *, struct slice in);
	/* The lines of that read event are on their way.  false: the session is gone. */
	bool (*taken)(struct session *);
	void (*writable)(struct session *);
	/* The sender will send no more: closes the session, now or later. */
	void (*eof)(struct session *);
	/* At stop: the same, because we will read no more; now: without waiting for anything. */
	void (*end)(struct session *, bool now);
	/* Why it must be closed now, besides the deadlines of all; NULL: it need not. */
	const char *(*overdue)(struct session *, int64_t now_ms);
	/* Right before it is freed. */
	void (*clear)(struct session *);
};

struct session {
	TAILQ_ENTRY(session) link;
	const struct session_kind *kind;
	struct intake *intake;
	struct listener_counts *counts; /* its listener's */
	struct stream *stream;
	char *tail; /* the partial frame; NULL: none */
	size_t tail_n;
	struct source source;
	char hostname[PEER_NAME_BYTES];
	char *cert;
	bool open; /* the handshake is done */
	bool got_frame;
	bool held;	  /* its kind wants no more to read now */
	bool left;	  /* meanwhile the sender has ended its side */
	bool shut;	  /* nothing more is written, and what comes is thrown away */
	int64_t since_ms; /* of the current wait: for the first frame, a frame's end, a next one */
};

/* Its kind wants to read no more for now, or again. */
void session_hold(struct session *, bool held);
/*
 * All is written that there is: ends writing, throws away what still comes, and
 * closes at the sender's end, or after 2 s.
 */
void session_shut(struct session *);

#endif
