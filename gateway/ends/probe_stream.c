/*
 * probe_stream -- a test line over TCP or TLS.  Syslog has no answer: what can
 * be seen is whether TCP acknowledges the line and whether the receiver stays.
 */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "ends/drain_settle.h"
#include "ends/probe_internal.h"

/* A receiver that stays so long did not refuse the line, as far as can be seen. */
enum { STAY_MS = 500, LOOK_MS = 20 };

/*
 * A TLS 1.3 receiver that refuses us says so after the handshake has ended
 * here, a round trip later; a line written into that would hide its words.
 */
enum { REFUSAL_MS = 100 };

/* One address that does not answer must leave time for the others. */
enum { CONNECT_LEAST_MS = 500 };

static void try_next(struct probe *, const char *why);

static int64_t
time_left(const struct probe *p)
{
	return p->began_ms + PROBE_MS - clock_mono_ms();
}

/* TCP stands: that step is done. */
static void
note_connected(struct probe *p)
{
	int64_t at_ms = stream_connected_ms(p->stream);

	if (p->step != PROBE_CONNECT || at_ms == 0)
		return;
	probe_worked(p, at_ms - p->step_ms, "%s", p->peer);
	probe_begin(p, p->conf.transport == DRAIN_TLS ? PROBE_TLS : PROBE_SEND, at_ms);
}

static void
send_rest(struct probe *p)
{
	int64_t now_ms;

	while (p->out_at < p->out.n) {
		struct iovec iov = {p->out.p + p->out_at, p->out.n - p->out_at};
		ssize_t n = stream_writev(p->stream, &iov, 1);

		now_ms = clock_mono_ms();
		if (n == STREAM_ERROR) {
			probe_failed(p, now_ms - p->step_ms, "%s", stream_error(p->stream));
			return;
		}
		if (n == STREAM_AGAIN)
			return;
		p->out_at += (size_t)n;
	}
	now_ms = clock_mono_ms();
	probe_worked(p, now_ms - p->step_ms, "%zu bytes", p->out.n);
	probe_begin(p, PROBE_ANSWER, now_ms);
	probe_tick_after(p, LOOK_MS);
}

static void
on_open(struct probe *p)
{
	int64_t now_ms = clock_mono_ms();

	note_connected(p);
	(void)p->conf.type->encode(&p->conf, buf_slice(&p->line), &p->out);
	stream_want_read(p->stream, true);
	if (p->step == PROBE_TLS) {
		probe_worked(p, now_ms - p->step_ms, "%s, the certificate is good for %s",
			     SSL_get_version(stream_ssl(p->stream)), p->conf.host);
		probe_begin(p, PROBE_SEND, now_ms);
		/* The handshake took a round trip at least. */
		probe_tick_after(p, REFUSAL_MS + p->report.result[p->report.n - 1].ms);
		return;
	}
	send_rest(p);
}

static bool
is_acknowledged(struct probe *p)
{
	struct stream_tcp tcp;

	return stream_tcp_state(p->stream, &tcp) && tcp.acked >= stream_tcp_written(p->stream);
}

/* "; it said: ..." */
static const char *
said(const struct probe *p, char text[PROBE_HEARD_BYTES + 32])
{
	text[0] = '\0';
	if (p->nheard > 0)
		snprintf(text, PROBE_HEARD_BYTES + 32, "; it said: %.*s", (int)p->nheard, p->heard);
	return text;
}

/* The receiver ended the connection; how: in words. */
static void
ended(struct probe *p, const char *how)
{
	int64_t ms = clock_mono_ms() - p->step_ms;
	bool acknowledged = is_acknowledged(p);
	char heard[PROBE_HEARD_BYTES + 32];

	if (p->step == PROBE_SEND)
		probe_failed(p, ms, "%s before it took the line%s", how, said(p, heard));
	else
		probe_failed(p, ms, "%s %lld ms after the line was sent%s%s", how, (long long)ms,
			     acknowledged ? ", which TCP had acknowledged"
					  : ", which was not acknowledged",
			     said(p, heard));
}

/* What it says is of no use to a drain, but may tell a person something. */
static void
hear(struct probe *p)
{
	char junk[1024], how[STREAM_ERROR_BYTES + 64];
	ssize_t n;

	for (int i = 0; i < 64; i++) {
		n = stream_read(p->stream, junk, sizeof(junk));
		if (n == STREAM_AGAIN)
			return;
		if (n == STREAM_EOF) {
			ended(p, "the receiver closed the connection");
			return;
		}
		if (n == STREAM_ERROR) {
			snprintf(how, sizeof(how), "the connection was lost (%s)",
				 stream_error(p->stream));
			ended(p, how);
			return;
		}
		if ((size_t)n > sizeof(p->heard) - p->nheard)
			n = (ssize_t)(sizeof(p->heard) - p->nheard);
		memcpy(p->heard + p->nheard, junk, (size_t)n);
		probe_make_printable(p->heard + p->nheard, (size_t)n);
		p->nheard += (size_t)n;
	}
}

static void
on_failed(struct probe *p)
{
	char why[STREAM_ERROR_BYTES];

	note_connected(p);
	if (p->step != PROBE_CONNECT) {
		probe_failed(p, clock_mono_ms() - p->step_ms, "%s", stream_error(p->stream));
		return;
	}
	snprintf(why, sizeof(why), "%s", stream_error(p->stream));
	stream_free(p->stream);
	p->stream = NULL;
	try_next(p, why);
}

static void
on_stream(struct stream *s, enum stream_event event, void *arg)
{
	struct probe *p = arg;

	(void)s;
	switch (event) {
	case STREAM_OPEN:
		on_open(p);
		break;
	case STREAM_READABLE:
		hear(p);
		break;
	case STREAM_WRITABLE:
		send_rest(p);
		break;
	case STREAM_FAILED:
		on_failed(p);
		break;
	}
}

/* why: what became of the address before. */
static void
try_next(struct probe *p, const char *why)
{
	size_t left = p->addresses.n - p->tried;
	SSL_CTX *ctx = NULL, *of_its_own = NULL;
	char err[TLS_ERROR_BYTES], before[PROBE_PEER_BYTES];
	const struct sockaddr *sa;
	int64_t connect_ms;
	socklen_t len;

	memcpy(before, p->peer, sizeof(before));
	sa = probe_next_address(p, &len);
	if (sa == NULL) {
		probe_failed(p, clock_mono_ms() - p->step_ms, "%s: %s", before, why);
		return;
	}
	if (p->conf.transport == DRAIN_TLS)
		ctx = p->env.tls;
	if (ctx != NULL && drain_has_tls_own(&p->conf)) {
		ctx = of_its_own = tls_own_ctx(p->env.tls, &p->own, err);
		if (ctx == NULL) {
			probe_begin(p, PROBE_TLS, clock_mono_ms());
			probe_failed(p, 0, "%s", err);
			return;
		}
	}
	/* The last one has until the probe's deadline. */
	connect_ms = left > 1 ? time_left(p) / (int64_t)left : PROBE_MS * 2;
	if (connect_ms < CONNECT_LEAST_MS)
		connect_ms = CONNECT_LEAST_MS;
	p->stream = stream_connect(p->env.base, sa, len, ctx, p->conf.host, connect_ms,
				   PROBE_MS * 2, on_stream, p);
	SSL_CTX_free(of_its_own);
}

void
probe_stream_start(struct probe *p)
{
	probe_begin(p, PROBE_CONNECT, clock_mono_ms());
	try_next(p, "");
}

void
probe_stream_tick(struct probe *p)
{
	int64_t ms = clock_mono_ms() - p->step_ms;
	char heard[PROBE_HEARD_BYTES + 32];

	if (p->step == PROBE_SEND) {
		probe_begin(p, PROBE_SEND, clock_mono_ms());
		send_rest(p);
		return;
	}
	if (ms < STAY_MS || !is_acknowledged(p)) {
		probe_tick_after(p, LOOK_MS);
		return;
	}
	probe_worked(p, ms,
		     "acknowledged by TCP; the receiver stayed connected for %d ms%s; what it did "
		     "with the line cannot be seen from here",
		     STAY_MS, said(p, heard));
	probe_finish(p);
}

void
probe_stream_late(struct probe *p, int64_t now_ms)
{
	int64_t ms;

	note_connected(p);
	ms = now_ms - p->step_ms;
	switch (p->step) {
	case PROBE_CONNECT:
		probe_failed(p, ms, "%s: connection timed out after %lld ms", p->peer,
			     (long long)ms);
		break;
	case PROBE_TLS:
		probe_failed(p, ms, "TLS handshake timed out after %lld ms", (long long)ms);
		break;
	case PROBE_SEND:
		probe_failed(p, ms, "the receiver takes no data since %lld ms", (long long)ms);
		break;
	default:
		probe_failed(p, ms, "not acknowledged by the receiver's TCP within %lld ms",
			     (long long)ms);
	}
}
