#include "types/drain_lines.h"

#include "wire/escape.h"

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

static void
add_bytes(struct slice s, bool escaped, struct buf *out)
{
	if (escaped)
		escape_controls(s, out);
	else
		buf_add_slice(out, s);
}

/* Adds all of the line but its message, which lost `lost` bytes here. */
static void
add_head(const struct line *line, size_t lost, bool escaped, struct buf *out)
{
	struct line head = *line;
	struct buf text = {0};
	size_t n;

	head.verbatim = false;
	head.msg.n = 0;
	head.cut += lost;
	n = line_size(&head);
	line_write(&head, buf_reserve(&text, n));
	text.n = n;
	add_bytes(buf_slice(&text), escaped, out);
	buf_free(&text);
}

/* Bytes at the start of message that take room bytes at most, in whole characters. */
static size_t
fit(struct slice message, bool escaped, size_t room)
{
	size_t n = 0, back = 0;

	while (n < message.n) {
		size_t size = escaped && escape_needed(slice_of(message.p + n, 1)) ? 4 : 1;

		if (size > room)
			break;
		room -= size;
		n++;
	}
	while (n < message.n && back < 4 && back < n && is_utf8_tail(message.p[n - back]))
		back++;
	return back < 4 ? n - back : n;
}

bool
drain_add_cut(const struct line *line, bool escaped, size_t limit, struct buf *out)
{
	size_t start = out->n, n;

	/* The number that the mark ends with has no more digits than this one. */
	add_head(line, line->msg.n, escaped, out);
	n = out->n - start + 1; /* a space stands before the message */
	out->n = start;
	if (n > limit)
		return false;
	n = fit(line->msg, escaped, limit - n);
	add_head(line, line->msg.n - n, escaped, out);
	buf_add_char(out, ' ');
	add_bytes(slice_of(line->msg.p, n), escaped, out);
	return true;
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
