/*
 * stream_impl -- the inside of a stream, for these only: stream.c (its events
 * and its end), stream_start.c (up to STREAM_OPEN), stream_rw.c (its bytes),
 * stream_tcp.c (what TCP knows).
 */
#ifndef STREAM_IMPL_H
#define STREAM_IMPL_H

#include <event2/event.h>
#include <event2/event_struct.h>

#include "io/stream.h"

/* An established peer that leaves our bytes unacknowledged this long is gone. */
enum { STREAM_USER_TIMEOUT_MS = 30 * 1000 };

/*
 *	CONNECTING -> HANDSHAKING (TLS) -> OPEN
 *	     \_____________\_______________> FAILED
 * Plain accepted sockets start in OPENING, whose end is the loop's next turn;
 * FAILING is the same for a failure that is still to be told.
 */
enum stream_phase {
	PHASE_CONNECTING,
	PHASE_HANDSHAKING,
	PHASE_OPENING,
	PHASE_OPEN,
	PHASE_FAILING,
	PHASE_FAILED,
};

struct stream {
	struct event_base *base;
	stream_cb *cb;
	void *arg;
	SSL *ssl; /* NULL: plain */
	int fd;	  /* -1: there was none to be had */
	enum stream_phase phase;
	int64_t connect_ms, handshake_ms;
	int64_t connected_ms; /* when TCP was; 0: not yet */

	/* The events stay added while they are of use: adding one is a system call. */
	struct event read_event, write_event;
	struct event timer; /* a deadline before OPEN, the loop's next turn afterwards */
	bool watch_read, watch_write;

	bool tcp;	       /* else a Unix socket */
	bool want_read;	       /* the user's wish */
	bool want_write;       /* the user waits for STREAM_WRITABLE */
	bool read_needs_write; /* TLS: reading, or the handshake, goes on when bytes can go */
	bool write_needs_read; /* TLS: writing goes on when bytes come */
	bool unread;	       /* the last read did not get as far as STREAM_AGAIN */
	bool eof;	       /* seen, maybe not told */
	bool broken;	       /* STREAM_ERROR is all there is from now on */
	bool refused;	       /* ended by the peer's TLS alert */
	bool shut;	       /* stream_shutdown was called */
	bool fin;	       /* our FIN is out */
	bool patient;	       /* TCP_USER_TIMEOUT is lifted */

	bool *gone;	  /* set while the callback runs: where stream_free says so */
	size_t retry;	  /* TLS: bytes of the record that must be offered again */
	uint64_t written; /* plain: given to TCP */
	uint32_t window_max;
	char *error; /* NULL: none yet */
};

/* The callbacks of the events, which stream_start.c makes. */
void stream_on_socket(evutil_socket_t, short what, void *stream);
void stream_on_timer(evutil_socket_t, short what, void *stream);
void stream_after(struct stream *, int64_t ms);

/* Steps to STREAM_OPEN or STREAM_FAILED; the user may have freed the stream when they return. */
void stream_connected(struct stream *);
void stream_handshake(struct stream *);
void stream_is_open(struct stream *);
void stream_fail(struct stream *, const char *words);

/* Brings the events in line with what the flags ask for. */
void stream_watch(struct stream *);
/* What a user left unread in memory, where no socket will report it, is told at the next turn. */
void stream_rearm(struct stream *);
/* Keeps the words (a copy) and marks the stream broken. */
void stream_break(struct stream *, const char *words);
/* Sends close_notify and FIN as far as that goes without waiting. */
void stream_shutdown_step(struct stream *);

#endif
