#include "ends/proxy_gate.h"

#include <errno.h>
#include <event2/event.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/xmalloc.h"
#include "ends/listener.h"
#include "plumb/proxy_header.h"

enum { HEADER_SECONDS = 10 };

struct proxy_gate {
	TAILQ_ENTRY(proxy_gate) link;
	struct intake *intake;
	struct listener_share *from;
	int fd;
	struct sockaddr_storage peer;
	SSL_CTX *ctx;
	struct event *event;
	struct event *deadline; /* of the whole header, however it trickles */
};

static void
gate_free(struct proxy_gate *g)
{
	TAILQ_REMOVE(&g->intake->gates, g, link);
	event_free(g->event);
	event_free(g->deadline);
	if (g->fd >= 0)
		close(g->fd);
	SSL_CTX_free(g->ctx);
	free(g);
}

static void
gate_refuse(struct proxy_gate *g, const char *why)
{
	stats_add(&g->intake->stats->connections_refused, 1);
	g->from->counts.connections_refused++;
	log_warn("connection refused", "listener", g->from->url->text, "reason", why, NULL);
	gate_free(g);
}

static void
gate_pass(struct proxy_gate *g, const struct sockaddr_storage *peer)
{
	int one = 1;
	int fd = g->fd;

	setsockopt(fd, SOL_SOCKET, SO_RCVLOWAT, &one, sizeof(one));
	g->fd = -1;
	listener_admit(g->intake, g->from, fd, (const struct sockaddr *)peer, g->ctx);
	gate_free(g);
}

/* Takes the header out of the socket, where it has been seen to lie. */
static bool
skip_header(int fd, size_t n)
{
	char junk[PROXY_HEADER_MAX];

	return recv(fd, junk, n, MSG_DONTWAIT) == (ssize_t)n;
}

/* No more will come: what lies in the socket is all. */
static bool
peer_has_ended(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLRDHUP};

	return poll(&p, 1, 0) > 0;
}

static void
gate_look(struct proxy_gate *g)
{
	char head[PROXY_HEADER_MAX];
	struct proxy_header h;
	/* Asked before the look, which then sees everything. */
	bool ended = peer_has_ended(g->fd);
	ssize_t n = recv(g->fd, head, sizeof(head), MSG_PEEK | MSG_DONTWAIT);
	int more;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		gate_free(g);
		return;
	}
	switch (proxy_header_parse(slice_of(head, (size_t)n), &h)) {
	case PROXY_MORE:
		/* The end stays readable for ever, and what was seen never goes. */
		if (ended) {
			gate_refuse(g, "closed within its PROXY header");
			break;
		}
		/* Seen bytes stay in the socket: wake up only for new ones. */
		more = (int)n + 1;
		setsockopt(g->fd, SOL_SOCKET, SO_RCVLOWAT, &more, sizeof(more));
		break;
	case PROXY_NONE:
		gate_pass(g, &g->peer);
		break;
	case PROXY_BAD:
		gate_refuse(g, "malformed PROXY header");
		break;
	case PROXY_OK:
		if (!skip_header(g->fd, h.length))
			gate_refuse(g, "PROXY header could not be read");
		else
			gate_pass(g, h.from == PROXY_ADDRESS ? &h.source : &g->peer);
		break;
	}
}

static void
on_event(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	gate_look(arg);
}

static void
on_deadline(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	gate_refuse(arg, "no PROXY header within 10 s");
}

void
proxy_gate_new(struct intake *intake, struct listener_share *from, int fd,
	       const struct sockaddr *peer, SSL_CTX *ctx)
{
	struct timeval tv = {.tv_sec = HEADER_SECONDS};
	struct proxy_gate *g = xcalloc(1, sizeof(*g));

	g->intake = intake;
	g->from = from;
	g->fd = fd;
	memcpy(&g->peer, peer,
	       peer->sa_family == AF_INET6 ? sizeof(struct sockaddr_in6)
					   : sizeof(struct sockaddr_in));
	if (ctx != NULL)
		SSL_CTX_up_ref(ctx);
	g->ctx = ctx;
	TAILQ_INSERT_TAIL(&intake->gates, g, link);
	g->event = event_new(intake->base, fd, EV_READ | EV_PERSIST, on_event, g);
	g->deadline = evtimer_new(intake->base, on_deadline, g);
	if (g->event == NULL || g->deadline == NULL || event_add(g->event, NULL) < 0 ||
	    event_add(g->deadline, &tv) < 0)
		abort();
}

void
proxy_gate_clear(struct intake *intake)
{
	while (!TAILQ_EMPTY(&intake->gates))
		gate_free(TAILQ_FIRST(&intake->gates));
}
