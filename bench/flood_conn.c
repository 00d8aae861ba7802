/* flood_conn -- a sender's connection: plain or TLS, and what waits for its socket. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "flood.h"
#include "tool.h"

enum { HELLO_SECONDS = 10 };

SSL_CTX *
conn_tls_new(const char *ca)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());

	if (ctx == NULL)
		tool_die("no TLS context");
	/* What waits is copied, and idle connections keep no buffers. */
	SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
				  SSL_MODE_RELEASE_BUFFERS);
	if (ca != NULL) {
		if (SSL_CTX_load_verify_locations(ctx, ca, NULL) != 1)
			tool_die("--ca: can not read %s", ca);
		SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
	}
	return ctx;
}

void
conn_open(struct flood *f, struct conn *c)
{
	const struct timeval hello = {.tv_sec = HELLO_SECONDS};
	const bool datagrams = f->opt.protocol->datagrams;
	const int one = 1;

	c->in = malloc(INPUT_BYTES);
	if (c->in == NULL)
		tool_die("out of memory");
	c->fd = socket(AF_INET, (datagrams ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC, 0);
	if (c->fd < 0)
		tool_die_errno("socket");
	setsockopt(c->fd, SOL_SOCKET, SO_RCVTIMEO, &hello, sizeof(hello));
	setsockopt(c->fd, SOL_SOCKET, SO_SNDTIMEO, &hello, sizeof(hello));
	if (connect(c->fd, (const struct sockaddr *)&f->opt.to, sizeof(f->opt.to)) != 0)
		tool_die_errno("connect");
	if (!datagrams)
		setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (f->opt.tls) {
		c->ssl = SSL_new(f->tls);
		if (c->ssl == NULL || SSL_set_fd(c->ssl, c->fd) != 1 || SSL_connect(c->ssl) != 1)
			tool_die("TLS handshake: %s", ERR_reason_error_string(ERR_peek_error()));
	}
	if (f->opt.protocol->open != NULL)
		f->opt.protocol->open(f, c);
	if (fcntl(c->fd, F_SETFL, O_NONBLOCK) != 0)
		tool_die_errno("fcntl");
}

/* How many bytes went out; 0 when the connection can take none now. */
static size_t
write_some(struct conn *c, const char *data, size_t len)
{
	ssize_t n;

	if (c->ssl == NULL) {
		n = write(c->fd, data, len);
		if (n < 0 && errno != EAGAIN)
			tool_die_errno("connection %u: write", c->index);
		return n < 0 ? 0 : (size_t)n;
	}
	ERR_clear_error();
	n = SSL_write(c->ssl, data, (int)len);
	if (n > 0)
		return (size_t)n;
	switch (SSL_get_error(c->ssl, (int)n)) {
	case SSL_ERROR_WANT_READ:
	case SSL_ERROR_WANT_WRITE:
		return 0;
	default:
		tool_die("connection %u: TLS write failed", c->index);
	}
}

/* With TLS a write is a record only. */
size_t
conn_write(struct conn *c, const char *data, size_t len)
{
	size_t gone = 0;
	size_t n = 1;

	while (gone < len && n > 0) {
		n = write_some(c, data + gone, len - gone);
		gone += n;
	}
	return gone;
}

/* The bytes from `gone` on wait; data may be the old rest. */
static void
keep_rest(struct conn *c, const char *data, size_t len, size_t gone)
{
	char *old = c->rest;

	c->rest = NULL;
	c->rest_len = len - gone;
	c->blocked = c->rest_len > 0;
	if (c->blocked) {
		c->rest = malloc(c->rest_len);
		if (c->rest == NULL)
			tool_die("out of memory");
		memcpy(c->rest, data + gone, c->rest_len);
	}
	free(old);
}

void
conn_send(struct flood *f, struct conn *c, uint64_t quota)
{
	const char *data = c->rest;
	size_t len = c->rest_len;
	uint64_t left = c->total - c->next;

	if (f->opt.protocol->datagrams) {
		conn_send_datagrams(f, c, quota < left ? quota : left);
		return;
	}
	if (len == 0) {
		uint64_t room = f->opt.protocol->room(f, c);
		uint64_t lines = quota < left ? quota : left;

		lines_stamp(f->lines, tool_now());
		len = f->opt.protocol->fill(f, c, lines < room ? lines : room, &lines);
		data = f->buf;
		c->next += lines;
		c->rest_lines = lines;
		f->rendered += lines;
		if (f->opt.protocol->answer != NULL)
			c->unanswered += lines;
	}
	keep_rest(c, data, len, conn_write(c, data, len));
	if (c->rest_len == 0) {
		f->sent += c->rest_lines;
		c->rest_lines = 0;
	}
}

ssize_t
conn_read_some(struct conn *c, char *out, size_t cap)
{
	int n;

	if (c->ssl == NULL)
		return read(c->fd, out, cap);
	ERR_clear_error();
	n = SSL_read(c->ssl, out, (int)cap);
	if (n > 0)
		return n;
	n = SSL_get_error(c->ssl, n);
	errno = n == SSL_ERROR_WANT_READ || n == SSL_ERROR_WANT_WRITE ? EAGAIN : EPROTO;
	return n == SSL_ERROR_ZERO_RETURN ? 0 : -1;
}

void
conn_answered(struct flood *f, struct conn *c, uint64_t n, bool taken, const char *why,
	      size_t why_len)
{
	if (n > c->unanswered)
		tool_die("connection %u: an answer to nothing", c->index);
	c->unanswered -= n;
	if (taken) {
		f->acknowledged += n;
		return;
	}
	if (f->refused == 0)
		fprintf(stderr, "flood: refused: %.*s\n", (int)why_len, why);
	f->refused += n;
}

static void
take_answers(struct flood *f, struct conn *c)
{
	size_t at = 0;
	size_t n = 1;

	/* What comes unasked is nothing to us. */
	if (f->opt.protocol->answer == NULL)
		at = c->in_len;
	while (at < c->in_len && n > 0) {
		n = f->opt.protocol->answer(f, c, c->in + at, c->in_len - at);
		at += n;
	}
	c->in_len -= at;
	memmove(c->in, c->in + at, c->in_len);
	if (c->in_len == INPUT_BYTES)
		tool_die("connection %u: an answer of more than %d bytes", c->index, INPUT_BYTES);
}

void
conn_read(struct flood *f, struct conn *c)
{
	ssize_t n;

	if (f->opt.protocol->datagrams)
		return;
	while ((n = conn_read_some(c, c->in + c->in_len, INPUT_BYTES - c->in_len)) > 0) {
		c->in_len += (size_t)n;
		take_answers(f, c);
	}
	if (n < 0 && errno == EAGAIN)
		return;
	if (!c->done)
		tool_die("connection %u: closed by the receiver", c->index);
	f->lost += !c->gone;
	c->gone = true;
}

void
conn_shutdown(struct flood *f, struct conn *c)
{
	if (f->opt.protocol->bye != NULL)
		f->opt.protocol->bye(c);
	if (c->ssl != NULL)
		SSL_shutdown(c->ssl);
	if (!f->opt.protocol->datagrams)
		shutdown(c->fd, SHUT_WR);
}

/*
 * What the receiver sent is read first: closing with unread bytes resets the
 * connection, and the receiver then loses lines that it had not read yet.
 */
void
conn_close(struct flood *f, struct conn *c, int64_t deadline)
{
	char scrap[4096];
	struct pollfd p = {.fd = c->fd, .events = POLLIN};

	while (!f->opt.protocol->datagrams) {
		ssize_t n = read(c->fd, scrap, sizeof(scrap));

		if (n == 0 || (n < 0 && errno != EAGAIN) || tool_now() >= deadline)
			break;
		if (n < 0)
			poll(&p, 1, 10);
	}
	close(c->fd);
	SSL_free(c->ssl);
	free(c->rest);
	free(c->in);
}
