#include "ends/http_body.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "chunk/chunk.h"

void
http_body_init(struct http_body *b, const struct http_body_head *head, struct buf *bytes)
{
	*b = (struct http_body){.head = *head, .bytes = *bytes};
	*bytes = (struct buf){0};
}

void
http_body_free(struct http_body *b)
{
	buf_free(&b->bytes);
	buf_free(&b->plain);
	buf_free(&b->frames);
}

static enum http_body_step __attribute__((format(printf, 3, 4)))
refuse(struct http_body *b, int status, const char *fmt, ...)
{
	va_list ap;

	b->status = status;
	va_start(ap, fmt);
	vsnprintf(b->fault, sizeof(b->fault), fmt, ap);
	va_end(ap);
	return HTTP_BODY_REFUSED;
}

static enum http_body_step
unpack_some(struct http_body *b, struct gunzip *g, size_t bytes)
{
	char fault[GUNZIP_FAULT_BYTES];

	if (!b->unpacking)
		gunzip_start(g, buf_slice(&b->bytes), HTTP_BODY_PLAIN_BYTES);
	b->unpacking = true;
	switch (gunzip_some(g, bytes, &b->plain, fault)) {
	case GUNZIP_MORE:
		return HTTP_BODY_MORE;
	case GUNZIP_BAD:
		return refuse(b, 400, "%s; nothing was taken", fault);
	case GUNZIP_BIG:
		return refuse(b, 413, "%s; nothing was taken", fault);
	case GUNZIP_END:
		break;
	}
	buf_free(&b->bytes);
	b->head.gzip = false;
	return HTTP_BODY_MORE;
}

static void
add_frame(struct http_body *b, const struct line *line)
{
	size_t size = line_size(line), count = chunk_count_size(size);
	char *dst = buf_reserve(&b->frames, count + size);

	line_write(line, dst + chunk_count_write(dst, size));
	b->frames.n += count + size;
	b->lines++;
	b->cut += line->cut > 0;
	b->rewritten += !line->verbatim;
}

static enum http_body_step
whole(struct http_body *b)
{
	if (b->head.count >= 0 && (uint64_t)b->head.count != b->lines)
		return refuse(b, 400,
			      "Logplex-Msg-Count is %" PRId64
			      " and the body has %zu frames; send all of them, or leave it out; "
			      "nothing was taken",
			      b->head.count, b->lines);
	buf_free(&b->bytes);
	buf_free(&b->plain);
	return HTTP_BODY_DONE;
}

static enum http_body_step
apart_some(struct http_body *b, const struct body_env *env, size_t bytes)
{
	struct line line;
	size_t until;

	if (!b->apart)
		body_init(&b->body, b->head.kind, buf_slice(b->unpacking ? &b->plain : &b->bytes));
	b->apart = true;
	until = b->body.rest.n > bytes ? b->body.rest.n - bytes : 0;
	do {
		switch (body_next(&b->body, env, &line)) {
		case BODY_LINE:
			add_frame(b, &line);
			break;
		case BODY_END:
			return whole(b);
		case BODY_BAD:
			return refuse(b, 400, "%s; nothing was taken", b->body.fault);
		case BODY_BIG:
			return refuse(b, 413, "%s; nothing was taken", b->body.fault);
		}
		if (b->frames.n > HTTP_BODY_FRAMES_BYTES)
			return refuse(b, 413,
				      "the body's lines have over %d bytes as RFC 5424; send them "
				      "in several requests; nothing was taken",
				      (int)HTTP_BODY_FRAMES_BYTES);
	} while (b->body.rest.n > until);
	return HTTP_BODY_MORE;
}

enum http_body_step
http_body_some(struct http_body *b, struct gunzip *g, const struct body_env *env, size_t bytes)
{
	return b->head.gzip ? unpack_some(b, g, bytes) : apart_some(b, env, bytes);
}

bool
http_body_frame(const struct http_body *b, size_t *at, struct slice *frame)
{
	const char *p;
	size_t n = 0;

	if (*at == b->frames.n)
		return false;
	for (p = b->frames.p + *at; *p != ' '; p++)
		n = n * 10 + (size_t)(*p - '0');
	*frame = slice_of(p + 1, n);
	*at = (size_t)(p + 1 + n - b->frames.p);
	return true;
}
