#include "ends/tap.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/xmalloc.h"

static struct tap_batch *
batch_new(struct tap *t)
{
	struct tap_batch *b = xcalloc(1, sizeof(*b));

	b->mail.deliver = t->deliver;
	b->tap = t->id;
	b->dropped = t->dropped;
	b->lines = chunk_new(CHUNK_FIRST_BYTES);
	t->dropped = 0;
	return b;
}

void
tap_batch_free(struct tap_batch *b)
{
	if (b == NULL)
		return;
	chunk_free(b->lines);
	free(b);
}

/* Nobody else refers to a batch's chunk, so its bytes may move. */
static void
batch_add(struct tap_batch *b, const char *p, size_t n)
{
	struct chunk *c = b->lines;

	if (c->cap - c->used < n) {
		size_t cap = (size_t)c->cap * 2;

		if (cap < c->used + n)
			cap = c->used + n;
		c->data = xrealloc(c->data, cap);
		c->cap = (uint32_t)cap;
	}
	memcpy(c->data + c->used, p, n);
	c->used += (uint32_t)n;
	c->lines++;
}

/* The batch that n more bytes go to; what was dropped stands in front of a new one. */
static struct tap_batch *
batch_for(struct tap *t, size_t n)
{
	struct tap_batch *b = TAILQ_LAST(&t->waiting, tap_batch_list);

	if (b != NULL && t->dropped == 0 && b->lines->used + n <= TAP_BATCH_BYTES)
		return b;
	b = batch_new(t);
	TAILQ_INSERT_TAIL(&t->waiting, b, link);
	return b;
}

/* A line that is larger than the limit alone is taken when nothing waits. */
static bool
has_room(struct tap *t, size_t n)
{
	if (t->dropping && t->bytes > TAP_BYTES / 2)
		return false;
	t->dropping = t->bytes > 0 && t->bytes + n > TAP_BYTES;
	return !t->dropping;
}

static void
take_segment(struct tap *t, const struct segment *s)
{
	bool open = drain_filter_is_open(&t->filter.lines);
	struct slice frame;
	uint32_t at, next;

	if (open && t->dropping && t->bytes > TAP_BYTES / 2) {
		t->dropped += s->lines;
		return;
	}
	for (at = s->from; at < s->to; at = next) {
		next = chunk_frame(s->chunk, at, &frame);
		if (!open && !drain_filter_passes(&t->filter.lines, frame))
			continue;
		if (!has_room(t, next - at)) {
			t->dropped++;
			continue;
		}
		batch_add(batch_for(t, next - at), s->chunk->data + at, next - at);
		t->bytes += next - at;
	}
}

static void
push(struct tap *t, struct tap_batch *b)
{
	t->reading = true;
	t->with_reader = b->lines->used;
	mailbox_push(t->to, &b->mail);
}

/* The reader gets the next batch, if it has none. */
static void
send_next(struct tap *t)
{
	struct tap_batch *b = TAILQ_FIRST(&t->waiting);

	if (t->reading)
		return;
	if (b != NULL) {
		TAILQ_REMOVE(&t->waiting, b, link);
		push(t, b);
	} else if (t->dropped > 0) {
		/* No line came behind the gap, but the reader should know. */
		push(t, batch_new(t));
	}
}

/*
 * A tap is never what others wait for: for the worker's accounts it lags, even
 * between a line and its flush.
 */
static void
stand_aside(struct cursor *c)
{
	if (c->lags)
		return;
	c->lags = true;
	app_log_weigh(c->log);
}

static void
on_flush(struct cursor *c)
{
	struct tap *t = (struct tap *)((char *)c - offsetof(struct tap, cursor));
	int64_t now_ms = clock_mono_ms();
	const struct segment *s;

	while ((s = cursor_unsent(c, 0, now_ms)) != NULL) {
		take_segment(t, s);
		cursor_sent(c, ++t->end, now_ms);
		(void)cursor_acked(c, t->end);
		cursor_release_all(c);
	}
	stand_aside(c);
	send_next(t);
}

/* Trimmed by the worker before a flush. */
static void
on_dropped(struct cursor *c, enum cursor_reason reason, uint64_t lines)
{
	struct tap *t = (struct tap *)((char *)c - offsetof(struct tap, cursor));

	(void)reason;
	t->dropped += lines;
}

struct tap *
tap_new(struct tap_list *list, struct app_log *log, uint64_t id, struct tap_filter *filter,
	struct mailbox *to, void (*deliver)(struct mail *, void *owner))
{
	struct tap *t = xcalloc(1, sizeof(*t));

	t->id = id;
	t->filter = *filter;
	*filter = (struct tap_filter){.text = NULL};
	t->to = to;
	t->deliver = deliver;
	TAILQ_INIT(&t->waiting);
	t->cursor.tap = true;
	t->cursor.flush = on_flush;
	t->cursor.dropped = on_dropped;
	cursor_open(&t->cursor, log, clock_mono_ms());
	log->ntaps++;
	stand_aside(&t->cursor);
	TAILQ_INSERT_TAIL(list, t, link);
	return t;
}

struct tap *
tap_find(const struct tap_list *list, uint64_t id)
{
	struct tap *t;

	TAILQ_FOREACH(t, list, link)
	if (t->id == id)
		return t;
	return NULL;
}

void
tap_next(struct tap *t)
{
	t->bytes -= t->with_reader;
	t->with_reader = 0;
	t->reading = false;
	send_next(t);
}

void
tap_free(struct tap_list *list, struct tap *t)
{
	struct tap_batch *b;

	TAILQ_REMOVE(list, t, link);
	t->cursor.log->ntaps--;
	(void)cursor_close(&t->cursor);
	while ((b = TAILQ_FIRST(&t->waiting)) != NULL) {
		TAILQ_REMOVE(&t->waiting, b, link);
		tap_batch_free(b);
	}
	free(t->filter.text);
	free(t);
}

void
tap_end_all(struct tap_list *list)
{
	struct tap_batch *b, *last;
	struct tap *t;

	while ((t = TAILQ_FIRST(list)) != NULL) {
		/* Every line that was read before the removal is sent or said to be missing. */
		on_flush(&t->cursor);
		TAILQ_FOREACH(b, &t->waiting, link)
		t->dropped += b->dropped + b->lines->lines;
		last = batch_new(t);
		last->last = true;
		mailbox_push(t->to, &last->mail);
		tap_free(list, t);
	}
}
