#include "ends/drain_replace.h"

#include "base/clock.h"
#include "ends/drain_internal.h"
#include "ends/drain_post.h"
#include "log/cursor_move.h"

/*
 * Whether what the receiver acknowledged may lie there unread: then the new
 * receiver gets it too.
 */
static bool
is_doubtful(const struct drain *d, int64_t now_ms)
{
	bool stopped = drain_window_stopped(&d->window, d->rule.time_ms, now_ms);
	bool young = d->conf.transport == DRAIN_TLS && now_ms - d->connected_ms < DRAIN_REFUSAL_MS;

	return stopped || young || d->careful;
}

struct drain *
drain_replace(struct drain *old, uint64_t id, struct drain_conf *conf)
{
	struct drain *d = drain_new(old->env, old->cursor.log, id, conf);
	bool in_frame = false;
	uint32_t finishing;

	if (old->phase == PHASE_OPEN && old->stream != NULL) {
		drain_poll(old);
		in_frame = drain_stream_keep_frame(old, &finishing);
	}
	if (old->post != NULL)
		drain_post_wind_back(old);
	drain_stream_unpin(old);
	if (!is_doubtful(old, clock_mono_ms()))
		cursor_release_all(&old->cursor);
	cursor_move(&d->cursor, &old->cursor);
	drain_let_go(old, in_frame);
	if (cursor_waiting_bytes(&d->cursor) > 0)
		d->cursor.flush(&d->cursor);
	return d;
}
