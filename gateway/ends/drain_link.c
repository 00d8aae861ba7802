/*
 * drain_link -- the drain's way to its receiver: look the name up, connect,
 * send when there is something, close when idle.
 */
#include <errno.h>
#include <event2/event.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "ends/drain_internal.h"
#include "ends/drain_post.h"
#include "ends/drain_settle.h"

enum { CONNECT_MS = 10 * 1000, HANDSHAKE_MS = 10 * 1000 };

/* A connection nobody uses is closed; the next line opens it again. */
enum { IDLE_MS = 10 * 60 * 1000 };

void
drain_disconnect(struct drain *d)
{
	if (d->resolving != NULL)
		resolve_cancel(d->resolving);
	d->resolving = NULL;
	stream_free(d->stream);
	d->stream = NULL;
	datagram_free(d->datagram);
	d->datagram = NULL;
	d->connected_us = 0;
	event_del(d->timer);
}

void
drain_reset_writing(struct drain *d)
{
	drain_stream_unpin(d);
	buf_free(&d->out);
	d->out_at = 0;
	d->out_is_segment = d->noticed = d->granted = d->full = false;
	d->begun = 0;
	d->careful_wait = false;
	d->allow = d->allow_step = d->careful_first;
	d->step_from = d->step_before = 0;
	d->stayed_for = 0;
	d->since_poll = 0;
	d->took_lines = false;
}

static void
connection_open(struct drain *d)
{
	d->phase = PHASE_OPEN;
	d->connected_ms = d->used_ms = clock_mono_ms();
	d->connected_us = clock_wall_us();
	drain_reset_writing(d);
	drain_begin_window(d);
	drain_arm(d, IDLE_MS);
	if (d->said_lost)
		log_info("drain connected", "app", d->cursor.log->name, "drain", d->conf.redacted,
			 NULL);
	d->said_lost = false;
}

/* The receiver has nothing to say; what matters is that it ends. */
static void
read_and_ignore(struct drain *d)
{
	char junk[4096];
	ssize_t n;

	/* Bounded: a receiver that talks without end must not hold the loop. */
	for (int i = 0; i < 16; i++) {
		n = stream_read(d->stream, junk, sizeof(junk));
		if (n == STREAM_AGAIN)
			return;
		if (n == STREAM_EOF) {
			drain_lost(d, DRAIN_CLOSED, "the receiver closed the connection");
			return;
		}
		if (n == STREAM_ERROR) {
			drain_lost(d, DRAIN_BROKEN, stream_error(d->stream));
			return;
		}
	}
}

static void
send_lines(struct drain *d)
{
	cursor_judge(&d->cursor, d->env->pressed, clock_mono_ms());
	if (d->datagram != NULL) {
		drain_datagram_send(d);
		return;
	}
	/* A refusal that has come must be seen before a write finds the connection broken. */
	if (d->conf.transport == DRAIN_TLS && clock_mono_ms() - d->connected_ms < DRAIN_REFUSAL_MS)
		read_and_ignore(d);
	if (d->phase == PHASE_OPEN)
		drain_stream_send(d);
}

static void
finish_closing(struct drain *d)
{
	if (drain_stream_finish(d) && d->out.n > 0)
		return;
	drain_free_closing(d);
}

static void
on_stream(struct stream *s, enum stream_event event, void *arg)
{
	struct drain *d = arg;

	if (d->phase == PHASE_CLOSING) {
		if (event == STREAM_FAILED)
			drain_free_closing(d);
		else if (event == STREAM_WRITABLE)
			finish_closing(d);
		return;
	}
	switch (event) {
	case STREAM_OPEN:
		connection_open(d);
		stream_want_read(s, true);
		send_lines(d);
		break;
	case STREAM_READABLE:
		read_and_ignore(d);
		break;
	case STREAM_WRITABLE:
		d->full = false;
		send_lines(d);
		break;
	case STREAM_FAILED:
		drain_lost(d, DRAIN_BROKEN, stream_error(s));
		break;
	}
}

static void
on_datagram_writable(void *arg)
{
	send_lines(arg);
}

static void
connect_datagram(struct drain *d, const struct sockaddr *addr, socklen_t len)
{
	d->datagram = datagram_new(d->env->base, addr, len, on_datagram_writable, d);
	if (d->datagram == NULL) {
		drain_lost(d, DRAIN_BROKEN, strerror(errno));
		return;
	}
	connection_open(d);
	send_lines(d);
}

/* The context is the stream's; the drain's own is made anew for each connection, as it is rare. */
static void
connect_stream(struct drain *d, const struct sockaddr *addr, socklen_t len)
{
	struct tls_own own = drain_tls_own(&d->conf);
	SSL_CTX *ctx = d->conf.transport == DRAIN_TLS ? d->env->tls : NULL;
	SSL_CTX *of_its_own = NULL;
	char err[TLS_ERROR_BYTES];

	if (ctx != NULL && drain_has_tls_own(&d->conf)) {
		ctx = of_its_own = tls_own_ctx(d->env->tls, &own, err);
		if (ctx == NULL) {
			drain_lost(d, DRAIN_BROKEN, err);
			return;
		}
	}
	d->stream = stream_connect(d->env->base, addr, len, ctx, d->conf.host, CONNECT_MS,
				   HANDSHAKE_MS, on_stream, d);
	SSL_CTX_free(of_its_own);
}

static void
on_resolved(const struct resolve_answer *found, void *arg)
{
	struct drain *d = arg;
	struct resolve_answer answer = *found;
	const struct sockaddr *addr;
	socklen_t len;

	d->resolving = NULL;
	if (d->env->over) {
		d->phase = PHASE_WAITING;
		return;
	}
	address_policy_filter(d->env->policy, &answer, d->conf.transport == DRAIN_UDP);
	if (answer.n == 0) {
		drain_lost(d, DRAIN_BROKEN, answer.error);
		return;
	}
	/* The next try takes the next address: one that is dead must not be the only one. */
	addr = (const struct sockaddr *)&answer.addr[d->backoff.failures % answer.n];
	len =
	    addr->sa_family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
	d->phase = PHASE_CONNECTING;
	if (d->conf.transport == DRAIN_UDP) {
		connect_datagram(d, addr, len);
		return;
	}
	connect_stream(d, addr, len);
}

static void
start_connecting(struct drain *d)
{
	d->phase = PHASE_RESOLVING;
	/* The last addresses did not serve. */
	if (d->backoff.failures > 0)
		resolve_doubt(d->env->resolver, d->conf.host);
	d->resolving = resolve_ask(d->env->resolver, d->env->mailbox, d->cursor.log->app,
				   d->conf.host, d->conf.port, on_resolved, d);
}

/* Nothing was sent for long: close, and connect again at the next line. */
static void
rest_if_idle(struct drain *d)
{
	int64_t left = d->used_ms + IDLE_MS - clock_mono_ms();

	drain_poll(d);
	if (left > 0 || cursor_waiting_bytes(&d->cursor) > 0 || d->cursor.flight_bytes > 0) {
		drain_arm(d, left > 1000 ? left : 1000);
		return;
	}
	cursor_release_all(&d->cursor);
	drain_unmark_holding(d);
	drain_disconnect(d);
	drain_reset_writing(d);
	d->phase = PHASE_IDLE;
}

void
drain_on_timer(int fd, short what, void *arg)
{
	struct drain *d = arg;

	(void)fd;
	(void)what;
	if (d->post != NULL) {
		drain_post_on_timer(d);
		return;
	}
	switch (d->phase) {
	case PHASE_WAITING:
		start_connecting(d);
		break;
	case PHASE_OPEN:
		if (d->careful_wait)
			drain_stream_careful_step(d);
		else
			rest_if_idle(d);
		break;
	case PHASE_CLOSING:
		drain_free_closing(d);
		break;
	default:
		break;
	}
}

void
drain_flush(struct cursor *c)
{
	struct drain *d = drain_of(c);
	int64_t now_ms;

	if (d->post != NULL) {
		drain_post_flush(d);
		return;
	}
	switch (d->phase) {
	case PHASE_OPEN:
		send_lines(d);
		return;
	case PHASE_IDLE:
		/* Lines that it does not want are no reason to connect. */
		cursor_skip_unwanted(c);
		if (cursor_waiting_bytes(c) == 0)
			return;
		now_ms = clock_mono_ms();
		if (now_ms >= d->not_before_ms) {
			start_connecting(d);
		} else {
			d->phase = PHASE_WAITING;
			drain_arm(d, d->not_before_ms - now_ms);
		}
		return;
	default:
		cursor_judge(c, d->env->pressed, clock_mono_ms());
	}
}
