#include "types/drain_lines.h"

static bool
is_utf8_tail(char c)
{
	return ((unsigned char)c & 0xc0) == 0x80;
}

unsigned
drain_cut(struct buf *out, size_t start, size_t limit)
{
	size_t end = start + limit;
	size_t back = 0;

	if (out->n <= end)
		return 0;
	/* A character has 3 such bytes at most; with more it is not UTF-8. */
	while (back < 4 && back < limit && is_utf8_tail(out->p[end - back]))
		back++;
	out->n = back < 4 ? end - back : end;
	return DRAIN_ENTRY_CUT;
}

struct slice
drain_frame_from(struct slice frame, unsigned n)
{
	for (; n > 0; n--) {
		const char *space = frame.n > 0 ? memchr(frame.p, ' ', frame.n) : NULL;

		if (space == NULL)
			return (struct slice){NULL, 0};
		frame = slice_skip(frame, (size_t)(space - frame.p) + 1);
	}
	return frame;
}

bool
drain_never_verbatim(const struct drain_conf *conf)
{
	(void)conf;
	return false;
}
