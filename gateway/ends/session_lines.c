#include "ends/session_lines.h"

#include <assert.h>
#include <string.h>

struct lines_session {
	struct session session;
	struct framer framer;
};

static_assert((int)FRAME_KEEP_EXTRA <= (int)INTAKE_KEEP_EXTRA, "a partial frame may not fit");

static struct lines_session *
lines_of(struct session *s)
{
	return (struct lines_session *)s;
}

static void
lines_init(struct session *s)
{
	framer_init(&lines_of(s)->framer, s->source.url->framing,
		    (size_t)s->intake->config->max_line);
}

static struct slice
take_frames(struct session *s, struct slice in, bool eof)
{
	struct frame f;

	while (frame_next(&lines_of(s)->framer, in, eof, &f) == FRAME_LINE) {
		if (f.bytes.n > 0) {
			ingest_frame(s->intake->ingest, &s->source, &f);
			s->counts->lines++;
			s->counts->lines_cut += f.cut > 0;
		}
		in = slice_skip(in, f.used);
	}
	return slice_of(in.p, f.keep);
}

static struct slice
lines_take(struct session *s, struct slice in)
{
	return take_frames(s, in, false);
}

/* What was begun is all that there will be of it. */
static void
lines_clear(struct session *s)
{
	struct intake *intake = s->intake;

	if (s->tail_n == 0)
		return;
	ingest_begin(intake->ingest);
	memcpy(intake->buffer, s->tail, s->tail_n);
	(void)take_frames(s, slice_of(intake->buffer, s->tail_n), true);
	intake->read_done(intake->arg);
}

const struct session_kind session_lines = {
    .size = sizeof(struct lines_session),
    .init = lines_init,
    .take = lines_take,
    .clear = lines_clear,
};
