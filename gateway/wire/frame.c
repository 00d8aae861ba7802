#include "wire/frame.h"

#include <assert.h>
#include <string.h>

enum {
	COUNT_DIGITS = 7, /* a longer count is no count: nobody sends 10 MB of one line */
	TRAILER = 2,	  /* CR LF */
};

/* MSG-LEN SP of octet counting. */
struct count {
	size_t bytes;  /* of the message */
	size_t prefix; /* of the count and its space */
};

enum prefix { PREFIX_COUNT, PREFIX_NONE, PREFIX_UNDECIDED };

static const char *const framing_names[] = {
    [FRAMING_AUTO] = "auto",
    [FRAMING_OCTET] = "octet-counting",
    [FRAMING_LF] = "lf",
    [FRAMING_NUL] = "nul",
};

bool
framing_parse(const char *word, enum framing *out)
{
	for (size_t i = 0; i < sizeof(framing_names) / sizeof(framing_names[0]); i++) {
		if (strcmp(word, framing_names[i]) == 0) {
			*out = (enum framing)i;
			return true;
		}
	}
	return false;
}

void
framer_init(struct framer *f, enum framing framing, size_t max_line)
{
	assert(max_line > 0);
	*f = (struct framer){.framing = framing, .max_line = max_line};
}

static void
framer_reset(struct framer *f)
{
	f->scanned = 0;
	f->skipped = 0;
	f->skip_left = 0;
	f->counted = false;
	f->cr = false;
}

static enum prefix
count_read(enum framing framing, struct slice in, struct count *c)
{
	size_t bytes = 0;
	size_t i;

	if (in.p[0] < '1' || in.p[0] > '9')
		return PREFIX_NONE;
	for (i = 0; i < in.n && in.p[i] >= '0' && in.p[i] <= '9'; i++) {
		if (i == COUNT_DIGITS)
			return PREFIX_NONE;
		bytes = bytes * 10 + (size_t)(in.p[i] - '0');
	}
	if (i == in.n)
		return PREFIX_UNDECIDED;
	if (in.p[i] != ' ')
		return PREFIX_NONE;
	i++;
	if (framing == FRAMING_AUTO) {
		if (i == in.n)
			return PREFIX_UNDECIDED;
		if (in.p[i] != '<')
			return PREFIX_NONE;
	}
	c->bytes = bytes;
	c->prefix = i;
	return PREFIX_COUNT;
}

struct slice
frame_without_newline(struct slice s)
{
	if (s.n > 0 && s.p[s.n - 1] == '\n') {
		s.n--;
		if (s.n > 0 && s.p[s.n - 1] == '\r')
			s.n--;
	}
	return s;
}

static enum frame_result
frame_line(const struct framer *f, struct slice bytes, size_t used, struct frame *out)
{
	if (bytes.n > f->max_line) {
		out->cut = bytes.n - f->max_line;
		bytes.n = f->max_line;
	}
	out->bytes = bytes;
	out->used = used;
	return FRAME_LINE;
}

static enum frame_result
frame_more(size_t keep, struct frame *out)
{
	out->keep = keep;
	return FRAME_MORE;
}

static enum frame_result
counted_next(struct framer *f, struct slice in, struct count c, bool eof, struct frame *out)
{
	size_t got = in.n - c.prefix;
	/* Up to here a newline at its end may make the message fit after all. */
	bool fits = c.bytes <= f->max_line + TRAILER;
	struct slice bytes;

	if (got >= c.bytes) {
		got = c.bytes;
	} else if (!eof) {
		if (fits || got <= f->max_line)
			return frame_more(in.n, out);
		f->counted = true;
		f->skipped = got - f->max_line;
		f->skip_left = c.bytes - got;
		return frame_more(c.prefix + f->max_line, out);
	}
	bytes = slice_of(in.p + c.prefix, got);
	if (fits || got <= f->max_line)
		bytes = frame_without_newline(bytes);
	return frame_line(f, bytes, c.prefix + got, out);
}

/* The head of a cut counted frame is kept, with its count before it. */
static enum frame_result
counted_rest(struct framer *f, struct slice in, bool eof, struct frame *out)
{
	struct count c = {0, 0};
	enum prefix is = count_read(f->framing, in, &c);
	size_t head = c.prefix + f->max_line;
	size_t fresh;

	assert(is == PREFIX_COUNT && in.n >= head);
	(void)is;
	fresh = in.n - head;
	if (fresh < f->skip_left && !eof) {
		f->skipped += fresh;
		f->skip_left -= fresh;
		return frame_more(head, out);
	}
	if (fresh > f->skip_left)
		fresh = (size_t)f->skip_left;
	out->bytes = slice_of(in.p + c.prefix, f->max_line);
	out->cut = f->skipped + fresh;
	out->used = head + fresh;
	framer_reset(f);
	return FRAME_LINE;
}

/* The head of a cut line is kept; hit is the line's end, NULL if not there. */
static enum frame_result
delimited_rest(struct framer *f, struct slice in, const char *hit, bool eof, struct frame *out)
{
	size_t head = f->max_line;
	size_t fresh = (hit != NULL ? (size_t)(hit - in.p) : in.n) - head;
	bool cr = fresh > 0 ? in.p[head + fresh - 1] == '\r' : f->cr;

	if (hit == NULL && !eof) {
		f->skipped += fresh;
		f->cr = cr;
		return frame_more(head, out);
	}
	out->bytes = slice_of(in.p, head);
	out->cut = f->skipped + fresh;
	if (hit != NULL && cr && f->framing != FRAMING_NUL)
		out->cut--;
	out->used = head + fresh + (hit != NULL);
	framer_reset(f);
	return FRAME_LINE;
}

static enum frame_result
delimited_next(struct framer *f, struct slice in, bool eof, struct frame *out)
{
	char end = f->framing == FRAMING_NUL ? '\0' : '\n';
	const char *hit = memchr(in.p + f->scanned, end, in.n - f->scanned);
	struct slice bytes;

	if (f->skipped > 0)
		return delimited_rest(f, in, hit, eof, out);
	if (hit == NULL && !eof) {
		if (in.n <= f->max_line + TRAILER) {
			f->scanned = in.n;
			return frame_more(in.n, out);
		}
		f->scanned = f->max_line;
		f->skipped = in.n - f->max_line;
		f->cr = in.p[in.n - 1] == '\r';
		return frame_more(f->max_line, out);
	}
	bytes = slice_of(in.p, hit != NULL ? (size_t)(hit - in.p) : in.n);
	f->scanned = 0;
	out->used = bytes.n + (hit != NULL);
	if (f->framing == FRAMING_NUL) {
		if (bytes.n <= f->max_line + TRAILER)
			bytes = frame_without_newline(bytes);
	} else if (hit != NULL && bytes.n > 0 && hit[-1] == '\r') {
		bytes.n--;
	}
	return frame_line(f, bytes, out->used, out);
}

enum frame_result
frame_next(struct framer *f, struct slice in, bool eof, struct frame *out)
{
	struct count c;

	*out = (struct frame){0};
	if (in.n == 0)
		return FRAME_MORE;
	if (f->counted)
		return counted_rest(f, in, eof, out);
	/* Bytes looked through before belong to a line that is already known as such. */
	if (f->scanned == 0 && (f->framing == FRAMING_AUTO || f->framing == FRAMING_OCTET)) {
		switch (count_read(f->framing, in, &c)) {
		case PREFIX_COUNT:
			return counted_next(f, in, c, eof, out);
		case PREFIX_UNDECIDED:
			if (!eof)
				return frame_more(in.n, out);
			break;
		case PREFIX_NONE:
			break;
		}
	}
	return delimited_next(f, in, eof, out);
}
