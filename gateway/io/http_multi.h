/*
 * http_multi -- libcurl's multi interface on an event_base: its sockets become
 * events, its time-out a timer.  Also keeps easy handles for use again.
 *
 * For http_client and its calls only.  Owner and thread: the event_base's.
 */
#ifndef HTTP_MULTI_H
#define HTTP_MULTI_H

#include <curl/curl.h>

struct event_base;
struct http_multi;

/* A transfer ended; the handle is out of the multi already.  Not inside http_multi_add. */
typedef void http_multi_done(CURL *, CURLcode);

struct http_multi *http_multi_new(struct event_base *, http_multi_done *);
/* All handles were removed.  NULL is fine. */
void http_multi_free(struct http_multi *);

/* A handle with no option set. */
CURL *http_multi_take(struct http_multi *);
/* Not in the multi any more. */
void http_multi_give(struct http_multi *, CURL *);

void http_multi_add(struct http_multi *, CURL *);
/* done will not run for it; its connection is closed. */
void http_multi_remove(struct http_multi *, CURL *);

#endif
