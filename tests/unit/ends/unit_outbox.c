/* Bundles for other workers: what was put in comes out there, and the bytes on the way are known.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <event2/event.h>

#include "ends/outbox.h"

enum { WORKERS = 3, RECORD_HEAD_BYTES = 12, BUNDLES_MAX = 4 };

/* A worker as far as an outbox knows one: a mailbox, and the bundles that came. */
struct fake_worker {
	struct post post;
	struct bundle *came[BUNDLES_MAX];
	unsigned n;
};

static struct event_base *base;
static struct fake_worker workers[WORKERS];
static struct post *posts[WORKERS];
static struct outbox outbox;

static void
on_bundle(struct mail *mail, void *owner)
{
	struct fake_worker *w = owner;

	assert_true(w->n < BUNDLES_MAX);
	w->came[w->n++] = (struct bundle *)mail;
}

static int
setup(void **state)
{
	(void)state;
	base = event_base_new();
	memset(workers, 0, sizeof(workers));
	for (unsigned i = 0; i < WORKERS; i++) {
		workers[i].post.mailbox = mailbox_new(base, &workers[i]);
		assert_non_null(workers[i].post.mailbox);
		posts[i] = &workers[i].post;
	}
	outbox_init(&outbox, posts, WORKERS, on_bundle);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	outbox_clear(&outbox);
	for (unsigned i = 0; i < WORKERS; i++) {
		mailbox_turn(workers[i].post.mailbox);
		for (unsigned k = 0; k < workers[i].n; k++)
			bundle_free(workers[i].came[k]);
		mailbox_free(workers[i].post.mailbox);
	}
	event_base_free(base);
	return 0;
}

static void
add(unsigned worker, uint64_t app, const char *text, size_t n)
{
	memcpy(outbox_add(&outbox, worker, app, n), text, n);
}

static void
assert_record(const struct bundle *b, size_t *at, uint64_t want_app, const char *text, size_t n)
{
	struct slice frame;
	uint64_t app;

	assert_true(bundle_next(b, at, &app, &frame));
	assert_int_equal(app, want_app);
	assert_true(slice_eq(frame, slice_of(text, n)));
}

static void
records_come_out_as_they_were_put_in(void **state)
{
	uint64_t app;
	struct slice frame;
	unsigned fullest;
	size_t at = 0;

	(void)state;
	add(1, 7, "3 abc", 5);
	add(1, UINT64_MAX, "2 \0\n", 4);
	add(1, 7, "", 0);
	outbox_post(&outbox, &fullest);
	assert_int_equal(workers[1].n, 0);
	mailbox_turn(workers[1].post.mailbox);
	assert_int_equal(workers[1].n, 1);
	assert_record(workers[1].came[0], &at, 7, "3 abc", 5);
	assert_record(workers[1].came[0], &at, UINT64_MAX, "2 \0\n", 4);
	assert_record(workers[1].came[0], &at, 7, "", 0);
	assert_false(bundle_next(workers[1].came[0], &at, &app, &frame));
	assert_false(bundle_next(workers[1].came[0], &at, &app, &frame));
}

static void
each_worker_gets_one_bundle_of_its_own_lines(void **state)
{
	unsigned fullest = 99;
	size_t at = 0;

	(void)state;
	add(0, 1, "to 0", 4);
	add(2, 2, "to 2", 4);
	add(0, 1, "again", 5);
	outbox_post(&outbox, &fullest);
	for (unsigned i = 0; i < WORKERS; i++)
		mailbox_turn(workers[i].post.mailbox);
	assert_int_equal(workers[0].n, 1);
	assert_int_equal(workers[1].n, 0);
	assert_int_equal(workers[2].n, 1);
	assert_record(workers[0].came[0], &at, 1, "to 0", 4);
	assert_record(workers[0].came[0], &at, 1, "again", 5);
	at = 0;
	assert_record(workers[2].came[0], &at, 2, "to 2", 4);
}

/* Sizes around the first allocation, and one line over many times of it; ASan watches. */
static void
a_bundle_grows_as_needed(void **state)
{
	static char text[300 * 1024];
	unsigned fullest;
	uint64_t app;
	struct slice frame;

	(void)state;
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (char)('a' + i % 23);
	for (size_t n = 4096 - RECORD_HEAD_BYTES - 2; n < 4096 - RECORD_HEAD_BYTES + 3; n++) {
		size_t at = 0;

		add(1, n, text, n);
		add(1, n + 1, text, sizeof(text) - n);
		for (size_t i = 0; i < 1000; i++)
			add(1, i, text + i, i);
		outbox_post(&outbox, &fullest);
		mailbox_turn(workers[1].post.mailbox);
		assert_int_equal(workers[1].n, 1);
		assert_record(workers[1].came[0], &at, n, text, n);
		assert_record(workers[1].came[0], &at, n + 1, text, sizeof(text) - n);
		for (size_t i = 0; i < 1000; i++)
			assert_record(workers[1].came[0], &at, i, text + i, i);
		assert_false(bundle_next(workers[1].came[0], &at, &app, &frame));
		bundle_free(workers[1].came[0]);
		workers[1].n = 0;
	}
}

static void
bytes_on_the_way_are_counted_until_taken_in(void **state)
{
	unsigned fullest = 99;

	(void)state;
	add(1, 7, "0123456789", 10);
	assert_int_equal(atomic_load(&workers[1].post.waiting), 0);
	assert_int_equal(outbox_post(&outbox, &fullest), RECORD_HEAD_BYTES + 10);
	assert_int_equal(fullest, 1);
	add(1, 7, "0123", 4);
	assert_int_equal(outbox_post(&outbox, &fullest), 2 * RECORD_HEAD_BYTES + 14);
	assert_int_equal(atomic_load(&workers[1].post.waiting), 2 * RECORD_HEAD_BYTES + 14);
	mailbox_turn(workers[1].post.mailbox);
	assert_int_equal(workers[1].n, 2);
	/* A receiver takes a bundle's n off: no more and no less than was put on. */
	assert_int_equal(workers[1].came[0]->n + workers[1].came[1]->n,
			 atomic_load(&workers[1].post.waiting));
}

static void
a_post_names_the_fullest_of_those_it_went_to(void **state)
{
	unsigned fullest = 99;

	(void)state;
	/* Very full, but nothing goes there. */
	atomic_store(&workers[0].post.waiting, 1000000);
	atomic_store(&workers[2].post.waiting, 500);
	add(1, 7, "12345678901234567890", 20);
	add(2, 7, "1", 1);
	assert_int_equal(outbox_post(&outbox, &fullest), 500 + RECORD_HEAD_BYTES + 1);
	assert_int_equal(fullest, 2);
	/* Whichever comes first. */
	add(0, 7, "1", 1);
	add(2, 7, "1", 1);
	assert_int_equal(outbox_post(&outbox, &fullest), 1000000 + RECORD_HEAD_BYTES + 1);
	assert_int_equal(fullest, 0);
}

static void
without_lines_nothing_is_posted(void **state)
{
	unsigned fullest = 99;

	(void)state;
	assert_int_equal(outbox_post(&outbox, &fullest), 0);
	add(0, 1, "x", 1);
	outbox_post(&outbox, &fullest);
	fullest = 99;
	assert_int_equal(outbox_post(&outbox, &fullest), 0);
	assert_int_equal(fullest, 99);
	mailbox_turn(workers[0].post.mailbox);
	assert_int_equal(workers[0].n, 1);
}

/* What was gathered and never posted goes with the outbox; LeakSanitizer watches. */
static void
clearing_frees_what_was_not_posted(void **state)
{
	(void)state;
	add(0, 1, "x", 1);
	add(2, 1, "y", 1);
	outbox_clear(&outbox);
	outbox_init(&outbox, posts, WORKERS, on_bundle);
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
	    T(records_come_out_as_they_were_put_in),
	    T(each_worker_gets_one_bundle_of_its_own_lines),
	    T(a_bundle_grows_as_needed),
	    T(bytes_on_the_way_are_counted_until_taken_in),
	    T(a_post_names_the_fullest_of_those_it_went_to),
	    T(without_lines_nothing_is_posted),
	    T(clearing_frees_what_was_not_posted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
