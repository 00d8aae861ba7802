/*
 * sink_conn -- a receiver's connection: plain or TLS, cut into frames.
 *
 * Frames are octet-counted or end with LF, told apart at each frame's start.
 */
#include <errno.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sink.h"
#include "tool.h"

enum {
	FRAME_MAX = 512 * 1024,
	COUNT_DIGITS = 7,
	SLOW_NS = 10 * 1000 * 1000, /* between reads */
};

/* Seconds: who had nothing to read saves no more than this for later. */
static const double slow_saved = 0.1;

SSL_CTX *
conn_tls_new(const struct options *o)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());

	if (ctx == NULL || SSL_CTX_use_certificate_chain_file(ctx, o->cert) != 1 ||
	    SSL_CTX_use_PrivateKey_file(ctx, o->key, SSL_FILETYPE_PEM) != 1)
		tool_die("--cert, --key: %s", ERR_reason_error_string(ERR_peek_error()));
	SSL_CTX_set_num_tickets(ctx, 0);
	SSL_CTX_set_read_ahead(ctx, 1);
	return ctx;
}

static void
conn_new(struct sink *s, unsigned port, int fd)
{
	struct conn *c = calloc(1, sizeof(*c));
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};

	if (c == NULL)
		tool_die("out of memory");
	c->fd = fd;
	c->side = sink_side(s, port);
	c->bad = sink_is_bad(s, port);
	c->check.tag = sink_tag(s, port);
	c->slow_at = tool_now();
	c->side->accepted++;
	if (s->opt.tls) {
		c->ssl = SSL_new(s->tls);
		SSL_set_fd(c->ssl, fd);
		SSL_set_accept_state(c->ssl);
	}
	LIST_INSERT_HEAD(&s->conns, c, link);
	if (c->bad && s->opt.stall)
		return;
	if (c->bad && s->opt.slow > 0)
		LIST_INSERT_HEAD(&s->slow, c, slow_link);
	else
		epoll_ctl(s->epoll, EPOLL_CTL_ADD, fd, &event);
}

void
conn_accept(struct sink *s, unsigned port)
{
	int fd;

	while ((fd = accept4(s->listeners[port], NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0)
		conn_new(s, port, fd);
	if (errno != EAGAIN && errno != ECONNABORTED)
		tool_die_errno("accept");
}

void
conn_close(struct conn *c)
{
	LIST_REMOVE(c, link);
	if (c->slow_link.le_prev != NULL)
		LIST_REMOVE(c, slow_link);
	check_conn_clear(&c->check);
	SSL_free(c->ssl);
	close(c->fd);
	free(c->tail);
	free(c);
}

/*
 * One frame at text: how many bytes it takes, or 0 if it is not all there.  The
 * message is cut out of it.  RFC 6587: octet counting 3.4.1, LF 3.4.2.
 */
static size_t
frame(const char *text, size_t len, const char **message, size_t *message_len)
{
	const char *lf;
	size_t count = 0;
	size_t i = 0;

	while (i < len && i < COUNT_DIGITS && text[i] >= '0' && text[i] <= '9')
		count = count * 10 + (size_t)(text[i++] - '0');
	if (i > 0 && i == len && i < COUNT_DIGITS)
		return 0;
	if (i > 0 && i < len && text[i] == ' ') {
		i++;
		if (len - i < count)
			return 0;
		*message = text + i;
		/* Some put a LF inside the counted frame, too. */
		*message_len = count - (count > 0 && text[i + count - 1] == '\n');
		return i + count;
	}
	lf = memchr(text, '\n', len);
	if (lf == NULL)
		return 0;
	*message = text;
	*message_len = (size_t)(lf - text);
	return *message_len + 1;
}

/* false: the connection has had the lines after which it is to be closed. */
static bool
take_frames(struct sink *s, struct conn *c, size_t len)
{
	const char *message;
	size_t message_len;
	size_t at = 0;
	size_t n;

	while (at < len && (n = frame(s->buf + at, len - at, &message, &message_len)) > 0) {
		check_line(&c->side->check, &c->check, message, message_len, s->now);
		at += n;
		if (++c->lines == s->opt.close_after && c->bad)
			return false;
	}
	if (len - at > FRAME_MAX)
		tool_die("a frame of more than %d bytes", FRAME_MAX);
	if (at == len)
		return true;
	c->tail_len = len - at;
	c->tail = malloc(c->tail_len);
	if (c->tail == NULL)
		tool_die("out of memory");
	memcpy(c->tail, s->buf + at, c->tail_len);
	return true;
}

/* As read(2), also for TLS: -1 with EAGAIN if there is nothing now. */
static ssize_t
read_some(struct conn *c, char *out, size_t cap)
{
	size_t len = 0;
	int n = 1;

	if (c->ssl == NULL)
		return read(c->fd, out, cap);
	ERR_clear_error();
	while (len < cap && (n = SSL_read(c->ssl, out + len, (int)(cap - len))) > 0)
		len += (size_t)n;
	if (len > 0)
		return (ssize_t)len;
	n = SSL_get_error(c->ssl, n);
	errno = n == SSL_ERROR_WANT_READ || n == SSL_ERROR_WANT_WRITE ? EAGAIN : EPROTO;
	return n == SSL_ERROR_ZERO_RETURN ? 0 : -1;
}

/*
 * Reads once, up to cap bytes, and checks what came.  Returns the bytes; 0 if
 * there was nothing, or the connection is gone, which *gone says.
 */
static size_t
read_once(struct sink *s, struct conn *c, size_t cap, bool *gone)
{
	const size_t kept = c->tail_len;
	struct side *side = c->side;
	const uint64_t before = side->check.counts.lines;
	ssize_t n;

	*gone = false;
	if (kept > 0)
		memcpy(s->buf, c->tail, kept);
	if (cap > s->buf_bytes - kept)
		cap = s->buf_bytes - kept;
	n = read_some(c, s->buf + kept, cap);
	if (n < 0 && errno == EAGAIN)
		return 0;
	*gone = n <= 0;
	if (n <= 0) {
		side->check.counts.misparsed += kept > 0; /* a frame cut short */
		conn_close(c);
		return 0;
	}
	s->now = tool_now();
	free(c->tail);
	c->tail = NULL;
	c->tail_len = 0;
	if (!take_frames(s, c, kept + (size_t)n)) {
		side->closed++;
		conn_close(c);
		*gone = true;
	}
	sink_noticed(s, side, before);
	return (size_t)n;
}

void
conn_readable(struct sink *s, struct conn *c)
{
	const bool tls = c->ssl != NULL;
	bool gone;

	/* What OpenSSL holds does not wake epoll. */
	while (read_once(s, c, SIZE_MAX, &gone) > 0 && tls && !gone)
		;
}

void
conn_read_slow(struct sink *s)
{
	const int64_t now = tool_now();
	const double rate = (double)s->opt.slow;
	const double most = rate * slow_saved > 1 ? rate * slow_saved : 1;
	struct conn *c;
	struct conn *next;
	bool gone;

	for (c = LIST_FIRST(&s->slow); c != NULL; c = next) {
		next = LIST_NEXT(c, slow_link);
		if (now - c->slow_at < SLOW_NS)
			continue;
		c->credit += (double)(now - c->slow_at) * 1e-9 * rate;
		c->slow_at = now;
		if (c->credit > most)
			c->credit = most;
		if (c->credit >= 1) {
			size_t n = read_once(s, c, (size_t)c->credit, &gone);

			if (!gone)
				c->credit -= (double)n;
		}
	}
}
