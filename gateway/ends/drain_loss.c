/*
 * drain_loss -- what was acknowledged, what was lost with a connection, and
 * how far the drain goes back for it (architecture, "Lost connections").
 */
#include "base/clock.h"
#include "base/log.h"
#include "ends/drain_internal.h"

/* A send queue that stands still this long means that the receiver does not read. */
enum { STALL_MS = 500 };

/* What a drain's connection suffers is logged so often at most. */
enum { SAY_AGAIN_MS = 10 * 1000 };

static void
uncount_taken(struct drain *d, struct cursor_taken untaken)
{
	d->took_lines = false;
	d->lines_delivered -= untaken.lines;
	d->bytes_delivered -= untaken.bytes;
	stats_sub(&d->env->stats->lines_delivered, untaken.lines);
	stats_sub(&d->env->stats->bytes_delivered, untaken.bytes);
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
	bool stopped;

	/* Over HTTP the answers say it. */
	if (d->post != NULL)
		return;
	stopped = d->stopped_ms != 0 && now_ms - d->stopped_ms < d->rule.time_ms;

	if (d->cursor.sent > d->cursor.taken || d->since_poll > 0 || d->full)
		stopped = poll_tcp(d, now_ms);
	cursor_release(&d->cursor, &d->rule, stopped, now_ms);
	/* A blocked connection is watched too: TCP's timeout must know it from a dead one. */
	if (!d->holding || d->cursor.sent > 0 || d->full)
		return;
	drain_unmark_holding(d);
	d->env->rests(d->cursor.log, d->env->arg);
}

static void
wait_or_rest(struct drain *d, int64_t delay_ms)
{
	d->not_before_ms = clock_mono_ms() + delay_ms;
	if (cursor_waiting_bytes(&d->cursor) == 0) {
		d->phase = PHASE_IDLE;
		d->env->rests(d->cursor.log, d->env->arg);
		return;
	}
	d->phase = PHASE_WAITING;
	drain_arm(d, delay_ms);
}

/*
 * Neither each failure of a receiver that is away nor each close of one that
 * closes all the time: that would fill the log.  The drain's state has the rest.
 */
void
drain_log_lost(struct drain *d, const char *why, uint64_t again)
{
	int64_t now_ms = clock_mono_ms();

	if (d->backoff.failures > 1 && again == 0)
		return;
	if (d->said_ms != 0 && now_ms - d->said_ms < SAY_AGAIN_MS)
		return;
	d->said_ms = now_ms;
	d->said_lost = true;
	log_warn("drain lost its connection", "app", d->cursor.log->name, "drain", d->conf.redacted,
		 "error", why, "lines_again", log_u64(again), NULL);
}

/*
 * A receiver that closes after every line would get the first of many again
 * and again, and the rest would count as sent each time: see `careful`.
 */
static void
judge_progress(struct drain *d)
{
	uint64_t seq;

	if (!cursor_next_seq(&d->cursor, &seq)) {
		d->stuck = 0;
		return;
	}
	d->stuck = seq == d->lost_seq ? d->stuck + 1 : 0;
	d->lost_seq = seq;
	if (d->stuck == 0 || d->careful)
		return;
	d->careful = true;
	cursor_forgive(&d->cursor);
}

/* Closed by FIN with nothing unread, after one line alone: that line was read. */
static bool
read_the_one_line(const struct drain *d, enum drain_ending ending)
{
	return d->careful && ending == DRAIN_CLOSED && d->allow == 0 && d->allow_next == 1 &&
	       d->cursor.flight_bytes == 0;
}

/* Goes back over what the receiver may not have read; returns the lines. */
static uint64_t
wind_back(struct drain *d, enum drain_ending ending, int64_t now_ms)
{
	bool stopped = poll_tcp(d, now_ms);
	struct cursor_taken untaken;
	uint64_t again;

	if (stream_refused(d->stream) && now_ms - d->connected_ms < DRAIN_REFUSAL_MS) {
		again = cursor_refused(&d->cursor, &untaken);
		uncount_taken(d, untaken);
	} else {
		if (read_the_one_line(d, ending))
			cursor_release_all(&d->cursor);
		again = cursor_lost(&d->cursor, &d->rule, d->begun > 0 || d->out_is_segment,
				    stopped, now_ms);
		judge_progress(d);
	}
	d->lines_resent += again;
	stats_add(&d->env->stats->lines_resent, again);
	drain_unmark_holding(d);
	return again;
}

void
drain_lost(struct drain *d, enum drain_ending ending, const char *why)
{
	int64_t now_ms = clock_mono_ms();
	bool was_open = d->phase == PHASE_OPEN;
	int64_t alive_ms = was_open ? now_ms - d->connected_ms : 0;
	uint64_t again = 0;
	int64_t delay_ms;

	drain_set_error(d, why);
	if (was_open && d->stream != NULL)
		again = wind_back(d, ending, now_ms);
	delay_ms = backoff_next(&d->backoff, d->took_lines, alive_ms);
	d->retries++;
	drain_log_lost(d, d->last_error, again);
	drain_disconnect(d);
	drain_reset_writing(d);
	wait_or_rest(d, delay_ms);
}
