/* Which things are told one by one, and that what is counted is counted once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin/metrics_pick.h"

enum { THINGS = 40 };

/* One thing of the world that is picked from; key 0: it is gone. */
struct thing {
	uint64_t key, count;
	bool problem, never;
};

/* What an answer said. */
struct said {
	bool picked;
	uint64_t shown;
};

static void
run(struct pick *p, const struct thing *things, size_t n, struct said *said)
{
	struct pick_entry *entries = calloc(n + 1, sizeof(*entries));
	size_t m = 0;

	memset(said, 0, n * sizeof(*said));
	/* The order that they come in must not matter. */
	for (size_t i = n; i-- > 0;) {
		if (things[i].key == 0)
			continue;
		entries[m++] = (struct pick_entry){.key = things[i].key,
						   .index = i,
						   .problem = things[i].problem,
						   .never = things[i].never,
						   .count = {things[i].count, things[i].count / 2}};
	}
	pick_run(p, entries, m);
	for (size_t i = 0; i < m; i++) {
		assert_true(i == 0 || entries[i - 1].key < entries[i].key);
		said[entries[i].index] = (struct said){entries[i].picked, entries[i].count[0]};
	}
	free(entries);
}

static void
all_are_told_while_there_is_room(void **state)
{
	struct pick p = {.max = 2};
	struct thing things[] = {{1, 5, false, false}, {2, 7, false, false}};
	struct said said[2];

	(void)state;
	run(&p, things, 2, said);
	assert_true(said[0].picked && said[1].picked);
	assert_int_equal(said[0].shown, 5);
	assert_int_equal(said[1].shown, 7);
	assert_int_equal(p.others[0], 0);
	run(&p, things, 0, said);
	assert_int_equal(p.others[0], 0);
	pick_clear(&p);
}

static void
problems_come_first_then_the_busiest(void **state)
{
	struct pick p = {.max = 2};
	struct thing things[] = {{1, 100, false, false},
				 {2, 0, true, false},
				 {3, 50, false, false},
				 {4, 200, false, true}};
	struct said said[4];

	(void)state;
	run(&p, things, 4, said);
	assert_true(said[0].picked && said[1].picked && !said[2].picked && !said[3].picked);
	assert_int_equal(p.others[0], 250);
	assert_int_equal(p.others[1], 125);
	pick_clear(&p);
}

static void
who_is_told_stays_until_another_is_twice_as_busy(void **state)
{
	struct pick p = {.max = 1};
	struct thing things[] = {{1, 100, false, false}, {2, 99, false, false}};
	struct said said[2];

	(void)state;
	run(&p, things, 2, said);
	assert_true(said[0].picked);
	things[0].count += 100;
	things[1].count += 200;
	run(&p, things, 2, said);
	assert_true(said[0].picked);
	things[0].count += 100;
	things[1].count += 202;
	run(&p, things, 2, said);
	assert_true(said[1].picked);
	/* Nothing moves: nothing changes. */
	run(&p, things, 2, said);
	assert_true(said[1].picked);
	pick_clear(&p);
}

static void
what_was_counted_among_the_others_is_not_told_again(void **state)
{
	struct pick p = {.max = 1};
	struct thing things[] = {{1, 100, true, false}, {2, 10, false, false}};
	struct said said[2];

	(void)state;
	run(&p, things, 2, said);
	assert_int_equal(said[0].shown, 100);
	assert_int_equal(p.others[0], 10);
	/* They change places. */
	things[0] = (struct thing){1, 130, false, false};
	things[1] = (struct thing){2, 15, true, false};
	run(&p, things, 2, said);
	assert_true(said[1].picked);
	assert_int_equal(said[1].shown, 5);
	assert_int_equal(p.others[0], 10 + 30);
	/* And back: the series goes on where it ended. */
	things[0] = (struct thing){1, 131, true, false};
	things[1] = (struct thing){2, 17, false, false};
	run(&p, things, 2, said);
	assert_int_equal(said[0].shown, 101);
	assert_int_equal(p.others[0], 10 + 30 + 2);
	/* What is gone leaves its part with the others. */
	things[1].key = 0;
	run(&p, things, 2, said);
	assert_int_equal(p.others[0], 10 + 30 + 2);
	things[0].key = 0;
	run(&p, things, 2, said);
	assert_int_equal(p.others[0], 10 + 30 + 2);
	pick_clear(&p);
}

static void
a_counter_that_is_corrected_downwards_waits(void **state)
{
	struct pick p = {.max = 1};
	struct thing things[] = {{1, 100, true, false}, {2, 50, false, false}};
	struct said said[2];

	(void)state;
	run(&p, things, 2, said);
	things[0].count = 90;
	things[1].count = 0;
	run(&p, things, 2, said);
	assert_int_equal(said[0].shown, 100);
	assert_int_equal(p.others[0], 50);
	things[0].count = 101;
	things[1].count = 51;
	run(&p, things, 2, said);
	assert_int_equal(said[0].shown, 101);
	assert_int_equal(p.others[0], 51);
	pick_clear(&p);
}

/* The world of the test below, and what the last answer said of it. */
struct world {
	struct thing things[THINGS];
	struct said said[THINGS];
	uint64_t counted[THINGS]; /* when it was said */
	uint64_t keys;
	uint64_t gone_counted, gone_shown; /* of things that are not any more */
};

/* Things come, have problems and go, and all count. */
static void
world_moves(struct world *w)
{
	for (size_t i = 0; i < THINGS; i++) {
		struct thing *t = &w->things[i];
		long dice = random() % 100;

		if (t->key == 0 && dice < 10) {
			*t = (struct thing){++w->keys, 0, dice < 2, dice == 5};
			w->said[i] = (struct said){false, 0};
			w->counted[i] = 0;
		} else if (t->key != 0 && dice < 3) {
			w->gone_counted += w->counted[i];
			w->gone_shown += w->said[i].shown;
			t->key = 0;
		} else if (t->key != 0 && dice < 6) {
			t->problem = !t->problem;
		}
		if (t->key != 0 && dice % 2 == 0)
			t->count += (uint64_t)random() % 50;
	}
}

static void
every_count_is_told_once_and_none_is_taken_back(void **state)
{
	struct pick p = {.max = 7};
	struct world *w = calloc(1, sizeof(*w));
	struct said said[THINGS];
	uint64_t others = 0, all, told;
	unsigned picked;

	(void)state;
	srandom(1);
	for (int round = 0; round < 2000; round++) {
		world_moves(w);
		run(&p, w->things, THINGS, said);
		all = w->gone_counted;
		told = w->gone_shown + p.others[0];
		picked = 0;
		for (size_t i = 0; i < THINGS; i++) {
			if (w->things[i].key == 0)
				continue;
			all += w->things[i].count;
			told += said[i].shown;
			picked += said[i].picked;
			assert_true(said[i].shown >= w->said[i].shown);
			assert_false(said[i].picked && w->things[i].never);
			w->said[i] = said[i];
			w->counted[i] = w->things[i].count;
		}
		assert_int_equal(told, all);
		assert_true(p.others[0] >= others);
		assert_true(picked <= p.max);
		others = p.others[0];
	}
	assert_true(others > 0 && w->keys > THINGS);
	pick_clear(&p);
	free(w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(all_are_told_while_there_is_room),
	    cmocka_unit_test(problems_come_first_then_the_busiest),
	    cmocka_unit_test(who_is_told_stays_until_another_is_twice_as_busy),
	    cmocka_unit_test(what_was_counted_among_the_others_is_not_told_again),
	    cmocka_unit_test(a_counter_that_is_corrected_downwards_waits),
	    cmocka_unit_test(every_count_is_told_once_and_none_is_taken_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
