/* When lines that somebody waits for are known to be safe, wherever their logs are. */
#include "ends/ingest_fixture.h"

#include "log/log_spool.h"

#define LINE(app) "<14>1 2026-01-02T03:04:05Z host " app " - - - text"

enum { NOTHING_SAID, SAID_SAFE, SAID_LOST };

static int said;

static void
on_done(void *arg, bool safe)
{
	(void)arg;
	assert_int_equal(said, NOTHING_SAID);
	said = safe ? SAID_SAFE : SAID_LOST;
}

static void
on_await(struct app_log *log, void *arg)
{
	(void)arg;
	log->urgent = true;
}

static int
setup(void **state)
{
	int failed = fixture_setup(state);

	((struct fixture *)*state)->pool.await = on_await;
	said = NOTHING_SAID;
	return failed;
}

/* A line whose sender waits. */
static void
put(struct fixture *f, struct receipt *r, const char *text)
{
	struct frame frame = {.bytes = slice_str(text), .used = strlen(text)};

	f->ingest.receipt = r;
	ingest_frame(&f->ingest, &f->source, &frame);
	f->ingest.receipt = NULL;
}

/* The read event is over; what is for the second worker lies there. */
static void
read_done(struct fixture *f)
{
	unsigned fullest;

	ingest_end(&f->ingest);
	outbox_post(&f->ingest.outbox, &fullest);
	mailbox_turn(f->post[ELSEWHERE].mailbox);
}

/* The second worker takes the bundle: the same ingest, now as the home of its apps. */
static void
take_bundle(struct fixture *f)
{
	assert_non_null(f->bundle);
	ingest_bundle(&f->ingest, f->bundle);
	bundle_free(f->bundle);
	f->bundle = NULL;
}

/* Its mail to the session's worker is delivered. */
static void
hear(struct fixture *f)
{
	mailbox_turn(f->post[HERE].mailbox);
}

static void
go_elsewhere(struct fixture *f, const char *app)
{
	routes_by_name(f->ingest.routes, slice_str(app))->home = ELSEWHERE;
}

/* Its drain takes all that there is. */
static void
take(struct fixture_app *a)
{
	(void)app_lines(a);
	(void)cursor_acked(&a->cursor, 0);
	log_spool_settle(a->log);
}

static void
lines_that_nobody_wants_are_safe_at_once(void **state)
{
	struct fixture *f = *state;
	struct receipt *r = receipt_new(on_done, NULL);
	struct fixture_app *web = app_here(f, "web", 1);

	cursor_close(&web->cursor);
	put(f, r, LINE("web"));
	put(f, r, LINE("nobody-knows"));
	read_done(f);
	assert_int_equal(receipt_close(r), RECEIPT_SAFE);
	assert_int_equal(said, NOTHING_SAID);
	app_log_free(web->log);
	free(web);
}

static void
all_logs_of_a_read_event_are_waited_for(void **state)
{
	struct fixture *f = *state;
	struct receipt *r = receipt_new(on_done, NULL);
	struct fixture_app *a = app_here(f, "a", 1), *b = app_here(f, "b", 2);

	put(f, r, LINE("a"));
	put(f, r, LINE("b"));
	put(f, r, LINE("a"));
	read_done(f);
	assert_int_equal(receipt_close(r), RECEIPT_WAITS);
	take(b);
	log_spool_settle(a->log);
	assert_int_equal(said, NOTHING_SAID);
	take(a);
	assert_int_equal(said, SAID_SAFE);
	app_close(a);
	app_close(b);
}

static void
lines_elsewhere_are_waited_for_from_when_they_set_out(void **state)
{
	struct fixture *f = *state;
	struct receipt *r = receipt_new(on_done, NULL);
	struct fixture_app *near = app_here(f, "near", 1), *far = app_here(f, "far", 2);

	go_elsewhere(f, "far");
	put(f, r, LINE("near"));
	put(f, r, LINE("far"));
	put(f, r, LINE("far"));
	read_done(f);
	assert_int_equal(receipt_close(r), RECEIPT_WAITS);
	take(near);
	assert_int_equal(said, NOTHING_SAID);
	take_bundle(f);
	hear(f);
	assert_int_equal(said, NOTHING_SAID);
	take(far);
	assert_int_equal(said, NOTHING_SAID);
	hear(f);
	assert_int_equal(said, SAID_SAFE);
	app_close(near);
	app_close(far);
}

static void
lines_whose_app_goes_while_they_cross_are_not_waited_for(void **state)
{
	struct fixture *f = *state;
	struct receipt *r = receipt_new(on_done, NULL);
	struct fixture_app *far = app_here(f, "far", 2);

	go_elsewhere(f, "far");
	put(f, r, LINE("far"));
	read_done(f);
	assert_int_equal(receipt_close(r), RECEIPT_WAITS);
	routes_remove(f->ingest.routes, routes_by_app(f->ingest.routes, 2));
	take_bundle(f);
	assert_int_equal(said, NOTHING_SAID);
	hear(f);
	assert_int_equal(said, SAID_SAFE);
	app_close(far);
}

static void
lines_whose_last_drain_or_app_goes_are_not_waited_for(void **state)
{
	struct fixture *f = *state;
	struct receipt *r = receipt_new(on_done, NULL);
	struct fixture_app *a = app_here(f, "a", 1), *b = app_here(f, "b", 2);

	put(f, r, LINE("a"));
	put(f, r, LINE("b"));
	read_done(f);
	assert_int_equal(receipt_close(r), RECEIPT_WAITS);
	cursor_close(&a->cursor);
	log_spool_settle(a->log);
	assert_int_equal(said, NOTHING_SAID);
	app_close(b);
	assert_int_equal(said, SAID_SAFE);
	app_log_free(a->log);
	free(a);
}

static void
one_line_that_is_given_up_loses_them_all(void **state)
{
	struct fixture *f = *state;
	struct receipt *r = receipt_new(on_done, NULL);
	struct fixture_app *near = app_here(f, "near", 1), *far = app_here(f, "far", 2);

	go_elsewhere(f, "far");
	put(f, r, LINE("near"));
	put(f, r, LINE("far"));
	put(f, r, LINE("far"));
	read_done(f);
	assert_int_equal(receipt_close(r), RECEIPT_WAITS);
	take_bundle(f);
	log_spool_lose(far->log, far->log->end_seq - 2, far->log->end_seq - 1);
	take(far);
	hear(f);
	assert_int_equal(said, NOTHING_SAID);
	take(near);
	assert_int_equal(said, SAID_LOST);
	app_close(near);
	app_close(far);
}

static void
what_is_known_before_the_event_ends_is_told_at_its_end(void **state)
{
	struct fixture *f = *state;
	struct receipt *safe = receipt_new(on_done, NULL), *lost = receipt_new(on_done, NULL);
	struct fixture_app *a = app_here(f, "a", 1);

	put(f, safe, LINE("a"));
	read_done(f);
	take(a);
	assert_int_equal(receipt_close(safe), RECEIPT_SAFE);
	put(f, lost, LINE("a"));
	read_done(f);
	log_spool_lose(a->log, a->log->end_seq - 1, a->log->end_seq);
	take(a);
	assert_int_equal(receipt_close(lost), RECEIPT_LOST);
	assert_int_equal(said, NOTHING_SAID);
	app_close(a);
}

/* The receipt goes when nothing refers to it any more. */
static void
a_session_that_is_gone_is_told_nothing(void **state)
{
	struct fixture *f = *state;
	struct receipt *r = receipt_new(on_done, NULL);
	struct fixture_app *near = app_here(f, "near", 1), *far = app_here(f, "far", 2);

	go_elsewhere(f, "far");
	put(f, r, LINE("near"));
	put(f, r, LINE("far"));
	read_done(f);
	assert_int_equal(receipt_close(r), RECEIPT_WAITS);
	receipt_forget(r);
	take(near);
	take_bundle(f);
	take(far);
	hear(f);
	assert_int_equal(said, NOTHING_SAID);
	app_close(near);
	app_close(far);
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
	    T(lines_that_nobody_wants_are_safe_at_once),
	    T(all_logs_of_a_read_event_are_waited_for),
	    T(lines_elsewhere_are_waited_for_from_when_they_set_out),
	    T(lines_whose_app_goes_while_they_cross_are_not_waited_for),
	    T(lines_whose_last_drain_or_app_goes_are_not_waited_for),
	    T(one_line_that_is_given_up_loses_them_all),
	    T(what_is_known_before_the_event_ends_is_told_at_its_end),
	    T(a_session_that_is_gone_is_told_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
