#include "ends/drain.h"

#include <assert.h>
#include <errno.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/xmalloc.h"
#include "ends/drain_internal.h"

enum { CONNECT_MS = 10 * 1000, HANDSHAKE_MS = 10 * 1000 };
/* A connection nobody uses is closed; the next line opens it again. */
enum { IDLE_MS = 10 * 60 * 1000 };
/* How long a removed drain may take for the frame it was writing. */
enum { CLOSING_MS = 1000 };
/* A send queue that stands still this long means that the receiver does not read. */
enum { STALL_MS = 500 };
/* A TLS receiver may refuse a connection this long after it opened (a few round trips). */
enum { YOUNG_MS = 2000 };

static void on_stream(struct stream *, enum stream_event, void *arg);

struct drain *
drain_of(struct cursor *c)
{
	return (struct drain *)c;
}

uint64_t
drain_id(const struct drain *d)
{
	return d->id;
}

void
drain_set_id(struct drain *d, uint64_t id)
{
	d->id = id;
}

struct app_log *
drain_log(const struct drain *d)
{
	return d->cursor.log;
}

const char *
drain_url(const struct drain *d)
{
	return d->conf.url;
}

struct drain *
drain_next_holding(const struct drain *d)
{
	return TAILQ_NEXT(d, holding_link);
}

void
drain_arm(struct drain *d, int64_t ms)
{
	struct timeval tv = {.tv_sec = (time_t)(ms / 1000),
			     .tv_usec = (suseconds_t)(ms % 1000 * 1000)};

	event_add(d->timer, &tv);
}

void
drain_set_error(struct drain *d, const char *why)
{
	snprintf(d->last_error, sizeof(d->last_error), "%s", why);
	d->last_error_us = clock_wall_us();
}

void
drain_mark_holding(struct drain *d)
{
	if (d->holding)
		return;
	TAILQ_INSERT_TAIL(&d->env->holding, d, holding_link);
	d->holding = true;
}

static void
unmark_holding(struct drain *d)
{
	if (!d->holding)
		return;
	TAILQ_REMOVE(&d->env->holding, d, holding_link);
	d->holding = false;
}

void
drain_count_taken(struct drain *d, struct cursor_taken taken)
{
	d->lines_delivered += taken.lines;
	d->bytes_delivered += taken.bytes;
	stats_add(&d->env->stats->lines_delivered, taken.lines);
	stats_add(&d->env->stats->bytes_delivered, taken.bytes);
}

static void
uncount_taken(struct drain *d, struct cursor_taken untaken)
{
	d->took_lines = false;
	d->lines_delivered -= untaken.lines;
	d->bytes_delivered -= untaken.bytes;
	stats_sub(&d->env->stats->lines_delivered, untaken.lines);
	stats_sub(&d->env->stats->bytes_delivered, untaken.bytes);
}

static void
on_dropped(struct cursor *c, uint64_t lines)
{
	struct drain *d = drain_of(c);

	if (d->lines_dropped == 0)
		log_warn("drain drops lines: it lags and its log is over app-memory", "app",
			 d->cursor.log->name, "drain", d->conf.redacted, NULL);
	d->lines_dropped += lines;
	stats_add(&d->env->stats->lines_dropped_memory, lines);
}

void
drain_reset_writing(struct drain *d)
{
	buf_free(&d->out);
	d->out_at = 0;
	d->out_is_segment = d->noticed = d->full = false;
	d->begun = 0;
	d->allow = d->allow_next = 1;
	d->since_poll = 0;
	d->last_acked = d->polled_written = 0;
	d->acked_ms = clock_mono_ms();
	d->took_lines = false;
}

/* Whether the receiver's TCP shows that the program behind it has stopped reading. */
static bool
receiver_stopped(struct drain *d, const struct stream_tcp *tcp, int64_t now_ms)
{
	if (tcp->acked != d->last_acked || tcp->unacked == 0) {
		d->last_acked = tcp->acked;
		d->acked_ms = now_ms;
	}
	if (now_ms - d->acked_ms >= STALL_MS || tcp->window < tcp->window_max / 2)
		d->stopped_ms = now_ms;
	return d->stopped_ms != 0 && now_ms - d->stopped_ms < d->rule.time_ms;
}

static bool
poll_tcp(struct drain *d, int64_t now_ms)
{
	struct stream_tcp tcp;

	d->since_poll = 0;
	if (d->stream == NULL || !stream_tcp_state(d->stream, &tcp))
		return false;
	drain_count_taken(d, cursor_acked(&d->cursor, tcp.acked));
	/* Also lines that were taken once before: this connection works. */
	if (d->cursor.taken > 0)
		d->took_lines = true;
	return receiver_stopped(d, &tcp, now_ms);
}

void
drain_poll(struct drain *d)
{
	int64_t now_ms = clock_mono_ms();
	bool stopped = d->stopped_ms != 0 && now_ms - d->stopped_ms < d->rule.time_ms;

	if (d->cursor.sent > d->cursor.taken || d->since_poll > 0 || d->full)
		stopped = poll_tcp(d, now_ms);
	cursor_release(&d->cursor, &d->rule, stopped, now_ms);
	/* A blocked connection is watched too: TCP's timeout must know it from a dead one. */
	if (d->cursor.sent == 0 && !d->full)
		unmark_holding(d);
}

/* Back to no connection; the cursor is the caller's business. */
static void
disconnect(struct drain *d)
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

static void
wait_or_rest(struct drain *d, int64_t delay_ms)
{
	d->not_before_ms = clock_mono_ms() + delay_ms;
	if (cursor_waiting_bytes(&d->cursor) == 0) {
		d->phase = PHASE_IDLE;
		return;
	}
	d->phase = PHASE_WAITING;
	drain_arm(d, delay_ms);
}

static void
log_lost(const struct drain *d, const char *why, uint64_t again)
{
	/* The first of a row of failures, and what cost resends; the rest is in the drain's state.
	 */
	if (d->backoff.failures <= 1 || again > 0)
		log_warn("drain lost its connection", "app", d->cursor.log->name, "drain",
			 d->conf.redacted, "error", why, "lines_again", log_u64(again), NULL);
}

/*
 * A receiver that closes after every line would get the first of many again
 * and again, and the rest would count as sent each time: see `careful`.
 */
static void
judge_progress(struct drain *d)
{
	const struct segment *s = cursor_unsent(&d->cursor, 0, clock_mono_ms());

	if (s == NULL) {
		d->stuck = 0;
		return;
	}
	d->stuck = s->seq == d->lost_seq ? d->stuck + 1 : 0;
	d->lost_seq = s->seq;
	if (d->stuck > 0)
		d->careful = true;
}

/* Goes back over what the receiver may not have read; returns the lines. */
static uint64_t
wind_back(struct drain *d, int64_t now_ms)
{
	bool stopped = poll_tcp(d, now_ms);
	struct cursor_taken untaken;
	uint64_t again;

	if (stream_refused(d->stream)) {
		again = cursor_refused(&d->cursor, &untaken);
		uncount_taken(d, untaken);
	} else {
		again = cursor_lost(&d->cursor, &d->rule, d->begun > 0 || d->out_is_segment,
				    stopped, now_ms);
	}
	judge_progress(d);
	d->lines_resent += again;
	stats_add(&d->env->stats->lines_resent, again);
	unmark_holding(d);
	return again;
}

void
drain_lost(struct drain *d, const char *why)
{
	int64_t now_ms = clock_mono_ms();
	bool was_open = d->phase == PHASE_OPEN;
	int64_t alive_ms = was_open ? now_ms - d->connected_ms : 0;
	uint64_t again = 0;
	int64_t delay_ms;

	drain_set_error(d, why);
	if (was_open && d->stream != NULL)
		again = wind_back(d, now_ms);
	delay_ms = backoff_next(&d->backoff, d->took_lines, alive_ms);
	d->retries++;
	log_lost(d, d->last_error, again);
	disconnect(d);
	drain_reset_writing(d);
	wait_or_rest(d, delay_ms);
}

static void
connection_open(struct drain *d)
{
	d->phase = PHASE_OPEN;
	d->connected_ms = d->used_ms = clock_mono_ms();
	d->connected_us = clock_wall_us();
	d->stopped_ms = 0;
	drain_reset_writing(d);
	drain_arm(d, IDLE_MS);
	if (d->retries > 0)
		log_info("drain connected", "app", d->cursor.log->name, "drain", d->conf.redacted,
			 NULL);
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
			drain_lost(d, "the receiver closed the connection");
			return;
		}
		if (n == STREAM_ERROR) {
			drain_lost(d, stream_error(d->stream));
			return;
		}
	}
}

static void
send_lines(struct drain *d)
{
	cursor_judge(&d->cursor, d->env->pressed, clock_mono_ms(), clock_wall_us());
	if (d->datagram != NULL) {
		drain_datagram_send(d);
		return;
	}
	/* A refusal that has come must be seen before a write finds the connection broken. */
	if (d->conf.transport == DRAIN_TLS && clock_mono_ms() - d->connected_ms < YOUNG_MS)
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
		drain_lost(d, stream_error(s));
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
		drain_lost(d, strerror(errno));
		return;
	}
	connection_open(d);
	send_lines(d);
}

static void
on_resolved(const struct resolve_answer *answer, void *arg)
{
	struct drain *d = arg;
	const struct sockaddr *addr;
	socklen_t len;

	d->resolving = NULL;
	if (answer->n == 0) {
		drain_lost(d, answer->error);
		return;
	}
	/* The next try takes the next address: one that is dead must not be the only one. */
	addr = (const struct sockaddr *)&answer->addr[d->backoff.failures % answer->n];
	len =
	    addr->sa_family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
	d->phase = PHASE_CONNECTING;
	if (d->conf.transport == DRAIN_UDP) {
		connect_datagram(d, addr, len);
		return;
	}
	d->stream = stream_connect(d->env->base, addr, len,
				   d->conf.transport == DRAIN_TLS ? d->env->tls : NULL,
				   d->conf.host, CONNECT_MS, HANDSHAKE_MS, on_stream, d);
}

static void
start_connecting(struct drain *d)
{
	d->phase = PHASE_RESOLVING;
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
	unmark_holding(d);
	disconnect(d);
	drain_reset_writing(d);
	d->phase = PHASE_IDLE;
}

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct drain *d = arg;

	(void)fd;
	(void)what;
	switch (d->phase) {
	case PHASE_WAITING:
		start_connecting(d);
		break;
	case PHASE_OPEN:
		if (d->careful && d->allow == 0 && d->stream != NULL)
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

static void
on_flush(struct cursor *c)
{
	struct drain *d = drain_of(c);
	int64_t now_ms;

	switch (d->phase) {
	case PHASE_OPEN:
		send_lines(d);
		return;
	case PHASE_IDLE:
		now_ms = clock_mono_ms();
		if (now_ms >= d->not_before_ms) {
			start_connecting(d);
		} else {
			d->phase = PHASE_WAITING;
			drain_arm(d, d->not_before_ms - now_ms);
		}
		return;
	default:
		cursor_judge(c, d->env->pressed, clock_mono_ms(), clock_wall_us());
	}
}

static struct resend_rule
rule_of(const struct config *config, const struct drain_conf *conf)
{
	struct resend_rule rule = {.bytes = (size_t)config->resend_bytes,
				   .time_ms = config->resend_time,
				   .max_bytes = (size_t)config->resend_max};

	if (conf->resend_bytes >= 0)
		rule.bytes = (size_t)conf->resend_bytes;
	return rule;
}

struct drain *
drain_new(struct drain_env *env, struct app_log *log, uint64_t id, struct drain_conf *conf)
{
	struct drain *d = xcalloc(1, sizeof(*d));
	char why[128];

	d->env = env;
	d->id = id;
	d->conf = *conf;
	*conf = (struct drain_conf){0};
	if (d->conf.framing == DRAIN_FRAMING_DEFAULT)
		d->conf.framing =
		    env->config->syslog_framing_octet ? DRAIN_FRAMING_OCTET : DRAIN_FRAMING_LF;
	d->rule = rule_of(env->config, &d->conf);
	d->verbatim = d->conf.type->verbatim != NULL && d->conf.type->verbatim(&d->conf);
	d->timer = evtimer_new(env->base, on_timer, d);
	if (d->timer == NULL)
		abort();
	backoff_init(&d->backoff, (uint32_t)id * 2654435761U | 1);
	d->cursor.flush = on_flush;
	d->cursor.dropped = on_dropped;
	drain_reset_writing(d);
	if (d->conf.type->encode == NULL) {
		d->phase = PHASE_UNABLE;
		snprintf(why, sizeof(why), "type %s is stored but does not deliver in this version",
			 d->conf.type->name);
		drain_set_error(d, why);
		return d;
	}
	cursor_open(&d->cursor, log, clock_mono_ms());
	return d;
}

static void
drain_free(struct drain *d)
{
	unmark_holding(d);
	disconnect(d);
	drain_reset_writing(d);
	event_free(d->timer);
	drain_conf_free(&d->conf);
	free(d);
}

void
drain_free_closing(struct drain *d)
{
	TAILQ_REMOVE(&d->env->closing, d, holding_link);
	drain_free(d);
}

void
drain_remove(struct drain *d)
{
	bool in_frame = false;

	if (d->phase == PHASE_UNABLE) {
		drain_free(d);
		return;
	}
	if (d->phase == PHASE_OPEN && d->stream != NULL) {
		drain_poll(d);
		in_frame = drain_stream_keep_frame(d);
	}
	unmark_holding(d);
	stats_add(&d->env->stats->lines_dropped_removed, cursor_close(&d->cursor));
	if (!in_frame) {
		drain_free(d);
		return;
	}
	d->phase = PHASE_CLOSING;
	TAILQ_INSERT_TAIL(&d->env->closing, d, holding_link);
	drain_arm(d, CLOSING_MS);
}

void
drain_abandon(struct drain *d)
{
	if (d->phase != PHASE_UNABLE)
		stats_add(&d->env->stats->lines_dropped_stop, cursor_close(&d->cursor));
	drain_free(d);
}

bool
drain_is_done(struct drain *d)
{
	if (d->phase == PHASE_UNABLE)
		return true;
	drain_poll(d);
	return cursor_waiting_bytes(&d->cursor) == 0 && d->cursor.flight_bytes == 0;
}

static enum drain_state
state_of(const struct drain *d)
{
	switch (d->phase) {
	case PHASE_UNABLE:
		return DRAIN_BLOCKED;
	case PHASE_OPEN:
		return DRAIN_CONNECTED;
	case PHASE_WAITING:
		return DRAIN_RETRYING;
	case PHASE_RESOLVING:
	case PHASE_CONNECTING:
		return d->backoff.failures > 0 ? DRAIN_RETRYING : DRAIN_IDLE;
	default:
		return DRAIN_IDLE;
	}
}

void
drain_status(struct drain *d, struct drain_status *out)
{
	*out = (struct drain_status){.id = d->id,
				     .state = state_of(d),
				     .oldest_waiting_ms = -1,
				     .connected_since_us = d->connected_us,
				     .last_error_us = d->last_error_us};
	snprintf(out->last_error, sizeof(out->last_error), "%s", d->last_error);
	if (d->phase == PHASE_UNABLE)
		return;
	drain_poll(d);
	out->lines_delivered = d->lines_delivered;
	out->bytes_delivered = d->bytes_delivered;
	out->lines_waiting = cursor_waiting_lines(&d->cursor);
	out->bytes_waiting = cursor_waiting_bytes(&d->cursor);
	out->lines_dropped_memory = d->lines_dropped;
	out->lines_resent = d->lines_resent;
	out->retries = d->retries;
	out->oldest_waiting_ms = cursor_waiting_ms(&d->cursor, clock_mono_ms());
}
