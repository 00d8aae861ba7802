/*
 * A spooler with a spool in a folder of its own, and the test's thread in the
 * part of a worker that gets the answers.  For tests only.
 */
#ifndef SPOOLER_TEST_H
#define SPOOLER_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <event2/event.h>
#include <ftw.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/xmalloc.h"
#include "log/spooler.h"

/* Longer than anything takes; a test that waits so long has failed. */
enum { WAIT_MS = 60000 };

enum { ANSWERS_MAX = 4096 };

/* One that asks, and what it was told, in order. */
struct home {
	struct event_base *base;
	struct mailbox *box;
	const struct mail *order[ANSWERS_MAX]; /* of all answers; may be freed by now */
	struct spool_commit *commits[ANSWERS_MAX];
	struct spool_fetch *fetches[ANSWERS_MAX];
	struct spool_trim *trims[ANSWERS_MAX];
	size_t n, ncommits, nfetches, ntrims;
};

struct fixture {
	char dir[64];
	struct spool *spool; /* the spooler's, once there is one */
	struct spooler *spooler;
	struct spooler_options options;
	uint64_t map_bytes;
	struct home home;
};

/* The log of an app as its worker knows it. */
struct source {
	uint64_t app;
	struct spool_place head, end;
};

static inline void
on_commit_answer(struct mail *mail, void *owner)
{
	struct home *h = owner;

	assert_true(h->n < ANSWERS_MAX);
	h->order[h->n++] = mail;
	h->commits[h->ncommits++] = (struct spool_commit *)mail;
}

static inline void
on_fetch_answer(struct mail *mail, void *owner)
{
	struct home *h = owner;

	assert_true(h->n < ANSWERS_MAX);
	h->order[h->n++] = mail;
	h->fetches[h->nfetches++] = (struct spool_fetch *)mail;
}

static inline void
on_trim(struct mail *mail, void *owner)
{
	struct home *h = owner;

	assert_true(h->ntrims < ANSWERS_MAX);
	h->trims[h->ntrims++] = (struct spool_trim *)mail;
}

static inline void
home_open(struct home *h)
{
	memset(h, 0, sizeof(*h));
	h->base = event_base_new();
	h->box = mailbox_new(h->base, h);
	assert_non_null(h->box);
}

/* Forgets what it was told. */
static inline void
home_clear(struct home *h)
{
	for (size_t i = 0; i < h->ncommits; i++)
		spool_commit_free(h->commits[i]);
	for (size_t i = 0; i < h->nfetches; i++)
		spool_fetch_free(h->fetches[i]);
	for (size_t i = 0; i < h->ntrims; i++)
		free(h->trims[i]);
	h->n = h->ncommits = h->nfetches = h->ntrims = 0;
}

static inline void
home_close(struct home *h)
{
	mailbox_turn(h->box);
	home_clear(h);
	mailbox_free(h->box);
	event_base_free(h->base);
}

/* Until *count is n. */
static inline void
home_wait(struct home *h, const size_t *count, size_t n)
{
	const struct timeval step = {.tv_usec = 20000};
	int64_t since_ms = clock_mono_ms();

	while (*count < n) {
		if (clock_mono_ms() - since_ms > WAIT_MS)
			fail_msg("%zu of %zu answers in %d ms", *count, n, WAIT_MS);
		event_base_loopexit(h->base, &step);
		event_base_loop(h->base, EVLOOP_ONCE);
	}
	assert_int_equal(*count, n);
}

static inline void
open_spool(struct fixture *f)
{
	const struct spool_options options = {.dir = f->dir, .map_bytes = f->map_bytes};
	char err[512];

	if (spool_open(&options, &f->spool, err, sizeof(err)) != SPOOL_OK)
		fail_msg("%s", err);
}

static inline void
new_spooler(struct fixture *f)
{
	open_spool(f);
	f->options.spool = f->spool;
	f->spooler = spooler_new(&f->options);
}

/* Ends it, and opens the spool again, for looking into it. */
static inline void
end_spooler(struct fixture *f)
{
	spooler_stop(f->spooler);
	spooler_free(f->spooler);
	f->spooler = NULL;
	mailbox_turn(f->home.box);
	open_spool(f);
}

static inline int
setup(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));

	strcpy(f->dir, "/tmp/penstock-spooler-XXXXXX");
	if (mkdtemp(f->dir) == NULL)
		return -1;
	f->map_bytes = 64 << 20;
	f->options = (struct spooler_options){.app_cap = UINT64_C(1) << 40,
					      .size = UINT64_C(1) << 40,
					      .age_us = INT64_C(1000000) * 3600 * 24 * 365,
					      .trim = on_trim};
	home_open(&f->home);
	*state = f;
	return 0;
}

static inline int
on_path(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(path);
}

static inline int
teardown(void **state)
{
	struct fixture *f = *state;

	if (f->spooler != NULL) {
		spooler_stop(f->spooler);
		spooler_free(f->spooler);
	} else {
		spool_close(f->spool);
	}
	home_close(&f->home);
	nftw(f->dir, on_path, 16, FTW_DEPTH | FTW_PHYS);
	free(f);
	return 0;
}

static inline struct source
source_of(uint64_t app)
{
	const struct spool_place first = {
	    .seq = app << 40, .bytes = SPOOL_ORIGIN, .lines = SPOOL_ORIGIN};

	return (struct source){.app = app, .head = first, .end = first};
}

/* The bytes that a chunk at a place has. */
static inline void
chunk_fill(char *p, uint64_t app, const struct spool_place *at, size_t size)
{
	uint64_t x = app * 1000003 + at->seq * 31 + 7;

	for (size_t i = 0; i < size; i++) {
		x = x * UINT64_C(6364136223846793005) + 1442695040888963407;
		p[i] = (char)(x >> 56);
	}
}

/* Adds a chunk to the commit's last part; it came at that time. */
static inline void
add_chunk_of_time(struct spool_commit *c, struct source *s, uint32_t size, int64_t us)
{
	struct spool_chunk chunk = {
	    .app = s->app, .at = s->end, .lines = 10, .size = size, .first_us = us, .last_us = us};
	char *data = xmalloc(size);

	chunk_fill(data, s->app, &s->end, size);
	chunk.data = data;
	spool_commit_chunk(c, &chunk);
	free(data);
	s->end.seq += chunk.lines;
	s->end.lines += chunk.lines;
	s->end.bytes += size;
}

static inline void
add_chunk(struct spool_commit *c, struct source *s, uint32_t size)
{
	add_chunk_of_time(c, s, size, clock_age_us());
}

/* A commit with one part of so many chunks, and a mark at its head. */
static inline struct spool_commit *
commit_of(struct home *h, struct source *s, int chunks, uint32_t size)
{
	struct spool_commit *c = spool_commit_new(h->box, on_commit_answer);

	spool_commit_part(c, s->app, &s->head);
	for (int i = 0; i < chunks; i++)
		add_chunk(c, s, size);
	spool_commit_mark(c, s->app + 1000, &s->head);
	return c;
}

static inline struct spool_fetch *
fetch_of(struct home *h, uint64_t app, uint64_t seq, size_t limit)
{
	struct spool_fetch *fetch = xcalloc(1, sizeof(*fetch));

	fetch->back = h->box;
	fetch->done = on_fetch_answer;
	fetch->app = app;
	fetch->seq = seq;
	fetch->limit = limit;
	return fetch;
}

/* A chunk is what add_chunk made. */
static inline void
check_chunk(const struct spool_chunk *c, uint64_t app)
{
	char *want = xmalloc(c->size);

	assert_int_equal(c->app, app);
	assert_int_equal(c->lines, 10);
	assert_non_null(c->data);
	chunk_fill(want, app, &c->at, c->size);
	assert_memory_equal(c->data, want, c->size);
	free(want);
}

#endif
