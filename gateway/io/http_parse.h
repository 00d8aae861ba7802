/*
 * http_parse -- bytes into requests, whatever the cuts between reads.
 *
 * It hands the library (http-parser) whole lines only, after http_rules has
 * passed them, and compares notes with it on where the request ends; when the
 * two differ the request is refused.  http_parse.c is the only file that sees
 * the library, so that its successor can take its place.
 *
 * Owner: one connection.  Memory: at most request_line + headers + body of the
 * limits, and nothing between requests.
 */
#ifndef HTTP_PARSE_H
#define HTTP_PARSE_H

#include <stdbool.h>
#include <stddef.h>

#include "io/http_message.h"

struct http_parse;

enum http_parse_result {
	HTTP_PARSE_MORE,     /* all bytes used, the request is not whole yet */
	HTTP_PARSE_CONTINUE, /* as MORE, and the client waits for 100; bytes may be left */
	HTTP_PARSE_DONE,     /* whole; bytes left belong to the next one */
	HTTP_PARSE_BAD,	     /* refused: http_parse_status; nothing more can be fed */
};

/* limits: copied. */
struct http_parse *http_parse_new(const struct http_limits *);
void http_parse_free(struct http_parse *); /* NULL is fine */

/* used: how many of the n bytes were taken. */
enum http_parse_result http_parse_feed(struct http_parse *, const char *at, size_t n, size_t *used)
    __attribute__((warn_unused_result));

/* After DONE, until http_parse_next; peer and tls are left to the caller. */
const struct http_request *http_parse_request(const struct http_parse *);
/* After DONE: may the connection be used again, as far as the client is concerned? */
bool http_parse_keep_alive(const struct http_parse *);

/* After BAD: the status to answer with, and a text that names fault and remedy. */
int http_parse_status(const struct http_parse *);
const char *http_parse_error(const struct http_parse *);

/* Bytes of the current request's body that have come; what was taken over does not count. */
size_t http_parse_body_bytes(const struct http_parse *);
/* A byte of the current request was fed. */
bool http_parse_started(const struct http_parse *);
/* After DONE: the client is HTTP/1.0 and does not know chunks. */
bool http_parse_is_1_0(const struct http_parse *);
/* The current request is known to be a HEAD: its answer has no body. */
bool http_parse_is_head(const struct http_parse *);

/* After DONE: forgets the request and is ready for the next. */
void http_parse_next(struct http_parse *);

#endif
