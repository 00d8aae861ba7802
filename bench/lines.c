#include "lines.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tool.h"

enum { CONN_DIGITS = 5, SEQ_DIGITS = 10, HEAD_MAX = 512 };

struct lines {
	unsigned apps;
	size_t frame;	/* bytes of one */
	size_t conn_at; /* where the digits are, from the frame's start */
	size_t seq_at;
	char *frames; /* apps of them, in one block */
};

static void
digits(char *out, int width, uint64_t n)
{
	while (width-- > 0) {
		out[width] = (char)('0' + n % 10);
		n /= 10;
	}
}

/* The message up to where the filler starts; the digits are still zeros. */
static size_t
head(const struct lines_shape *shape, unsigned app, char out[HEAD_MAX])
{
	const char *const form =
	    shape->rfc3164 ? "<14>Nov 22 12:00:00 bench.host %s%05u: app=%s%05u conn=%0*u seq=%0*u "
			   : "<14>1 2026-11-22T12:00:00.000000Z bench.host %s%05u flood - - "
			     "app=%s%05u conn=%0*u seq=%0*u ";
	int n;

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	n = snprintf(out, HEAD_MAX, form, shape->app_prefix, app, shape->app_prefix, app,
		     CONN_DIGITS, 0U, SEQ_DIGITS, 0U);
#pragma GCC diagnostic pop
	if (n < 0 || n >= HEAD_MAX)
		tool_die("--app-prefix is too long");
	return (size_t)n;
}

static void
build(struct lines *l, const struct lines_shape *shape, unsigned app, const char *count)
{
	static const char filler[] = "the quick brown fox jumps over the lazy dog; ";
	char text[HEAD_MAX];
	size_t len = head(shape, app, text);
	size_t before = strlen(count);
	char *out = l->frames + app * l->frame;

	memcpy(out, count, before);
	memcpy(out + before, text, len);
	for (size_t i = len; i < shape->size; i++)
		out[before + i] = filler[(i - len) % (sizeof(filler) - 1)];
	if (shape->framed && !shape->octet)
		out[l->frame - 1] = '\n';
	/* The head ends with "conn=DIGITS seq=DIGITS ". */
	l->seq_at = before + len - 1 - SEQ_DIGITS;
	l->conn_at = l->seq_at - strlen(" seq=") - CONN_DIGITS;
}

struct lines *
lines_new(const struct lines_shape *shape)
{
	struct lines *l = calloc(1, sizeof(*l));
	char text[HEAD_MAX];
	char count[24] = "";

	if (l == NULL)
		tool_die("out of memory");
	if (head(shape, 0, text) > shape->size)
		tool_die("--size: a line takes %zu bytes at least", head(shape, 0, text));
	if (shape->framed && shape->octet)
		snprintf(count, sizeof(count), "%zu ", shape->size);
	l->apps = shape->apps;
	l->frame = strlen(count) + shape->size + (shape->framed && !shape->octet ? 1 : 0);
	l->frames = malloc(l->frame * l->apps);
	if (l->frames == NULL)
		tool_die("out of memory");
	for (unsigned app = 0; app < l->apps; app++)
		build(l, shape, app, count);
	return l;
}

void
lines_free(struct lines *l)
{
	free(l->frames);
	free(l);
}

size_t
lines_frame_bytes(const struct lines *l)
{
	return l->frame;
}

size_t
lines_render(const struct lines *l, unsigned conn, uint64_t first, size_t n, char *out, size_t cap)
{
	unsigned app = (unsigned)(first % l->apps);
	uint64_t seq = first / l->apps;

	if (n > cap / l->frame)
		n = cap / l->frame;
	for (size_t i = 0; i < n; i++) {
		memcpy(out, l->frames + app * l->frame, l->frame);
		digits(out + l->conn_at, CONN_DIGITS, conn);
		digits(out + l->seq_at, SEQ_DIGITS, seq);
		out += l->frame;
		if (++app == l->apps) {
			app = 0;
			seq++;
		}
	}
	return n;
}
