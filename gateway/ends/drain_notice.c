#include <inttypes.h>

#include "base/clock.h"
#include "chunk/chunk.h"
#include "ends/drain_internal.h"
#include "wire/timestamp.h"

/* facility 21 (local5), severity 4 (warning), as Logplex's L10 message has it */
enum { NOTICE_PRI = 172 };

void
drain_notice(struct drain *d, uint64_t lines, int64_t since_us, struct buf *out)
{
	char now[LINE_STAMP_BYTES], since[LINE_STAMP_BYTES], count[CHUNK_COUNT_MAX];
	struct buf frame = {0};

	timestamp_format(clock_wall_us(), now);
	/* Whole seconds tell a person enough. */
	timestamp_format(since_us - since_us % 1000000, since);
	buf_addf(&frame,
		 "<%d>1 %s %.*s penstock drain - - Error: %" PRIu64
		 " lines dropped since %.19sZ (memory full)",
		 NOTICE_PRI, now, (int)d->env->host.n, d->env->host.p, lines, since);
	if (d->verbatim) {
		buf_add(out, count, chunk_count_write(count, frame.n));
		buf_add_slice(out, buf_slice(&frame));
	} else {
		d->conf.type->encode(&d->conf, buf_slice(&frame), out);
	}
	buf_free(&frame);
}
