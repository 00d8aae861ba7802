#include "io/stream.h"

#include <assert.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/xmalloc.h"
#include "io/stream_impl.h"

enum {
	/* At close: received and unread bytes that are thrown away, lest they turn
	 * our FIN into a reset.  A peer that sends on and on must not keep us here. */
	DISCARD_BYTES = 1024 * 1024,
};

void
stream_watch(struct stream *s)
{
	bool open = s->phase == PHASE_OPEN && !s->broken;
	bool shaking = s->phase == PHASE_HANDSHAKING;
	bool in = shaking && !s->read_needs_write;
	bool out = s->phase == PHASE_CONNECTING || (shaking && s->read_needs_write);

	if (open) {
		in = !s->eof && (s->want_read || s->write_needs_read);
		out = (s->want_write && !s->write_needs_read) ||
		      (s->want_read && s->read_needs_write) || (s->shut && !s->fin);
	}
	if (in != s->watch_read) {
		s->watch_read = in;
		(void)(in ? event_add(&s->read_event, NULL) : event_del(&s->read_event));
	}
	if (out != s->watch_write) {
		s->watch_write = out;
		(void)(out ? event_add(&s->write_event, NULL) : event_del(&s->write_event));
	}
}

void
stream_after(struct stream *s, int64_t ms)
{
	struct timeval tv = {.tv_sec = (time_t)(ms / 1000),
			     .tv_usec = (suseconds_t)(ms % 1000 * 1000)};

	evtimer_add(&s->timer, &tv);
}

/* Is there something to tell that no event of the socket will bring? */
static bool
stream_has_news(const struct stream *s)
{
	if (s->phase != PHASE_OPEN)
		return false;
	if (s->want_write && s->broken)
		return true;
	return s->want_read && s->unread &&
	       (s->eof || s->broken || (s->ssl != NULL && SSL_has_pending(s->ssl)));
}

void
stream_rearm(struct stream *s)
{
	/* By timer, not event_active: that would come before other sockets' turns. */
	if (stream_has_news(s) && !evtimer_pending(&s->timer, NULL))
		stream_after(s, 0);
}

void
stream_break(struct stream *s, const char *words)
{
	free(s->error);
	s->error = xstrdup(words);
	s->broken = true;
	stream_watch(s);
}

/* false: the user has freed the stream. */
static bool
stream_tell(struct stream *s, enum stream_event event)
{
	bool gone = false;

	assert(s->gone == NULL);
	s->gone = &gone;
	s->cb(s, event, s->arg);
	if (gone)
		return false;
	s->gone = NULL;
	return true;
}

void
stream_fail(struct stream *s, const char *words)
{
	evtimer_del(&s->timer);
	s->phase = PHASE_FAILED;
	stream_break(s, words);
	(void)stream_tell(s, STREAM_FAILED);
}

void
stream_is_open(struct stream *s)
{
	evtimer_del(&s->timer);
	s->phase = PHASE_OPEN;
	s->read_needs_write = false;
	/* What came in one segment with the handshake's end lies in SSL's buffer. */
	s->unread = s->ssl != NULL;
	if (!stream_tell(s, STREAM_OPEN))
		return;
	stream_watch(s);
	stream_rearm(s);
}

/* The socket is ready, or a turn was asked for: pass it on. */
static void
stream_turn(struct stream *s, bool in, bool out)
{
	bool readable = s->want_read && (in || (out && s->read_needs_write));
	bool writable = s->want_write && (out || (in && s->write_needs_read));

	if (out && s->shut)
		stream_shutdown_step(s);
	if (readable && !stream_tell(s, STREAM_READABLE))
		return;
	if (writable && s->want_write) {
		/* A short write in the callback sets it again, and the event stays. */
		s->want_write = false;
		if (!stream_tell(s, STREAM_WRITABLE))
			return;
	}
	stream_watch(s);
	stream_rearm(s);
}

void
stream_on_socket(evutil_socket_t fd, short what, void *arg)
{
	struct stream *s = arg;

	(void)fd;
	if (s->phase == PHASE_CONNECTING)
		stream_connected(s);
	else if (s->phase == PHASE_HANDSHAKING)
		stream_handshake(s);
	else if (s->phase == PHASE_OPEN)
		stream_turn(s, (what & EV_READ) != 0, (what & EV_WRITE) != 0);
}

static void
stream_timed_out(struct stream *s, const char *what, int64_t ms)
{
	char words[96];
	bool whole = ms % 1000 == 0;

	snprintf(words, sizeof(words), "%s timed out after %lld %s", what,
		 (long long)(whole ? ms / 1000 : ms), whole ? "s" : "ms");
	stream_fail(s, words);
}

void
stream_on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct stream *s = arg;

	(void)fd, (void)what;
	switch (s->phase) {
	case PHASE_CONNECTING:
		stream_timed_out(s, "connection", s->connect_ms);
		break;
	case PHASE_HANDSHAKING:
		stream_timed_out(s, "TLS handshake", s->handshake_ms);
		break;
	case PHASE_OPENING:
		stream_is_open(s);
		break;
	case PHASE_OPEN:
		if (stream_has_news(s))
			stream_turn(s, s->unread, s->broken);
		break;
	case PHASE_FAILING:
		s->phase = PHASE_FAILED;
		(void)stream_tell(s, STREAM_FAILED);
		break;
	case PHASE_FAILED:
		break;
	}
}

static void
discard_received(int fd)
{
	char scratch[16 * 1024];
	size_t left = DISCARD_BYTES;
	ssize_t n;

	while (left >= sizeof(scratch) &&
	       (n = recv(fd, scratch, sizeof(scratch), MSG_DONTWAIT)) > 0)
		left -= (size_t)n;
}

static void
stream_release(struct stream *s)
{
	if (s->gone != NULL)
		*s->gone = true;
	event_del(&s->read_event);
	event_del(&s->write_event);
	evtimer_del(&s->timer);
	SSL_free(s->ssl);
	ERR_clear_error();
	if (s->fd >= 0)
		close(s->fd);
	free(s->error);
	free(s);
}

void
stream_free(struct stream *s)
{
	if (s == NULL)
		return;
	if (s->phase == PHASE_OPEN && s->ssl != NULL)
		stream_shutdown_step(s);
	if (s->fd >= 0 && s->phase != PHASE_CONNECTING)
		discard_received(s->fd);
	stream_release(s);
}

void
stream_abort(struct stream *s)
{
	struct linger reset = {.l_onoff = 1, .l_linger = 0};

	if (s == NULL)
		return;
	if (s->fd >= 0)
		(void)setsockopt(s->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	stream_release(s);
}

void
stream_want_read(struct stream *s, bool on)
{
	s->want_read = on;
	stream_watch(s);
	/* Inside the callback this waits for its end. */
	if (on && s->gone == NULL)
		stream_rearm(s);
}

const char *
stream_error(const struct stream *s)
{
	return s->error != NULL ? s->error : "";
}

bool
stream_refused(const struct stream *s)
{
	return s->refused;
}

int
stream_fd(const struct stream *s)
{
	return s->fd;
}

int64_t
stream_connected_ms(const struct stream *s)
{
	return s->connected_ms;
}

SSL *
stream_ssl(const struct stream *s)
{
	return s->ssl;
}
