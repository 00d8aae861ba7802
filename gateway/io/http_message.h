/*
 * http_message -- what an HTTP handler sees and fills in, and the limits that
 * hold for every request.  Shared by the server and its parts.
 */
#ifndef HTTP_MESSAGE_H
#define HTTP_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/buf.h"
#include "base/slice.h"

struct http_limits {
	size_t request_line; /* bytes without CRLF; 414 over it */
	size_t headers;	     /* bytes of all header lines with their CRLF; 431 over it */
	size_t body;	     /* bytes; 413 over it */
	size_t bodies;	     /* bytes of all bodies that have come so far; 503 over it; 0: none */
	/*
	 * From first byte to last of a request: 408 over it.  Also how long a
	 * peer may take nothing at all of its answer before it is cut off.
	 */
	int64_t request_ms;
	int64_t idle_ms;    /* between requests; closed over it */
	int64_t later_ms;   /* until a deferred answer is there: 504 over it; 0: 60 s */
	int64_t stall_ms;   /* a stream's client that takes nothing: cut off over it; 0: 30 s */
	size_t connections; /* at once; over it: 503 and closed; half of them may be streams */
};

struct http_header {
	struct slice name, value; /* value trimmed */
};

struct http_conn;
struct ssl_st;

/* Valid inside the handler only. */
struct http_request {
	struct slice method;
	struct slice path;  /* as sent, still percent-encoded, without query */
	struct slice query; /* as sent; p NULL: no '?', n 0: a bare one */
	struct slice body;
	/* What body lies in: a handler may take it over and leave an empty one; NULL: nothing. */
	struct buf *body_buf;
	const struct http_header *headers;
	size_t nheaders;
	const struct sockaddr *peer; /* AF_UNIX for a Unix socket */
	bool tls;
	struct ssl_st *ssl; /* NULL: plain */
	void *origin;	    /* what http_server_take was given; NULL: a listener of the server's */
};

struct http_response {
	int status;		  /* 200 unless set */
	const char *content_type; /* static; "application/json" unless set */
	struct buf headers; /* more header lines, each ended by CRLF; use http_response_header */
	struct buf body;    /* ignored with 204 and 304 */
	struct http_conn *conn; /* the server's own; NULL: of no connection */
};

/*
 * Called once a whole request; must not free the server, may stop it.  The
 * response is sent when it returns, unless it asked for http_response_later.
 */
typedef void http_handler(const struct http_request *, struct http_response *, void *arg);

/* How a connection ended. */
enum http_end {
	HTTP_END_CLOSED,    /* by either side, as it should be */
	HTTP_END_HANDSHAKE, /* it never came to be */
	HTTP_END_TIMED_OUT, /* a request, or the reading of an answer, took too long */
};

/* Comes from the loop or from http_server_free; arg is the handler's. */
typedef void http_closed_cb(void *origin, enum http_end, void *arg);

/* p NULL if absent; names compare without case.  The first one if there are several. */
struct slice http_request_header(const struct http_request *, const char *name);

/* Control characters in value become spaces: a value cannot end its line. */
void http_response_header(struct http_response *, const char *name, const char *value);

/* "name" without regard to case. */
bool http_name_is(struct slice name, const char *cstr);

#endif
