/*
 * What a worker commits, and when: the spooler is the test, which answers as it
 * likes.
 */
#include "whole/worker_fixture.h"

#include <unistd.h>

#include "base/clock.h"
#include "ends/tap.h"
#include "log/cursor.h"
#include "log/log_shed.h"
#include "log/log_spool.h"
#include "store/spool.h"

/* Longer than anything takes; a test that waits so long has failed. */
enum { WAIT_MS = 60000 };

/* Commits with chunks that wait for an answer; those with marks alone do not matter here. */
static struct spool_commit *asked[16];
static unsigned nasked;

void
spooler_commit(struct spooler *s, struct spool_commit *c)
{
	(void)s;
	if (c->nchunks == 0) {
		spool_commit_free(c);
		return;
	}
	assert_true(nasked < 16);
	asked[nasked++] = c;
}

void
spooler_fetch(struct spooler *s, struct spool_fetch *f)
{
	(void)s;
	spool_fetch_free(f);
}

void
spooler_drop(struct spooler *s, uint64_t app)
{
	(void)s;
	(void)app;
}

static struct fixture *
fixture_after(unsigned workers, int64_t spool_after)
{
	static char spooler;
	struct fixture *f = fixture_prepare(workers);

	f->config.spool_after = spool_after;
	f->setup.spooler = (struct spooler *)(void *)&spooler;
	fixture_make_workers(f);
	nasked = 0;
	return f;
}

static void
fixture_end(struct fixture *f)
{
	while (nasked > 0)
		spool_commit_free(asked[--nasked]);
	fixture_free(f);
}

/* Its receiver is away, and nobody looks for it. */
static struct app_log *
app_with_drain(struct worker *w, const char *name, uint64_t app)
{
	struct app_home *h = fixture_app(w, name, app);

	app_home_add(h, fixture_drain(w, h->log, app, "10001"));
	return h->log;
}

static void
append_at(struct app_log *log, size_t lines, int64_t now_ms)
{
	size_t size = 1000, n = chunk_count_size(size) + size;

	for (; lines > 0; lines--) {
		char *dst = app_log_reserve(log, n, now_ms);

		memset(dst + chunk_count_write(dst, size), 'x', size);
		app_log_commit(log, n);
	}
}

static void
append(struct app_log *log, size_t lines)
{
	append_at(log, lines, clock_mono_ms());
}

/* As a worker that runs, for so long or until something is committed. */
static void
run(struct worker *w, int64_t ms)
{
	int64_t until_ms = clock_mono_ms() + ms;

	while (nasked == 0 && clock_mono_ms() < until_ms) {
		event_base_loop(w->base, EVLOOP_NONBLOCK);
		worker_spool_turn(w);
		usleep(2000);
	}
}

/* Mail may bring about mail. */
static void
deliver_all(const struct fixture *f)
{
	for (int round = 0; round < 2; round++)
		for (unsigned i = 0; i < f->setup.workers; i++)
			mailbox_turn(f->workers[i]->mailbox);
}

static void
answer(const struct fixture *f, enum spool_code code)
{
	struct spool_commit *c = asked[--nasked];

	c->code = code;
	c->mail.deliver = c->done;
	mailbox_push(c->back, &c->mail);
	deliver_all(f);
}

/* What is urgent is committed now. */
static void
commit_now(struct worker *w)
{
	w->spool.commit_after_ms = 0;
	worker_spool_turn(w);
	assert_int_equal(nasked, 1);
}

static void
lines_are_committed_after_spool_after(void **state)
{
	struct fixture *f = fixture_after(1, 200);

	(void)state;
	append(app_with_drain(f->workers[0], "web", 1), 10);
	run(f->workers[0], WAIT_MS);
	assert_int_equal(nasked, 1);
	assert_int_equal(asked[0]->parts[0].app, 1);
	fixture_end(f);
}

static bool told_safe;

static void
on_told(void *arg, bool safe)
{
	(void)arg;
	told_safe = safe;
}

static void
await_line(struct app_log *log)
{
	append(log, 1);
	told_safe = false;
	assert_true(log_spool_await(log, on_told, NULL));
}

/* In the place of a drain whose receiver is away. */
static void
take_none(struct cursor *c)
{
	(void)c;
}

static void
lines_that_somebody_waits_for_are_committed_soon(void **state)
{
	struct fixture *f = fixture_after(1, 600 * 1000);
	struct app_log *log = app_with_drain(f->workers[0], "web", 1);

	(void)state;
	TAILQ_FIRST(&log->cursors)->flush = take_none;
	await_line(log);
	run(f->workers[0], WAIT_MS);
	assert_int_equal(nasked, 1);
	assert_false(told_safe);
	answer(f, SPOOL_OK);
	assert_true(told_safe);
	fixture_end(f);
}

/* ... takes all at once. */
static void
take_all(struct cursor *c)
{
	int64_t now_ms = clock_mono_ms();
	uint64_t end = 0;
	const struct segment *s;

	while ((s = cursor_unsent(c, 0, now_ms)) != NULL) {
		end += s->to - s->from;
		cursor_sent(c, end, now_ms);
	}
	(void)cursor_acked(c, end);
}

static void
those_that_are_taken_are_not(void **state)
{
	struct fixture *f = fixture_after(1, 600 * 1000);
	struct app_log *log = app_with_drain(f->workers[0], "web", 1);

	(void)state;
	TAILQ_FIRST(&log->cursors)->flush = take_all;
	await_line(log);
	for (int64_t until_ms = clock_mono_ms() + WAIT_MS;
	     !told_safe && clock_mono_ms() < until_ms;)
		run(f->workers[0], 5);
	assert_true(told_safe);
	run(f->workers[0], 50);
	assert_int_equal(nasked, 0);
	fixture_end(f);
}

/* More than a second, too. */
static void
lines_are_not_committed_before_spool_after(void **state)
{
	struct fixture *f = fixture_after(1, 600 * 1000);

	(void)state;
	append(app_with_drain(f->workers[0], "web", 1), 10);
	run(f->workers[0], 2000);
	assert_int_equal(nasked, 0);
	fixture_end(f);
}

static void
what_a_lagging_drain_holds_up_others_with_is_committed(void **state)
{
	struct fixture *f = fixture_after(1, 600 * 1000);
	struct worker *w = f->workers[0];
	struct app_log *log = app_with_drain(w, "web", 1);
	int64_t long_ago = clock_mono_ms() - 5000;

	(void)state;
	TAILQ_FIRST(&log->cursors)->caught_up_ms = long_ago;
	append_at(log, 100, long_ago);
	worker_spool_lines(w, log);
	assert_false(log->urgent);
	assert_true(w->pool.pressure > (size_t)f->config.worker_memory);
	worker_weigh(w);
	assert_true(w->pressing);
	worker_relieve(w);
	commit_now(w);
	answer(f, SPOOL_OK);
	worker_weigh(w);
	assert_false(w->pressing);
	fixture_end(f);
}

static void
drop_batch(struct mail *mail, void *owner)
{
	(void)owner;
	tap_batch_free((struct tap_batch *)mail);
}

static void
lines_that_somebody_looks_at_are_not_committed_for_that(void **state)
{
	struct fixture *f = fixture_after(1, 600 * 1000);
	struct worker *w = f->workers[0];
	struct app_log *log = app_with_drain(w, "web", 1);
	struct tap_filter all = {.lines = {.severity = 7}};
	struct tap_list taps = TAILQ_HEAD_INITIALIZER(taps);
	struct tap *tap = tap_new(&taps, log, 7, &all, f->setup.main, drop_batch);

	(void)state;
	append(log, 1000);
	assert_int_equal(log->nlagging, 1);
	worker_spool_lines(w, log);
	assert_false(log->urgent);
	TAILQ_FIRST(&log->cursors)->lags = true;
	worker_spool_lines(w, log);
	assert_true(log->urgent);
	tap_free(&taps, tap);
	fixture_end(f);
}

/* Any of them may be reading lines for another's logs. */
static void
all_workers_know_as_long_as_one_cannot_commit(void **state)
{
	struct fixture *f = fixture_after(3, 0);
	struct app_log *logs[2];

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		logs[i] = app_with_drain(f->workers[i], "web", i + 1);
		append(logs[i], 1);
		worker_spool_lines(f->workers[i], logs[i]);
		commit_now(f->workers[i]);
		answer(f, SPOOL_FULL);
	}
	for (unsigned i = 0; i < 3; i++)
		assert_true(f->workers[i]->ingest.failing);
	assert_false(f->workers[2]->pool.failing);
	commit_now(f->workers[0]);
	answer(f, SPOOL_OK);
	for (unsigned i = 0; i < 3; i++)
		assert_true(f->workers[i]->ingest.failing);
	assert_false(f->workers[0]->pool.failing);
	commit_now(f->workers[1]);
	answer(f, SPOOL_OK);
	for (unsigned i = 0; i < 3; i++)
		assert_false(f->workers[i]->ingest.failing);
	fixture_end(f);
}

/* Else nothing would come by which it could be seen. */
static void
a_worker_with_nothing_to_commit_does_not_stay_failing(void **state)
{
	struct fixture *f = fixture_after(1, 0);
	struct worker *w = f->workers[0];
	struct app_log *log = app_with_drain(w, "web", 1);
	struct app_home *h = routes_by_app(w->routes, 1)->home_state;
	struct drain *d = h->drains[0];
	int64_t until_ms = clock_mono_ms() + WAIT_MS;

	(void)state;
	append(log, 1);
	worker_spool_lines(w, log);
	commit_now(w);
	answer(f, SPOOL_FULL);
	assert_true(w->ingest.failing);
	app_home_take(h, d);
	drain_remove(d);
	while (w->ingest.failing && clock_mono_ms() < until_ms)
		run(w, 20);
	assert_false(w->ingest.failing);
	assert_int_equal(nasked, 0);
	fixture_end(f);
}

/* Its oldest lines, so many, are too much. */
static void
trim(struct worker *w, const struct app_log *log, unsigned lines, enum spool_trim_reason reason)
{
	struct spool_trim *t = calloc(1, sizeof(*t));
	const struct chunk *c = TAILQ_FIRST(&log->chunks);

	assert_non_null(t);
	while (c->first_line < SPOOL_ORIGIN + lines)
		c = TAILQ_NEXT(c, link);
	t->app = log->app;
	t->reason = reason;
	t->to = (struct spool_place){c->first_seq, c->base, c->first_line};
	worker_spool_on_trim(&t->mail, w);
}

/* On disk 5 lines and 5 more, then so many that were given up, and again 5. */
static struct app_log *
app_with_hole(struct fixture *f, size_t given_up)
{
	struct worker *w = f->workers[0];
	struct app_log *log = app_with_drain(w, "web", 1);

	for (int i = 0; i < 2; i++) {
		append(log, 5);
		worker_spool_lines(w, log);
		commit_now(w);
		answer(f, SPOOL_OK);
	}
	append(log, given_up);
	app_log_seal(log);
	w->pool.failing = TAILQ_FIRST(&log->cursors)->lags = true;
	app_log_weigh(log);
	log_shed(log, 0);
	w->pool.failing = false;
	app_log_weigh(log);
	append(log, 5);
	worker_spool_lines(w, log);
	commit_now(w);
	answer(f, SPOOL_OK);
	return log;
}

/* What was given up is not there to be too much. */
static void
lines_that_were_given_up_do_not_count_against_the_cap(void **state)
{
	struct fixture *f = fixture_after(1, 0);
	struct drain_status status;
	struct app_log *log;
	struct drain *d;

	(void)state;
	f->config.spool_cap = 20 * 1000;
	log = app_with_hole(f, 100);
	d = drain_of(TAILQ_FIRST(&log->cursors));
	trim(f->workers[0], log, 5, SPOOL_TRIM_CAP);
	drain_status(d, &status);
	assert_int_equal(status.lines_dropped_spool, 0);
	f->config.spool_cap = 10 * 1000;
	trim(f->workers[0], log, 5, SPOOL_TRIM_CAP);
	drain_status(d, &status);
	assert_int_equal(status.lines_dropped_spool, 5);
	assert_int_equal(status.lines_dropped_memory, 100);
	f->config.spool_cap = 20 * 1000;
	trim(f->workers[0], log, 10, SPOOL_TRIM_SIZE);
	drain_status(d, &status);
	assert_int_equal(status.lines_dropped_spool, 10);
	fixture_end(f);
}

/* Else its lines would be nobody's after the next start. */
static void
a_drain_that_gets_its_id_has_its_mark_told_again(void **state)
{
	struct fixture *f = fixture_after(1, 0);
	struct worker *w = f->workers[0];
	struct app_log *log = app_with_drain(w, "web", 1);

	(void)state;
	append(log, 1);
	worker_spool_lines(w, log);
	commit_now(w);
	assert_int_equal(asked[0]->marks[0].drain, 1);
	answer(f, SPOOL_OK);
	log->moved = log->dirty = false;
	TAILQ_REMOVE(&w->spool.dirty, log, dirty_link);
	drain_set_id(drain_of(TAILQ_FIRST(&log->cursors)), 2);
	assert_true(log->moved && log->dirty);
	fixture_end(f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(lines_are_committed_after_spool_after),
	    cmocka_unit_test(lines_are_not_committed_before_spool_after),
	    cmocka_unit_test(lines_that_somebody_waits_for_are_committed_soon),
	    cmocka_unit_test(those_that_are_taken_are_not),
	    cmocka_unit_test(what_a_lagging_drain_holds_up_others_with_is_committed),
	    cmocka_unit_test(lines_that_somebody_looks_at_are_not_committed_for_that),
	    cmocka_unit_test(all_workers_know_as_long_as_one_cannot_commit),
	    cmocka_unit_test(a_worker_with_nothing_to_commit_does_not_stay_failing),
	    cmocka_unit_test(lines_that_were_given_up_do_not_count_against_the_cap),
	    cmocka_unit_test(a_drain_that_gets_its_id_has_its_mark_told_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
