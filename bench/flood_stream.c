/* flood_stream -- lines over a byte stream: RFC 6587 and 5425, which know no answers. */
#include "flood.h"

static uint64_t
room(const struct flood *f, const struct conn *c)
{
	(void)f;
	(void)c;
	return UINT64_MAX;
}

static size_t
fill(struct flood *f, const struct conn *c, uint64_t quota, uint64_t *lines)
{
	const size_t max = lines_max_bytes(f->lines);
	size_t len = 0;
	uint64_t n = 0;

	while (n < quota && f->buf_bytes - len >= max) {
		len += lines_render(f->lines, c->index, c->next + n, f->buf + len);
		n++;
	}
	f->bytes += len;
	*lines = n;
	return len;
}

const struct protocol flood_stream = {
    .room = room,
    .fill = fill,
};
