#include "io/http_later.h"

#include <assert.h>
#include <stdlib.h>

#include "base/xmalloc.h"
#include "io/http_conn_internal.h"
#include "io/http_write.h"
#include "io/stream.h"

enum { LATER_MS = 60 * 1000 };

struct http_later {
	struct http_conn *conn;		/* NULL: the response belongs to no connection */
	struct http_response *response; /* the handler's; NULL once it has returned */
	http_gone_cb *gone;
	void *arg;
};

struct http_later *
http_response_later(struct http_response *response, http_gone_cb *gone, void *arg)
{
	struct http_later *later = xcalloc(1, sizeof(*later));

	later->conn = response->conn;
	later->response = response;
	later->gone = gone;
	later->arg = arg;
	if (later->conn != NULL)
		later->conn->later = later;
	return later;
}

void
http_later_answer(struct http_later *later, struct http_response *answer)
{
	struct http_response *response = later->response;
	struct http_conn *c = later->conn;

	free(later);
	if (c != NULL)
		c->later = NULL;
	if (response == NULL) {
		/* From the loop, since the caller may be anywhere; a gone connection has said so.
		 */
		assert(c != NULL);
		c->ready = *answer;
		c->state = CONN_READY;
		conn_deadline(c, 0);
	} else {
		answer->conn = response->conn;
		http_response_free(response);
		*response = *answer;
	}
	*answer = (struct http_response){0};
}

void
http_later_gone(struct http_later *later)
{
	if (later == NULL)
		return;
	later->gone(later->arg);
	free(later);
}

void
conn_wait(struct http_conn *c)
{
	int64_t ms = c->conns->limits.later_ms;

	c->later->response = NULL;
	c->state = CONN_WAITING;
	conn_deadline(c, ms > 0 ? ms : LATER_MS);
	/* What the client sends ahead is of no use yet; that it closes is. */
	stream_want_read(c->stream, true);
}

void
conn_wait_over(struct http_conn *c)
{
	struct http_later *later = c->later;
	struct http_response response;

	c->later = NULL;
	http_later_gone(later);
	http_response_init(&response);
	http_response_error(&response, 504, "no answer in time; try again");
	conn_answer(c, &response);
}
