#include "io/stream.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <openssl/err.h>
#include <string.h>

#include "io/stream_impl.h"
#include "plumb/net_error.h"
#include "plumb/tls.h"

/* The largest TLS record.  Record size decides what a byte costs the receiver. */
enum { RECORD_BYTES = 16 * 1024 };

static ssize_t
read_plain(struct stream *s, void *buf, size_t len)
{
	ssize_t n;

	do
		n = recv(s->fd, buf, len, 0);
	while (n < 0 && errno == EINTR);
	if (n > 0)
		return n;
	if (n == 0) {
		s->eof = true;
		return STREAM_EOF;
	}
	if (errno == EAGAIN || errno == EWOULDBLOCK)
		return STREAM_AGAIN;
	stream_break(s, net_error(errno));
	return STREAM_ERROR;
}

/* Reasons over that offset are the peer's alerts (ssl.h). */
static bool
is_alert(unsigned long e)
{
	return ERR_GET_LIB(e) == ERR_LIB_SSL && ERR_GET_REASON(e) > SSL_AD_REASON_OFFSET;
}

static void
break_tls(struct stream *s, int ret)
{
	char err[TLS_ERROR_BYTES];

	s->refused = is_alert(ERR_peek_last_error());
	tls_error(s->ssl, ret, err);
	stream_break(s, err);
}

/* Fills buf with as many records as there are; what ended it is in the flags. */
static ssize_t
read_tls(struct stream *s, void *buf, size_t len)
{
	size_t got = 0, n;
	int ret;

	s->read_needs_write = false;
	s->unread = true;
	while (got < len) {
		ERR_clear_error();
		errno = 0;
		ret = SSL_read_ex(s->ssl, (char *)buf + got, len - got, &n);
		if (ret == 1) {
			got += n;
			continue;
		}
		switch (SSL_get_error(s->ssl, ret)) {
		case SSL_ERROR_WANT_READ:
			s->unread = false;
			break;
		case SSL_ERROR_WANT_WRITE:
			s->unread = false;
			s->read_needs_write = true;
			break;
		case SSL_ERROR_ZERO_RETURN:
			s->eof = true;
			break;
		default:
			break_tls(s, ret);
			break;
		}
		break;
	}
	if (got > 0)
		return (ssize_t)got;
	return s->broken ? STREAM_ERROR : s->eof ? STREAM_EOF : STREAM_AGAIN;
}

ssize_t
stream_read(struct stream *s, void *buf, size_t len)
{
	ssize_t n;

	assert(len > 0);
	if (s->phase != PHASE_OPEN)
		return STREAM_AGAIN;
	if (s->broken || s->eof) {
		s->unread = false;
		return s->broken ? STREAM_ERROR : STREAM_EOF;
	}
	n = s->ssl != NULL ? read_tls(s, buf, len) : read_plain(s, buf, len);
	if (n <= 0)
		s->unread = false;
	if (s->eof || s->read_needs_write)
		stream_watch(s);
	/* Inside the callback this waits for its end. */
	if (s->gone == NULL)
		stream_rearm(s);
	return n;
}

static size_t
iov_total(const struct iovec *iov, int n)
{
	size_t total = 0;

	for (int i = 0; i < n; i++)
		total += iov[i].iov_len;
	return total;
}

static ssize_t
writev_plain(struct stream *s, const struct iovec *iov, int n)
{
	struct msghdr msg = {
	    .msg_iov = (struct iovec *)(uintptr_t)iov, /* sendmsg does not write to it */
	    .msg_iovlen = (size_t)(n < IOV_MAX ? n : IOV_MAX),
	};
	ssize_t sent;

	do
		sent = sendmsg(s->fd, &msg, MSG_NOSIGNAL);
	while (sent < 0 && errno == EINTR);
	if (sent < 0) {
		if (errno == EAGAIN || errno == EWOULDBLOCK)
			return STREAM_AGAIN;
		stream_break(s, net_error(errno));
		return STREAM_ERROR;
	}
	s->written += (uint64_t)sent;
	return sent;
}

/* A place in the bytes that the user offers. */
struct cursor {
	const struct iovec *iov;
	int n;	   /* pieces from iov on */
	size_t at; /* in iov[0] */
};

static void
cursor_skip(struct cursor *c, size_t bytes)
{
	while (c->n > 0 && bytes >= c->iov->iov_len - c->at) {
		bytes -= c->iov->iov_len - c->at;
		c->iov++;
		c->n--;
		c->at = 0;
	}
	c->at += bytes;
}

/*
 * The next record: up to `most` bytes, in place when one piece has them or is
 * the last, else copied together into scratch.  Returns their number.
 */
static size_t
cursor_record(const struct cursor *from, size_t most, char *scratch, const void **p)
{
	struct cursor c = *from;
	size_t left = c.iov->iov_len - c.at, n = 0, part;

	if (left >= most || c.n == 1) {
		*p = (const char *)c.iov->iov_base + c.at;
		return left < most ? left : most;
	}
	while (c.n > 0 && n < most) {
		part = c.iov->iov_len - c.at;
		if (part > most - n)
			part = most - n;
		if (part > 0)
			memcpy(scratch + n, (const char *)c.iov->iov_base + c.at, part);
		n += part;
		cursor_skip(&c, part);
	}
	*p = scratch;
	return n;
}

/* What an SSL_write that took nothing means; true: wait and offer the record again. */
static bool
write_must_wait(struct stream *s, int ret)
{
	switch (SSL_get_error(s->ssl, ret)) {
	case SSL_ERROR_WANT_WRITE:
		return true;
	case SSL_ERROR_WANT_READ:
		s->write_needs_read = true;
		return true;
	default:
		break_tls(s, ret);
		return false;
	}
}

static ssize_t
writev_tls(struct stream *s, const struct iovec *iov, int n)
{
	static _Thread_local char scratch[RECORD_BYTES];
	struct cursor c = {iov, n, 0};
	size_t taken = 0, len, done;
	const void *p;
	int ret;

	s->write_needs_read = false;
	cursor_skip(&c, 0);
	while (c.n > 0) {
		/* OpenSSL has encrypted this record already: it must keep its length. */
		len = cursor_record(&c, s->retry > 0 ? s->retry : RECORD_BYTES, scratch, &p);
		ERR_clear_error();
		errno = 0;
		ret = SSL_write_ex(s->ssl, p, len, &done);
		if (ret != 1) {
			s->retry = len;
			if (!write_must_wait(s, ret) && taken == 0)
				return STREAM_ERROR;
			return taken > 0 ? (ssize_t)taken : STREAM_AGAIN;
		}
		s->retry = 0;
		taken += done;
		cursor_skip(&c, done);
	}
	return (ssize_t)taken;
}

ssize_t
stream_writev(struct stream *s, const struct iovec *iov, int n)
{
	size_t total = iov_total(iov, n);
	ssize_t sent;

	assert(total > 0 && !s->shut);
	if (s->broken)
		return STREAM_ERROR;
	if (s->phase != PHASE_OPEN)
		sent = STREAM_AGAIN;
	else if (s->ssl != NULL)
		sent = writev_tls(s, iov, n);
	else
		sent = writev_plain(s, iov, n);
	if (sent == STREAM_ERROR)
		return sent;
	s->want_write = sent < 0 || (size_t)sent < total;
	if (!s->want_write && !s->watch_write)
		return sent;
	stream_watch(s);
	/* Broken after some records: told by the STREAM_ERROR of the next call. */
	stream_rearm(s);
	return sent;
}

void
stream_shutdown_step(struct stream *s)
{
	int ret;

	if (s->fin || s->broken)
		return;
	if (s->ssl != NULL && s->retry == 0) {
		ERR_clear_error();
		ret = SSL_shutdown(s->ssl);
		if (ret < 0 && SSL_get_error(s->ssl, ret) == SSL_ERROR_WANT_WRITE)
			return;
		ERR_clear_error();
	}
	s->fin = true;
	(void)shutdown(s->fd, SHUT_WR);
}

void
stream_shutdown(struct stream *s)
{
	if (s->phase != PHASE_OPEN || s->shut)
		return;
	s->shut = true;
	s->want_write = false;
	stream_shutdown_step(s);
	stream_watch(s);
}
