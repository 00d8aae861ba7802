#include "lines.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "messages.h"
#include "seal.h"
#include "tool.h"

enum {
	CONN_DIGITS = 5,
	SEQ_DIGITS = 10,
	STAMP_DIGITS = 19,
	HEAD_MAX = 512,
	MIXED_TEXTS = 1024, /* a power of two */
};

/* What stands behind the head; all lines with the same text have the same length. */
struct text {
	char count[16]; /* "COUNT " of octet counting; else empty */
	size_t count_len;
	char *text;
	size_t len;
};

struct lines {
	struct lines_shape shape;
	char stamp[STAMP_DIGITS];
	size_t head;	/* bytes of one */
	size_t message; /* where things are, from a head's start */
	size_t conn_at;
	size_t seq_at;
	size_t stamp_at;
	char *heads; /* of all apps, in one block */
	struct text *texts;
	size_t texts_n; /* a power of two */
	size_t max;
};

static void
digits(char *out, int width, uint64_t n)
{
	while (width-- > 0) {
		out[width] = (char)('0' + n % 10);
		n /= 10;
	}
}

/* The header, up to the message; now, in UTC. */
static size_t
header(const struct lines_shape *shape, unsigned app, char out[HEAD_MAX])
{
	char when[40] = "";
	time_t now = time(NULL);
	struct tm tm;
	int n;

	if (gmtime_r(&now, &tm) == NULL)
		tool_die("no time of day");
	if (shape->rfc3164) {
		strftime(when, sizeof(when), "%b %e %H:%M:%S", &tm);
		n = snprintf(out, HEAD_MAX, "<14>%s bench.host %s%05u: ", when, shape->app_prefix,
			     app);
	} else {
		strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%S", &tm);
		n = snprintf(out, HEAD_MAX, "<14>1 %s.000000Z bench.host %s%05u flood - - ", when,
			     shape->app_prefix, app);
	}
	if (n < 0 || n >= HEAD_MAX)
		tool_die("--app-prefix is too long");
	return (size_t)n;
}

/* The line up to where the text starts; the digits are still zeros. */
static size_t
head(struct lines *l, unsigned app, char out[HEAD_MAX])
{
	const size_t message = header(&l->shape, app, out);
	size_t n = message;
	int more;

	more = snprintf(out + n, HEAD_MAX - n, "app=%s%05u conn=%0*u seq=%0*u ",
			l->shape.app_prefix, app, CONN_DIGITS, 0U, SEQ_DIGITS, 0U);
	if (more < 0 || n + (size_t)more + STAMP_DIGITS + 8 > HEAD_MAX)
		tool_die("--app-prefix is too long");
	n += (size_t)more;
	l->message = message;
	l->seq_at = n - 1 - SEQ_DIGITS;
	l->conn_at = l->seq_at - strlen(" seq=") - CONN_DIGITS;
	if (l->shape.stamp) {
		n += (size_t)snprintf(out + n, HEAD_MAX - n, "at=%0*u ", STAMP_DIGITS, 0U);
		l->stamp_at = n - 1 - STAMP_DIGITS;
	}
	return n;
}

static void
build_heads(struct lines *l)
{
	char text[HEAD_MAX];

	l->head = head(l, 0, text);
	l->heads = malloc(l->head * l->shape.apps);
	if (l->heads == NULL)
		tool_die("out of memory");
	for (unsigned app = 0; app < l->shape.apps; app++) {
		/* A second may have gone by, but all heads have the same length. */
		if (head(l, app, text) != l->head)
			tool_die("heads differ in length");
		memcpy(l->heads + app * l->head, text, l->head);
	}
}

/* Text i is these bytes, of which it keeps a copy. */
static void
text_set(struct lines *l, size_t i, const char *text, size_t len)
{
	const size_t size = l->head + len + SEAL_BYTES;
	struct text *t = &l->texts[i];
	size_t frame = size;

	t->text = malloc(len + 1);
	if (t->text == NULL)
		tool_die("out of memory");
	memcpy(t->text, text, len);
	t->len = len;
	if (l->shape.framed && l->shape.octet)
		t->count_len = (size_t)snprintf(t->count, sizeof(t->count), "%zu ", size);
	frame += t->count_len + (l->shape.framed && !l->shape.octet ? 1 : 0);
	if (frame > l->max)
		l->max = frame;
}

static void
build_filler(struct lines *l)
{
	static const char filler[] = "the quick brown fox jumps over the lazy dog; ";
	const size_t least = l->head + SEAL_BYTES;
	char *text = malloc(l->shape.size);
	size_t len;

	if (text == NULL)
		tool_die("out of memory");
	if (l->shape.size < least)
		tool_die("--size: a line takes %zu bytes at least", least);
	len = l->shape.size - least;
	for (size_t i = 0; i < len; i++)
		text[i] = filler[i % (sizeof(filler) - 1)];
	text_set(l, 0, text, len);
	free(text);
}

static void
build_texts(struct lines *l)
{
	char text[MESSAGE_MAX];

	l->texts_n = l->shape.size == 0 ? MIXED_TEXTS : 1;
	l->texts = calloc(l->texts_n, sizeof(*l->texts));
	if (l->texts == NULL)
		tool_die("out of memory");
	if (l->shape.size != 0)
		build_filler(l);
	else
		for (unsigned i = 0; i < MIXED_TEXTS; i++)
			text_set(l, i, text, message_make(i, text));
}

struct lines *
lines_new(const struct lines_shape *shape)
{
	struct lines *l = calloc(1, sizeof(*l));

	if (l == NULL)
		tool_die("out of memory");
	l->shape = *shape;
	build_heads(l);
	build_texts(l);
	lines_stamp(l, 0);
	return l;
}

void
lines_free(struct lines *l)
{
	for (size_t i = 0; i < l->texts_n; i++)
		free(l->texts[i].text);
	free(l->texts);
	free(l->heads);
	free(l);
}

size_t
lines_max_bytes(const struct lines *l)
{
	return l->max;
}

void
lines_stamp(struct lines *l, int64_t now)
{
	digits(l->stamp, STAMP_DIGITS, (uint64_t)now);
}

static unsigned
app_of(const struct lines *l, uint64_t i)
{
	return (unsigned)(i / l->shape.run % l->shape.apps);
}

void
lines_app(const struct lines *l, uint64_t i, char *out, size_t cap)
{
	int n = snprintf(out, cap, "%s%05u", l->shape.app_prefix, app_of(l, i));

	if (n < 0 || (size_t)n >= cap)
		tool_die("--app-prefix is too long");
}

/* Neighbours in any order have different texts, over the whole of them. */
static const struct text *
text_of(const struct lines *l, unsigned app, unsigned conn, uint64_t seq)
{
	uint64_t h = (seq * 100003 + app) * 20011 + conn;

	h *= UINT64_C(0x9e3779b97f4a7c15);
	return &l->texts[(h >> 40) & (l->texts_n - 1)];
}

size_t
lines_render(const struct lines *l, unsigned conn, uint64_t i, char *out)
{
	const uint64_t run = l->shape.run;
	const unsigned app = app_of(l, i);
	const uint64_t seq = i / run / l->shape.apps * run + i % run;
	const struct text *t = text_of(l, app, conn, seq);
	char *line = out + t->count_len;
	char *end = line + l->head;

	memcpy(out, t->count, t->count_len);
	memcpy(line, l->heads + app * l->head, l->head);
	digits(line + l->conn_at, CONN_DIGITS, conn);
	digits(line + l->seq_at, SEQ_DIGITS, seq);
	if (l->shape.stamp)
		memcpy(line + l->stamp_at, l->stamp, STAMP_DIGITS);
	memcpy(end, t->text, t->len);
	end += t->len;
	seal_write(line + l->message, (size_t)(end - line) - l->message);
	end += SEAL_BYTES;
	if (l->shape.framed && !l->shape.octet)
		*end++ = '\n';
	return (size_t)(end - out);
}
