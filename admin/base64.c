#include "admin/base64.h"

#include <stdint.h>

static const char url_digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

void
base64url_add(struct buf *out, const void *in, size_t n)
{
	const unsigned char *p = in;
	uint32_t bits = 0;
	unsigned have = 0;

	for (size_t i = 0; i < n; i++) {
		bits = bits << 8 | p[i];
		for (have += 8; have >= 6; have -= 6)
			buf_add_char(out, url_digits[bits >> (have - 6) & 63]);
	}
	if (have > 0)
		buf_add_char(out, url_digits[bits << (6 - have) & 63]);
}

static int
digit_value(enum base64_alphabet alphabet, char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == (alphabet == BASE64_URL ? '-' : '+'))
		return 62;
	if (c == (alphabet == BASE64_URL ? '_' : '/'))
		return 63;
	return -1;
}

bool
base64_decode(enum base64_alphabet alphabet, struct slice in, struct buf *out)
{
	uint32_t bits = 0;
	unsigned have = 0;

	if (alphabet == BASE64_STANDARD && in.n % 4 == 0) {
		for (int pad = 0; pad < 2 && in.n > 0 && in.p[in.n - 1] == '='; pad++)
			in.n--;
	}
	if (in.n % 4 == 1)
		return false;
	for (size_t i = 0; i < in.n; i++) {
		int value = digit_value(alphabet, in.p[i]);

		if (value < 0)
			return false;
		bits = bits << 6 | (uint32_t)value;
		have += 6;
		if (have >= 8) {
			have -= 8;
			buf_add_char(out, (char)(bits >> have & 255));
		}
	}
	return (bits & ((1u << have) - 1)) == 0;
}
