#include "store/unpack.h"

#include <string.h>

enum { NESTED_MAX = 16 };

static const unsigned char *
unpack_take(struct unpack *u, size_t n)
{
	const char *p = u->rest.p;

	if (u->failed || n > u->rest.n) {
		u->failed = true;
		return NULL;
	}
	u->rest = slice_skip(u->rest, n);
	return (const unsigned char *)p;
}

/* n bytes, big-endian; n is at most 8. */
static uint64_t
unpack_big(struct unpack *u, size_t n)
{
	const unsigned char *p = unpack_take(u, n);
	uint64_t v = 0;

	for (size_t i = 0; p != NULL && i < n; i++)
		v = v << 8 | p[i];
	return v;
}

static unsigned char
unpack_head(struct unpack *u)
{
	return (unsigned char)unpack_big(u, 1);
}

size_t
unpack_array(struct unpack *u)
{
	unsigned char head = unpack_head(u);
	uint64_t n = 0;

	if ((head & 0xf0) == 0x90)
		n = head & 0x0f;
	else if (head == 0xdc || head == 0xdd)
		n = unpack_big(u, head == 0xdc ? 2 : 4);
	else
		u->failed = true;
	/* Each member is a byte at least. */
	if (n > u->rest.n)
		u->failed = true;
	return u->failed ? 0 : (size_t)n;
}

uint64_t
unpack_u64(struct unpack *u)
{
	unsigned char head = unpack_head(u);
	uint64_t v = 0;

	if (head <= 0x7f)
		v = head;
	else if (head >= 0xcc && head <= 0xcf)
		v = unpack_big(u, (size_t)1 << (head - 0xcc));
	else
		u->failed = true;
	return u->failed ? 0 : v;
}

int64_t
unpack_i64(struct unpack *u)
{
	struct unpack was = *u;
	unsigned char head = unpack_head(u);
	uint64_t v = 0;
	size_t n;

	if (head >= 0xe0 && !u->failed)
		return (int64_t)head - 256;
	if (head >= 0xd0 && head <= 0xd3) {
		n = (size_t)1 << (head - 0xd0);
		v = unpack_big(u, n);
		/* Sign extension, without shifting a negative number. */
		if (n < 8 && (v >> (n * 8 - 1)) != 0)
			v |= UINT64_MAX << (n * 8);
		if (u->failed)
			return 0;
		return v > INT64_MAX ? -(int64_t)(UINT64_MAX - v) - 1 : (int64_t)v;
	}
	*u = was;
	v = unpack_u64(u);
	if (v > INT64_MAX)
		u->failed = true;
	return u->failed ? 0 : (int64_t)v;
}

static struct slice
unpack_bytes(struct unpack *u, uint64_t n)
{
	const unsigned char *p = n <= u->rest.n ? unpack_take(u, (size_t)n) : NULL;

	if (p == NULL) {
		u->failed = true;
		return SLICE("");
	}
	return slice_of((const char *)p, (size_t)n);
}

struct slice
unpack_text(struct unpack *u)
{
	unsigned char head = unpack_head(u);
	uint64_t n = 0;
	struct slice text;

	if ((head & 0xe0) == 0xa0)
		n = head & 0x1f;
	else if (head >= 0xd9 && head <= 0xdb)
		n = unpack_big(u, (size_t)1 << (head - 0xd9));
	else
		u->failed = true;
	text = unpack_bytes(u, n);
	if (text.n > 0 && memchr(text.p, '\0', text.n) != NULL)
		u->failed = true;
	return u->failed ? SLICE("") : text;
}

struct slice
unpack_bin(struct unpack *u)
{
	unsigned char head = unpack_head(u);
	uint64_t n = 0;

	if (head >= 0xc4 && head <= 0xc6)
		n = unpack_big(u, (size_t)1 << (head - 0xc4));
	else
		u->failed = true;
	return unpack_bytes(u, n);
}

/* The bytes behind a head that is neither array nor map; false: there is no such head. */
static bool
unpack_payload(struct unpack *u, unsigned char head, uint64_t *n)
{
	static const unsigned char fixed[] = {
	    [0xc0 - 0xc0] = 0, [0xc2 - 0xc0] = 0,  [0xc3 - 0xc0] = 0, [0xca - 0xc0] = 4,
	    [0xcb - 0xc0] = 8, [0xcc - 0xc0] = 1,  [0xcd - 0xc0] = 2, [0xce - 0xc0] = 4,
	    [0xcf - 0xc0] = 8, [0xd0 - 0xc0] = 1,  [0xd1 - 0xc0] = 2, [0xd2 - 0xc0] = 4,
	    [0xd3 - 0xc0] = 8, [0xd4 - 0xc0] = 2,  [0xd5 - 0xc0] = 3, [0xd6 - 0xc0] = 5,
	    [0xd7 - 0xc0] = 9, [0xd8 - 0xc0] = 17,
	};

	if (head <= 0x7f || head >= 0xe0)
		*n = 0;
	else if ((head & 0xe0) == 0xa0)
		*n = head & 0x1f;
	else if (head >= 0xc4 && head <= 0xc6)
		*n = unpack_big(u, (size_t)1 << (head - 0xc4));
	else if (head >= 0xc7 && head <= 0xc9)
		*n = unpack_big(u, (size_t)1 << (head - 0xc7)) + 1; /* ext: its type */
	else if (head >= 0xd9 && head <= 0xdb)
		*n = unpack_big(u, (size_t)1 << (head - 0xd9));
	else if (head >= 0xc0 && head <= 0xd8 && head != 0xc1)
		*n = fixed[head - 0xc0];
	else
		return false;
	return true;
}

static void
unpack_skip_nested(struct unpack *u, unsigned depth)
{
	struct unpack was = *u;
	unsigned char head = unpack_head(u);
	uint64_t n = 0;

	if (u->failed || depth == NESTED_MAX) {
		u->failed = true;
		return;
	}
	if (unpack_payload(u, head, &n)) {
		(void)unpack_bytes(u, n);
		return;
	}
	if ((head & 0xf0) == 0x80)
		n = (uint64_t)(head & 0x0f) * 2;
	else if (head == 0xde || head == 0xdf)
		n = unpack_big(u, head == 0xde ? 2 : 4) * 2;
	else {
		*u = was;
		n = unpack_array(u);
	}
	for (; n > 0 && !u->failed; n--)
		unpack_skip_nested(u, depth + 1);
}

void
unpack_skip(struct unpack *u)
{
	unpack_skip_nested(u, 0);
}
