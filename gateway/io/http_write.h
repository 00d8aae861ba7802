/*
 * http_write -- answers into bytes (RFC 9112).  No sockets.
 */
#ifndef HTTP_WRITE_H
#define HTTP_WRITE_H

#include <stdbool.h>

#include "io/http_message.h"

/* "HTTP/1.1 100 Continue" and the empty line. */
extern const char http_write_continue[];

/* 200, application/json, nothing in it. */
void http_response_init(struct http_response *);
void http_response_free(struct http_response *);

/*
 * An answer of the server's own making: {"error":"text"}.  text is our own
 * and already fit to stand in a JSON string.
 */
void http_response_error(struct http_response *, int status, const char *text);

/* False: 204 and 304 have neither body nor Content-Length (RFC 9110 section 8.6). */
bool http_status_has_body(int status);

/*
 * Appends status line, headers and the empty line; Content-Length is that of
 * the response's body whether or not it will be sent (HEAD).
 */
void http_write_head(struct buf *out, const struct http_response *, bool keep_alive);

/*
 * The head of a body whose length nobody knows yet: chunked (RFC 9112 section
 * 7.1), or until the connection closes.  The connection closes in either case.
 */
void http_write_stream_head(struct buf *out, const struct http_response *, bool chunked);
/* One chunk; n > 0. */
void http_write_chunk(struct buf *out, const void *p, size_t n);
extern const char http_write_last_chunk[];

#endif
