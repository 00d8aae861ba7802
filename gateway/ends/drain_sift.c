/*
 * drain_sift -- which lines a drain wants and how many a second: the filter and
 * the rate of its conf, as hooks of its cursor; and a line on its way out.
 */
#include "base/clock.h"
#include "base/seq.h"
#include "ends/drain_internal.h"
#include "wire/mark.h"

static bool
on_wants(struct cursor *c, struct slice message)
{
	return drain_filter_passes(&drain_of(c)->conf.filter, message);
}

static void
on_filtered(struct cursor *c, uint64_t lines)
{
	struct drain *d = drain_of(c);

	d->lines_filtered += lines;
	stats_add(&d->env->stats->lines_filtered, lines);
}

/*
 * A bucket of one second's lines.  While lines wait for a receiver that was away
 * they were not sent faster for that: the bucket is as large as their age.
 */
static uint32_t
on_admit(struct cursor *c, uint32_t lines, int64_t now_ms)
{
	struct drain *d = drain_of(c);
	int64_t waited_ms = cursor_waiting_ms(c, now_ms);
	double rate = d->conf.rate;
	double most = rate * (1 + (double)(waited_ms > 0 ? waited_ms : 0) / 1000);
	uint32_t may;

	/* The caller may have read the clock before another one did. */
	if (now_ms > d->admitted_ms) {
		d->admitted += rate * (double)(now_ms - d->admitted_ms) / 1000;
		d->admitted_ms = now_ms;
	}
	if (d->admitted > most)
		d->admitted = most;
	may = d->admitted < lines ? (uint32_t)d->admitted : lines;
	d->admitted -= may;
	return may;
}

void
drain_sift_init(struct drain *d)
{
	if (!drain_filter_is_open(&d->conf.filter)) {
		d->cursor.wants = on_wants;
		d->cursor.filtered = on_filtered;
		d->verbatim = false;
	}
	if (d->conf.rate > 0) {
		d->cursor.admit = on_admit;
		d->admitted = d->conf.rate;
		d->admitted_ms = clock_mono_ms();
	}
}

void
drain_count_flags(struct drain *d, unsigned flags, bool again)
{
	if (flags == 0 || again)
		return;
	if (flags & DRAIN_ENTRY_CUT)
		d->lines_cut++;
	if (flags & DRAIN_ENTRY_OLD)
		d->lines_old++;
}

struct line_mark
drain_mark(const struct drain *d, uint64_t seq)
{
	return (struct line_mark){
	    .log = d->cursor.log->app, .start = seq_start(seq), .seq = seq_counter(seq)};
}

void
drain_encode(struct drain *d, struct slice message, uint64_t seq, bool again, struct buf *out)
{
	struct line_mark mark;

	if (d->cursor.wants != NULL && !on_wants(&d->cursor, message))
		return;
	if (d->conf.mark) {
		mark = drain_mark(d, seq);
		d->env->marked.n = 0;
		mark_add(message, &mark, &d->env->marked);
		message = buf_slice(&d->env->marked);
	}
	drain_count_flags(d, d->conf.type->encode(&d->conf, message, out), again);
}
