/*
 * A spool in memory, of one app: what was committed of its log, as store/spool.h
 * says it.  For tests only.
 */
#ifndef FAKE_SPOOL_H
#define FAKE_SPOOL_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/xmalloc.h"
#include "log/spooler.h"

enum { FAKE_MARKS = 16 };

struct fake_chunk {
	struct spool_chunk is; /* data is malloc'd */
	bool damaged;	       /* its bytes are not what they were */
	bool unplaced;	       /* nor is it known what they were */
};

struct fake_spool {
	struct fake_chunk *chunks; /* in order */
	size_t n, cap;
	struct spool_mark marks[FAKE_MARKS];
	size_t nmarks;
	bool known;
	struct spool_place head, end;
};

static inline struct spool_place
fake_behind(const struct spool_chunk *c)
{
	return (struct spool_place){c->at.seq + c->lines, c->at.bytes + c->size,
				    c->at.lines + c->lines};
}

static inline bool
is_behind(const struct spool_place *a, const struct spool_place *b)
{
	return b->seq >= a->seq && b->bytes >= a->bytes && b->lines >= a->lines;
}

static inline void
fake_delete(struct fake_spool *s, size_t i)
{
	free((char *)(uintptr_t)s->chunks[i].is.data);
	s->n--;
	memmove(&s->chunks[i], &s->chunks[i + 1], (s->n - i) * sizeof(s->chunks[0]));
}

static inline void
fake_clear(struct fake_spool *s)
{
	while (s->n > 0)
		fake_delete(s, s->n - 1);
	free(s->chunks);
	*s = (struct fake_spool){0};
}

/* What cannot be appended is a fault of who asks for it. */
static inline void
fake_append(struct fake_spool *s, const struct spool_chunk *c, const char *data)
{
	const struct spool_place behind = fake_behind(c);
	struct spool_place before;
	char *copy;
	size_t i = 0;

	assert_true(c->lines > 0 && c->size > 0);
	while (i < s->n && s->chunks[i].is.at.seq < c->at.seq)
		i++;
	if (i > 0) {
		before = fake_behind(&s->chunks[i - 1].is);
		assert_true(is_behind(&before, &c->at));
	}
	if (i < s->n && s->chunks[i].is.at.seq == c->at.seq) {
		/* Said to have failed, and there all the same. */
		assert_int_equal(s->chunks[i].is.size, c->size);
		assert_memory_equal(s->chunks[i].is.data, data, c->size);
		return;
	}
	assert_true(i == s->n || is_behind(&behind, &s->chunks[i].is.at));
	if (s->n == s->cap) {
		s->cap = s->cap > 0 ? s->cap * 2 : 16;
		s->chunks = xrealloc(s->chunks, s->cap * sizeof(s->chunks[0]));
	}
	memmove(&s->chunks[i + 1], &s->chunks[i], (s->n - i) * sizeof(s->chunks[0]));
	s->n++;
	copy = xmalloc(c->size);
	memcpy(copy, data, c->size);
	s->chunks[i] = (struct fake_chunk){.is = *c};
	s->chunks[i].is.data = copy;
	if (!s->known)
		s->head = s->end = c->at;
	s->known = true;
	if (is_behind(&s->end, &behind))
		s->end = behind;
}

/* Chunks before the head go, as they may at any time. */
static inline void
fake_tidy(struct fake_spool *s)
{
	while (s->n > 0 && fake_behind(&s->chunks[0].is).seq <= s->head.seq)
		fake_delete(s, 0);
}

static inline void
fake_write(struct fake_spool *s, const struct spool_commit *commit)
{
	size_t at = 0;

	for (size_t p = 0; p < commit->nparts; p++) {
		const struct spool_part *part = &commit->parts[p];

		for (size_t i = 0; i < part->nchunks; i++) {
			fake_append(s, &commit->chunks[part->chunk + i], commit->data.p + at);
			at += commit->chunks[part->chunk + i].size;
		}
		if (s->known)
			assert_true(is_behind(&part->head, &s->end) ||
				    is_behind(&s->end, &part->head));
		assert_true(part->nmarks <= FAKE_MARKS);
		s->nmarks = part->nmarks;
		for (size_t i = 0; i < part->nmarks; i++)
			s->marks[i] = commit->marks[part->mark + i];
		s->head = part->head;
		if (!s->known || is_behind(&s->end, &part->head))
			s->end = part->head;
		s->known = true;
		fake_tidy(s);
	}
}

static inline void
fake_read(const struct fake_spool *s, struct spool_fetch *f)
{
	uint64_t seq = f->seq > s->head.seq ? f->seq : s->head.seq;
	size_t i = 0, given = 0;

	f->code = SPOOL_NONE;
	while (i < s->n && fake_behind(&s->chunks[i].is).seq <= seq)
		i++;
	for (; i < s->n && f->n < SPOOL_FETCH_CHUNKS; i++) {
		const struct fake_chunk *from = &s->chunks[i];
		char *data;

		if (from->unplaced) {
			f->left_out = true;
			continue;
		}
		if (given > 0 && given + from->is.size > f->limit)
			break;
		given += from->is.size;
		f->chunks[f->n] = from->is;
		f->chunks[f->n].data = NULL;
		if (!from->damaged) {
			data = xmalloc(from->is.size);
			memcpy(data, from->is.data, from->is.size);
			f->chunks[f->n].data = data;
		}
		f->n++;
		f->code = SPOOL_OK;
	}
}

/* NULL: there is none. */
static inline const struct spool_place *
fake_mark(const struct fake_spool *s, uint64_t drain)
{
	for (size_t i = 0; i < s->nmarks; i++)
		if (s->marks[i].drain == drain)
			return &s->marks[i].at;
	return NULL;
}

#endif
