#include "wire/parse_5424.h"

#include <stdint.h>
#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "wire/ascii.h"
#include "wire/priority.h"
#include "wire/sd.h"
#include "wire/stamp_3164.h"
#include "wire/timestamp.h"

#define EACH_BYTE(b) (UINT64_C(0x0101010101010101) * (b))

/* Bytes of PRINTUSASCII at p, many at a time: every header byte passes here. */
static inline size_t
printable_span(const char *p, const char *end)
{
	const char *at = p;

#ifdef __SSE2__
	/* Most fields are shorter than this, so that no branch depends on how long they are. */
	while (end - at >= 16) {
		__m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)at);
		/* Signed: a byte with the high bit is below the space. */
		__m128i above = _mm_cmpgt_epi8(bytes, _mm_set1_epi8(' '));
		__m128i del = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(0x7f));
		unsigned odd = (unsigned)_mm_movemask_epi8(_mm_andnot_si128(del, above)) ^ 0xffff;

		if (odd != 0)
			return (size_t)(at - p) + (size_t)__builtin_ctz(odd);
		at += 16;
	}
#endif
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	while (end - at >= 8) {
		uint64_t word, odd;

		/*
		 * The high bit of each byte below '!' or above '~'.  A borrow or
		 * a carry spoils only bytes behind the first one that is odd.
		 */
		memcpy(&word, at, sizeof(word));
		odd = ((word - EACH_BYTE('!')) & ~word) | (word + EACH_BYTE(1)) | word;
		odd &= EACH_BYTE(0x80);
		if (odd != 0)
			return (size_t)(at - p) + (size_t)__builtin_ctzll(odd) / 8;
		at += 8;
	}
#endif
	while (at < end && ascii_printable(*at))
		at++;
	return (size_t)(at - p);
}

/* A field and the one SP behind it. */
static inline bool
take_field(const char **p, const char *end, struct slice *field)
{
	size_t n = printable_span(*p, end);

	if (n == 0 || *p + n == end || (*p)[n] != ' ')
		return false;
	*field = slice_of(*p, n);
	*p += n + 1;
	return true;
}

/* Where the fields start: behind PRI and VERSION; 0 if these are not there. */
static inline size_t
fields_start(struct slice s, unsigned *pri)
{
	size_t n = priority_scan(s, pri);

	return n > 0 && s.n - n > 2 && s.p[n] == '1' && s.p[n + 1] == ' ' ? n + 2 : 0;
}

bool
parse_5424(struct slice s, struct line *out)
{
	const char *p, *end = s.p + s.n;
	size_t n = fields_start(s, &out->pri);

	if (n == 0)
		return false;
	p = s.p + n;
	if (!take_field(&p, end, &out->timestamp) || !take_field(&p, end, &out->hostname) ||
	    !take_field(&p, end, &out->app_name) || !take_field(&p, end, &out->procid) ||
	    !take_field(&p, end, &out->msgid))
		return false;
	if (!timestamp_valid(out->timestamp) &&
	    !(out->timestamp.n == 1 && out->timestamp.p[0] == '-'))
		return false;
	n = sd_span(slice_of(p, (size_t)(end - p)));
	if (n == 0 || (p + n < end && p[n] != ' '))
		return false;
	out->sd = slice_of(p, n);
	p += n;
	if (p < end)
		p++;
	out->msg = slice_of(p, (size_t)(end - p));
	return true;
}

/* What stands before the next SP or the end; *s is then behind that. */
static struct slice
take_until_space(struct slice *s)
{
	const char *space = s->n > 0 ? memchr(s->p, ' ', s->n) : NULL;
	struct slice field = slice_of(s->p, space != NULL ? (size_t)(space - s->p) : s->n);

	*s = slice_skip(*s, field.n + (space != NULL));
	return field;
}

/* "-" for an empty field, '?' for bytes that a header may not have. */
static struct slice
field_clean(struct slice field, struct buf *scratch)
{
	size_t from = scratch->n;

	if (field.n == 0)
		return SLICE("-");
	if (printable_span(field.p, field.p + field.n) == field.n)
		return field;
	for (size_t i = 0; i < field.n; i++)
		buf_add_char(scratch, ascii_printable(field.p[i]) ? field.p[i] : '?');
	return slice_of(scratch->p + from, field.n);
}

/* A date that does not exist is still a date, and not the start of a text. */
static bool
looks_like_date(struct slice s)
{
	return s.n >= 10 && s.p[0] >= '0' && s.p[0] <= '9' && s.p[4] == '-' && s.p[7] == '-';
}

static bool
stamp_loose(struct slice field, const struct parse_env *env, struct line *out)
{
	int64_t us;

	if (slice_is(field, "-") || timestamp_valid(field))
		out->timestamp = field;
	else if (field.n > 0 && stamp_scan(field, env, &us) == field.n)
		out->timestamp = timestamp_format(us, out->stamp);
	else if (looks_like_date(field))
		out->timestamp = env->now_text;
	else
		return false;
	return true;
}

/* PRI to MSGID; *rest is then what stands behind them. */
static bool
header_loose(struct slice s, const struct parse_env *env, struct line *out, struct slice *rest)
{
	struct slice *fields[] = {&out->hostname, &out->app_name, &out->procid, &out->msgid};
	size_t n = fields_start(s, &out->pri);

	if (n == 0)
		return false;
	*rest = slice_skip(s, n);
	if (!stamp_loose(take_until_space(rest), env, out))
		return false;
	/* At once, with room for structured data: what points into it must stay where it is. */
	buf_reserve(env->scratch, 2 * s.n);
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		if (rest->n == 0)
			return false;
		*fields[i] = field_clean(take_until_space(rest), env->scratch);
	}
	return true;
}

bool
parse_5424_loose(struct slice s, const struct parse_env *env, struct line *out)
{
	struct slice rest;
	size_t n;

	if (!header_loose(s, env, out, &rest))
		return false;
	n = sd_span(rest);
	if (n > 0 && (n == rest.n || rest.p[n] == ' ')) {
		out->sd = slice_of(rest.p, n);
		out->msg = slice_skip(rest, n + (n < rest.n));
	} else {
		out->sd = SLICE("-");
		out->msg = rest;
	}
	return true;
}

bool
parse_5424_without_sd(struct slice s, const struct parse_env *env, struct line *out)
{
	out->sd = SLICE("-");
	return header_loose(s, env, out, &out->msg);
}
