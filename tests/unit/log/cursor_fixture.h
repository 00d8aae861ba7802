/*
 * cursor_fixture -- a log with one cursor, and room for another.
 */
#ifndef CURSOR_FIXTURE_H
#define CURSOR_FIXTURE_H

#include "log_test.h"

static inline const struct segment *
cursor_oldest(const struct cursor *c)
{
	return &c->ring[c->head];
}

struct fixture {
	struct log_pool pool;
	struct app_log *log;
	struct cursor a, b;
	uint64_t tcp;
};

static inline int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	log_pool_init(&f->pool, 256 * 1024, 16 * 1024 * 1024, 3);
	f->log = app_log_new(&f->pool, 1, "web");
	open_cursor(&f->a, f->log);
	test_dropped = 0;
	*state = f;
	return 0;
}

static inline int
teardown(void **state)
{
	struct fixture *f = *state;

	if (f->a.log != NULL)
		cursor_close(&f->a);
	if (f->b.log != NULL)
		cursor_close(&f->b);
	assert_int_equal(f->log->ncursors, 0);
	app_log_free(f->log);
	log_pool_clear(&f->pool);
	assert_int_equal(f->pool.chunk_bytes, 0);
	assert_int_equal(f->pool.pressure, 0);
	assert_int_equal(f->pool.lagging, 0);
	assert_int_equal(f->pool.holders, 0);
	free(f);
	return 0;
}

static inline void
append_many(struct fixture *f, unsigned from, unsigned to, size_t size)
{
	for (unsigned i = from; i < to; i++)
		append_line(f->log, i, size, 0);
}

#endif
