#include "wire/json_out.h"

#include <stdbool.h>
#include <string.h>

#define EACH_BYTE(b) (UINT64_C(0x0101010101010101) * (b))
#define REPLACEMENT "\xef\xbf\xbd" /* U+FFFD */

enum { ESCAPE_MAX = 6 }; /* bytes of \u001f, the longest that one byte becomes */

/* What stands at the start of a text. */
struct piece {
	size_t in;  /* bytes of the text */
	size_t out; /* bytes that they become */
	bool plain; /* these are the same */
};

/* Bytes of ASCII that JSON takes as they are at p, eight at a time: most of all text is that. */
static inline size_t
plain_span(const char *p, const char *end)
{
	const char *at = p;

	while (end - at >= 8) {
		uint64_t word, quote, backslash, odd;

		/*
		 * The high bit of each byte that is not ASCII, below ' ', '"' or
		 * '\'.  A borrow spoils only bytes behind such a one.
		 */
		memcpy(&word, at, sizeof(word));
		quote = word ^ EACH_BYTE('"');
		backslash = word ^ EACH_BYTE('\\');
		odd = word | (word - EACH_BYTE(' ')) | (quote - EACH_BYTE(1)) |
		      (backslash - EACH_BYTE(1));
		if ((odd & EACH_BYTE(0x80)) != 0)
			break;
		at += 8;
	}
	while (at < end && (unsigned char)*at >= ' ' && (unsigned char)*at < 0x80 && *at != '"' &&
	       *at != '\\')
		at++;
	return (size_t)(at - p);
}

static inline bool
is_within(char c, unsigned low, unsigned high)
{
	return (unsigned char)c >= low && (unsigned char)c <= high;
}

/* A lead byte and what may follow it (the Unicode Standard, table 3-7); size 0: none. */
static struct lead {
	size_t size;
	unsigned low, high; /* of the second byte */
} lead_of(unsigned char c)
{
	if (c >= 0xc2 && c <= 0xdf)
		return (struct lead){2, 0x80, 0xbf};
	if (c >= 0xe0 && c <= 0xef)
		return (struct lead){3, c == 0xe0 ? 0xa0 : 0x80, c == 0xed ? 0x9f : 0xbf};
	if (c >= 0xf0 && c <= 0xf4)
		return (struct lead){4, c == 0xf0 ? 0x90 : 0x80, c == 0xf4 ? 0x8f : 0xbf};
	return (struct lead){0, 0, 0};
}

/* s begins with a byte that is not ASCII. */
static struct piece
wide_piece(struct slice s)
{
	struct lead lead = lead_of((unsigned char)s.p[0]);
	size_t n = 1;

	if (lead.size > 0 && s.n > 1 && is_within(s.p[1], lead.low, lead.high)) {
		for (n = 2; n < lead.size && n < s.n && is_within(s.p[n], 0x80, 0xbf); n++)
			;
		if (n == lead.size)
			return (struct piece){n, n, true};
	}
	/* A maximal subpart: as much as could have become a character. */
	return (struct piece){n, sizeof(REPLACEMENT) - 1, false};
}

/* The letter of a two-character escape (RFC 8259, section 7); 0: there is none. */
static char
short_escape(char c)
{
	switch (c) {
	case '"':
	case '\\':
		return c;
	case '\b':
		return 'b';
	case '\f':
		return 'f';
	case '\n':
		return 'n';
	case '\r':
		return 'r';
	case '\t':
		return 't';
	default:
		return 0;
	}
}

/* s is not empty. */
static struct piece
next_piece(struct slice s)
{
	size_t plain = plain_span(s.p, s.p + s.n);

	if (plain > 0)
		return (struct piece){plain, plain, true};
	if ((unsigned char)s.p[0] >= 0x80)
		return wide_piece(s);
	return (struct piece){1, short_escape(s.p[0]) != 0 ? 2 : ESCAPE_MAX, false};
}

static void
add_escaped(struct buf *b, char c)
{
	static const char digits[] = "0123456789abcdef";
	char letter = short_escape(c);
	char *to = buf_reserve(b, ESCAPE_MAX);

	if ((unsigned char)c >= 0x80) {
		memcpy(to, REPLACEMENT, sizeof(REPLACEMENT) - 1);
		b->n += sizeof(REPLACEMENT) - 1;
	} else if (letter != 0) {
		to[0] = '\\';
		to[1] = letter;
		b->n += 2;
	} else {
		memcpy(to, "\\u00", 4);
		to[4] = digits[(unsigned char)c >> 4];
		to[5] = digits[(unsigned char)c & 15];
		b->n += ESCAPE_MAX;
	}
}

void
json_out_string(struct buf *b, struct slice text)
{
	buf_reserve(b, text.n + 2);
	buf_add_char(b, '"');
	while (text.n > 0) {
		struct piece piece = next_piece(text);

		if (piece.plain)
			buf_add(b, text.p, piece.in);
		else
			add_escaped(b, text.p[0]);
		text = slice_skip(text, piece.in);
	}
	buf_add_char(b, '"');
}

size_t
json_out_fit(struct slice text, size_t room)
{
	struct slice rest = text;

	while (rest.n > 0) {
		struct piece piece = next_piece(rest);

		if (piece.out > room) {
			/* Of ASCII any part fits as well. */
			if (piece.plain && (unsigned char)rest.p[0] < 0x80)
				rest = slice_skip(rest, room);
			break;
		}
		room -= piece.out;
		rest = slice_skip(rest, piece.in);
	}
	return text.n - rest.n;
}

void
json_out_key(struct buf *b, const char *key)
{
	if (b->n > 0 && b->p[b->n - 1] != '{')
		buf_add_char(b, ',');
	json_out_string(b, slice_str(key));
	buf_add_char(b, ':');
}

void
json_out_member(struct buf *b, const char *key, struct slice text)
{
	json_out_key(b, key);
	json_out_string(b, text);
}

void
json_out_number(struct buf *b, const char *key, int64_t value)
{
	json_out_key(b, key);
	buf_addf(b, "%lld", (long long)value);
}
