/*
 * Every line of a drain over HTTP counts once, whatever its receiver says and in
 * whatever order: random appends, answers, failures and waits.
 */
#include "drain_post_fixture.h"

enum { LINES_MAX = 20000, ROUNDS = 400, SEEDS = 60 };

/* What the receiver took of each line. */
static bool took[LINES_MAX];
static unsigned seed;

static unsigned
any(unsigned n)
{
	seed = seed * 1103515245 + 12345;
	return (seed >> 8) % n;
}

static bool
is_poison(unsigned line)
{
	return line % 53 == 7;
}

/* Calls each for "line-N." wherever it stands; true: it was so for one of them. */
static bool
read_lines(const char *body, bool (*each)(unsigned line))
{
	bool found = false;
	unsigned line;

	for (const char *at = body; (at = strstr(at, "line-")) != NULL; at++) {
		assert_int_equal(sscanf(at, "line-%u.", &line), 1);
		found = each(line) || found;
	}
	return found;
}

static bool
take(unsigned line)
{
	took[line] = true;
	return true;
}

static void
answer_any(struct fixture *f, unsigned trouble)
{
	unsigned i = any(ncalls);

	f->env.encoded = any(4) == 0 ? 1 << 20 : 0;
	if (any(100) < trouble) {
		answer_retry_after(i, (int[]){0, 503, 403, 429}[any(4)], "", any(2) ? 50 : -1);
	} else if (read_lines(calls[i]->body, is_poison)) {
		answer(i, any(2) ? 400 : 413, "");
	} else {
		(void)read_lines(calls[i]->body, take);
		answer(i, 200, "");
	}
}

static void
add_random_drain(struct fixture *f)
{
	static const char *const numbers[] = {"1", "2", "7", "32"};
	/* An empty value is none. */
	struct drain_input in[] = {{"url", "http://127.0.0.1:8080/"},
				   {"format", any(2) ? "json" : "line"},
				   {"concurrency", numbers[any(4)]},
				   {"exclude", any(2) ? "3." : ""},
				   {"rate", any(3) == 0 ? "500" : ""}};
	struct drain_errors errors;
	struct drain_conf conf;

	assert_true(drain_conf_make(&conf, drain_type_find("elk"), in, 5, &errors));
	f->d = drain_new(&f->env, f->log, 42, &conf);
}

static uint64_t
accounted(struct fixture *f)
{
	const struct stats *s = &f->stats;

	return stats_get(&s->lines_delivered) + stats_get(&s->lines_filtered) +
	       stats_get(&s->lines_dropped_memory) + stats_get(&s->lines_dropped_rate) +
	       stats_get(&s->lines_dropped_refused) + stats_get(&s->lines_dropped_removed) +
	       stats_get(&s->lines_dropped_stop);
}

/* Something will go on with what waits: an answer, the timer, or the log's next turn. */
static void
goes_on(struct fixture *f)
{
	if (cursor_waiting_bytes(&f->d->cursor) > 0 || f->d->post->nbatches > 0)
		assert_true(ncalls > 0 || f->more > 0 ||
			    event_pending(f->d->timer, EV_TIMEOUT, NULL));
	if (f->more == 0 || any(3) == 0)
		return;
	f->more = 0;
	flush(f);
}

static unsigned
run(struct fixture *f)
{
	unsigned lines = 0;

	for (unsigned round = 0; round < ROUNDS; round++) {
		unsigned what = any(10);

		if (what < 3 && lines + 40 < LINES_MAX) {
			unsigned n = any(40);

			append_many(f, lines, lines + n);
			lines += n;
			flush(f);
		} else if (what < 8 && ncalls > 0) {
			answer_any(f, 15);
		} else if (what == 8) {
			f->env.encoded = any(2) ? 1 << 20 : 0;
			if (event_pending(f->d->timer, EV_TIMEOUT, NULL))
				drain_on_timer(-1, 0, f->d);
			else
				f->d->cursor.flush(&f->d->cursor);
		} else if (any(20) == 0) {
			cursor_trim(&f->d->cursor, any(2000));
		} else if (any(30) == 0) {
			drain_post_wind_back(f->d);
			flush(f);
		}
		assert_int_equal(f->d->post->calls, ncalls);
		goes_on(f);
	}
	return lines;
}

/* The receiver works, from here on. */
static void
deliver_all(struct fixture *f)
{
	for (unsigned i = 0; i < 50000 && !drain_is_done(f->d); i++) {
		if (ncalls > 0)
			answer_any(f, 0);
		else if (event_pending(f->d->timer, EV_TIMEOUT, NULL))
			try_again(f);
		goes_on(f);
	}
	assert_true(drain_is_done(f->d));
	assert_int_equal(f->d->post->nbatches, 0);
	assert_int_equal(f->env.owing, 0);
}

static void
every_line_counts_once_in_the_end(void **state)
{
	struct fixture *f = *state;
	uint64_t taken = 0;
	unsigned lines;

	add_random_drain(f);
	lines = run(f);
	deliver_all(f);
	assert_int_equal(accounted(f), lines);
	for (unsigned i = 0; i < lines; i++)
		taken += took[i];
	assert_int_equal(stats_get(&f->stats.lines_delivered), taken);
	assert_true(app_log_is_idle(f->log));
	assert_int_equal(f->pool.pressure + f->pool.lagging + f->pool.holders, 0);
}

static void
every_line_counts_once_whenever_the_drain_ends(void **state)
{
	struct fixture *f = *state;
	unsigned lines;

	add_random_drain(f);
	lines = run(f);
	if (any(2))
		drain_remove(f->d);
	else
		drain_abandon(f->d);
	assert_int_equal(accounted(f), lines);
	assert_int_equal(ncalls, 0);
	assert_int_equal(f->env.owing, 0);
	add_random_drain(f);
}

static void
with_many_seeds(void (*test)(void **))
{
	void *state;

	for (unsigned i = 0; i < SEEDS; i++) {
		seed = i * 7919 + 1;
		memset(took, 0, sizeof(took));
		set_up(&state);
		test(&state);
		tear_down(&state);
	}
}

static void
lines_count_once_in_the_end(void **state)
{
	(void)state;
	with_many_seeds(every_line_counts_once_in_the_end);
}

static void
lines_count_once_whenever_the_drain_ends(void **state)
{
	(void)state;
	with_many_seeds(every_line_counts_once_whenever_the_drain_ends);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(lines_count_once_in_the_end),
	    cmocka_unit_test(lines_count_once_whenever_the_drain_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
