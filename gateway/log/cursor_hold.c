/*
 * cursor_hold -- how much of what was taken is kept, and how far a lost
 * connection winds back.
 */
#include "log/cursor_ring.h"

/* Held lines reach over the rule's bytes by so much at most, once they are to go out again. */
enum { LINES_OVER_BYTES = 1024 };

static void
release_oldest(struct cursor *c)
{
	c->held_bytes -= segment_bytes(ring_at(c, 0));
	c->taken--;
	c->sent--;
	ring_shift(c);
	app_log_stir(c->log);
}

/* What of the bytes that a rule says may be held: under memory pressure they go first. */
static size_t
affordable(const struct cursor *c, const struct resend_rule *rule, size_t bytes)
{
	const struct log_pool *pool = c->log->pool;
	size_t share = pool->holders > 0 ? pool->hold_budget / pool->holders : pool->hold_budget;

	if (rule->bytes == 0)
		return 0;
	return bytes < share ? bytes : share;
}

static size_t
hold_limit(const struct cursor *c, const struct resend_rule *rule, bool stopped)
{
	bool more = stopped && rule->max_bytes > rule->bytes;

	return affordable(c, rule, more ? rule->max_bytes : rule->bytes);
}

/* Whether the oldest segment may be unread, as the end of the stream shows. */
static bool
is_doubtful(const struct cursor *c, const struct resend_rule *rule)
{
	return ring_at(c, c->taken - 1)->end - ring_at(c, 0)->end < rule->unread;
}

void
cursor_release(struct cursor *c, const struct resend_rule *rule, bool stopped, int64_t now_ms)
{
	size_t limit = hold_limit(c, rule, stopped);
	size_t most = affordable(c, rule, rule->max_bytes);
	unsigned before = c->count;

	while (c->taken > 0) {
		const struct segment *s = ring_at(c, 0);
		bool in_time = stopped || now_ms - s->sent_ms < rule->time_ms;
		size_t behind = c->held_bytes - segment_bytes(s);

		if (in_time && (behind < limit || (behind < most && is_doubtful(c, rule))))
			break;
		release_oldest(c);
	}
	if (c->count < before)
		app_log_collect(c->log);
}

void
cursor_release_to(struct cursor *c, uint64_t end)
{
	while (c->taken > 0 && ring_at(c, 0)->end <= end)
		release_oldest(c);
	app_log_collect(c->log);
}

void
cursor_release_all(struct cursor *c)
{
	cursor_release_to(c, UINT64_MAX);
}

/* Everything handed over is unsent again; tries: what that adds to each segment's resends. */
static uint64_t
wind_back(struct cursor *c, uint8_t tries)
{
	uint64_t lines = 0;

	for (unsigned i = 0; i < c->sent; i++) {
		struct segment *s = ring_at(c, i);

		if (s->resent < UINT8_MAX)
			s->resent = (uint8_t)(s->resent + tries);
		lines += segment_wanted(s);
		c->unsent_bytes += segment_bytes(s);
	}
	c->unsent_lines += lines;
	c->taken = c->sent = 0;
	c->held_bytes = c->flight_bytes = 0;
	/* What was safe because it was taken is not any more. */
	app_log_stir(c->log);
	app_log_weigh(c->log);
	return lines;
}

/*
 * Of the oldest held segment, lets go of the lines that reach over the limit: a
 * segment may be longer than all that is to go out again.
 */
static void
release_lines(struct cursor *c, size_t limit)
{
	const struct segment *s = c->taken > 0 ? ring_at(c, 0) : NULL;
	struct slice message;
	uint32_t lines = 0;

	if (s == NULL || s->chunk->data == NULL || c->held_bytes <= limit)
		return;
	for (uint32_t at = s->from; lines < s->lines; lines++) {
		at = chunk_frame(s->chunk, at, &message);
		if (c->held_bytes - (at - s->from) < limit)
			break;
	}
	if (lines == 0 || lines == s->lines)
		return;
	split_segment(c, 0, lines);
	c->taken++;
	c->sent++;
	release_oldest(c);
}

uint64_t
cursor_lost(struct cursor *c, const struct resend_rule *rule, bool begun, bool stopped,
	    int64_t now_ms)
{
	cursor_release(c, rule, stopped, now_ms);
	if (c->taken > 0 && !is_doubtful(c, rule))
		release_lines(c, hold_limit(c, rule, stopped) + LINES_OVER_BYTES);
	/* Older segments went out at least as often as newer ones: these are a prefix. */
	while (c->taken > 0 && ring_at(c, 0)->resent >= CURSOR_RESENDS_MAX)
		release_oldest(c);
	if (begun && c->sent < c->count && ring_at(c, c->sent)->resent < UINT8_MAX)
		ring_at(c, c->sent)->resent++;
	app_log_collect(c->log);
	return wind_back(c, 1);
}

uint64_t
cursor_refused(struct cursor *c, struct cursor_taken *untaken)
{
	*untaken = (struct cursor_taken){0, 0};
	for (unsigned i = 0; i < c->taken; i++) {
		struct segment *s = ring_at(c, i);

		/* What went out before was taken by the connection of then. */
		if (s->resent > 0)
			continue;
		s->counted = false;
		untaken->lines += segment_wanted(s);
		untaken->bytes += segment_bytes(s) - s->skipped_bytes;
	}
	return wind_back(c, 0);
}

void
cursor_unsend(struct cursor *c)
{
	(void)wind_back(c, 0);
}

void
cursor_forgive(struct cursor *c)
{
	for (unsigned i = 0; i < c->count; i++)
		ring_at(c, i)->resent = 0;
}
