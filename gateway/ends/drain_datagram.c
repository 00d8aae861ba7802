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

/* Encodes the next lines of a segment, a datagram each; a notice goes in front. */
static void
batch_fill(struct drain *d, const struct segment *s, struct batch *b)
{
	struct buf *scratch = &d->env->scratch;
	size_t start[BATCH_LINES + 1];
	uint32_t at = s->from + d->begun;
	struct slice message;

	scratch->n = 0;
	b->n = 0;
	start[0] = 0;
	if (s->gap_lines > 0 && !d->noticed) {
		drain_notice(d, s->gap_lines, s->gap_since_us, scratch);
		b->end[b->n++] = d->begun;
		start[b->n] = scratch->n;
	}
	while (at < s->to && b->n < BATCH_LINES) {
		at = chunk_frame(s->chunk, at, &message);
		d->conf.type->encode(&d->conf, message, scratch);
		b->end[b->n++] = at - s->from;
		start[b->n] = scratch->n;
	}
	for (unsigned i = 0; i < b->n; i++)
		b->iov[i] = (struct iovec){scratch->p + start[i], start[i + 1] - start[i]};
}

/* Handed to the kernel is all that UDP ever says: sent, taken and done. */
static void
batch_sent(struct drain *d, const struct segment *s, const struct batch *b, unsigned sent)
{
	int64_t now_ms = clock_mono_ms();

	if (sent == 0)
		return;
	d->used_ms = now_ms;
	d->took_lines = true;
	d->noticed = true;
	d->begun = b->end[sent - 1];
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

void
drain_datagram_send(struct drain *d)
{
	const struct segment *s;
	struct batch b;
	unsigned total = 0;
	int err = 0;

	while ((s = cursor_unsent(&d->cursor, 0, clock_mono_ms())) != NULL) {
		unsigned sent;

		batch_fill(d, s, &b);
		sent = datagram_send(d->datagram, b.iov, b.n, &err);
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
