#include "wire/line.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static size_t
pri_digits(unsigned pri)
{
	return pri < 10 ? 1 : pri < 100 ? 2 : 3;
}

size_t
line_own_element(const struct line *l, char dst[LINE_OWN_BYTES])
{
	const struct line_mark *m = &l->mark;
	size_t n;

	if (l->cut == 0 && !l->marked)
		return 0;
	n = (size_t)snprintf(dst, LINE_OWN_BYTES, "[" LINE_OWN_SD_ID);
	if (l->cut > 0)
		n += (size_t)snprintf(dst + n, LINE_OWN_BYTES - n, " cut=\"%" PRIu64 "\"", l->cut);
	if (l->marked)
		n += (size_t)snprintf(dst + n, LINE_OWN_BYTES - n,
				      " log=\"%" PRIu64 "\" start=\"%" PRIu64 "\" seq=\"%" PRIu64
				      "\"",
				      m->log, m->start, m->seq);
	dst[n++] = ']';
	return n;
}

/* "-" gives way to our own element. */
static size_t
sd_kept(const struct line *l)
{
	return (l->cut > 0 || l->marked) && l->sd.n == 1 ? 0 : l->sd.n;
}

size_t
line_size(const struct line *l)
{
	char own[LINE_OWN_BYTES];
	size_t n;

	if (l->verbatim)
		return l->frame.n;
	n = strlen("<>1 ") + pri_digits(l->pri);
	n += l->timestamp.n + 1 + l->hostname.n + 1 + l->app_name.n + 1;
	n += l->procid.n + 1 + l->msgid.n + 1;
	n += sd_kept(l) + line_own_element(l, own);
	if (l->msg.n > 0)
		n += 1 + l->msg.n;
	return n;
}

static char *
put(char *dst, const char *p, size_t n)
{
	if (n > 0)
		memcpy(dst, p, n);
	return dst + n;
}

static char *
put_field(char *dst, struct slice s)
{
	dst = put(dst, s.p, s.n);
	*dst++ = ' ';
	return dst;
}

static char *
put_pri(char *dst, unsigned pri)
{
	size_t n = pri_digits(pri);

	*dst++ = '<';
	for (size_t i = n; i > 0; i--) {
		dst[i - 1] = (char)('0' + pri % 10);
		pri /= 10;
	}
	return put(dst + n, ">1 ", 3);
}

void
line_write(const struct line *l, char *dst)
{
	char own[LINE_OWN_BYTES];
	size_t own_n;

	if (l->verbatim) {
		put(dst, l->frame.p, l->frame.n);
		return;
	}
	own_n = line_own_element(l, own);
	dst = put_pri(dst, l->pri);
	dst = put_field(dst, l->timestamp);
	dst = put_field(dst, l->hostname);
	dst = put_field(dst, l->app_name);
	dst = put_field(dst, l->procid);
	dst = put_field(dst, l->msgid);
	dst = put(dst, l->sd.p, sd_kept(l));
	dst = put(dst, own, own_n);
	if (l->msg.n > 0) {
		*dst++ = ' ';
		put(dst, l->msg.p, l->msg.n);
	}
}
