/*
 * http_post -- requests with lines, from their bodies to their answers: one
 * worker's.
 *
 *	add -> queued -> taken apart -> appended -> waiting -> 204
 *	          |           |            |           |
 *	          |           400, 413     |           503 after 30 s, or if lines were given up
 *	          503, 429: nothing of it was taken
 *
 * One after the other, in pieces of 256 KiB a turn of the loop, so that the memory
 * for what a body becomes is there once; who is alone is served at once.  A
 * body's lines are appended when all of it is known to be good.  Then it waits for
 * its receipt (receipt.h), and others go on.
 *
 * Owner: the worker's http_intake.  Thread: the worker.
 */
#ifndef HTTP_POST_H
#define HTTP_POST_H

#include "base/name.h"
#include "ends/http_body.h"
#include "ends/intake.h"
#include "ends/peer_name.h"
#include "io/http_message.h"

struct http_posts;

enum {
	/* Bodies in the queue, and lines that are not safe yet: over it nothing more is taken. */
	HTTP_POSTS_BYTES = 16 * 1024 * 1024,
	HTTP_POST_MS = 30 * 1000, /* until its lines are safe */
};

/* What a request says besides its lines; copied. */
struct http_post_head {
	struct listener_share *share;
	struct slice app;
	struct slice hostname; /* of lines without one */
	struct http_body_head body;
};

struct http_posts *http_posts_new(struct intake *);
/* Their requests get no answer. */
void http_posts_free(struct http_posts *); /* NULL is fine */
/* Why nothing can be taken now: fills an answer in.  false: it can. */
bool http_posts_refuse(const struct http_posts *, size_t bytes, struct http_response *);
/* Inside a handler: takes bytes over, and answers, now or later. */
void http_posts_add(struct http_posts *, const struct http_post_head *, struct buf *bytes,
		    struct http_response *);
/* Answers what took too long; once a second or so. */
void http_posts_sweep(struct http_posts *, int64_t now_ms);
/* At stop: what is being appended is; what is not begun is refused, and so is what comes. */
void http_posts_stop(struct http_posts *);
/* An answer that is an error; Retry-After with those that mean to be tried again. */
void http_post_error(struct http_response *, int status, const char *text);

#endif
