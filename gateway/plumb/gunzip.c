#include "plumb/gunzip.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <zlib.h>

#include "base/xmalloc.h"

/* zlib: 15 bits of window and 16 for gzip's header, and nothing but that. */
enum { WINDOW_BITS = 15 + 16 };
/* What is put in, and comes out, at a time. */
enum { IN_BYTES = 16 * 1024, OUT_BYTES = 64 * 1024 };

struct gunzip {
	z_stream z;
	struct slice rest; /* not given to zlib yet */
	size_t most;
	size_t at_ratio; /* what may come out by the size of what came in */
	bool ended;	 /* a member did, and no other one has begun */
};

struct gunzip *
gunzip_new(void)
{
	struct gunzip *g = xcalloc(1, sizeof(*g));

	if (inflateInit2(&g->z, WINDOW_BITS) != Z_OK)
		abort();
	return g;
}

void
gunzip_free(struct gunzip *g)
{
	if (g == NULL)
		return;
	inflateEnd(&g->z);
	free(g);
}

void
gunzip_start(struct gunzip *g, struct slice in, size_t most)
{
	inflateReset(&g->z);
	g->z.avail_in = 0;
	g->rest = in;
	g->most = most;
	g->at_ratio = in.n * GUNZIP_RATIO;
	if (g->at_ratio < GUNZIP_FREE_BYTES)
		g->at_ratio = GUNZIP_FREE_BYTES;
	g->ended = false;
}

static enum gunzip_result
too_big(const struct gunzip *g, size_t n, char fault[GUNZIP_FAULT_BYTES])
{
	if (n > g->most)
		snprintf(fault, GUNZIP_FAULT_BYTES,
			 "body too large; send at most %zu bytes in one request, decompressed",
			 g->most);
	else
		snprintf(
		    fault, GUNZIP_FAULT_BYTES,
		    "body becomes more than %d times larger by decompressing; send it as it is",
		    (int)GUNZIP_RATIO);
	return GUNZIP_BIG;
}

/* What zlib did not like. */
static enum gunzip_result
bad(const struct gunzip *g, int code, char fault[GUNZIP_FAULT_BYTES])
{
	const char *why = "damaged";

	if (code == Z_BUF_ERROR)
		why = "not whole";
	else if (g->z.total_out == 0)
		why = "not gzip (RFC 1952)";
	snprintf(fault, GUNZIP_FAULT_BYTES,
		 "body is %s; compress it again, or send it as it is without Content-Encoding",
		 why);
	return GUNZIP_BAD;
}

/* One piece.  *code: what zlib says of it. */
static void
inflate_piece(struct gunzip *g, struct buf *out, int *code)
{
	size_t take = g->rest.n < IN_BYTES ? g->rest.n : IN_BYTES;

	if (g->z.avail_in == 0) {
		g->z.next_in = (Bytef *)(uintptr_t)g->rest.p;
		g->z.avail_in = (uInt)take;
		g->rest = slice_skip(g->rest, take);
	}
	if (g->ended) {
		/* What is behind a member is another one (RFC 1952, section 2.2). */
		inflateReset(&g->z);
		g->ended = false;
	}
	g->z.next_out = (Bytef *)buf_reserve(out, OUT_BYTES);
	g->z.avail_out = OUT_BYTES;
	*code = inflate(&g->z, Z_NO_FLUSH);
	out->n += OUT_BYTES - g->z.avail_out;
	g->ended = *code == Z_STREAM_END;
}

enum gunzip_result
gunzip_some(struct gunzip *g, size_t bytes, struct buf *out, char fault[GUNZIP_FAULT_BYTES])
{
	size_t until = out->n + bytes, rest = g->rest.n;
	int code;

	/* Empty members cost time, and nothing comes out. */
	while (out->n < until && rest - g->rest.n < bytes) {
		if (g->z.avail_in == 0 && g->rest.n == 0 && g->ended)
			return GUNZIP_END;
		inflate_piece(g, out, &code);
		if (out->n > g->most || out->n > g->at_ratio)
			return too_big(g, out->n, fault);
		if (code != Z_OK && code != Z_STREAM_END)
			return bad(g, code, fault);
	}
	return GUNZIP_MORE;
}
