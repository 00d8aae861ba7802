#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "ends/drain_internal.h"

/* Lines encoded and sent with one system call. */
enum { BATCH_LINES = 64 };

/* What one flush may send before other drains get their turn. */
enum { TURN_LINES = 4096 };

struct batch {
	struct iovec iov[BATCH_LINES];
	uint32_t end[BATCH_LINES]; /* offset behind that line, from the segment's start */
	unsigned n;
};

/* One more datagram, from `start` of the scratch on, that takes the segment to `end`. */
static size_t
batch_add(struct drain *d, struct batch *b, size_t start, uint32_t end)
{
	b->iov[b->n].iov_len = d->env->scratch.n - start;
	b->end[b->n++] = end;
	return d->env->scratch.n;
}

static size_t
batch_add_notices(struct drain *d, const struct segment *s, struct batch *b)
{
	struct buf frame = {0};
	size_t start = 0;

	for (enum cursor_reason r = 0; r < CURSOR_REASONS; r++) {
		frame.n = 0;
		if (!drain_notice_frame(d, &s->gap, r, &frame))
			continue;
		(void)d->conf.type->encode(&d->conf, buf_slice(&frame), &d->env->scratch);
		start = batch_add(d, b, start, d->begun);
	}
	buf_free(&frame);
	return start;
}

/* The sequence of the line at that offset; only a drain that marks its lines needs to know. */
static uint64_t
seq_at(const struct drain *d, const struct segment *s, uint32_t end)
{
	struct slice message;
	uint64_t seq = s->seq;

	if (d->conf.mark)
		for (uint32_t at = s->from; at < end; seq++)
			at = chunk_frame(s->chunk, at, &message);
	return seq;
}

/*
 * Encodes the next lines of a segment, a datagram each; notices go in front.
 * None may be left: the rest of the segment is not wanted.
 */
static void
batch_fill(struct drain *d, const struct segment *s, struct batch *b)
{
	struct buf *scratch = &d->env->scratch;
	uint32_t at = s->from + d->begun;
	uint64_t seq = seq_at(d, s, at);
	struct slice message;
	size_t start = 0;

	scratch->n = 0;
	b->n = 0;
	if (!cursor_gap_is_empty(&s->gap) && !d->noticed)
		start = batch_add_notices(d, s, b);
	while (at < s->to && b->n < BATCH_LINES) {
		at = chunk_frame(s->chunk, at, &message);
		drain_encode(d, message, seq++, false, scratch);
		if (scratch->n > start)
			start = batch_add(d, b, start, at - s->from);
		else if (b->n > 0)
			b->end[b->n - 1] = at - s->from;
		else
			d->begun = at - s->from;
	}
	start = 0;
	for (unsigned i = 0; i < b->n; i++) {
		b->iov[i].iov_base = scratch->p + start;
		start += b->iov[i].iov_len;
	}
}

/* Handed to the kernel is all that UDP ever says: sent, taken and done. */
static void
batch_sent(struct drain *d, const struct segment *s, const struct batch *b, unsigned sent)
{
	int64_t now_ms = clock_mono_ms();

	if (sent > 0) {
		d->used_ms = now_ms;
		d->took_lines = true;
		d->noticed = true;
		d->begun = b->end[sent - 1];
	}
	if (d->begun < s->to - s->from)
		return;
	d->begun = 0;
	d->noticed = false;
	cursor_sent(&d->cursor, 0, now_ms);
	drain_count_taken(d, cursor_acked(&d->cursor, 0));
	cursor_release_all(&d->cursor);
}

/* It is passed over as if sent; what counts it as taken is made good here. */
static void
too_long(struct drain *d)
{
	d->lines_too_long++;
	d->lines_delivered--;
	stats_add(&d->env->stats->lines_dropped_size, 1);
	stats_sub(&d->env->stats->lines_delivered, 1);
}

static void
send_lines(struct drain *d)
{
	const struct segment *s;
	struct batch b;
	unsigned total = 0;
	int err = 0;

	while ((s = cursor_unsent(&d->cursor, 0, clock_mono_ms())) != NULL) {
		unsigned sent;

		batch_fill(d, s, &b);
		err = 0;
		sent = b.n == 0 ? 0 : datagram_send(d->datagram, b.iov, b.n, &err);
		total += sent;
		if (err == EMSGSIZE) {
			/* No path takes it at this size: the one line is given up, not the drain.
			 */
			drain_set_error(d, "a line is too long for a datagram to this receiver");
			too_long(d);
			sent++;
		} else if (err == ECONNREFUSED) {
			/* Of an earlier datagram; this one was not sent and is tried again. */
			drain_set_error(d, "connection refused: nobody listens on that UDP port");
		} else if (err == EAGAIN || err == ENOBUFS) {
			batch_sent(d, s, &b, sent);
			return;
		} else if (err != 0) {
			batch_sent(d, s, &b, sent);
			drain_lost(d, DRAIN_BROKEN, strerror(err));
			return;
		}
		batch_sent(d, s, &b, sent);
		if (total >= TURN_LINES) {
			d->env->more(d->cursor.log, d->env->arg);
			return;
		}
	}
}

/* The rest of a segment that was begun stays in memory, and is not given up. */
static void
pin_begun(struct drain *d)
{
	struct chunk *chunk;

	if (d->begun == 0 && !d->noticed)
		return;
	chunk = cursor_cut_already(&d->cursor)->chunk;
	d->pinned[d->npinned++] = chunk;
	chunk->pins++;
}

void
drain_datagram_send(struct drain *d)
{
	drain_stream_unpin(d);
	send_lines(d);
	pin_begun(d);
}
