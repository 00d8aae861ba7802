/*
 * drain_loss -- what was acknowledged, what was lost with a connection, and
 * how far the drain goes back for it (architecture, "Lost connections").
 */
#include "base/clock.h"
#include "base/log.h"
#include "ends/drain_internal.h"

/* Lines that went out again so often are not getting on: the drain becomes careful. */
enum { PATIENT_RESENDS = 2 };

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

static void
poll_tcp(struct drain *d, int64_t now_ms)
{
	struct stream_tcp tcp;

	d->since_poll = 0;
	if (d->stream == NULL || !stream_tcp_state(d->stream, &tcp))
		return;
	drain_count_taken(d, cursor_acked(&d->cursor, tcp.acked));
	/* Also lines that were taken once before: this connection works. */
	if (d->cursor.taken > 0)
		d->took_lines = true;
	drain_window_see(&d->window, &tcp, now_ms);
}

void
drain_begin_window(struct drain *d)
{
	int64_t now_ms = clock_mono_ms();

	drain_window_open(&d->window, now_ms);
	poll_tcp(d, now_ms);
}

void
drain_poll(struct drain *d)
{
	int64_t now_ms = clock_mono_ms();
	struct resend_rule rule;

	/* Over HTTP the answers say it. */
	if (d->post != NULL)
		return;
	if (d->cursor.sent > d->cursor.taken || d->since_poll > 0 || d->full)
		poll_tcp(d, now_ms);
	rule = drain_window_rule(&d->window, &d->rule, now_ms);
	cursor_release(&d->cursor, &rule, drain_window_stopped(&d->window, d->rule.time_ms, now_ms),
		       now_ms);
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
	const struct segment *s = cursor_cut_already(&d->cursor);

	if (s == NULL || s->resent < PATIENT_RESENDS || d->careful)
		return;
	d->careful = true;
	d->careful_first = 1;
	cursor_forgive(&d->cursor);
}

/*
 * The next connection's first careful step: what the receiver stayed for on this
 * one it takes again, and fewer if it did not stay for the first.
 */
static void
learn_step(struct drain *d)
{
	if (d->stayed_for > 0)
		d->careful_first = d->stayed_for;
	else
		d->careful_first /= 4;
	if (d->careful_first < 1)
		d->careful_first = 1;
	if (d->careful_first > DRAIN_CAREFUL_LINES)
		d->careful_first = DRAIN_CAREFUL_LINES;
}

/* Closed by FIN with nothing unread, after one line alone: that line was read. */
static bool
read_the_one_line(const struct drain *d, enum drain_ending ending)
{
	return d->careful && ending == DRAIN_CLOSED && d->allow == 0 && d->allow_step == 1 &&
	       d->cursor.flight_bytes == 0;
}

/* Goes back over what the receiver may not have read; returns the lines. */
static uint64_t
wind_back(struct drain *d, enum drain_ending ending, int64_t now_ms)
{
	struct cursor_taken untaken;
	struct resend_rule rule;
	uint64_t again;

	poll_tcp(d, now_ms);
	rule = drain_window_rule(&d->window, &d->rule, now_ms);
	if (stream_refused(d->stream) && now_ms - d->connected_ms < DRAIN_REFUSAL_MS) {
		again = cursor_refused(&d->cursor, &untaken);
		uncount_taken(d, untaken);
	} else {
		bool behind = drain_stream_is_behind(d);

		if (behind)
			d->stayed_for = 0;
		else if (d->careful)
			cursor_release_to(&d->cursor,
					  read_the_one_line(d, ending) ? UINT64_MAX : d->step_from);
		/* Which of many it read nobody knows; of one it had its chances. */
		if (d->careful && (behind || d->allow_step > 1))
			cursor_forgive(&d->cursor);
		again =
		    cursor_lost(&d->cursor, &rule, d->begun > 0 || d->out_is_segment,
				drain_window_stopped(&d->window, d->rule.time_ms, now_ms), now_ms);
		learn_step(d);
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
	drain_log_lost(d, drain_last_error(d), again);
	drain_disconnect(d);
	drain_reset_writing(d);
	wait_or_rest(d, delay_ms);
}
