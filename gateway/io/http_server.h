/*
 * http_server -- HTTP/1.1 for the admin API and for lines: strict, bounded, over
 * streams (plain, TLS, Unix socket).  The parser is http-parser, strict; limits,
 * deadlines and the refusal of smuggling forms are ours.
 *
 * Whole requests in; answers out whole, at once or later (http_later.h), or bit
 * by bit (http_stream.h).  Every error answer is JSON.
 * Owner and thread: the event_base's.
 */
#ifndef HTTP_SERVER_H
#define HTTP_SERVER_H

#include <openssl/ssl.h>
#include <stddef.h>

#include "io/http_message.h"

struct event_base;
struct http_server;

struct http_server *http_server_new(struct event_base *, const struct http_limits *, http_handler *,
				    void *arg);
/* Closes all; owners of late answers and streams are told (gone).  NULL is fine. */
void http_server_free(struct http_server *);
/* fd: bound, listening, non-blocking; owned from here on.  ctx: NULL, or its own reference is
 * taken. */
void http_server_listen(struct http_server *, int fd, SSL_CTX *ctx);
/*
 * A connection that somebody else accepted (non-blocking; owned from here on):
 * peer is whom it came from, origin comes with its requests.  false: the server
 * is full, the peer is told so or just closed, and on_closed does not come.
 */
bool http_server_take(struct http_server *, int fd, SSL_CTX *ctx,
		      const struct sockaddr_storage *peer, void *origin)
    __attribute__((warn_unused_result));
/* Each connection that was taken, once, when it is gone. */
void http_server_on_closed(struct http_server *, http_closed_cb *);
/* New connections of the listeners that use `was` get `now` (certificate reload). */
void http_server_set_ctx(struct http_server *, const SSL_CTX *was, SSL_CTX *now);
/* No new connections, idle ones are closed, streams end; the others finish their request. */
void http_server_stop(struct http_server *);
/* Open now; 0 after http_server_stop says that all is answered. */
size_t http_server_connections(const struct http_server *);
/* Of these, those whose request is whole and whose answer is not out yet; no streams. */
size_t http_server_answers(const struct http_server *);

#endif
