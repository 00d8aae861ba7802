/*
 * reader -- a session's reading without a socket: hands a stream to frame_next
 * in pieces, each call in a heap block of exactly its size, so that ASan sees
 * any look past the end.  Writes "[cut|bytes]" for each line to a buf.
 */
#ifndef READER_H
#define READER_H

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "wire/frame.h"

struct reader {
	struct framer framer;
	struct buf kept;
	struct buf lines;
	size_t consumed;
};

static inline void
reader_init(struct reader *r, enum framing framing, size_t max_line)
{
	*r = (struct reader){0};
	framer_init(&r->framer, framing, max_line);
}

static inline void
reader_free(struct reader *r)
{
	buf_free(&r->kept);
	buf_free(&r->lines);
}

/* One read: these bytes arrive; eof: and no more will. */
static inline void
reader_take(struct reader *r, struct slice bytes, bool eof)
{
	struct frame frame = {0};
	size_t n, at = 0;

	buf_add_slice(&r->kept, bytes);
	n = r->kept.n;
	for (;;) {
		char *exact = malloc(n - at > 0 ? n - at : 1);
		enum frame_result result;

		assert(exact != NULL);
		if (n > at)
			memcpy(exact, r->kept.p + at, n - at);
		result = frame_next(&r->framer, slice_of(exact, n - at), eof, &frame);
		if (result == FRAME_LINE) {
			assert(frame.used > 0 && frame.used <= n - at);
			assert(frame.bytes.n <= r->framer.max_line);
			buf_addf(&r->lines, "[%llu|", (unsigned long long)frame.cut);
			buf_add_slice(&r->lines, frame.bytes);
			buf_add_char(&r->lines, ']');
			at += frame.used;
		}
		free(exact);
		if (result == FRAME_MORE)
			break;
	}
	assert(frame.keep <= n - at);
	assert(frame.keep <= r->framer.max_line + FRAME_KEEP_EXTRA);
	assert(!eof || frame.keep == 0);
	if (at > 0)
		buf_drain(&r->kept, at);
	r->kept.n = frame.keep;
}

#endif
