/*
 * http_feed -- for tests of http_parse: feeds a request whole, byte by byte and
 * cut in two at every place, each piece in a heap buffer of its exact size.
 */
#ifndef HTTP_FEED_H
#define HTTP_FEED_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/xmalloc.h"
#include "io/http_parse.h"

#define H "GET / HTTP/1.1\r\nHost: h\r\n"
#define P "POST /p HTTP/1.1\r\nHost: h\r\n"
#define C P "Transfer-Encoding: chunked\r\n\r\n"

static const struct http_limits limits = {
    .request_line = 64,
    .headers = 160,
    .body = 32,
};

struct outcome {
	enum http_parse_result result;
	size_t used;
	int continues;
};

/* Feeds one piece from a buffer in which one byte too far is a fault. */
static inline void
feed_piece(struct http_parse *p, const char *at, size_t n, struct outcome *out)
{
	char *piece = xmalloc(n);
	size_t done = 0, used;

	memcpy(piece, at, n);
	while (done < n) {
		char *rest = xmalloc(n - done);

		memcpy(rest, piece + done, n - done);
		out->result = http_parse_feed(p, rest, n - done, &used);
		free(rest);
		done += used;
		out->used += used;
		if (out->result == HTTP_PARSE_CONTINUE)
			out->continues++;
		else if (out->result != HTTP_PARSE_MORE)
			break;
		else
			assert_int_equal(done, n);
	}
	free(piece);
}

/* step: bytes a piece; first: bytes of the first piece, if not 0. */
static inline struct outcome
feed(struct http_parse *p, struct slice in, size_t first, size_t step)
{
	struct outcome out = {HTTP_PARSE_MORE, 0, 0};
	size_t at = 0, n = first > 0 ? first : step;

	while (at < in.n) {
		if (n > in.n - at)
			n = in.n - at;
		feed_piece(p, in.p + at, n, &out);
		if (out.result == HTTP_PARSE_DONE || out.result == HTTP_PARSE_BAD)
			break;
		at += n;
		n = step;
	}
	return out;
}

typedef void check_fn(const struct http_parse *, struct outcome, const void *arg);

static inline void
each_way(struct slice in, check_fn *check, const void *arg)
{
	size_t first, step;

	for (first = 0; first < in.n; first++) {
		/* first 0: byte by byte; then each cut; a cut of all is whole. */
		struct http_parse *p = http_parse_new(&limits);

		step = first == 0 ? 1 : in.n;
		check(p, feed(p, in, first, step), arg);
		http_parse_free(p);
	}
	struct http_parse *p = http_parse_new(&limits);
	check(p, feed(p, in, 0, in.n), arg);
	http_parse_free(p);
}

#endif
