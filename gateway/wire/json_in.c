#include "wire/json_in.h"

#include <stdint.h>

struct scan {
	const char *p, *end;
	const char *fault; /* NULL: none */
	size_t depth;
	char open[JSON_IN_DEPTH]; /* '{' or '[' */
};

static const char early[] = "it ends too early";

/* Returns false always, so that a check can end with it. */
static bool
scan_fault(struct scan *j, const char *what)
{
	j->fault = j->p == j->end ? early : what;
	return false;
}

static inline bool
is_space(char c)
{
	return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

static inline bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static inline void
skip_space(struct scan *j)
{
	while (j->p < j->end && is_space(*j->p))
		j->p++;
}

static int
hex_digit(char c)
{
	if (is_digit(c))
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Behind a backslash. */
static bool
scan_escape(struct scan *j)
{
	static const char wrong[] = "an escape that JSON does not have";

	if (j->p == j->end || *j->p == '\0' || strchr("\"\\/bfnrtu", *j->p) == NULL)
		return scan_fault(j, wrong);
	if (*j->p++ != 'u')
		return true;
	for (int i = 0; i < 4; i++, j->p++)
		if (j->p == j->end || hex_digit(*j->p) < 0)
			return scan_fault(j, wrong);
	return true;
}

static bool
scan_string(struct scan *j)
{
	j->p++;
	while (j->p < j->end) {
		unsigned char c = (unsigned char)*j->p;

		if (c == '"') {
			j->p++;
			return true;
		}
		if (c < 0x20)
			return scan_fault(j, "a control character in a string");
		j->p++;
		if (c == '\\' && !scan_escape(j))
			return false;
	}
	return scan_fault(j, early);
}

static bool
scan_digits(struct scan *j)
{
	const char *from = j->p;

	while (j->p < j->end && is_digit(*j->p))
		j->p++;
	return j->p > from || scan_fault(j, "a number that JSON does not have");
}

static bool
scan_number(struct scan *j)
{
	if (*j->p == '-')
		j->p++;
	if (j->p < j->end && *j->p == '0')
		j->p++; /* and no digit behind it: scan_scalar */
	else if (!scan_digits(j))
		return false;
	if (j->p < j->end && *j->p == '.') {
		j->p++;
		if (!scan_digits(j))
			return false;
	}
	if (j->p < j->end && (*j->p == 'e' || *j->p == 'E')) {
		j->p++;
		if (j->p < j->end && (*j->p == '+' || *j->p == '-'))
			j->p++;
		return scan_digits(j);
	}
	return true;
}

static bool
scan_word(struct scan *j, const char *word)
{
	for (; *word != '\0'; word++, j->p++)
		if (j->p == j->end || *j->p != *word)
			return scan_fault(j, "a word that JSON does not have");
	return true;
}

static bool
scan_plain(struct scan *j)
{
	switch (*j->p) {
	case 't':
		return scan_word(j, "true");
	case 'f':
		return scan_word(j, "false");
	case 'n':
		return scan_word(j, "null");
	default:
		if (*j->p == '-' || is_digit(*j->p))
			return scan_number(j);
		return scan_fault(j, "no value where one is needed");
	}
}

/* A word or a number ends where it could not go on. */
static bool
scan_scalar(struct scan *j)
{
	if (*j->p == '"')
		return scan_string(j);
	if (!scan_plain(j))
		return false;
	if (j->p == j->end || strchr(" \t\r\n,:{}[]\"", *j->p) != NULL)
		return true;
	return scan_fault(j, "a word or number that JSON does not have");
}

/* A member's name and its colon. */
static bool
scan_key(struct scan *j)
{
	skip_space(j);
	if (j->p == j->end || *j->p != '"')
		return scan_fault(j, "no name in quotes where one is needed");
	if (!scan_string(j))
		return false;
	skip_space(j);
	if (j->p == j->end || *j->p != ':')
		return scan_fault(j, "no colon behind a name");
	j->p++;
	return true;
}

/* An array or object begins.  *ended: it is empty, and so over. */
static bool
scan_open(struct scan *j, bool *ended)
{
	char open = *j->p;

	if (j->depth == JSON_IN_DEPTH)
		return scan_fault(j, "more than 256 arrays and objects within each other");
	j->p++;
	skip_space(j);
	*ended = j->p < j->end && *j->p == (open == '{' ? '}' : ']');
	if (*ended) {
		j->p++;
		return true;
	}
	j->open[j->depth++] = open;
	return open == '[' || scan_key(j);
}

/* Behind a value: up to where the next one begins, or out of all that it ends. */
static bool
scan_behind(struct scan *j)
{
	while (j->depth > 0) {
		bool in_object = j->open[j->depth - 1] == '{';

		skip_space(j);
		if (j->p < j->end && *j->p == ',') {
			j->p++;
			return !in_object || scan_key(j);
		}
		if (j->p == j->end || *j->p != (in_object ? '}' : ']'))
			return scan_fault(j, in_object ? "no comma and no } behind a member"
						       : "no comma and no ] behind an element");
		j->p++;
		j->depth--;
	}
	return true;
}

static bool
scan_value(struct scan *j)
{
	do {
		bool ended = true;

		skip_space(j);
		if (j->p == j->end)
			return scan_fault(j, early);
		if (!(*j->p == '{' || *j->p == '[' ? scan_open(j, &ended) : scan_scalar(j)))
			return false;
		if (ended && !scan_behind(j))
			return false;
	} while (j->depth > 0);
	return true;
}

size_t
json_in_space(struct slice s)
{
	size_t n = 0;

	while (n < s.n && is_space(s.p[n]))
		n++;
	return n;
}

size_t
json_in_value(struct slice s, struct json_fault *fault)
{
	struct scan j;

	j.p = s.p;
	j.end = s.p + s.n;
	j.fault = NULL;
	j.depth = 0;
	if (s.n > 0 && !is_space(*s.p) && scan_value(&j))
		return (size_t)(j.p - s.p);
	fault->what = j.fault != NULL ? j.fault : early;
	fault->at = (size_t)(j.p - s.p);
	return 0;
}

bool
json_in_member(struct slice *rest, struct slice *key, struct slice *value)
{
	struct json_fault fault;
	struct scan j = {.p = rest->p, .end = rest->p + rest->n};
	size_t n;

	/* The object's start, or what is behind a member. */
	skip_space(&j);
	if (j.p < j.end && (*j.p == '{' || *j.p == ','))
		j.p++;
	skip_space(&j);
	if (j.p == j.end || *j.p != '"')
		return false;
	key->p = j.p;
	if (!scan_string(&j))
		return false;
	key->n = (size_t)(j.p - key->p);
	skip_space(&j);
	j.p++;
	skip_space(&j);
	n = json_in_value(slice_of(j.p, (size_t)(j.end - j.p)), &fault);
	*value = slice_of(j.p, n);
	*rest = slice_of(j.p + n, (size_t)(j.end - j.p) - n);
	return n > 0;
}

static unsigned
hex_4(const char *p)
{
	unsigned v = 0;

	for (int i = 0; i < 4; i++)
		v = v * 16 + (unsigned)hex_digit(p[i]);
	return v;
}

/* RFC 3629, section 3. */
static void
add_utf8(struct buf *out, unsigned c)
{
	if (c < 0x80) {
		buf_add_char(out, (char)c);
		return;
	}
	if (c < 0x800) {
		buf_add_char(out, (char)(0xc0 | c >> 6));
	} else {
		if (c < 0x10000) {
			buf_add_char(out, (char)(0xe0 | c >> 12));
		} else {
			buf_add_char(out, (char)(0xf0 | c >> 18));
			buf_add_char(out, (char)(0x80 | (c >> 12 & 0x3f)));
		}
		buf_add_char(out, (char)(0x80 | (c >> 6 & 0x3f)));
	}
	buf_add_char(out, (char)(0x80 | (c & 0x3f)));
}

/* A \uXXXX at p, or two of them that are a pair (RFC 8259, section 7); returns its bytes. */
static size_t
add_unicode(const char *p, const char *end, struct buf *out)
{
	unsigned c = hex_4(p + 2), low;

	if (c >= 0xd800 && c < 0xdc00 && end - p >= 12 && p[6] == '\\' && p[7] == 'u') {
		low = hex_4(p + 8);
		if (low >= 0xdc00 && low < 0xe000) {
			add_utf8(out, 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00));
			return 12;
		}
	}
	add_utf8(out, c >= 0xd800 && c < 0xe000 ? 0xfffd : c);
	return 6;
}

void
json_in_string(struct slice quoted, struct buf *out)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	const char *p = quoted.p + 1, *end = quoted.p + quoted.n - 1, *slash;

	while (p < end) {
		slash = memchr(p, '\\', (size_t)(end - p));
		buf_add(out, p, (size_t)((slash != NULL ? slash : end) - p));
		if (slash == NULL)
			return;
		p = slash;
		if (p[1] == 'u') {
			p += add_unicode(p, end, out);
		} else {
			buf_add_char(out, to[strchr(from, p[1]) - from]);
			p += 2;
		}
	}
}

void
json_in_compact(struct slice value, struct buf *out)
{
	struct scan j = {.p = value.p, .end = value.p + value.n};

	while (j.p < j.end) {
		const char *from = j.p;

		if (is_space(*j.p)) {
			j.p++;
			continue;
		}
		if (*j.p != '"')
			j.p++;
		else if (!scan_string(&j))
			return;
		buf_add(out, from, (size_t)(j.p - from));
	}
}
