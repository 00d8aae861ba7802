/*
 * http_server -- HTTP/1.1 for the admin API: strict, bounded, over streams
 * (plain, TLS, Unix socket).  The parser is http-parser, strict; limits,
 * deadlines and the refusal of smuggling forms are ours.
 *
 * Whole requests in, whole answers out; every error answer is JSON.
 * Owner and thread: the event_base's.
 */
#ifndef HTTP_SERVER_H
#define HTTP_SERVER_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/buf.h"
#include "base/slice.h"

struct event_base;
struct http_server;

struct http_limits {
	size_t request_line; /* bytes; 414 over it */
	size_t headers;	     /* bytes of all; 431 over it */
	size_t body;	     /* bytes; 413 over it */
	int64_t request_ms;  /* from first byte to last of a request; 408 over it */
	int64_t idle_ms;     /* between requests; closed over it */
	size_t connections;  /* at once; over it: 503 and closed */
};

/* Valid inside the handler only. */
struct http_request {
	struct slice method;
	struct slice path;  /* as sent, still percent-encoded, without query */
	struct slice query; /* as sent; p NULL: no '?', n 0: a bare one */
	struct slice body;
	const struct http_header *headers;
	size_t nheaders;
	const struct sockaddr *peer; /* AF_UNIX for a Unix socket */
	bool tls;
};

struct http_header {
	struct slice name, value; /* value trimmed */
};

struct http_response {
	int status;		 /* 200 unless set */
	const char *content_type; /* static; "application/json" unless set */
	struct buf headers;	 /* more header lines, each ended by CRLF; use http_response_header */
	struct buf body;	 /* ignored with 204 */
};

typedef void http_handler(const struct http_request *, struct http_response *, void *arg);

/* p NULL if absent; names compare without case. */
struct slice http_request_header(const struct http_request *, const char *name);
void http_response_header(struct http_response *, const char *name, const char *value);

struct http_server *http_server_new(struct event_base *, const struct http_limits *,
    http_handler *, void *arg);
void http_server_free(struct http_server *); /* closes all */
/* fd: bound, listening, non-blocking; owned from here on.  ctx: NULL, or its own reference is taken. */
void http_server_listen(struct http_server *, int fd, SSL_CTX *ctx);
/* New connections use this context from now on (certificate reload). */
void http_server_set_ctx(struct http_server *, SSL_CTX *ctx);
/* No new connections; open ones finish their request. */
void http_server_stop(struct http_server *);

#endif
