/*
 * reply -- answers in JSON: compact, members in the order they were set.
 *
 * Each function completes the response.  Text may be any bytes: what is not
 * UTF-8 is replaced by U+FFFD, since one bad byte would make an answer empty.
 */
#ifndef ADMIN_REPLY_H
#define ADMIN_REPLY_H

#include <jansson.h>

#include "base/buf.h"
#include "base/slice.h"
#include "io/http_server.h"

/* Takes body over. */
void reply_json(struct http_response *, int status, json_t *body);
/* 204, no body. */
void reply_empty(struct http_response *);
/* {"error":"..."} */
void reply_error(struct http_response *, int status, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* 403 {"error":"...","code":"forbidden"} */
void reply_forbidden(struct http_response *, const char *text);
/* 404 {"resource":"...","error":"not found"} */
void reply_not_found(struct http_response *, const char *resource);
/* 422 {"errors":errors}; takes errors, an object of arrays, over. */
void reply_errors(struct http_response *, json_t *errors);
/* The same with one key and one message. */
void reply_field_error(struct http_response *, const char *key, const char *text);

/* Adds text with each byte that is not UTF-8 as U+FFFD. */
void utf8_add(struct slice text, struct buf *out);

/* Adds a message under key to an object of arrays. */
void errors_add(json_t *errors, const char *key, const char *text);

void json_set_text(json_t *object, const char *key, const char *text);
/* The same with any bytes, NUL too. */
void json_set_bytes(json_t *object, const char *key, struct slice bytes);
/* RFC 3339 in UTC; null for 0. */
void json_set_time(json_t *object, const char *key, int64_t wall_us);
void json_set_u64(json_t *object, const char *key, uint64_t value);

#endif
