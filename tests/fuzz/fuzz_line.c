/*
 * A stream of lines: framing gives the same messages wherever the reads fall,
 * and each message has a canonical form that says the same.
 *
 * The input's first four bytes choose framing, max_line, the listener's
 * options and where the reads fall; the rest is the stream.
 */
#include "wire/canonical.h"
#include "wire/reader.h"

enum { KNOBS = 4 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_line(struct slice frame, uint64_t cut, uint8_t knob)
{
	static struct buf scratch;
	struct parse_env env = {
	    .hostname = SLICE("peer.example"),
	    .hostname_always = (knob & 1) != 0,
	    .now_us = INT64_C(1768478400000000),
	    .now_text = SLICE("2026-01-15T12:00:00.000000Z"),
	    .tz_local = (knob & 2) != 0,
	    .tz_minutes = (knob & 4) != 0 ? -210 : 0,
	    .scratch = &scratch,
	};
	struct line line;

	parse_line(frame, cut, &env, &line);
	MUST(line.cut == cut);
	MUST(!env.hostname_always || slice_eq(line.hostname, env.hostname));
	must_be_canonical(frame, &line);
}

/* All at once, each line parsed too; the reads' way must come to the same. */
static void
take_whole(struct slice stream, enum framing framing, size_t max_line, uint8_t knob,
	   struct buf *lines)
{
	struct framer framer;
	struct frame frame;

	framer_init(&framer, framing, max_line);
	while (frame_next(&framer, stream, true, &frame) == FRAME_LINE) {
		MUST(frame.used > 0 && frame.used <= stream.n);
		MUST(frame.cut == 0 || frame.bytes.n == max_line);
		buf_addf(lines, "[%llu|", (unsigned long long)frame.cut);
		buf_add_slice(lines, frame.bytes);
		buf_add_char(lines, ']');
		check_line(frame.bytes, frame.cut, knob);
		stream = slice_skip(stream, frame.used);
	}
	MUST(frame.keep == 0 && stream.n == 0);
}

static void
take_in_reads(struct slice stream, uint8_t knob, struct reader *r)
{
	uint32_t random = knob * UINT32_C(2654435761) + 1;

	while (stream.n > 0) {
		size_t n;

		random = random * UINT32_C(1664525) + UINT32_C(1013904223);
		/* Small reads find more, large ones get through the input. */
		n = 1 + (random >> 16) % (knob % 3 == 0 ? 4 : knob % 3 == 1 ? 30 : 300);
		if (n > stream.n)
			n = stream.n;
		reader_take(r, slice_of(stream.p, n), false);
		stream = slice_skip(stream, n);
	}
	reader_take(r, stream, true);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice stream;
	struct buf want = {0};
	struct reader reader;
	enum framing framing;
	size_t max_line;

	if (size < KNOBS || size > 1 << 16)
		return 0;
	framing = (enum framing)(data[0] % 4);
	max_line = data[1] < 250 ? (size_t)data[1] + 1 : 1 << 16;
	stream = slice_of((const char *)data + KNOBS, size - KNOBS);

	check_line(stream, 0, data[2]);
	take_whole(stream, framing, max_line, data[2], &want);
	reader_init(&reader, framing, max_line);
	take_in_reads(stream, data[3], &reader);
	MUST(slice_eq(buf_slice(&want), buf_slice(&reader.lines)));
	reader_free(&reader);
	buf_free(&want);
	return 0;
}
