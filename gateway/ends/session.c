#include "ends/session.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/xmalloc.h"
#include "ends/relp_session.h"
#include "ends/session_lines.h"
#include "plumb/tls.h"

enum { HANDSHAKE_MS = 10 * 1000 };
/* A connection that has said nothing at all by then is not a sender. */
enum { FIRST_FRAME_MS = 30 * 1000 };
/* A frame that was begun must end: a trickling sender holds memory. */
enum { FRAME_MS = 60 * 1000 };
/* Dead peers are found by TCP's keep-alive; this only ends what keep-alive cannot see. */
enum { IDLE_MS = 24 * 3600 * 1000 };
/* TLS records are 16 KiB: gather some before the frames are looked at. */
enum { GATHER_BYTES = 128 * 1024 };

/* How long a sender may take to end its side after we have ended ours. */
enum { SHUT_MS = 2 * 1000 };

enum { CERT_NAME_BYTES = 256 };

static void on_stream(struct stream *, enum stream_event, void *arg);

static const struct session_kind *
kind_for(const struct listen_url *url)
{
	return url->kind == LISTEN_RELP || url->kind == LISTEN_RELPS ? &relp_session
								     : &session_lines;
}

void
session_new(struct intake *intake, struct listener_share *from, int fd, const struct sockaddr *peer,
	    SSL_CTX *ctx)
{
	const struct session_kind *kind = kind_for(from->url);
	struct session *s = xcalloc(1, kind->size);

	s->kind = kind;
	s->intake = intake;
	s->counts = &from->counts;
	s->source.url = from->url;
	s->source.rule = &from->rule;
	s->source.hostname = peer_name(peer, intake->host, s->hostname);
	s->since_ms = clock_mono_ms();
	if (kind->init != NULL)
		kind->init(s);
	TAILQ_INSERT_TAIL(&intake->sessions, s, link);
	stats_add(&intake->stats->connections_accepted, 1);
	s->counts->connections++;
	s->counts->open++;
	s->stream = stream_accepted(intake->base, fd, ctx, HANDSHAKE_MS, on_stream, s);
}

struct session *
session_next(struct session *s)
{
	return TAILQ_NEXT(s, link);
}

bool
session_is_open(const struct session *s)
{
	return s->open;
}

static void
session_free(struct session *s)
{
	TAILQ_REMOVE(&s->intake->sessions, s, link);
	s->counts->open--;
	stream_free(s->stream);
	free(s->tail);
	free(s->cert);
	free(s);
}

static void
keep_tail(struct session *s, const char *p, size_t n)
{
	if (n > s->tail_n)
		s->tail = xrealloc(s->tail, n);
	if (n > 0) {
		memcpy(s->tail, p, n);
	} else {
		free(s->tail);
		s->tail = NULL;
	}
	s->tail_n = n;
}

/* n bytes of the buffer are read; what its kind leaves of them becomes the tail. */
static void
take(struct session *s, size_t n)
{
	struct slice in = slice_of(s->intake->buffer, n);
	struct slice rest = s->kind->take(s, in);
	bool any = rest.p != in.p, had_tail = s->tail_n > 0;

	keep_tail(s, rest.p, rest.n);
	if (any)
		s->got_frame = true;
	/* The clock of a wait starts when the wait does, not with each byte. */
	if (any || (!had_tail && s->got_frame))
		s->since_ms = s->intake->ingest->now_ms;
}

void
session_close(struct session *s, const char *why)
{
	if (s->kind->clear != NULL)
		s->kind->clear(s);
	if (why != NULL)
		log_info("session closed", "peer", s->hostname, "listener", s->source.url->text,
			 "reason", why, NULL);
	session_free(s);
}

void
session_end(struct session *s, bool now)
{
	if (s->kind->end != NULL && s->open)
		s->kind->end(s, now);
	else
		session_close(s, NULL);
}

/*
 * Fills the buffer behind the tail.  Returns the bytes in it; *end is what
 * stopped the reading: STREAM_AGAIN, STREAM_EOF, STREAM_ERROR, or 1 when there
 * may be more.
 */
static size_t
fill_buffer(struct session *s, ssize_t *end)
{
	struct intake *intake = s->intake;
	size_t n = s->tail_n;
	bool tls = stream_ssl(s->stream) != NULL;

	if (n > 0)
		memcpy(intake->buffer, s->tail, n);
	for (;;) {
		size_t room = intake->buffer_size - n;
		ssize_t got = stream_read(s->stream, intake->buffer + n, room);

		if (got <= 0) {
			*end = got;
			break;
		}
		n += (size_t)got;
		if (!tls || n >= GATHER_BYTES) {
			*end = (size_t)got < room && !tls ? STREAM_AGAIN : 1;
			break;
		}
	}
	stats_add(&intake->stats->bytes_in, n - s->tail_n);
	s->counts->bytes += n - s->tail_n;
	return n;
}

static void
ended(struct session *s)
{
	if (s->kind->eof != NULL)
		s->kind->eof(s);
	else
		session_close(s, NULL);
}

/* One round of reading.  Returns what stopped it, as fill_buffer does; s may be gone after an end.
 */
static ssize_t
read_round(struct session *s)
{
	struct intake *intake = s->intake;
	ssize_t end;
	size_t n;

	n = fill_buffer(s, &end);
	intake->more |= end == 1;
	ingest_begin(intake->ingest);
	if (n > s->tail_n)
		take(s, n);
	intake->read_done(intake->arg);
	if (s->kind->taken != NULL && !s->kind->taken(s))
		return STREAM_ERROR;
	if (end == STREAM_EOF)
		ended(s);
	else if (end == STREAM_ERROR)
		session_close(s, stream_error(s->stream));
	return end;
}

static void
on_open(struct session *s)
{
	char name[CERT_NAME_BYTES];
	SSL *ssl = stream_ssl(s->stream);

	s->open = true;
	s->since_ms = clock_mono_ms();
	if (ssl != NULL && tls_peer_name(ssl, name, sizeof(name))) {
		s->cert = xstrdup(name);
		s->source.cert = slice_str(s->cert);
	}
	session_read_wanted(s);
}

static bool
may_read(const struct session *s)
{
	return s->open && (s->shut || !(s->intake->paused || s->held));
}

void
session_read_wanted(struct session *s)
{
	stream_want_read(s->stream, may_read(s));
}

void
session_hold(struct session *s, bool held)
{
	if (s->held == held)
		return;
	s->held = held;
	session_read_wanted(s);
}

void
session_shut(struct session *s)
{
	s->shut = true;
	s->since_ms = clock_mono_ms();
	stream_shutdown(s->stream);
	session_read_wanted(s);
}

int64_t
session_shut_for(const struct session *s, int64_t now_ms)
{
	return s->shut ? now_ms - s->since_ms : -1;
}

static void
throw_away(struct session *s)
{
	ssize_t n = stream_read(s->stream, s->intake->buffer, s->intake->buffer_size);

	if (n == STREAM_EOF || n == STREAM_ERROR)
		session_close(s, NULL);
}

static void
on_readable(struct session *s)
{
	struct stream *stream = s->stream;

	if (s->shut) {
		throw_away(s);
		return;
	}
	if (!may_read(s)) {
		stream_want_read(stream, false);
		return;
	}
	/* More lies inside TLS, where the socket does not show it: have the event come again. */
	if (read_round(s) == 1 && stream_ssl(stream) != NULL) {
		stream_want_read(stream, false);
		session_read_wanted(s);
	}
}

static void
on_stream(struct stream *stream, enum stream_event event, void *arg)
{
	struct session *s = arg;

	switch (event) {
	case STREAM_OPEN:
		on_open(s);
		break;
	case STREAM_READABLE:
		on_readable(s);
		break;
	case STREAM_WRITABLE:
		if (s->kind->writable != NULL)
			s->kind->writable(s);
		break;
	case STREAM_FAILED:
		stats_add(&s->intake->stats->handshakes_failed, 1);
		s->counts->handshakes_failed++;
		session_close(s, stream_error(stream));
		break;
	}
}

void
session_read_rest(struct session *s)
{
	const struct stats *stats = s->intake->stats;
	uint64_t until = stats_get(&stats->bytes_in) + INTAKE_READ_BYTES;
	ssize_t end = 1;
	int queued = 0;

	/* A sender that is faster than we are must not keep us here. */
	if (ioctl(stream_fd(s->stream), FIONREAD, &queued) == 0 && queued > 0)
		until += (uint64_t)queued;
	while (end > 0 && s->open && !s->held && !s->shut && stats_get(&stats->bytes_in) < until)
		end = read_round(s);
}

static const char *
overdue(struct session *s, int64_t now_ms)
{
	int64_t waits = now_ms - s->since_ms;
	const char *why = NULL;

	if (s->open && s->kind->overdue != NULL)
		why = s->kind->overdue(s, now_ms);
	if (why != NULL)
		return why;
	/* Time that we did not read is not the sender's. */
	if (!may_read(s)) {
		s->since_ms = now_ms;
		return NULL;
	}
	if (!s->got_frame && waits > FIRST_FRAME_MS)
		return "no line within 30 s of connecting";
	if (s->tail_n > 0 && waits > FRAME_MS)
		return "a line was begun and not ended within 60 s";
	if (waits > IDLE_MS)
		return "nothing was sent for 24 h";
	return NULL;
}

void
session_sweep(struct session *s, int64_t now_ms)
{
	const char *why;

	if (s->shut) {
		if (session_shut_for(s, now_ms) >= SHUT_MS)
			session_close(s, NULL);
		return;
	}
	/* Nobody reads it, to see that: it would stay as long as it is held. */
	if (s->held && !s->left && stream_peer_ended(s->stream)) {
		s->left = true;
		ended(s);
		return;
	}
	why = overdue(s, now_ms);
	if (why == NULL)
		return;
	stats_add(&s->intake->stats->sessions_timed_out, 1);
	s->counts->sessions_timed_out++;
	session_close(s, why);
}
