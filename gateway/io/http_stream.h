/*
 * http_stream -- an answer whose body is written bit by bit: chunked for
 * HTTP/1.1, until the connection closes for HTTP/1.0, no body for HEAD.  It is
 * the last answer on its connection.
 *
 * Exactly one of two things ends it: http_stream_end, or one call of gone.
 *
 * What is written waits until the client takes it; nothing is sent from inside
 * these calls.  A client that takes nothing of what waits for
 * http_limits.stall_ms is cut off.
 *
 * Owner: who asked for it.  Thread: the server's.
 */
#ifndef HTTP_STREAM_H
#define HTTP_STREAM_H

#include "io/http_later.h"
#include "io/http_message.h"

struct http_stream;

/* What waits for the client, at most; a single write into an empty buffer may be larger. */
enum { HTTP_STREAM_BYTES = 256 * 1024 };

/*
 * Inside a handler, once a request.  Status, content type and headers of the
 * response are sent when the handler returns; its body is ignored.
 *
 * gone: the client closed its side or was cut off, or the server stops: what
 * was written is sent and the answer ended properly then.  The http_stream must
 * not be touched from then on.  With HEAD it comes when the handler returns.
 *
 * NULL: half of the connections that the server may have are streams already,
 * or it stops; the response is a 503 that says so.
 */
struct http_stream *http_response_stream(struct http_response *, http_gone_cb *gone, void *arg)
    __attribute__((warn_unused_result));

/*
 * False, and nothing taken: it does not fit behind what waits.  What is written
 * while nothing waits is always taken: its writer bounds it.
 */
bool http_stream_write(struct http_stream *, const void *p, size_t n)
    __attribute__((warn_unused_result));
/* Bytes that the client has not taken yet. */
size_t http_stream_buffered(const struct http_stream *);
/*
 * Calls on_empty(arg of http_response_stream) once, from the loop, as soon as
 * nothing waits any more; not if gone comes first.
 */
void http_stream_when_empty(struct http_stream *, void (*on_empty)(void *arg));
/* Writes text, which is static, after each ms without another write. */
void http_stream_keep_alive(struct http_stream *, const char *text, int64_t ms);
/* What was written is sent, then the answer ends.  gone will not be called. */
void http_stream_end(struct http_stream *);

#endif
