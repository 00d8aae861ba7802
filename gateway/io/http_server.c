#include "io/http_server.h"

#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/xmalloc.h"
#include "io/http_conn.h"

enum {
	ACCEPTS_A_TURN = 32,
	PAUSE_FIRST_MS = 100, /* out of descriptors: doubled up to the next */
	PAUSE_MOST_MS = 1000,
	FULL_WARNING_MS = 60000, /* one warning in this time that the server is full */
};

struct listener {
	SLIST_ENTRY(listener) link;
	struct http_server *server;
	int fd;
	SSL_CTX *ctx; /* NULL: plain */
	struct event *acceptable;
	struct event *resume;
	int pause_ms; /* 0: accepting works */
};

struct http_server {
	struct http_conns conns;
	SLIST_HEAD(, listener) listeners;
	int64_t full_warned; /* when; 0: never */
};

/* An accept failed for want of something: the listener would only spin. */
static void
listener_pause(struct listener *l, int error)
{
	struct timeval tv;

	if (l->pause_ms == 0) {
		l->pause_ms = PAUSE_FIRST_MS;
		log_warn("admin listener pauses: cannot accept; raise the limit of open files",
			 "error", strerror(error), NULL);
	} else {
		l->pause_ms = l->pause_ms * 2 < PAUSE_MOST_MS ? l->pause_ms * 2 : PAUSE_MOST_MS;
	}
	event_del(l->acceptable);
	tv.tv_sec = l->pause_ms / 1000;
	tv.tv_usec = l->pause_ms % 1000 * 1000;
	evtimer_add(l->resume, &tv);
}

static void
server_warn_full(struct http_server *server)
{
	int64_t now = clock_mono_ms();

	if (server->full_warned != 0 && now - server->full_warned < FULL_WARNING_MS)
		return;
	server->full_warned = now;
	log_warn("admin connections refused: as many as allowed are open", "allowed",
		 log_u64(server->conns.limits.connections), NULL);
}

/* Errors of the one connection that was being accepted: the next may be fine. */
static bool
accept_passes(int error)
{
	return error == EINTR || error == ECONNABORTED || error == EPROTO || error == EPERM ||
	       error == ENETDOWN || error == ENETUNREACH || error == EHOSTDOWN ||
	       error == EHOSTUNREACH || error == ENOPROTOOPT || error == ENONET;
}

static void
on_acceptable(evutil_socket_t fd, short what, void *arg)
{
	struct listener *l = arg;
	int i;

	(void)what;
	for (i = 0; i < ACCEPTS_A_TURN; i++) {
		struct sockaddr_storage peer = {0};
		socklen_t len = sizeof(peer);
		int conn =
		    accept4(fd, (struct sockaddr *)&peer, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (conn < 0) {
			if (errno == EAGAIN || errno == EWOULDBLOCK)
				return;
			if (accept_passes(errno))
				continue;
			listener_pause(l, errno);
			return;
		}
		l->pause_ms = 0;
		if (!http_conn_open(&l->server->conns, conn, l->ctx, &peer, NULL))
			server_warn_full(l->server);
	}
}

static void
on_resume(evutil_socket_t fd, short what, void *arg)
{
	struct listener *l = arg;

	(void)fd;
	(void)what;
	event_add(l->acceptable, NULL);
}

static void
listener_free(struct listener *l)
{
	event_free(l->acceptable);
	event_free(l->resume);
	close(l->fd);
	SSL_CTX_free(l->ctx);
	free(l);
}

static void
server_close_listeners(struct http_server *server)
{
	struct listener *l;

	while ((l = SLIST_FIRST(&server->listeners)) != NULL) {
		SLIST_REMOVE_HEAD(&server->listeners, link);
		listener_free(l);
	}
}

struct http_server *
http_server_new(struct event_base *base, const struct http_limits *limits, http_handler *handler,
		void *arg)
{
	struct http_server *server = xcalloc(1, sizeof(*server));

	server->conns.base = base;
	server->conns.limits = *limits;
	server->conns.handler = handler;
	server->conns.arg = arg;
	LIST_INIT(&server->conns.list);
	SLIST_INIT(&server->listeners);
	return server;
}

void
http_server_free(struct http_server *server)
{
	if (server == NULL)
		return;
	server_close_listeners(server);
	http_conns_close(&server->conns);
	free(server);
}

void
http_server_listen(struct http_server *server, int fd, SSL_CTX *ctx)
{
	struct listener *l = xcalloc(1, sizeof(*l));

	l->server = server;
	l->fd = fd;
	if (ctx != NULL && SSL_CTX_up_ref(ctx) == 1)
		l->ctx = ctx;
	l->acceptable = event_new(server->conns.base, fd, EV_READ | EV_PERSIST, on_acceptable, l);
	l->resume = evtimer_new(server->conns.base, on_resume, l);
	event_add(l->acceptable, NULL);
	SLIST_INSERT_HEAD(&server->listeners, l, link);
}

bool
http_server_take(struct http_server *server, int fd, SSL_CTX *ctx,
		 const struct sockaddr_storage *peer, void *origin)
{
	return http_conn_open(&server->conns, fd, ctx, peer, origin);
}

void
http_server_on_closed(struct http_server *server, http_closed_cb *closed)
{
	server->conns.closed = closed;
}

void
http_server_set_ctx(struct http_server *server, const SSL_CTX *was, SSL_CTX *now)
{
	struct listener *l;

	SLIST_FOREACH(l, &server->listeners, link)
	{
		if (l->ctx != was || SSL_CTX_up_ref(now) != 1)
			continue;
		SSL_CTX_free(l->ctx);
		l->ctx = now;
	}
}

void
http_server_stop(struct http_server *server)
{
	server->conns.stopping = true;
	server_close_listeners(server);
	http_conns_stop(&server->conns);
}

size_t
http_server_connections(const struct http_server *server)
{
	return server->conns.n;
}

size_t
http_server_answers(const struct http_server *server)
{
	return http_conns_answers(&server->conns);
}
