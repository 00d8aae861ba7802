/*
 * http_intake -- lines over HTTP: POST /v1/apps/:app/logs on the listeners http://
 * and https:// (docs/api.md, "Sending lines over HTTP").  One HTTP server a worker,
 * which serves nothing else.
 *
 * Owner: the worker's intake.  Thread: the worker.
 */
#ifndef HTTP_INTAKE_H
#define HTTP_INTAKE_H

#include <openssl/ssl.h>

#include "ends/intake.h"

struct http_intake;

struct http_intake *http_intake_new(struct intake *);
/* Closes all connections; what has no answer gets none.  NULL is fine. */
void http_intake_free(struct http_intake *);
/* An accepted, non-blocking socket, owned from here on; peer: whom it came from.  ctx NULL: plain.
 */
void http_intake_take(struct http_intake *, struct listener_share *, int fd,
		      const struct sockaddr *peer, SSL_CTX *ctx);
/* Answers what took too long; once a second or so. */
void http_intake_sweep(struct http_intake *, int64_t now_ms);
/*
 * At stop: no line is taken any more.  Idle connections are closed, requests that
 * come to their end are refused; those whose lines were taken are answered when
 * these are safe.
 */
void http_intake_stop(struct http_intake *);
/* Requests that came whole and have no answer yet. */
size_t http_intake_busy(const struct http_intake *);

#endif
