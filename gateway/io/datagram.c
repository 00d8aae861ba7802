#include "io/datagram.h"

#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/xmalloc.h"

enum { BATCH = 64 };

struct datagram {
	int fd;
	struct event *event;
	void (*writable)(void *arg);
	void *arg;
};

static void
on_writable(evutil_socket_t fd, short what, void *arg)
{
	struct datagram *d = arg;

	(void)fd;
	(void)what;
	d->writable(d->arg);
}

struct datagram *
datagram_new(struct event_base *base, const struct sockaddr *addr, socklen_t len,
	     void (*writable)(void *arg), void *arg)
{
	int fd = socket(addr->sa_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	struct datagram *d;
	int why;

	if (fd < 0)
		return NULL;
	if (connect(fd, addr, len) < 0) {
		why = errno;
		close(fd);
		errno = why;
		return NULL;
	}
	d = xcalloc(1, sizeof(*d));
	d->fd = fd;
	d->writable = writable;
	d->arg = arg;
	d->event = event_new(base, fd, EV_WRITE, on_writable, d);
	if (d->event == NULL)
		abort();
	return d;
}

void
datagram_free(struct datagram *d)
{
	if (d == NULL)
		return;
	event_free(d->event);
	close(d->fd);
	free(d);
}

unsigned
datagram_send(struct datagram *d, struct iovec *iov, unsigned n, int *err)
{
	struct mmsghdr msgs[BATCH];
	unsigned sent = 0;

	*err = 0;
	while (sent < n) {
		unsigned batch = n - sent < BATCH ? n - sent : BATCH;
		int took;

		memset(msgs, 0, sizeof(msgs[0]) * batch);
		for (unsigned i = 0; i < batch; i++) {
			msgs[i].msg_hdr.msg_iov = &iov[sent + i];
			msgs[i].msg_hdr.msg_iovlen = 1;
		}
		took = sendmmsg(d->fd, msgs, batch, MSG_NOSIGNAL);
		if (took < 0 && errno == EINTR)
			continue;
		if (took < 0) {
			*err = errno;
			break;
		}
		sent += (unsigned)took;
	}
	if (*err == EAGAIN || *err == ENOBUFS)
		event_add(d->event, NULL);
	return sent;
}

int
datagram_take_error(struct datagram *d)
{
	int err = 0;
	socklen_t len = sizeof(err);

	if (getsockopt(d->fd, SOL_SOCKET, SO_ERROR, &err, &len) != 0)
		return errno;
	return err;
}
