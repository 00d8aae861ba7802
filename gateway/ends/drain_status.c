#include "ends/drain_status.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "ends/drain_internal.h"
#include "ends/drain_post.h"
#include "log/cursor_place.h"
#include "log/log_hole.h"
#include "log/log_spool.h"

enum drain_state
drain_state(const struct drain *d)
{
	if (drain_post_is_blocked(d))
		return DRAIN_BLOCKED;
	switch (d->phase) {
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

/* What was sent over HTTP waits for its answer; what TCP has is on its way. */
static void
status_waiting(struct drain *d, struct drain_status *out)
{
	int64_t now_ms = clock_mono_ms();

	out->lines_waiting = cursor_waiting_lines(&d->cursor);
	out->bytes_waiting = cursor_waiting_bytes(&d->cursor);
	if (d->post == NULL) {
		out->oldest_waiting_ms = cursor_waiting_ms(&d->cursor, now_ms);
		return;
	}
	out->lines_waiting += drain_post_flight_lines(d);
	out->bytes_waiting += d->cursor.flight_bytes;
	out->oldest_waiting_ms = cursor_untaken_ms(&d->cursor, now_ms);
}

/* Of a drain whose lines lie on disk the newest may be in memory only; some may lie nowhere. */
static void
status_spooled(const struct drain *d, struct drain_status *out)
{
	const struct app_log *log = d->cursor.log;
	struct spool_place from = cursor_taken_place(&d->cursor);
	struct spool_place to = log_spool_safe_place(log);

	if (!log->kept || to.bytes <= from.bytes)
		return;
	out->lines_spooled = to.lines - from.lines - log_hole_lines(log, from.lines, to.lines);
	out->bytes_spooled = to.bytes - from.bytes - log_hole_bytes(log, from.bytes, to.bytes);
	if (out->lines_spooled > out->lines_waiting)
		out->lines_spooled = out->lines_waiting;
	if (out->bytes_spooled > out->bytes_waiting)
		out->bytes_spooled = out->bytes_waiting;
}

void
drain_status(struct drain *d, struct drain_status *out)
{
	drain_poll(d);
	*out = (struct drain_status){.id = d->id,
				     .state = drain_state(d),
				     .lines_delivered = d->lines_delivered,
				     .bytes_delivered = d->bytes_delivered,
				     .lines_minute = drain_pace_minute(&d->pace, clock_mono_ms()),
				     .lines_filtered = d->lines_filtered,
				     .lines_cut = d->lines_cut,
				     .lines_old = d->lines_old,
				     .lines_dropped_memory = d->lines_dropped[CURSOR_MEMORY],
				     .lines_dropped_rate = d->lines_dropped[CURSOR_RATE],
				     .lines_dropped_spool = d->lines_dropped[CURSOR_SPOOL],
				     .lines_dropped_age = d->lines_dropped[CURSOR_AGE],
				     .lines_dropped_damaged = d->lines_dropped[CURSOR_DAMAGED],
				     .lines_dropped_size = d->lines_too_long,
				     .lines_dropped_refused = d->lines_refused,
				     .lines_resent = d->lines_resent,
				     .retries = d->retries,
				     .connected_since_us = d->connected_us,
				     .delivered_us = d->delivered_us,
				     .last_error_us = d->last_error_us};
	status_waiting(d, out);
	status_spooled(d, out);
	snprintf(out->last_error, sizeof(out->last_error), "%s", drain_last_error(d));
	if (d->letter != NULL)
		out->letter = *d->letter;
}
