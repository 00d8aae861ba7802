#include "chunk/chunk.h"

#include <assert.h>
#include <stdlib.h>

#include "base/xmalloc.h"

struct chunk *
chunk_of(char *data, uint32_t size)
{
	struct chunk *c = xcalloc(1, sizeof(*c));

	c->data = data;
	c->cap = size;
	return c;
}

struct chunk *
chunk_new(uint32_t cap)
{
	return chunk_of(xmalloc(cap), cap);
}

void
chunk_free(struct chunk *c)
{
	free(c->data);
	free(c);
}

void
chunk_clear(struct chunk *c)
{
	*c = (struct chunk){.data = c->data, .cap = c->cap};
}

size_t
chunk_count_size(size_t n)
{
	size_t digits = 1;

	for (; n >= 10; n /= 10)
		digits++;
	return digits + 1;
}

size_t
chunk_count_write(char *dst, size_t n)
{
	size_t size = chunk_count_size(n);

	dst[size - 1] = ' ';
	for (size_t i = size - 1; i > 0; i--, n /= 10)
		dst[i - 1] = (char)('0' + n % 10);
	return size;
}

uint32_t
chunk_frame(const struct chunk *c, uint32_t at, struct slice *message)
{
	uint32_t n = 0;

	for (; c->data[at] != ' '; at++)
		n = n * 10 + (uint32_t)(c->data[at] - '0');
	at++;
	assert(at + n <= c->used);
	*message = slice_of(c->data + at, n);
	return at + n;
}
