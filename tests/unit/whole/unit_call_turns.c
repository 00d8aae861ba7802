/* Calls whose work grows with the number of drains: in turns, and over all of them. */
#include "whole/worker_fixture.h"

#include "base/clock.h"
#include "whole/call_turns.h"
#include "whole/worker_numbers_call.h"
#include "whole/worker_status_calls.h"

enum { STEPS = 12, STEP_US = 400 };

struct slow {
	struct call_turns turns;
	unsigned steps;
};

static unsigned order[STEPS * 2], norder;

static bool
step_slow(struct call_turns *turns, struct worker *w)
{
	struct slow *s = (struct slow *)turns;
	int64_t until = clock_mono_us() + STEP_US;

	(void)w;
	if (s->steps == STEPS)
		return false;
	while (clock_mono_us() < until)
		;
	order[norder++] = ++s->steps;
	return true;
}

static void
run_other(struct call *call, struct worker *w)
{
	(void)call;
	(void)w;
	order[norder++] = 100;
}

static void
other_mail_gets_its_turn_in_between(void **state)
{
	struct fixture *f = fixture_new(1);
	struct worker *w = f->workers[0];
	struct slow *slow = call_turns_new(sizeof(*slow), step_slow, NULL);
	struct call *other = call_new(sizeof(*other), run_other, NULL);
	unsigned turns = 0, most = 0, before;

	(void)state;
	norder = 0;
	call_post(&slow->turns.call, w);
	mailbox_turn(w->mailbox);
	assert_false(slow->turns.call.done);
	assert_in_range(norder, 1, 4);
	call_post(other, w);
	while (!slow->turns.call.done) {
		before = slow->steps;
		mailbox_turn(w->mailbox);
		turns++;
		if (slow->steps - before > most)
			most = slow->steps - before;
	}
	/* A turn of 1 ms has room for 3 of these steps. */
	assert_true(most <= 3);
	assert_true(turns >= STEPS / 3 - 1);
	assert_int_equal(slow->steps, STEPS);
	assert_int_equal(norder, STEPS + 1);
	assert_int_not_equal(order[STEPS], 100);
	assert_true(call_wait(&slow->turns.call, 1000) && call_wait(other, 1000));
	call_free(&slow->turns.call);
	call_free(other);
	fixture_free(f);
}

/* Main's part of a call, with the worker's done here. */
static void
ask(struct call *call, struct worker *w)
{
	call_post(call, w);
	while (!call->done)
		mailbox_turn(w->mailbox);
	assert_true(call_wait(call, 1000));
}

enum { APPS = 500 };

/* Every third app is at home elsewhere; the n-th has n % 4 drains. */
static size_t
make_apps(struct worker *w)
{
	size_t drains = 0;
	char name[32];

	for (unsigned i = 1; i <= APPS; i++) {
		struct app_home *home;

		snprintf(name, sizeof(name), "app-%u", i);
		if (i % 3 == 0) {
			routes_add(w->routes, slice_str(name), i, w->index + 1);
			continue;
		}
		home = fixture_app(w, name, i);
		for (unsigned d = 0; d < i % 4; d++, drains++)
			app_home_add(home, fixture_drain(w, home->log, i * 10 + d, "9"));
	}
	return drains;
}

static void
a_look_over_all_drains_meets_each_once(void **state)
{
	struct fixture *f = fixture_new(1);
	struct worker *w = f->workers[0];
	size_t drains = make_apps(w);
	struct call_briefs *c = call_briefs_new();
	bool seen[APPS + 1][4] = {{false}};

	(void)state;
	ask(&c->turns.call, w);
	assert_int_equal(c->n, drains);
	for (size_t i = 0; i < c->n; i++) {
		const struct drain_brief *b = &c->briefs[i];

		assert_true(b->app >= 1 && b->app <= APPS && b->at < b->app % 4);
		assert_false(seen[b->app][b->at]);
		seen[b->app][b->at] = true;
		assert_int_equal(b->id, b->app * 10 + b->at);
		assert_int_equal(b->state, DRAIN_IDLE);
		assert_string_equal(b->type->name, "syslog");
	}
	call_free(&c->turns.call);
	fixture_free(f);
}

static void
details_are_of_those_that_were_asked_for(void **state)
{
	struct fixture *f = fixture_new(1);
	struct worker *w = f->workers[0];
	struct drain_brief briefs[] = {
	    {.id = 72, .app = 7, .at = 2}, /* there */
	    {.id = 70, .app = 7, .at = 1}, /* another one stands there */
	    {.id = 75, .app = 7, .at = 3}, /* no drain stands there */
	    {.id = 30, .app = 3, .at = 0}, /* the app is at home elsewhere */
	    {.id = 10, .app = APPS + 1},   /* there is no such app */
	    {.id = 10, .app = 1, .worker = 1},
	};
	struct drain_detail out[6] = {{.app = ""}};
	struct call_details *c = call_details_new(briefs, 6, out);

	(void)state;
	make_apps(w);
	ask(&c->turns.call, w);
	assert_int_equal(out[0].status.id, 72);
	assert_string_equal(out[0].app, "app-7");
	assert_string_equal(out[0].url, "syslog://127.0.0.1:9");
	for (size_t i = 1; i < 6; i++) {
		assert_int_equal(out[i].status.id, 0);
		assert_null(out[i].url);
	}
	gateway_details_clear(out, 6);
	call_free(&c->turns.call);
	fixture_free(f);
}

static void
an_apps_status_is_of_its_drains_in_their_order(void **state)
{
	struct fixture *f = fixture_new(1);
	struct worker *w = f->workers[0];
	static const struct {
		uint64_t app;
		size_t drains;
		bool there;
	} table[] = {{7, 3, true}, {4, 0, true}, {3, 0, false}, {APPS + 1, 0, false}};

	(void)state;
	make_apps(w);
	for (size_t i = 0; i < 4; i++) {
		struct call_status *c = call_status_new(table[i].app);

		ask(&c->turns.call, w);
		assert_int_equal(c->n, table[i].drains);
		assert_int_equal(c->status != NULL, table[i].there);
		for (size_t d = 0; d < c->n; d++)
			assert_int_equal(c->status[d].id, table[i].app * 10 + d);
		call_free(&c->turns.call);
	}
	fixture_free(f);
}

static void
all_numbers_of_a_worker_are_told(void **state)
{
	struct fixture *f = fixture_new(1);
	struct worker *w = f->workers[0];
	size_t drains = make_apps(w), found = 0;
	struct app_home *home = routes_by_app(w->routes, 7)->home_state;
	struct call_numbers *c;

	(void)state;
	stats_add(&w->stats.lines_in, 42);
	home->dropped_before = 5;
	home->log->undrained = home->log->unkept = 9;
	w->paused_by = 1;
	c = call_numbers_new();
	ask(&c->turns.call, w);
	assert_int_equal(c->worker.count[WORKER_COUNT_lines_in], 42);
	assert_true(c->worker.paused);
	assert_int_equal(c->ndrains, drains);
	assert_int_equal(c->napps, APPS - APPS / 3);
	for (size_t i = 0; i < c->ndrains; i++)
		assert_int_equal(c->drains[i].id / 10, c->apps[c->drains[i].app].serial);
	for (size_t i = 0; i < c->napps; i++) {
		const struct app_numbers *app = &c->apps[i];
		bool is_ours = app->serial == 7;

		assert_int_equal(app->drains, app->serial % 4);
		assert_int_equal(app->count[APP_DROPPED], is_ours ? 5 : 0);
		assert_int_equal(app->count[APP_NO_DRAIN], is_ours ? 9 : 0);
		assert_int_equal(app->count[APP_LINES], is_ours ? 9 : 0);
		found += is_ours && strcmp(app->name, "app-7") == 0;
	}
	assert_int_equal(found, 1);
	w->paused_by = 0;
	call_free(&c->turns.call);
	fixture_free(f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(other_mail_gets_its_turn_in_between),
	    cmocka_unit_test(a_look_over_all_drains_meets_each_once),
	    cmocka_unit_test(details_are_of_those_that_were_asked_for),
	    cmocka_unit_test(an_apps_status_is_of_its_drains_in_their_order),
	    cmocka_unit_test(all_numbers_of_a_worker_are_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
