#include "ends/listener.h"

#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/xmalloc.h"
#include "ends/datagram_input.h"
#include "ends/http_intake.h"
#include "ends/proxy_gate.h"
#include "ends/session.h"
#include "plumb/cidr.h"

/* Accepted in one event before other sockets get their turn. */
enum { ACCEPT_BATCH = 64 };
/* Out of descriptors: how long to leave the queue alone. */
enum { PAUSE_MS = 200 };

struct listener {
	TAILQ_ENTRY(listener) link;
	struct intake *intake;
	struct listener_share share;
	SSL_CTX *ctx;
	struct cidr_list proxies;	  /* who may send a PROXY header */
	struct datagram_input *datagrams; /* NULL: a stream listener */
	int fd;
	struct event *event;
	struct event *resume;
	bool starved; /* said once that descriptors are out */
};

static void
out_of_descriptors(struct listener *l)
{
	struct timeval tv = {.tv_usec = PAUSE_MS * 1000};

	event_del(l->event);
	event_add(l->resume, &tv);
	stats_add(&l->intake->stats->connections_refused, 1);
	l->share.counts.connections_refused++;
	if (!l->starved)
		log_warn("accept paused: out of file descriptors; raise the limit (ulimit -n)",
			 "listener", l->share.url->text, "error", strerror(errno), NULL);
	l->starved = true;
}

void
listener_admit(struct intake *intake, struct listener_share *share, int fd,
	       const struct sockaddr *peer, SSL_CTX *ctx)
{
	if (share->url->kind != LISTEN_INGEST && share->url->kind != LISTEN_INGESTS) {
		session_new(intake, share, fd, peer, ctx);
		return;
	}
	if (intake->http == NULL)
		intake->http = http_intake_new(intake);
	http_intake_take(intake->http, share, fd, peer, ctx);
}

static void
take_connection(struct listener *l, int fd, const struct sockaddr_storage *peer)
{
	const struct sockaddr *addr = (const struct sockaddr *)peer;

	if (cidr_list_has(&l->proxies, addr))
		proxy_gate_new(l->intake, &l->share, fd, addr, l->ctx);
	else
		listener_admit(l->intake, &l->share, fd, addr, l->ctx);
}

/* false: the queue is empty, or accepting is paused. */
static bool
accept_one(struct listener *l)
{
	struct sockaddr_storage peer = {0};
	socklen_t len = sizeof(peer);
	int fd = accept4(l->fd, (struct sockaddr *)&peer, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd >= 0) {
		l->starved = false;
		take_connection(l, fd, &peer);
		return true;
	}
	if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
		out_of_descriptors(l);
	/* A connection that died in the queue is no reason to stop. */
	return errno == ECONNABORTED || errno == EINTR || errno == EPROTO;
}

static void
on_acceptable(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	for (int i = 0; i < ACCEPT_BATCH; i++)
		if (!accept_one(arg))
			return;
}

static void
on_resume(evutil_socket_t fd, short what, void *arg)
{
	struct listener *l = arg;

	(void)fd;
	(void)what;
	event_add(l->event, NULL);
}

static void
listen_for_streams(struct listener *l)
{
	const char *proxy = l->share.url->proxy;
	char err[256];

	l->event = event_new(l->intake->base, l->fd, EV_READ | EV_PERSIST, on_acceptable, l);
	l->resume = evtimer_new(l->intake->base, on_resume, l);
	if (l->event == NULL || l->resume == NULL || event_add(l->event, NULL) < 0)
		abort();
	/* The list was checked when the configuration was read. */
	if (proxy != NULL && !cidr_list_parse(proxy, &l->proxies, err, sizeof(err)))
		log_error("proxy list refused", "listener", l->share.url->text, "error", err, NULL);
}

void
listener_new(struct intake *intake, const struct listen_url *url, int fd, SSL_CTX *ctx,
	     struct tag_rule *rule)
{
	struct listener *l = xcalloc(1, sizeof(*l));

	l->intake = intake;
	l->share.url = url;
	l->share.rule = rule;
	l->fd = fd;
	if (ctx != NULL)
		SSL_CTX_up_ref(ctx);
	l->ctx = ctx;
	if (url->kind == LISTEN_UDP || url->kind == LISTEN_UNIXGRAM)
		l->datagrams = datagram_input_new(intake, &l->share, fd);
	else
		listen_for_streams(l);
	TAILQ_INSERT_TAIL(&intake->listeners, l, link);
}

struct listener *
listener_next(struct listener *l)
{
	return TAILQ_NEXT(l, link);
}

const struct listen_url *
listener_url(const struct listener *l)
{
	return l->share.url;
}

const struct listener_counts *
listener_counts(const struct listener *l)
{
	return &l->share.counts;
}

void
listener_read_rest(struct listener *l)
{
	if (l->datagrams != NULL)
		datagram_input_read_rest(l->datagrams);
	else
		while (accept_one(l))
			;
}

void
listener_close(struct listener *l)
{
	struct intake *intake = l->intake;

	listener_read_rest(l);
	TAILQ_REMOVE(&intake->listeners, l, link);
	TAILQ_INSERT_TAIL(&intake->closed, l, link);
	if (l->datagrams != NULL) {
		datagram_input_free(l->datagrams);
	} else {
		event_free(l->event);
		event_free(l->resume);
		close(l->fd);
	}
	cidr_list_free(&l->proxies);
	SSL_CTX_free(l->ctx);
}

void
listener_free_closed(struct intake *intake)
{
	struct listener *l;

	while ((l = TAILQ_FIRST(&intake->closed)) != NULL) {
		TAILQ_REMOVE(&intake->closed, l, link);
		free(l);
	}
}

void
listener_pause(struct listener *l, bool paused)
{
	if (l->datagrams != NULL)
		datagram_input_pause(l->datagrams, paused);
}

void
listener_renew(struct listener *l, SSL_CTX *ctx, struct tag_rule *rule)
{
	l->share.rule = rule;
	if (ctx == NULL)
		return;
	SSL_CTX_up_ref(ctx);
	SSL_CTX_free(l->ctx);
	l->ctx = ctx;
}
