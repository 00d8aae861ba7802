/*
 * http_body -- a request's body on its way to lines: decompressed, taken apart,
 * kept as frames, some of it at a time, so that a large one holds up nobody.
 * All of it is known to be good before its first line goes anywhere.
 *
 *	bytes --gunzip--> plain --wire/body--> frames: octet-counted, canonical
 *
 * Owner: a post.  Thread: the worker.
 */
#ifndef HTTP_BODY_H
#define HTTP_BODY_H

#include "base/buf.h"
#include "plumb/gunzip.h"
#include "wire/body.h"

enum {
	HTTP_BODY_BYTES = 4 * 1024 * 1024,	   /* as it is sent */
	HTTP_BODY_PLAIN_BYTES = 16 * 1024 * 1024,  /* decompressed */
	HTTP_BODY_FRAMES_BYTES = 32 * 1024 * 1024, /* as lines: short ones become longer */
	HTTP_BODY_FAULT_BYTES = 256,
};

enum http_body_step { HTTP_BODY_MORE, HTTP_BODY_DONE, HTTP_BODY_REFUSED };

/* What the request says of it. */
struct http_body_head {
	enum body_kind kind;
	bool gzip;
	int64_t count; /* lines that there should be; -1: it does not say */
};

struct http_body {
	struct http_body_head head;
	struct buf bytes, plain;
	bool unpacking, apart; /* what was begun */
	struct body body;
	struct buf frames;
	size_t lines, cut, rewritten; /* of frames; what was cut, and what is not as it came */
	int status;		      /* of HTTP_BODY_REFUSED */
	char fault[HTTP_BODY_FAULT_BYTES];
};

/* Takes bytes over and leaves them empty. */
void http_body_init(struct http_body *, const struct http_body_head *, struct buf *bytes);
void http_body_free(struct http_body *);
/*
 * Works on about so many bytes of it.  gunzip is its own from the first call to the
 * last.  REFUSED: status and fault, a sentence with the remedy, fit for a JSON string.
 */
enum http_body_step http_body_some(struct http_body *, struct gunzip *, const struct body_env *,
				   size_t bytes) __attribute__((warn_unused_result));
/* Each frame in turn, without its count; *at is 0 at first.  false: there is none. */
bool http_body_frame(const struct http_body *, size_t *at, struct slice *frame)
    __attribute__((warn_unused_result));

#endif
