#include "ends/drain_window.h"

#include <string.h>

/* A send queue that stands still this long means that the receiver does not read. */
enum { STALL_MS = 500 };

/* A receiver that reads has read what it acknowledged so long ago. */
enum { READ_MS = 500, SAMPLE_MS = READ_MS / (DRAIN_WINDOW_SAMPLES - 1) + 1 };

/* So much of a fall tells nothing: it is on the way, or read, and the new window not told yet. */
enum { NOISE_BYTES = 16 * 1024 };

/* A window is told in steps of up to 1 KiB, and pieces take more room than they are long. */
enum { EXACT_BYTES = 4 * 1024 };

/*
 * Whoever sets resend-bytes below this, its default, has chosen fewer duplicates:
 * no blind zone, and no fall that a receiver shows as well that reads at once.
 */
enum { WATCHFUL_BYTES = 128 * 1024, PROMPT_BYTES = 32 * 1024 };

/*
 * What a receiver that stopped can have unread: measured, up to 4.4 times its
 * largest window where that is small.
 */
enum { STOPPED_WINDOWS = 4, STOPPED_BYTES = 512 * 1024 };

void
drain_window_open(struct drain_window *w, int64_t now_ms)
{
	*w = (struct drain_window){.acked_ms = now_ms};
}

static void
take_sample(struct drain_window *w, int64_t now_ms)
{
	if (w->npast > 0 && now_ms - w->past[w->npast - 1].ms < SAMPLE_MS)
		return;
	if (w->npast == DRAIN_WINDOW_SAMPLES) {
		memmove(w->past, w->past + 1, sizeof(w->past) - sizeof(w->past[0]));
		w->npast--;
	}
	w->past[w->npast].ms = now_ms;
	w->past[w->npast++].acked = w->acked;
}

/* Acknowledged within the last READ_MS, or a little longer. */
static uint64_t
acked_lately(const struct drain_window *w, int64_t now_ms)
{
	uint64_t before = 0;

	for (unsigned i = 0; i < w->npast && now_ms - w->past[i].ms >= READ_MS; i++)
		before = w->past[i].acked;
	return w->acked - before;
}

/* What lies unread for a fall of the window: small pieces take less room than they are long. */
static uint64_t
fallen(const struct drain_window *w)
{
	uint64_t bytes = w->largest > w->now ? w->largest - w->now : 0;

	return bytes + bytes / 4;
}

/* The window is larger than ever: nothing shows what lies unread. */
static void
grow(struct drain_window *w, uint32_t largest, int64_t now_ms)
{
	uint64_t lately = acked_lately(w, now_ms);

	/* As long as nothing was seen to be read, all of it may lie there. */
	if (w->hidden > 0)
		w->hidden += w->acked - w->largest_acked;
	if (w->hidden < lately)
		w->hidden = lately;
	if (w->hidden > largest)
		w->hidden = largest;
	w->largest = largest;
	w->largest_acked = w->acked;
}

void
drain_window_see(struct drain_window *w, const struct stream_tcp *tcp, int64_t now_ms)
{
	if (tcp->acked != w->acked || tcp->unacked == 0)
		w->acked_ms = now_ms;
	w->acked = tcp->acked;
	w->now = tcp->window;
	if (tcp->window_max > w->largest)
		grow(w, tcp->window_max, now_ms);
	else if (w->acked - w->largest_acked >= w->hidden + fallen(w))
		w->hidden = 0;
	if (tcp->window + NOISE_BYTES >= w->largest) {
		w->lowest = tcp->window;
	} else if (tcp->window < w->lowest) {
		w->lowest = tcp->window;
		w->fell_ms = now_ms;
	}
	take_sample(w, now_ms);
	if (now_ms - w->acked_ms >= STALL_MS || drain_window_is_low(w))
		w->stopped_ms = now_ms;
}

bool
drain_window_is_low(const struct drain_window *w)
{
	return w->now < w->largest / 2;
}

bool
drain_window_is_behind(const struct drain_window *w, uint64_t from)
{
	uint64_t since = w->acked - from;

	return w->largest > w->now && w->largest - w->now > since + since / 8 + EXACT_BYTES;
}

bool
drain_window_stopped(const struct drain_window *w, int64_t time_ms, int64_t now_ms)
{
	return w->stopped_ms != 0 && now_ms - w->stopped_ms < time_ms;
}

static size_t
at_most(uint64_t bytes, size_t limit)
{
	return bytes < limit ? (size_t)bytes : limit;
}

/* How many of the last bytes that were acknowledged may not be read. */
static uint64_t
unread(const struct drain_window *w, size_t blind)
{
	uint64_t bytes = 0;

	if (w->hidden > 0)
		bytes = w->hidden + (w->acked - w->largest_acked);
	if (fallen(w) > NOISE_BYTES && blind + fallen(w) > bytes)
		bytes = blind + fallen(w);
	return bytes;
}

struct resend_rule
drain_window_rule(const struct drain_window *w, const struct resend_rule *rule, int64_t now_ms)
{
	uint64_t stopped = rule->bytes + (uint64_t)STOPPED_WINDOWS * w->largest;
	struct resend_rule now = *rule;

	if (rule->bytes >= WATCHFUL_BYTES)
		now.unread = unread(w, rule->bytes);
	else if (rule->bytes > 0 && fallen(w) > rule->bytes + PROMPT_BYTES)
		now.unread = fallen(w);
	/* As long as the window falls, what is old may be unread like all that came after it. */
	if (now.unread > 0 && w->fell_ms != 0 && now_ms - w->fell_ms < rule->time_ms)
		now.time_ms = INT64_MAX;
	if (stopped < STOPPED_BYTES)
		stopped = STOPPED_BYTES;
	if (stopped < now.unread)
		stopped = now.unread;
	now.max_bytes = at_most(stopped, rule->max_bytes);
	return now;
}
