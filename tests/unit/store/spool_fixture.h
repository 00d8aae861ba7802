/* A spool in a folder of its own, and short ways to fill and read it.  For tests only. */
#ifndef SPOOL_FIXTURE_H
#define SPOOL_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/xmalloc.h"
#include "store/spool.h"

enum { FIXTURE_MAP_BYTES = 256 * 1024 * 1024 };

struct fixture {
	char dir[64];
	char file[96]; /* data.mdb */
	char err[512];
	uint64_t map_bytes;
	struct spool *spool;
	char *data; /* of the chunk that was made last */
};

static inline void
reopen(struct fixture *f)
{
	const struct spool_options options = {.dir = f->dir, .map_bytes = f->map_bytes};

	spool_close(f->spool);
	if (spool_open(&options, &f->spool, f->err, sizeof(f->err)) != SPOOL_OK)
		fail_msg("%s", f->err);
}

static inline int
setup_folder(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));

	strcpy(f->dir, "/tmp/penstock-spool-XXXXXX");
	if (mkdtemp(f->dir) == NULL)
		return -1;
	snprintf(f->file, sizeof(f->file), "%s/spool/data.mdb", f->dir);
	f->map_bytes = FIXTURE_MAP_BYTES;
	*state = f;
	return 0;
}

static inline int
setup(void **state)
{
	if (setup_folder(state) != 0)
		return -1;
	reopen(*state);
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

	spool_close(f->spool);
	nftw(f->dir, on_path, 16, FTW_DEPTH | FTW_PHYS);
	free(f->data);
	free(f);
	return 0;
}

/* Bytes that tell app, sequence and place; no two chunks have the same. */
static inline void
fill(char *p, size_t n, uint64_t app, uint64_t seq)
{
	uint64_t x = app * UINT64_C(0x9e3779b97f4a7c15) + seq;

	for (size_t i = 0; i < n; i++) {
		x = x * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
		p[i] = (char)(x >> 56);
	}
}

static inline struct spool_place
place(uint64_t seq, uint64_t bytes, uint64_t lines)
{
	return (struct spool_place){seq, SPOOL_ORIGIN + bytes, SPOOL_ORIGIN + lines};
}

/* Its data is good until the next is made. */
static inline struct spool_chunk
chunk_at(struct fixture *f, uint64_t app, struct spool_place at, uint32_t lines, uint32_t size)
{
	f->data = xrealloc(f->data, size);
	fill(f->data, size, app, at.seq);
	return (struct spool_chunk){.app = app,
				    .at = at,
				    .lines = lines,
				    .size = size,
				    .first_us = (int64_t)at.seq * 10,
				    .last_us = (int64_t)(at.seq + lines - 1) * 10,
				    .data = f->data};
}

/* Behind the app's log, or the first of it. */
static inline struct spool_chunk
chunk_next(struct fixture *f, uint64_t app, uint32_t lines, uint32_t size)
{
	const struct spool_log *log = spool_log_of(f->spool, app);

	return chunk_at(f, app, log != NULL ? log->end : place(1, 0, 0), lines, size);
}

#define assert_ok(call) assert_int_equal((call), SPOOL_OK)

static inline void
append(struct fixture *f, uint64_t app, uint32_t lines, uint32_t size)
{
	struct spool_chunk c = chunk_next(f, app, lines, size);

	assert_ok(spool_append(f->spool, &c));
}

static inline void
begin(struct fixture *f)
{
	assert_ok(spool_begin(f->spool));
}

static inline void
commit(struct fixture *f)
{
	enum spool_code code = spool_commit(f->spool);

	if (code != SPOOL_OK)
		fail_msg("%d: %s", code, spool_error(f->spool));
}

/* n chunks of 10 lines each, in one transaction. */
static inline void
add_chunks(struct fixture *f, uint64_t app, int n, uint32_t size)
{
	begin(f);
	for (int i = 0; i < n; i++)
		append(f, app, 10, size);
	commit(f);
}

static inline void
set_head(struct fixture *f, uint64_t app, struct spool_place head)
{
	begin(f);
	assert_ok(spool_set_marks(f->spool, app, &head, NULL, 0));
	commit(f);
}

/* What was read: places and sizes; data is compared at once. */
struct got {
	struct spool_chunk chunk[256];
	size_t n, damaged;
	size_t stop_at; /* 0: never */
};

static inline bool
on_chunk(const struct spool_chunk *c, void *arg)
{
	struct got *got = arg;
	char *want = xmalloc(c->size);

	assert_true(got->n < 256);
	got->chunk[got->n++] = *c;
	if (c->data == NULL) {
		got->damaged++;
	} else {
		fill(want, c->size, c->app, c->at.seq);
		assert_memory_equal(c->data, want, c->size);
	}
	free(want);
	return got->n != got->stop_at;
}

static inline struct got
read_from(struct fixture *f, uint64_t app, uint64_t seq, size_t limit)
{
	struct got got = {.stop_at = 256};
	enum spool_code code = spool_read(f->spool, app, seq, limit, on_chunk, &got);

	if (code != (got.n > 0 ? SPOOL_OK : SPOOL_NONE))
		fail_msg("%d: %s", code, spool_error(f->spool));
	return got;
}

static inline void
assert_place(struct spool_place is, struct spool_place want)
{
	assert_int_equal(is.seq, want.seq);
	assert_int_equal(is.bytes, want.bytes);
	assert_int_equal(is.lines, want.lines);
}

#endif
