#include "io/stream.h"

#include <errno.h>
#include <openssl/err.h>
#include <string.h>

#include "base/clock.h"
#include "base/xmalloc.h"
#include "io/stream_impl.h"
#include "io/tcp_info.h"
#include "plumb/net_error.h"
#include "plumb/tls.h"

/*
 * What may be lost with a connection, or wait unseen behind a slow peer: left
 * to itself Linux grows it to 4 MiB.  Loopback needs about this much for its
 * full rate; the kernel doubles it for its book-keeping.
 */
enum { SEND_BUFFER_BYTES = 256 * 1024 };

/* From inside stream_connect and stream_accepted: the user has no pointer yet. */
static void
stream_fail_later(struct stream *s, const char *words)
{
	s->phase = PHASE_FAILING;
	stream_break(s, words);
	stream_after(s, 0);
}

void
stream_handshake(struct stream *s)
{
	char err[TLS_ERROR_BYTES];
	int ret;

	ERR_clear_error();
	errno = 0;
	ret = SSL_do_handshake(s->ssl);
	if (ret == 1) {
		stream_is_open(s);
		return;
	}
	switch (SSL_get_error(s->ssl, ret)) {
	case SSL_ERROR_WANT_READ:
		s->read_needs_write = false;
		break;
	case SSL_ERROR_WANT_WRITE:
		s->read_needs_write = true;
		break;
	default:
		tls_error(s->ssl, ret, err);
		stream_fail(s, err);
		return;
	}
	stream_watch(s);
}

/* A port among those that the kernel gives to clients may get us to ourselves. */
static bool
is_own_end(int fd)
{
	struct sockaddr_storage a, b;
	socklen_t alen = sizeof(a), blen = sizeof(b);

	memset(&a, 0, sizeof(a));
	memset(&b, 0, sizeof(b));
	return getsockname(fd, (struct sockaddr *)&a, &alen) == 0 &&
	       getpeername(fd, (struct sockaddr *)&b, &blen) == 0 && alen == blen &&
	       memcmp(&a, &b, alen) == 0;
}

void
stream_connected(struct stream *s)
{
	int err = 0;
	socklen_t len = sizeof(err);

	if (getsockopt(s->fd, SOL_SOCKET, SO_ERROR, &err, &len) != 0)
		err = errno;
	if (err == 0 && s->tcp && is_own_end(s->fd))
		err = ECONNREFUSED;
	if (err == 0)
		s->connected_ms = clock_mono_ms();
	if (err == ETIMEDOUT) {
		stream_fail(s, "connection timed out");
	} else if (err != 0) {
		stream_fail(s, net_error(err));
	} else if (s->ssl == NULL) {
		stream_is_open(s);
	} else {
		s->phase = PHASE_HANDSHAKING;
		stream_after(s, s->handshake_ms);
		stream_handshake(s);
	}
}

static struct stream *
stream_new(struct event_base *base, int fd, stream_cb *cb, void *arg)
{
	struct stream *s = xcalloc(1, sizeof(*s));

	s->base = base;
	s->fd = fd;
	s->cb = cb;
	s->arg = arg;
	event_assign(&s->read_event, base, fd, EV_READ | EV_PERSIST, stream_on_socket, s);
	event_assign(&s->write_event, base, fd, EV_WRITE | EV_PERSIST, stream_on_socket, s);
	evtimer_assign(&s->timer, base, stream_on_timer, s);
	return s;
}

struct stream *
stream_accepted(struct event_base *base, int fd, SSL_CTX *ctx, int64_t handshake_ms, stream_cb *cb,
		void *arg)
{
	struct stream *s = stream_new(base, fd, cb, arg);
	int domain = AF_UNSPEC;
	socklen_t len = sizeof(domain);

	(void)getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len);
	s->tcp = domain == AF_INET || domain == AF_INET6;
	if (s->tcp)
		tcp_set_options(fd, STREAM_USER_TIMEOUT_MS);
	if (ctx == NULL) {
		s->phase = PHASE_OPENING;
		stream_after(s, 0);
		return s;
	}
	s->ssl = tls_accept_session(ctx, fd);
	if (s->ssl == NULL) {
		stream_fail_later(s, "no memory for a TLS session");
		return s;
	}
	s->phase = PHASE_HANDSHAKING;
	s->handshake_ms = handshake_ms;
	stream_after(s, handshake_ms);
	stream_watch(s);
	return s;
}

static void
stream_start_connect(struct stream *s, const struct sockaddr *addr, socklen_t len, SSL_CTX *ctx,
		     const char *host)
{
	int size = SEND_BUFFER_BYTES;
	char words[STREAM_ERROR_BYTES];

	if (s->fd < 0) {
		stream_fail_later(s, net_error(errno));
		return;
	}
	if (s->tcp)
		tcp_set_options(s->fd, STREAM_USER_TIMEOUT_MS);
	(void)setsockopt(s->fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	if (ctx != NULL) {
		s->ssl = tls_connect_session(ctx, s->fd, host);
		if (s->ssl == NULL) {
			snprintf(words, sizeof(words), "host name '%s' cannot be verified",
				 host != NULL ? host : "");
			stream_fail_later(s, words);
			return;
		}
	}
	if (connect(s->fd, addr, len) != 0 && errno != EINPROGRESS && errno != EINTR) {
		stream_fail_later(s, net_error(errno));
		return;
	}
	s->phase = PHASE_CONNECTING;
	stream_after(s, s->connect_ms);
	stream_watch(s);
}

struct stream *
stream_connect(struct event_base *base, const struct sockaddr *addr, socklen_t len, SSL_CTX *ctx,
	       const char *host, int64_t connect_ms, int64_t handshake_ms, stream_cb *cb, void *arg)
{
	int fd = socket(addr->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	struct stream *s = stream_new(base, fd, cb, arg);

	s->tcp = addr->sa_family != AF_UNIX;
	s->connect_ms = connect_ms;
	s->handshake_ms = handshake_ms;
	stream_start_connect(s, addr, len, ctx, host);
	return s;
}
