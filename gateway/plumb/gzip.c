#include "plumb/gzip.h"

#include <stdint.h>
#include <stdlib.h>
#include <zlib.h>

#include "base/xmalloc.h"

/* zlib: 15 bits of window and 16 for gzip's header; fast, as lines compress well anyway. */
enum { WINDOW_BITS = 15 + 16, LEVEL = 1, MEMORY_LEVEL = 8 };

struct gzip {
	z_stream z;
};

struct gzip *
gzip_new(void)
{
	struct gzip *g = xcalloc(1, sizeof(*g));

	if (deflateInit2(&g->z, LEVEL, Z_DEFLATED, WINDOW_BITS, MEMORY_LEVEL, Z_DEFAULT_STRATEGY) !=
	    Z_OK)
		abort();
	return g;
}

void
gzip_free(struct gzip *g)
{
	if (g == NULL)
		return;
	deflateEnd(&g->z);
	free(g);
}

void
gzip_whole(struct gzip *g, struct slice in, struct buf *out)
{
	size_t bound = deflateBound(&g->z, in.n);

	g->z.next_in = (Bytef *)(uintptr_t)in.p;
	g->z.avail_in = (uInt)in.n;
	g->z.next_out = (Bytef *)buf_reserve(out, bound);
	g->z.avail_out = (uInt)bound;
	/* The bound is enough for all of it at once. */
	if (deflate(&g->z, Z_FINISH) != Z_STREAM_END)
		abort();
	out->n += bound - g->z.avail_out;
	deflateReset(&g->z);
}
