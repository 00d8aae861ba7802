#include <inttypes.h>

#include "base/clock.h"
#include "chunk/chunk.h"
#include "ends/drain_internal.h"
#include "wire/timestamp.h"

/* facility 21 (local5), severity 4 (warning), as Logplex's L10 message has it */
enum { NOTICE_PRI = 172 };

static const char *const reasons[CURSOR_REASONS] = {
    [CURSOR_MEMORY] = "memory full",	  [CURSOR_RATE] = "over its rate",
    [CURSOR_SPOOL] = "spool full",	  [CURSOR_AGE] = "too old",
    [CURSOR_DAMAGED] = "damaged on disk",
};

bool
drain_notice_frame(struct drain *d, const struct cursor_gap *gap, enum cursor_reason reason,
		   struct buf *frame)
{
	char now[LINE_STAMP_BYTES], since[LINE_STAMP_BYTES];

	if (gap->lines[reason] == 0)
		return false;
	timestamp_format(clock_wall_us(), now);
	/* Whole seconds tell a person enough. */
	timestamp_format(gap->since_us - gap->since_us % 1000000, since);
	buf_addf(frame,
		 "<%d>1 %s %.*s penstock drain - - Error: %" PRIu64
		 " lines dropped since %.19sZ (%s)",
		 NOTICE_PRI, now, (int)d->env->host.n, d->env->host.p, gap->lines[reason], since,
		 reasons[reason]);
	return true;
}

void
drain_notice(struct drain *d, const struct cursor_gap *gap, struct buf *out)
{
	char count[CHUNK_COUNT_MAX];
	struct buf frame = {0};

	for (enum cursor_reason r = 0; r < CURSOR_REASONS; r++) {
		frame.n = 0;
		if (!drain_notice_frame(d, gap, r, &frame))
			continue;
		if (d->verbatim) {
			buf_add(out, count, chunk_count_write(count, frame.n));
			buf_add_slice(out, buf_slice(&frame));
		} else {
			(void)d->conf.type->encode(&d->conf, buf_slice(&frame), out);
		}
	}
	buf_free(&frame);
}
