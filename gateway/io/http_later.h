/*
 * http_later -- an answer that comes after its handler has returned, for calls
 * that wait for something: workers, a receiver on the network.
 *
 *	handler: later = http_response_later(resp, on_gone, job);
 *	...      the loop runs, other connections are served ...
 *	job:     http_later_answer(later, &response);
 *
 * Exactly one of two things ends it: http_later_answer, or one call of gone.
 * Meanwhile the connection takes no further request; what the client sends
 * ahead waits, and is served when the answer is out.
 *
 * Owner: who asked for it.  Thread: the server's.
 */
#ifndef HTTP_LATER_H
#define HTTP_LATER_H

#include "io/http_message.h"

struct http_later;

/*
 * Nobody waits for the answer any more: the client closed its side or was cut
 * off, the deadline (http_limits.later_ms) is over and 504 was answered, or
 * the server is being freed.  The http_later is freed when this returns: do not
 * touch it.  Comes from the loop or from http_server_free; must not free the
 * server.
 */
typedef void http_gone_cb(void *arg);

/*
 * Inside a handler, once a request.  What the handler puts into its response is
 * ignored from here on.  Never NULL.
 */
struct http_later *http_response_later(struct http_response *, http_gone_cb *gone, void *arg);

/*
 * Takes over and frees what the response holds (made by http_response_init);
 * the http_later is freed.  It goes out from the loop, at the next turn.  Also
 * right for a handler that has its answer before it returns.
 *
 * A response that belongs to no connection, in a test of a handler, takes the
 * answer itself and must live until then.
 */
void http_later_answer(struct http_later *, struct http_response *);

#endif
