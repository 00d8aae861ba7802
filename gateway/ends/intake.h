/*
 * intake -- what the listeners and sessions of one worker share: the buffer
 * they all read into, the pause switch, the list of open sessions.
 *
 * Owner and thread: one worker.
 */
#ifndef INTAKE_H
#define INTAKE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "ends/ingest.h"

struct event_base;
struct session;
struct listener;
struct proxy_gate;
struct http_intake;
TAILQ_HEAD(session_list, session);
TAILQ_HEAD(listener_list, listener);
TAILQ_HEAD(proxy_gate_list, proxy_gate);

/* What one read may bring; behind it there is room for the longest partial frame. */
enum { INTAKE_READ_BYTES = 256 * 1024 };
/* A partial frame has max-line bytes at most, and this: a count or a header, CR LF. */
enum { INTAKE_KEEP_EXTRA = 64 };

/* What a listener's connections need of it; stays until listener_free_closed. */
struct listener_share {
	const struct listen_url *url;
	struct tag_rule *rule; /* read at each line; a reload changes it */
	struct listener_counts counts;
};

struct intake {
	struct event_base *base;
	struct ingest *ingest;
	const struct config *config;
	struct stats *stats;
	struct slice host; /* this machine's name: the sender of local lines */
	char *buffer;
	size_t buffer_size;
	struct session_list sessions;
	struct listener_list listeners;
	struct listener_list closed;  /* sessions still ask their rules */
	struct proxy_gate_list gates; /* connections that a load balancer has yet to introduce */
	struct http_intake *http;     /* NULL: nobody has sent lines over HTTP */
	bool paused;		      /* too much waits: nobody reads */
	bool more;		      /* a read filled the buffer; for the owner to take back */
	/* Lines of a read event are in: the outbox may be posted. */
	void (*read_done)(void *arg);
	void *arg;
};

void intake_init(struct intake *);
void intake_clear(struct intake *);
/* Stops or resumes reading, for all sessions and datagram sockets. */
void intake_pause(struct intake *, bool paused);
/* Whether a connection is not ready to be read yet: TLS handshake, PROXY header. */
bool intake_is_opening(const struct intake *);
/* Closes sessions that are over a deadline; once a second or so. */
void intake_sweep(struct intake *, int64_t now_ms);

/* At stop, in this order: */
/* Reads what has come to every session by now, for a second at most. */
void intake_read_rest(struct intake *);
/*
 * Nothing more is read.  Connections that nobody has introduced yet close, and
 * sessions; those that acknowledge their lines stay until these are safe and
 * acknowledged, then tell their senders and close; so do requests whose lines were
 * taken.
 */
void intake_end_reading(struct intake *);
/* How many of these are left; closes those whose senders do not.  To be asked every 20 ms or so. */
size_t intake_acks_waiting(struct intake *);
/* The wait is over: what was not acknowledged their senders will send again. */
void intake_close_acknowledging(struct intake *);

#endif
