#include "base/percent.h"

static bool
is_unreserved(unsigned char c)
{
	/* Not isalnum: that depends on the locale. */
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '-' || c == '.' || c == '_' || c == '~';
}

void
percent_encode(struct slice s, struct buf *out)
{
	static const char digits[] = "0123456789ABCDEF";

	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (is_unreserved(c)) {
			buf_add_char(out, (char)c);
			continue;
		}
		char *to = buf_reserve(out, 3);
		to[0] = '%';
		to[1] = digits[c >> 4];
		to[2] = digits[c & 15];
		out->n += 3;
	}
}

/* -1: not a hex digit. */
static int
hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

bool
percent_decode(struct slice s, enum percent_plus plus, struct buf *out)
{
	size_t before = out->n;

	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (c == '%') {
			int high = s.n - i > 2 ? hex_value(s.p[i + 1]) : -1;
			int low = s.n - i > 2 ? hex_value(s.p[i + 2]) : -1;

			if (high < 0 || low < 0) {
				out->n = before;
				return false;
			}
			c = (char)(high * 16 + low);
			i += 2;
		} else if (c == '+' && plus == PERCENT_PLUS_IS_SPACE) {
			c = ' ';
		}
		buf_add_char(out, c);
	}
	return true;
}
