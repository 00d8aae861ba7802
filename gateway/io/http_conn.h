/*
 * http_conn -- one HTTP connection: reads a request, has it handled, writes
 * the answer, and so on until one side has enough.
 *
 *	opening -> reading -> handling -> answering -> turn -> reading ...
 *	                          |           |
 *	                          |           +-> draining -> gone
 *	                          +-> waiting -> ready -> answering    (http_later.h)
 *	                          +-> streaming -> draining            (http_stream.h)
 *
 * One request a turn of the loop, and no reading while an answer goes out:
 * what a client sends ahead waits in its own socket; up to 64 KiB of it wait
 * here while a late answer is not there, since only who reads learns that the
 * client has gone.  A connection frees itself, always as the last act of one of
 * its own callbacks.
 *
 * Owner: its server, through struct http_conns.  Thread: the event_base's.
 */
#ifndef HTTP_CONN_H
#define HTTP_CONN_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/queue.h>
#include <sys/socket.h>

#include "io/http_message.h"

struct event_base;
struct http_conn;

/* What all connections of a server share; the server fills in the first five. */
struct http_conns {
	struct event_base *base;
	struct http_limits limits;
	http_handler *handler;
	http_closed_cb *closed; /* NULL: nobody wants to know */
	void *arg;
	bool stopping;
	size_t n;	/* open, those that are refused included */
	size_t refused; /* of these, told 503 because the server is full */
	size_t streams; /* of these, answers that are written bit by bit */
	size_t bodies;	/* bytes of bodies in all of them */
	LIST_HEAD(http_conn_list, http_conn) list;
};

/*
 * An accepted non-blocking socket; owned from here on.  When the server is
 * full the peer is told so, or closed at once if too many are being told;
 * false then.
 */
bool http_conn_open(struct http_conns *, int fd, SSL_CTX *ctx, const struct sockaddr_storage *peer,
		    void *origin);

/* Closes those that no byte of a request has reached, and ends all streams. */
void http_conns_stop(struct http_conns *);
/* How many have a whole request, and an answer that is not out yet. */
size_t http_conns_answers(const struct http_conns *);
/* Closes all at once.  Not from inside a handler. */
void http_conns_close(struct http_conns *);

#endif
