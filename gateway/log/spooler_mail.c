/* Commits and fetches, as those who ask make and free them. */
#include <assert.h>
#include <stdlib.h>

#include "base/xmalloc.h"
#include "log/spooler.h"

/* The array p with room for one more than n of them. */
static void *
with_room(void *p, size_t n, size_t *cap, size_t size)
{
	if (n < *cap)
		return p;
	*cap = n > 0 ? n * 2 : 1;
	return xrealloc(p, *cap * size);
}

struct spool_commit *
spool_commit_new(struct mailbox *back, void (*done)(struct mail *, void *owner))
{
	struct spool_commit *c = xcalloc(1, sizeof(*c));

	c->back = back;
	c->done = done;
	return c;
}

void
spool_commit_part(struct spool_commit *c, uint64_t app, const struct spool_place *head)
{
	c->parts = with_room(c->parts, c->nparts, &c->cap_parts, sizeof(*c->parts));
	c->parts[c->nparts++] =
	    (struct spool_part){.app = app, .head = *head, .chunk = c->nchunks, .mark = c->nmarks};
}

void
spool_commit_chunk(struct spool_commit *c, const struct spool_chunk *chunk)
{
	assert(c->nparts > 0 && c->parts[c->nparts - 1].app == chunk->app);
	c->chunks = with_room(c->chunks, c->nchunks, &c->cap_chunks, sizeof(*c->chunks));
	c->chunks[c->nchunks] = *chunk;
	/* The bytes move while more are added. */
	c->chunks[c->nchunks++].data = NULL;
	buf_add(&c->data, chunk->data, chunk->size);
	c->parts[c->nparts - 1].nchunks++;
}

void
spool_commit_mark(struct spool_commit *c, uint64_t drain, const struct spool_place *at)
{
	assert(c->nparts > 0);
	c->marks = with_room(c->marks, c->nmarks, &c->cap_marks, sizeof(*c->marks));
	c->marks[c->nmarks++] = (struct spool_mark){drain, *at};
	c->parts[c->nparts - 1].nmarks++;
}

void
spool_commit_free(struct spool_commit *c)
{
	buf_free(&c->data);
	free(c->chunks);
	free(c->marks);
	free(c->parts);
	free(c);
}

struct spool_fetch *
spool_fetch_new(uint64_t app, uint64_t seq, size_t limit, struct mailbox *back,
		void (*done)(struct mail *, void *owner))
{
	struct spool_fetch *f = xcalloc(1, sizeof(*f));

	f->app = app;
	f->seq = seq;
	f->limit = limit;
	f->back = back;
	f->done = done;
	return f;
}

void
spool_fetch_free(struct spool_fetch *f)
{
	for (size_t i = 0; i < f->n; i++)
		free((char *)f->chunks[i].data);
	free(f);
}
