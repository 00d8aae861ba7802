#include <string.h>

#include "base/clock.h"
#include "ends/drain_internal.h"

/*
 * Offered to one system call.  What was offered stays in memory as long as the
 * connection is blocked, so it is no more than a call needs to be worth it.
 */
enum { IOV_MAX_SEGMENTS = DRAIN_PINS, OFFER_BYTES = 128 * 1024 };

/* What TLS makes one record of. */
enum { RECORD_BYTES = 16 * 1024 };

/* Bytes written in one go before other drains get their turn. */
enum { TURN_BYTES = 1024 * 1024 };

/* Asking the kernel for acknowledgements costs two system calls: once in this many bytes. */
enum { POLL_BYTES = 64 * 1024 };

/* How long a receiver that is treated with care must stay before it gets more lines. */
enum { CAREFUL_MS = 100 };
/* A receiver that stays so long needs no care any more. */
enum { CAREFUL_ALIVE_MS = 10 * 1000 };
/* Small steps do not show in the receiver's window one by one: so much of them is kept together. */
enum { CAREFUL_KEEP_BYTES = 32 * 1024 };

enum write_result { WRITE_ALL, WRITE_FULL, WRITE_LOST };

static void
encode_segment(struct drain *d, const struct segment *s, struct buf *out)
{
	struct slice message;
	uint32_t at = s->from;
	uint64_t seq = s->seq;

	if (!cursor_gap_is_empty(&s->gap))
		drain_notice(d, &s->gap, out);
	while (at < s->to) {
		at = chunk_frame(s->chunk, at, &message);
		drain_encode(d, message, seq++, s->resent > 0, out);
	}
}

/* Writes bytes of the drain's own; keeps in d->out what TCP does not take. */
static enum write_result
write_bytes(struct drain *d, struct slice bytes, bool is_out)
{
	while (bytes.n > 0) {
		struct iovec iov = {(void *)(uintptr_t)bytes.p, bytes.n};
		ssize_t n = stream_writev(d->stream, &iov, 1);

		if (n == STREAM_ERROR)
			return WRITE_LOST;
		if (n == STREAM_AGAIN)
			break;
		bytes = slice_skip(bytes, (size_t)n);
		d->since_poll += (size_t)n;
		if (is_out)
			d->out_at += (size_t)n;
	}
	if (bytes.n > 0) {
		if (!is_out)
			buf_add_slice(&d->out, bytes);
		d->full = true;
		return WRITE_FULL;
	}
	if (is_out) {
		buf_free(&d->out);
		d->out_at = 0;
	}
	return WRITE_ALL;
}

static enum write_result
write_out(struct drain *d)
{
	if (d->out.n == 0)
		return WRITE_ALL;
	return write_bytes(d, slice_skip(buf_slice(&d->out), d->out_at), true);
}

static void
segment_done(struct drain *d, int64_t now_ms)
{
	cursor_sent(&d->cursor, stream_tcp_written(d->stream), now_ms);
	d->out_is_segment = false;
	d->begun = 0;
	d->noticed = d->granted = false;
}

static void
wait_carefully(struct drain *d)
{
	if (d->allow > 0 || d->careful_wait)
		return;
	d->careful_wait = true;
	drain_arm(d, CAREFUL_MS);
}

/*
 * The next unsent segment, or NULL when there is none or care forbids it now.  One that was let
 * go once stays as it is: TLS may have made a record of it.
 */
static const struct segment *
next_segment(struct drain *d, int64_t now_ms)
{
	const struct segment *s = cursor_unsent(&d->cursor, 0, now_ms);

	if (s == NULL || !d->careful || d->granted)
		return s;
	if (d->allow > 0) {
		cursor_split(&d->cursor, d->allow);
		s = cursor_unsent(&d->cursor, 0, now_ms);
		d->allow -= s->lines;
		d->granted = true;
	} else {
		s = NULL;
	}
	wait_carefully(d);
	return s;
}

/*
 * The first step is what the receiver stayed for the last time; from there on
 * a fourth of that, twice as many each time.
 */
static void
next_step(struct drain *d)
{
	uint32_t lines = d->allow_step * 2;

	if (d->stayed_for == 0 && d->careful_first > 2)
		lines = d->careful_first / 4 + 1;
	d->stayed_for += d->allow_step;
	if (lines > DRAIN_CAREFUL_LINES)
		lines = DRAIN_CAREFUL_LINES;
	d->allow = d->allow_step = lines;
}

bool
drain_stream_is_behind(const struct drain *d)
{
	bool any = d->window.acked > d->step_from;

	return d->careful &&
	       drain_window_is_behind(&d->window, any ? d->step_from : d->step_before);
}

/*
 * It stayed for the step: it read it, or so it seems.  If it did not, the next
 * one shows that, so the lines stay as long.
 */
static void
settle_step(struct drain *d)
{
	uint64_t acked = d->window.acked, keep = acked - d->step_from;

	if (keep < CAREFUL_KEEP_BYTES)
		keep = CAREFUL_KEEP_BYTES;
	if (acked > keep)
		cursor_release_to(&d->cursor, acked - keep);
	d->step_before = d->step_from;
	d->step_from = acked;
}

/* Nothing is known yet of lines that were not even acknowledged, or visibly lie there. */
static void
wait_for_step(struct drain *d, bool unread)
{
	/* Its window may be told with an acknowledgement only. */
	if (unread && d->cursor.flight_bytes == 0 && !d->granted) {
		d->allow = 1;
		drain_arm(d, CAREFUL_MS);
		drain_stream_send(d);
		return;
	}
	wait_carefully(d);
}

void
drain_stream_careful_step(struct drain *d)
{
	int64_t now_ms = clock_mono_ms();
	bool trusted = now_ms - d->connected_ms >= CAREFUL_ALIVE_MS, unread;

	d->careful_wait = false;
	drain_poll(d);
	unread = drain_stream_is_behind(d) || drain_window_is_low(&d->window);
	if (d->granted || d->cursor.flight_bytes > 0 || (unread && !trusted)) {
		wait_for_step(d, unread);
		return;
	}
	if (!unread)
		settle_step(d);
	next_step(d);
	if (trusted)
		d->careful = false;
	drain_arm(d, CAREFUL_MS);
	drain_stream_send(d);
}

static enum write_result
write_encoded(struct drain *d, int64_t now_ms, size_t *written)
{
	struct buf *scratch = &d->env->scratch;
	const struct segment *s;
	enum write_result r;

	while (*written < TURN_BYTES) {
		s = next_segment(d, now_ms);
		if (s == NULL)
			return WRITE_ALL;
		scratch->n = 0;
		encode_segment(d, s, scratch);
		d->out_is_segment = true;
		*written += scratch->n;
		r = write_bytes(d, buf_slice(scratch), false);
		if (r != WRITE_ALL)
			return r;
		segment_done(d, now_ms);
	}
	return WRITE_ALL;
}

/* Gathers unsent segments; stops before one that wants a notice, and goes one by one with care. */
static int
gather(struct drain *d, const struct segment *first, int64_t now_ms, struct iovec *iov)
{
	const struct segment *s = first;
	size_t bytes = 0;
	int n = 0;

	while (s != NULL && n < IOV_MAX_SEGMENTS) {
		uint32_t skip = n == 0 ? d->begun : 0;

		if (n > 0 && (d->careful || !cursor_gap_is_empty(&s->gap)))
			break;
		iov[n].iov_base = s->chunk->data + s->from + skip;
		iov[n].iov_len = s->to - s->from - skip;
		bytes += iov[n].iov_len;
		n++;
		s = bytes < OFFER_BYTES ? cursor_unsent(&d->cursor, (unsigned)n, now_ms) : NULL;
	}
	return n;
}

/* TCP took n bytes: segments that are wholly out are sent. */
static void
advance(struct drain *d, size_t n, int64_t now_ms)
{
	while (n > 0) {
		const struct segment *s = cursor_unsent(&d->cursor, 0, now_ms);
		size_t left = s->to - s->from - d->begun;

		if (n < left) {
			d->begun += (uint32_t)n;
			return;
		}
		n -= left;
		segment_done(d, now_ms);
	}
}

static enum write_result
write_notice(struct drain *d, const struct segment *s)
{
	struct buf *scratch = &d->env->scratch;

	scratch->n = 0;
	drain_notice(d, &s->gap, scratch);
	d->noticed = true;
	return write_bytes(d, buf_slice(scratch), false);
}

static enum write_result
write_verbatim(struct drain *d, int64_t now_ms, size_t *written)
{
	struct iovec iov[IOV_MAX_SEGMENTS];
	const struct segment *s;

	while (*written < TURN_BYTES) {
		ssize_t n;

		s = next_segment(d, now_ms);
		if (s == NULL)
			return WRITE_ALL;
		if (!cursor_gap_is_empty(&s->gap) && !d->noticed) {
			enum write_result r = write_notice(d, s);

			if (r != WRITE_ALL)
				return r;
			s = cursor_unsent(&d->cursor, 0, now_ms);
		}
		n = stream_writev(d->stream, iov, gather(d, s, now_ms, iov));
		if (n == STREAM_ERROR)
			return WRITE_LOST;
		if (n == STREAM_AGAIN) {
			d->full = true;
			return WRITE_FULL;
		}
		*written += (size_t)n;
		d->since_poll += (size_t)n;
		advance(d, (size_t)n, now_ms);
	}
	return WRITE_ALL;
}

void
drain_stream_unpin(struct drain *d)
{
	while (d->npinned > 0)
		d->pinned[--d->npinned]->pins--;
}

/*
 * Of a segment that was begun, or its notice was, or care let it go, the rest; of a TLS record
 * that was made, all of it.  What is pinned is not given up either.
 */
static void
pin_offered(struct drain *d, int64_t now_ms)
{
	bool record = d->full && d->verbatim && stream_ssl(d->stream) != NULL;
	bool begun = d->begun > 0 || d->noticed || d->granted || d->out_is_segment;
	size_t bytes = record ? RECORD_BYTES : begun;
	const struct segment *s;

	bytes += d->begun;
	for (size_t n = 0; n < bytes && d->npinned < DRAIN_PINS; n += s->to - s->from) {
		s = cursor_unsent(&d->cursor, d->npinned, now_ms);
		if (s == NULL)
			return;
		d->pinned[d->npinned++] = s->chunk;
		s->chunk->pins++;
	}
}

void
drain_stream_send(struct drain *d)
{
	int64_t now_ms = clock_mono_ms();
	enum write_result r;
	size_t written = 0;

	if (d->full)
		return;
	drain_stream_unpin(d);
	r = write_out(d);
	if (r == WRITE_ALL && d->out_is_segment)
		segment_done(d, now_ms);
	if (r == WRITE_ALL)
		r = d->verbatim ? write_verbatim(d, now_ms, &written)
				: write_encoded(d, now_ms, &written);
	if (r == WRITE_LOST) {
		drain_lost(d, DRAIN_BROKEN, stream_error(d->stream));
		return;
	}
	pin_offered(d, now_ms);
	if (written > 0)
		d->used_ms = now_ms;
	if (d->cursor.sent > 0 || d->full)
		drain_mark_holding(d);
	if (d->since_poll >= POLL_BYTES || r == WRITE_FULL)
		drain_poll(d);
	if (r == WRITE_ALL && written >= TURN_BYTES)
		d->env->more(d->cursor.log, d->env->arg);
}

/* TLS may have made a record of what was offered: it must be offered again, all of it. */
static uint32_t
keep_offer(struct drain *d)
{
	struct iovec iov[IOV_MAX_SEGMENTS];
	int64_t now_ms = clock_mono_ms();
	const struct segment *s = cursor_unsent(&d->cursor, 0, now_ms);
	uint32_t lines = 0;
	int n;

	if (s == NULL)
		return 0;
	n = gather(d, s, now_ms, iov);
	for (int i = 0; i < n; i++) {
		lines += cursor_unsent(&d->cursor, (unsigned)i, now_ms)->lines;
		buf_add(&d->out, iov[i].iov_base, iov[i].iov_len);
	}
	return lines;
}

static uint32_t
keep_frame(struct drain *d)
{
	const struct segment *s = cursor_cut_already(&d->cursor);
	struct slice message;
	uint32_t lines = 0;
	uint32_t at = s->from + d->begun;
	uint32_t end;

	for (end = s->from; end < at; lines++)
		end = chunk_frame(s->chunk, end, &message);
	buf_add(&d->out, s->chunk->data + at, end - at);
	return lines;
}

bool
drain_stream_keep_frame(struct drain *d, uint32_t *lines)
{
	const struct segment *s;

	*lines = 0;
	if (d->out_is_segment) {
		s = cursor_cut_already(&d->cursor);
		*lines = s->lines - s->skipped;
	} else if (d->out.n == 0 && d->full && stream_ssl(d->stream) != NULL) {
		*lines = keep_offer(d);
	} else if (d->out.n == 0 && d->begun > 0) {
		*lines = keep_frame(d);
	}
	return d->out.n > d->out_at;
}

bool
drain_stream_finish(struct drain *d)
{
	d->full = false;
	return write_out(d) != WRITE_LOST;
}
