#include "ends/outbox.h"

#include <stdlib.h>
#include <string.h>

#include "base/xmalloc.h"

enum { BUNDLE_FIRST = 4096, RECORD_HEAD = 12 };

void
outbox_init(struct outbox *o, struct post **posts, unsigned nposts,
	    void (*deliver)(struct mail *, void *owner))
{
	*o = (struct outbox){.posts = posts, .nposts = nposts, .deliver = deliver};
	o->open = xcalloc(nposts, sizeof(struct bundle *));
}

void
outbox_clear(struct outbox *o)
{
	for (unsigned i = 0; i < o->nposts; i++)
		bundle_free(o->open[i]);
	free(o->open);
	o->open = NULL;
}

char *
outbox_add(struct outbox *o, unsigned worker, uint64_t app, size_t n)
{
	struct bundle *b = o->open[worker];
	uint32_t size = (uint32_t)n;
	char *dst;

	if (b == NULL) {
		b = o->open[worker] = xcalloc(1, sizeof(*b));
		b->mail.deliver = o->deliver;
		b->cap = BUNDLE_FIRST;
		b->data = xmalloc(b->cap);
	}
	if (b->cap - b->n < RECORD_HEAD + n) {
		while (b->cap - b->n < RECORD_HEAD + n)
			b->cap *= 2;
		b->data = xrealloc(b->data, b->cap);
	}
	dst = b->data + b->n;
	memcpy(dst, &app, sizeof(app));
	memcpy(dst + sizeof(app), &size, sizeof(size));
	b->n += RECORD_HEAD + n;
	return dst + RECORD_HEAD;
}

void
outbox_ask(struct outbox *o, unsigned worker, struct receipt *receipt, struct mailbox *back)
{
	struct bundle *b = o->open[worker];

	if (b->receipt != NULL)
		return;
	receipt_hold(receipt);
	b->receipt = receipt;
	b->back = back;
}

size_t
outbox_post(struct outbox *o, unsigned *fullest)
{
	size_t most = 0;

	for (unsigned i = 0; i < o->nposts; i++) {
		struct bundle *b = o->open[i];
		size_t waiting;

		if (b == NULL)
			continue;
		o->open[i] = NULL;
		waiting = atomic_fetch_add(&o->posts[i]->waiting, b->n) + b->n;
		if (waiting > most) {
			most = waiting;
			*fullest = i;
		}
		mailbox_push(o->posts[i]->mailbox, &b->mail);
	}
	return most;
}

bool
bundle_next(const struct bundle *b, size_t *at, uint64_t *app, struct slice *frame)
{
	uint32_t size;

	if (*at == b->n)
		return false;
	memcpy(app, b->data + *at, sizeof(*app));
	memcpy(&size, b->data + *at + sizeof(*app), sizeof(size));
	*frame = slice_of(b->data + *at + RECORD_HEAD, size);
	*at += RECORD_HEAD + size;
	return true;
}

void
bundle_free(struct bundle *b)
{
	if (b == NULL)
		return;
	free(b->data);
	free(b);
}
