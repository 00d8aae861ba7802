/*
 * A tap on an app's log: what its reader gets, and that it costs nobody else
 * anything.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <event2/event.h>

#include "base/xmalloc.h"
#include "ends/tap.h"

enum { ID = 7, FILLER = 1000 };

struct fixture {
	struct event_base *base;
	struct mailbox *mailbox;
	struct log_pool pool;
	struct app_log *log;
	struct tap_list taps;
	struct tap_batch *got[64]; /* that came, oldest first */
	unsigned ngot;
	unsigned next; /* number of the next line */
};

static void
on_batch(struct mail *mail, void *owner)
{
	struct fixture *f = owner;

	assert_true(f->ngot < 64);
	f->got[f->ngot++] = (struct tap_batch *)mail;
}

static int
setup(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));

	f->base = event_base_new();
	f->mailbox = mailbox_new(f->base, f);
	assert_non_null(f->mailbox);
	log_pool_init(&f->pool, 1024 * 1024, 16 * 1024 * 1024, 1);
	f->log = app_log_new(&f->pool, 1, "shop");
	TAILQ_INIT(&f->taps);
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	tap_end_all(&f->taps);
	mailbox_turn(f->mailbox);
	while (f->ngot > 0)
		tap_batch_free(f->got[--f->ngot]);
	assert_int_equal(f->log->ntaps, 0);
	app_log_free(f->log);
	assert_int_equal(f->pool.chunk_bytes, 0);
	assert_int_equal(f->pool.pressure, 0);
	assert_int_equal(f->pool.lagging, 0);
	log_pool_clear(&f->pool);
	mailbox_free(f->mailbox);
	event_base_free(f->base);
	free(f);
	return 0;
}

static struct tap *
open_tap(struct fixture *f, struct tap_filter filter)
{
	return tap_new(&f->taps, f->log, ID, &filter, f->mailbox, on_batch);
}

static struct tap_filter
all_lines(void)
{
	return (struct tap_filter){.lines = {.severity = 7}};
}

static void
append(struct fixture *f, const char *words, size_t filler)
{
	char *frame = xmalloc(filler + 256);
	int head = snprintf(frame, 256, "<%u>1 - h shop - - - line %u %s ", 8 + f->next % 8,
			    f->next, words);
	size_t n = (size_t)head + filler;
	char *dst = app_log_reserve(f->log, chunk_count_size(n) + n, 0);

	memset(frame + head, 'x', filler);
	dst += chunk_count_write(dst, n);
	memcpy(dst, frame, n);
	app_log_commit(f->log, chunk_count_size(n) + n);
	free(frame);
	f->next++;
}

/* As the worker does, and then what was mailed is delivered. */
static void
flush(struct fixture *f)
{
	struct cursor *c;

	TAILQ_FOREACH(c, &f->log->cursors, link)
	c->flush(c);
	mailbox_turn(f->mailbox);
}

static unsigned
number_of(struct slice frame)
{
	unsigned number = 0;
	const char *at = memmem(frame.p, frame.n, "line ", 5);

	assert_non_null(at);
	assert_int_equal(sscanf(at, "line %u", &number), 1);
	return number;
}

/* The oldest batch is read: its gap and lines follow *next, which moves on. */
static unsigned
read_batch(struct fixture *f, unsigned *next)
{
	struct tap_batch *b = f->got[0];
	struct slice frame;
	unsigned lines = 0;

	assert_true(f->ngot > 0);
	assert_int_equal(b->tap, ID);
	*next += (unsigned)b->dropped;
	for (uint32_t at = 0; at < b->lines->used;) {
		at = chunk_frame(b->lines, at, &frame);
		assert_int_equal(number_of(frame), *next);
		++*next;
		lines++;
	}
	assert_int_equal(lines, b->lines->lines);
	f->ngot--;
	memmove(&f->got[0], &f->got[1], f->ngot * sizeof(f->got[0]));
	tap_batch_free(b);
	return lines;
}

static void
lines_from_now_on_come_in_one_batch_at_a_time(void **state)
{
	struct fixture *f = *state;
	struct tap *other = open_tap(f, all_lines());
	struct tap *t;
	unsigned next = 2;

	append(f, "before", 0);
	append(f, "before", 0);
	t = open_tap(f, all_lines());
	assert_ptr_equal(tap_find(&f->taps, ID), other);
	tap_free(&f->taps, other);
	assert_ptr_equal(tap_find(&f->taps, ID), t);
	flush(f);
	assert_int_equal(f->ngot, 0);
	append(f, "", 0);
	append(f, "", 0);
	flush(f);
	append(f, "", 0);
	flush(f);
	assert_int_equal(f->ngot, 1);
	assert_int_equal(read_batch(f, &next), 2);
	tap_next(t);
	mailbox_turn(f->mailbox);
	assert_int_equal(read_batch(f, &next), 1);
	tap_next(t);
	mailbox_turn(f->mailbox);
	assert_int_equal(f->ngot, 0);
	append(f, "", 0);
	flush(f);
	assert_int_equal(read_batch(f, &next), 1);
	tap_free(&f->taps, t);
	assert_null(tap_find(&f->taps, ID));
}

static void
it_never_holds_the_log_nor_presses_anybody(void **state)
{
	struct fixture *f = *state;
	struct tap *t = open_tap(f, all_lines());

	for (int i = 0; i < 5000; i++) {
		append(f, "", FILLER);
		assert_int_equal(f->pool.pressure, 0);
		if (i % 50 != 49)
			continue;
		/* Under pressure all cursors are judged; a tap stays aside. */
		cursor_judge(&t->cursor, i % 100 == 49, i);
		flush(f);
		assert_true(app_log_is_idle(f->log));
		assert_true(f->pool.chunk_bytes <= 2 * CHUNK_FULL_BYTES);
	}
	assert_true(t->bytes <= TAP_BYTES);
	assert_int_equal(f->ngot, 1);
	assert_true(f->got[0]->lines->used <= TAP_BATCH_BYTES);
}

static void
what_its_reader_is_too_slow_for_is_said_where_it_is_missing(void **state)
{
	struct fixture *f = *state;
	struct tap *t = open_tap(f, all_lines());
	unsigned next = 0, lines = 0;

	for (int i = 0; i < 3000; i++) {
		append(f, "", FILLER);
		flush(f);
		/* It reads now and then, and never fast enough. */
		if (i % 200 == 199) {
			lines += read_batch(f, &next);
			tap_next(t);
			mailbox_turn(f->mailbox);
		}
	}
	while (f->ngot > 0) {
		lines += read_batch(f, &next);
		tap_next(t);
		mailbox_turn(f->mailbox);
	}
	assert_int_equal(next, 3000);
	assert_in_range(lines, 300, 2000);
	assert_int_equal(t->bytes, 0);
	/* And it is quick again: nothing is missing any more. */
	append(f, "", 0);
	flush(f);
	assert_int_equal(f->got[0]->dropped, 0);
	assert_int_equal(read_batch(f, &next), 1);
}

static void
a_gap_is_said_even_if_no_line_follows(void **state)
{
	struct fixture *f = *state;
	struct tap *t = open_tap(f, all_lines());
	unsigned next = 0;

	for (int i = 0; i < 600; i++)
		append(f, "", FILLER);
	flush(f);
	while (f->ngot > 0) {
		bool last = next + f->got[0]->dropped == 600 || f->got[0]->lines->lines == 0;

		(void)read_batch(f, &next);
		tap_next(t);
		mailbox_turn(f->mailbox);
		assert_true(!last || f->ngot == 0);
	}
	assert_int_equal(next, 600);
}

static void
its_filter_chooses_and_does_not_count_what_it_keeps_away(void **state)
{
	struct fixture *f = *state;
	struct tap_filter filter = {.lines = {.severity = 7, .nmatch = 1},
				    .text = xstrdup("wanted")};
	struct slice frame;
	struct tap *t;
	uint64_t seen = 0;

	filter.lines.match[0] = slice_str(filter.text);
	t = open_tap(f, filter);
	for (int i = 0; i < 2000; i++)
		append(f, i % 4 == 0 ? "wanted" : "other", FILLER);
	flush(f);
	while (f->ngot > 0) {
		struct tap_batch *b = f->got[--f->ngot];

		for (uint32_t at = 0; at < b->lines->used;) {
			at = chunk_frame(b->lines, at, &frame);
			assert_int_equal(number_of(frame) % 4, 0);
		}
		seen += b->dropped + b->lines->lines;
		tap_batch_free(b);
		tap_next(t);
		mailbox_turn(f->mailbox);
	}
	assert_int_equal(seen, 500);
}

static void
a_line_over_the_limit_comes_alone(void **state)
{
	struct fixture *f = *state;
	struct tap *t = open_tap(f, all_lines());
	unsigned next = 0;

	append(f, "", 2 * TAP_BYTES);
	append(f, "", 0);
	flush(f);
	assert_int_equal(read_batch(f, &next), 1);
	tap_next(t);
	mailbox_turn(f->mailbox);
	/* The short one did not fit next to it. */
	assert_int_equal(f->got[0]->dropped, 1);
	(void)read_batch(f, &next);
	assert_int_equal(next, 2);
}

static void
who_was_too_slow_gets_nothing_until_half_is_free(void **state)
{
	struct fixture *f = *state;
	struct tap_filter filter = {.lines = {.severity = 7, .nmatch = 1}, .text = xstrdup("line")};
	unsigned batches = 0;
	uint64_t missed;
	struct tap *t;
	bool full;

	filter.lines.match[0] = slice_str(filter.text);
	t = open_tap(f, filter);
	for (int i = 0; i < 400; i++)
		append(f, "", FILLER);
	flush(f);
	do {
		missed = t->dropped;
		tap_batch_free(f->got[--f->ngot]);
		tap_next(t);
		full = t->bytes > TAP_BYTES / 2;
		batches++;
		append(f, "", 0);
		flush(f);
		assert_int_equal(t->dropped, full ? missed + 1 : 0);
	} while (full);
	/* Each of them is a quarter of it. */
	assert_in_range(batches, 2, 3);
}

static void
what_the_worker_trims_is_missing_too(void **state)
{
	struct fixture *f = *state;
	struct tap *t = open_tap(f, all_lines());
	unsigned next = 0;

	for (int i = 0; i < 3; i++)
		append(f, "", 0);
	cursor_trim(&t->cursor, 0);
	append(f, "", 0);
	flush(f);
	assert_int_equal(f->got[0]->dropped, 3);
	assert_int_equal(read_batch(f, &next), 1);
	assert_int_equal(next, 4);
}

static void
the_app_goes_and_the_reader_hears_of_all_it_missed(void **state)
{
	struct fixture *f = *state;
	unsigned next = 0;

	open_tap(f, all_lines());
	append(f, "", 0);
	flush(f);
	/* Waits while the first batch is read; and one is not even flushed. */
	append(f, "", 0);
	flush(f);
	append(f, "", 0);
	tap_end_all(&f->taps);
	mailbox_turn(f->mailbox);
	assert_int_equal(f->ngot, 2);
	assert_false(f->got[0]->last);
	(void)read_batch(f, &next);
	assert_true(f->got[0]->last);
	assert_int_equal(f->got[0]->dropped, 2);
	(void)read_batch(f, &next);
	assert_int_equal(next, 3);
}

#define TAP_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TAP_TEST(lines_from_now_on_come_in_one_batch_at_a_time),
	    TAP_TEST(it_never_holds_the_log_nor_presses_anybody),
	    TAP_TEST(what_its_reader_is_too_slow_for_is_said_where_it_is_missing),
	    TAP_TEST(a_gap_is_said_even_if_no_line_follows),
	    TAP_TEST(its_filter_chooses_and_does_not_count_what_it_keeps_away),
	    TAP_TEST(a_line_over_the_limit_comes_alone),
	    TAP_TEST(who_was_too_slow_gets_nothing_until_half_is_free),
	    TAP_TEST(what_the_worker_trims_is_missing_too),
	    TAP_TEST(the_app_goes_and_the_reader_hears_of_all_it_missed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
