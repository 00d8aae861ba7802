/*
 * http_conn_internal -- a connection's inside, for http_conn.c and the two
 * kinds of answers that do not end with their handler.
 */
#ifndef HTTP_CONN_INTERNAL_H
#define HTTP_CONN_INTERNAL_H

#include "base/buf.h"
#include "io/http_conn.h"
#include "io/http_later.h"

enum conn_state {
	CONN_OPENING,	/* handshake */
	CONN_READING,	/* idle or inside a request */
	CONN_HANDLING,	/* the handler runs */
	CONN_WAITING,	/* the answer comes later */
	CONN_READY,	/* it is there, and goes out at the next turn */
	CONN_ANSWERING, /* the answer goes out */
	CONN_STREAMING, /* it goes out bit by bit */
	CONN_TURN,	/* it is out; the next request comes at the next turn */
	CONN_DRAINING,	/* nothing more to say; until the peer closes */
	CONN_GONE,	/* freed at the end of the callback */
};

struct http_conn {
	LIST_ENTRY(http_conn) link;
	struct http_conns *conns;
	struct stream *stream;
	struct event *timer; /* the deadline of the state */
	struct http_parse *parse;
	enum conn_state state;
	struct buf pending; /* read, but behind the request that is being answered */
	struct buf head, body;
	size_t sent; /* of head and body, in this order */
	int64_t write_deadline;
	size_t drained;
	size_t body_bytes; /* of conns->bodies */
	void *origin;
	enum http_end end;
	bool refused; /* over the cap: gets 503, whatever it asks */
	bool last;    /* close after this answer */
	struct sockaddr_storage peer;
	struct http_response ready; /* of CONN_READY */
	struct http_later *later;   /* asked for by the handler, not ended yet */
	struct http_stream *answer; /* the same */
};

/* The one way out.  why NULL: as it should be.  conn_settle must follow. */
void conn_end(struct http_conn *, const char *why);
/* The last act of every callback and of every call from outside: may free it. */
void conn_settle(struct http_conn *);
/* The state's deadline from now; < 0: at once. */
void conn_deadline(struct http_conn *, int64_t ms);
/* Sends an answer; takes the response's buffers.  conn_settle must follow. */
void conn_answer(struct http_conn *, struct http_response *);
/* Nothing more to say: FIN, and the peer may take its time to close. */
void conn_drain(struct http_conn *);
/* A peer that does not read its answer gets a reset. */
void conn_cut(struct http_conn *);

/* http_later.c: the handler has returned and owes the answer. */
void conn_wait(struct http_conn *);
/* The deadline is over: answers 504. */
void conn_wait_over(struct http_conn *);
/* The connection goes away; NULL is fine. */
void http_later_gone(struct http_later *);

/* http_stream.c: the handler has returned; takes the response's buffers. */
void conn_stream(struct http_conn *, struct http_response *);
void conn_stream_flush(struct http_conn *);
/* Ends the answer properly and says gone, because the server stops. */
void conn_stream_stop(struct http_conn *);
/* The connection goes away; NULL is fine. */
void http_stream_gone(struct http_stream *);

#endif
