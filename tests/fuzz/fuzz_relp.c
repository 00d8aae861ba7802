/*
 * A RELP stream: the same frames, and the same fault, wherever the reads fall;
 * what an `open` offers is read whatever it is.
 *
 * The input's first two bytes choose max_line and where the reads fall; the
 * rest is the stream.
 */
#include <stdio.h>
#include <stdlib.h>

#include "wire/relp_feed.h"

enum { KNOBS = 2 };

#define MUST(condition)                                                                         \
	do {                                                                                    \
		if (!(condition)) {                                                             \
			fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition); \
			abort();                                                                \
		}                                                                               \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* All at once, without copies: what the reads' way must come to. */
static void
take_whole(struct slice stream, size_t max_line, struct buf *frames)
{
	struct relp_reader reader;
	struct relp_frame f;
	enum relp_result result;
	struct relp_feed note = {0};

	relp_reader_init(&reader, max_line);
	note.reader.max_line = max_line;
	while ((result = relp_next(&reader, stream, &f)) == RELP_FRAME) {
		MUST(f.used > 0 && f.used <= stream.n);
		MUST(f.command.n > 0 && f.data.n <= max_line);
		MUST(f.cut == 0 || f.data.n == max_line);
		relp_feed_note(&note, &f);
		(void)relp_offers_fault(f.data);
		stream = slice_skip(stream, f.used);
	}
	MUST(result == RELP_BAD || f.keep <= stream.n);
	MUST(result == RELP_BAD || f.keep <= max_line + RELP_KEEP_EXTRA);
	if (result == RELP_BAD)
		buf_addf(&note.frames, "!%s", f.fault);
	*frames = note.frames;
}

/* In reads of up to `most` bytes. */
static void
must_come_to(struct slice stream, size_t max_line, uint32_t random, size_t most, struct slice want)
{
	struct relp_feed feed;

	relp_feed_init(&feed, max_line);
	while (stream.n > 0) {
		size_t n;

		random = random * UINT32_C(1664525) + UINT32_C(1013904223);
		n = 1 + (random >> 16) % most;
		if (n > stream.n)
			n = stream.n;
		relp_feed_take(&feed, slice_of(stream.p, n));
		stream = slice_skip(stream, n);
	}
	MUST(slice_eq(want, buf_slice(&feed.frames)));
	relp_feed_free(&feed);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf want = {0};
	struct slice stream;
	size_t max_line;

	if (size < KNOBS || size > 1 << 16)
		return 0;
	max_line = data[0] < 250 ? (size_t)data[0] + 1 : 1 << 16;
	stream = slice_of((const char *)data + KNOBS, size - KNOBS);
	take_whole(stream, max_line, &want);
	must_come_to(stream, max_line, data[1], 300, buf_slice(&want));
	must_come_to(stream, max_line, data[1], 20, buf_slice(&want));
	/* Byte by byte, which is every place that a read may end at. */
	if (stream.n < 1 << 10)
		must_come_to(stream, max_line, 0, 1, buf_slice(&want));
	buf_free(&want);
	return 0;
}
