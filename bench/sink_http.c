/*
 * sink_http -- requests: what drains over HTTP send (docs/drains.md).
 *
 * The lines of flood are found in a body by what they begin and end with
 * (lines.h), whatever is around them: they need no escapes in JSON, so nothing
 * is parsed.  A request's lines have to be of one app.  Order is judged over
 * all requests to a port: a batch that is sent again may come on another
 * connection.
 */
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "sink.h"
#include "tool.h"

enum {
	TICK_US = 20 * 1000,
	IDLE_SECONDS = 3600,
	ANY_WINDOW = 15 + 32, /* zlib: gzip or zlib */
	BODY_MAX = 256 * 1024 * 1024,
};

struct port {
	struct sink *sink;
	struct event_base *base;
	struct evhttp *http;
	struct side *side;
	struct check_conn check;
	bool stalled;
};

static void
grow(struct sink *s)
{
	s->buf_bytes *= 2;
	if (s->buf_bytes > BODY_MAX)
		tool_die("a body of more than %d bytes", BODY_MAX);
	s->buf = realloc(s->buf, s->buf_bytes);
	if (s->buf == NULL)
		tool_die("out of memory");
}

/* Into sink.buf; false: it is no gzip. */
static bool
decompress(struct sink *s, const char *data, size_t len, size_t *out_len)
{
	z_stream z = {.next_in = (Bytef *)(uintptr_t)data, .avail_in = (uInt)len};
	int status = Z_OK;

	if (inflateInit2(&z, ANY_WINDOW) != Z_OK)
		tool_die("out of memory");
	while (status == Z_OK) {
		if (z.total_out == s->buf_bytes)
			grow(s);
		z.next_out = (Bytef *)s->buf + z.total_out;
		z.avail_out = (uInt)(s->buf_bytes - z.total_out);
		status = inflate(&z, Z_NO_FLUSH);
	}
	*out_len = z.total_out;
	inflateEnd(&z);
	return status == Z_STREAM_END;
}

static bool
is_compressed(struct evhttp_request *request)
{
	const char *coding =
	    evhttp_find_header(evhttp_request_get_input_headers(request), "Content-Encoding");

	return coding != NULL && strcmp(coding, "identity") != 0;
}

static void
on_request(struct evhttp_request *request, void *arg)
{
	struct port *p = arg;
	struct sink *s = p->sink;
	struct evbuffer *body = evhttp_request_get_input_buffer(request);
	size_t len = evbuffer_get_length(body);
	const char *text = (const char *)evbuffer_pullup(body, -1);
	const uint64_t before = p->side->check.counts.lines;

	if (p->stalled)
		return;
	s->now = tool_now();
	if (len > 0 && is_compressed(request)) {
		if (!decompress(s, text, len, &len))
			p->side->check.counts.misparsed++;
		text = s->buf;
	}
	p->check.app = 0;
	if (len > 0)
		check_body(&p->side->check, &p->check, text, len, s->now);
	sink_noticed(s, p->side, before);
	evhttp_send_reply(request, 202, "Accepted", NULL);
}

static struct bufferevent *
on_connection(struct event_base *base, void *arg)
{
	struct port *p = arg;

	p->side->accepted++;
	return bufferevent_socket_new(base, -1, 0);
}

static void
on_tick(evutil_socket_t fd, short what, void *arg)
{
	const struct port *p = arg;

	(void)fd;
	(void)what;
	if (sink_left(p->sink) == 0)
		event_base_loopbreak(p->base);
}

static void
port_open(struct port *p, struct sink *s, unsigned i, struct event_base *base)
{
	p->sink = s;
	p->base = base;
	p->side = sink_side(s, i);
	p->stalled = s->opt.stall && sink_is_bad(s, i);
	p->check.tag = sink_tag(s, i);
	p->http = evhttp_new(base);
	if (p->http == NULL || evhttp_accept_socket(p->http, s->listeners[i]) != 0)
		tool_die("out of memory");
	evhttp_set_timeout(p->http, IDLE_SECONDS);
	evhttp_set_bevcb(p->http, on_connection, p);
	evhttp_set_gencb(p->http, on_request, p);
}

void
sink_http(struct sink *s)
{
	const struct timeval tick = {.tv_usec = TICK_US};
	const unsigned n = (unsigned)s->opt.ports;
	struct event_base *base = event_base_new();
	struct port *ports = calloc(n, sizeof(*ports));
	struct event *timer;

	if (base == NULL || ports == NULL)
		tool_die("out of memory");
	for (unsigned i = 0; i < n; i++)
		port_open(&ports[i], s, i, base);
	timer = event_new(base, -1, EV_PERSIST, on_tick, &ports[0]);
	if (timer == NULL || event_add(timer, &tick) != 0)
		tool_die("out of memory");
	event_base_dispatch(base);
	event_free(timer);
	for (unsigned i = 0; i < n; i++) {
		check_conn_clear(&ports[i].check);
		evhttp_free(ports[i].http);
	}
	free(ports);
	event_base_free(base);
}
