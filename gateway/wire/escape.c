#include "wire/escape.h"

#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#ifdef __SSE2__
/* Where 16 bytes are LF, CR or NUL. */
static inline __m128i
controls_at(const char *p)
{
	__m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)p);
	__m128i cr = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\r'));
	__m128i lf = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\n'));
	__m128i nul = _mm_cmpeq_epi8(bytes, _mm_setzero_si128());

	return _mm_or_si128(nul, _mm_or_si128(cr, lf));
}

/* One pass instead of three: most messages are long, and have none of them. */
static bool
long_has_controls(struct slice s)
{
	__m128i found = controls_at(s.p + s.n - 16);

	for (size_t i = 0; i + 16 < s.n; i += 16)
		found = _mm_or_si128(found, controls_at(s.p + i));
	return _mm_movemask_epi8(found) != 0;
}
#endif

bool
escape_needed(struct slice s)
{
#ifdef __SSE2__
	if (s.n >= 16)
		return long_has_controls(s);
#endif
	return s.n > 0 && (memchr(s.p, '\n', s.n) != NULL || memchr(s.p, '\r', s.n) != NULL ||
			   memchr(s.p, '\0', s.n) != NULL);
}

static const char *
escape_of(char c)
{
	switch (c) {
	case '\n':
		return "#012";
	case '\r':
		return "#015";
	case '\0':
		return "#000";
	default:
		return NULL;
	}
}

void
escape_controls(struct slice s, struct buf *out)
{
	size_t from = 0;

	if (!escape_needed(s)) {
		buf_add_slice(out, s);
		return;
	}
	for (size_t i = 0; i < s.n; i++) {
		const char *code = escape_of(s.p[i]);

		if (code == NULL)
			continue;
		buf_add(out, s.p + from, i - from);
		buf_add(out, code, 4);
		from = i + 1;
	}
	buf_add(out, s.p + from, s.n - from);
}

static bool
is_tail(char c)
{
	return ((unsigned char)c & 0xc0) == 0x80;
}

/* Bytes of a character at the start of s that is no control; 0: it begins with a control. */
static size_t
shown_span(struct slice s)
{
	unsigned char c = (unsigned char)s.p[0];
	size_t size = c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : 2;
	size_t n = 1;

	if (c == '\t' || (c >= 0x20 && c < 0x7f))
		return 1;
	if (c < 0xa0)
		return 0;
	if (c < 0xc2 || c > 0xf4)
		return 1; /* of no character: a terminal shows a mark for it */
	while (n < size && n < s.n && is_tail(s.p[n]))
		n++;
	/* What is no character may hold bytes that are: they are looked at by themselves. */
	if (n < size || (c == 0xe0 && (unsigned char)s.p[1] < 0xa0) ||
	    (c == 0xf0 && (unsigned char)s.p[1] < 0x90))
		return 1;
	return c == 0xc2 && (unsigned char)s.p[1] < 0xa0 ? 0 : n;
}

void
escape_terminal(struct slice s, struct buf *out)
{
	size_t from = 0, at = 0, n;

	while (at < s.n) {
		n = shown_span(slice_skip(s, at));
		if (n > 0) {
			at += n;
			continue;
		}
		buf_add(out, s.p + from, at - from);
		/* A C1 control in UTF-8 has two bytes; the second alone is one as well. */
		for (n = (unsigned char)s.p[at] == 0xc2 ? 2 : 1; n > 0; n--)
			buf_addf(out, "#%03o", (unsigned)(unsigned char)s.p[at++]);
		from = at;
	}
	if (at > from)
		buf_add(out, s.p + from, at - from);
}

void
escape_json(struct slice json, struct buf *out)
{
	size_t from = 0;

	for (size_t i = 0; i < json.n; i++) {
		unsigned char c = (unsigned char)json.p[i], control = c;
		size_t size = 1;

		if (c != 0x7f && c != 0xc2)
			continue;
		if (c == 0xc2) {
			if (i + 1 == json.n || (unsigned char)json.p[i + 1] >= 0xa0)
				continue;
			control = (unsigned char)json.p[i + 1];
			size = 2;
		}
		buf_add(out, json.p + from, i - from);
		buf_addf(out, "\\u%04x", (unsigned)control);
		from = i + size;
		i = from - 1;
	}
	if (json.n > from)
		buf_add(out, json.p + from, json.n - from);
}
