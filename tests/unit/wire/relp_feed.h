/*
 * relp_feed -- a RELP session's reading without a socket: hands a stream to
 * relp_next in pieces, each call in a heap block of exactly its size, so that
 * ASan sees any look past the end.  Writes "[txnr command cut|data]" for each
 * frame to a buf, and "!fault" where the stream is none.
 */
#ifndef RELP_FEED_H
#define RELP_FEED_H

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "wire/relp.h"

struct relp_feed {
	struct relp_reader reader;
	struct buf kept;
	struct buf frames;
	bool bad; /* and nothing is read any more */
};

static inline void
relp_feed_init(struct relp_feed *f, size_t max_line)
{
	*f = (struct relp_feed){0};
	relp_reader_init(&f->reader, max_line);
}

static inline void
relp_feed_free(struct relp_feed *f)
{
	buf_free(&f->kept);
	buf_free(&f->frames);
}

static inline void
relp_feed_note(struct relp_feed *f, const struct relp_frame *frame)
{
	assert(frame->data.n <= f->reader.max_line);
	assert(frame->cut == 0 || frame->data.n == f->reader.max_line);
	buf_addf(&f->frames, "[%u ", frame->txnr);
	buf_add_slice(&f->frames, frame->command);
	buf_addf(&f->frames, " %llu|", (unsigned long long)frame->cut);
	buf_add_slice(&f->frames, frame->data);
	buf_add_char(&f->frames, ']');
}

/* One read: these bytes arrive. */
static inline void
relp_feed_take(struct relp_feed *f, struct slice bytes)
{
	enum relp_result result = RELP_FRAME;
	struct relp_frame frame = {0};
	size_t at = 0;

	if (f->bad)
		return;
	buf_add_slice(&f->kept, bytes);
	while (result == RELP_FRAME) {
		size_t n = f->kept.n - at;
		char *exact = malloc(n > 0 ? n : 1);

		assert(exact != NULL);
		if (n > 0)
			memcpy(exact, f->kept.p + at, n);
		result = relp_next(&f->reader, slice_of(exact, n), &frame);
		assert(result != RELP_FRAME || (frame.used > 0 && frame.used <= n));
		if (result == RELP_FRAME) {
			relp_feed_note(f, &frame);
			at += frame.used;
		}
		free(exact);
	}
	f->bad = result == RELP_BAD;
	if (f->bad) {
		buf_addf(&f->frames, "!%s", frame.fault);
		return;
	}
	assert(frame.keep <= f->kept.n - at);
	assert(frame.keep <= f->reader.max_line + RELP_KEEP_EXTRA);
	if (at > 0)
		buf_drain(&f->kept, at);
	f->kept.n = frame.keep;
}

#endif
