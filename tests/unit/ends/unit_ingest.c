/* Where a line goes, in what form, and what is counted for it. */
#include "ends/ingest_fixture.h"

#include <unistd.h>

#define LINE(app, text) "<14>1 2026-01-02T03:04:05Z host " app " - - - " text

/* From a heap of exactly its size. */
static void
put_cut(struct fixture *f, const char *text, uint64_t cut)
{
	size_t n = strlen(text);
	char *exact = malloc(n);
	struct frame frame = {.bytes = slice_of(exact, n), .cut = cut, .used = n};

	assert_non_null(exact);
	memcpy(exact, text, n);
	ingest_frame(&f->ingest, &f->source, &frame);
	free(exact);
}

static void
put(struct fixture *f, const char *text)
{
	put_cut(f, text, 0);
}

/* Posts what is for the second worker, and takes it there. */
static void
cross(struct fixture *f)
{
	unsigned fullest;

	outbox_post(&f->ingest.outbox, &fullest);
	mailbox_turn(f->post[ELSEWHERE].mailbox);
}

static void
a_line_of_an_app_at_home_here_is_in_its_log(void **state)
{
	struct fixture *f = *state;
	struct fixture_app *web = app_here(f, "web", 1), *other = app_here(f, "other", 2);

	put(f, LINE("web", "one"));
	put(f, LINE("web", "two"));
	assert_string_equal(app_lines(web), LINE("web", "one") "\n" LINE("web", "two") "\n");
	assert_string_equal(app_lines(other), "");
	assert_int_equal(LINES_IN(f, lines_in), 2);
	assert_int_equal(LINES_IN(f, lines_routed), 2);
	assert_int_equal(LINES_IN(f, lines_rewritten), 0);
	assert_int_equal(LINES_IN(f, lines_unrouted), 0);
	app_close(web);
	app_close(other);
}

static void
a_log_is_touched_once_until_it_was_flushed(void **state)
{
	struct fixture *f = *state;
	struct fixture_app *web = app_here(f, "web", 1);

	put(f, LINE("web", "one"));
	put(f, LINE("web", "two"));
	assert_int_equal(f->touched, 1);
	web->log->touched = false;
	put(f, LINE("web", "three"));
	assert_int_equal(f->touched, 2);
	app_close(web);
}

static void
a_line_of_an_app_at_home_elsewhere_goes_there_and_into_its_log(void **state)
{
	struct fixture *f = *state;
	struct fixture_app *far = app_here(f, "far", 9);
	struct route *route = routes_by_name(f->ingest.routes, SLICE("far"));

	route->home = ELSEWHERE;
	put(f, LINE("far", "one"));
	put(f, "free text");
	put(f, LINE("far", "two"));
	assert_string_equal(app_lines(far), "");
	assert_int_equal(LINES_IN(f, lines_crossed), 2);
	assert_int_equal(LINES_IN(f, lines_routed), 0);
	assert_int_equal(f->touched, 0);
	cross(f);
	assert_non_null(f->bundle);

	/* The other side: the same ingest, now as the app's home. */
	f->ingest.self = ELSEWHERE;
	ingest_bundle(&f->ingest, f->bundle);
	assert_string_equal(app_lines(far), LINE("far", "one") "\n" LINE("far", "two") "\n");
	assert_int_equal(LINES_IN(f, lines_routed), 2);
	assert_int_equal(LINES_IN(f, lines_in), 3);
	assert_int_equal(f->touched, 1);
	app_close(far);
}

static void
lines_of_several_apps_in_one_bundle_are_told_apart(void **state)
{
	struct fixture *f = *state;
	struct fixture_app *a = app_here(f, "a", 1), *b = app_here(f, "b", 2);

	routes_by_name(f->ingest.routes, SLICE("a"))->home = ELSEWHERE;
	routes_by_name(f->ingest.routes, SLICE("b"))->home = ELSEWHERE;
	put(f, LINE("a", "1"));
	put(f, LINE("b", "2"));
	put(f, LINE("b", "3"));
	put(f, LINE("a", "4"));
	cross(f);
	ingest_bundle(&f->ingest, f->bundle);
	assert_string_equal(app_lines(a), LINE("a", "1") "\n" LINE("a", "4") "\n");
	assert_string_equal(app_lines(b), LINE("b", "2") "\n" LINE("b", "3") "\n");
	app_close(a);
	app_close(b);
}

static void
lines_whose_app_went_while_they_crossed_are_counted(void **state)
{
	struct fixture *f = *state;
	struct fixture_app *stays = app_here(f, "stays", 2);

	routes_add(f->ingest.routes, SLICE("gone"), 1, ELSEWHERE);
	routes_add(f->ingest.routes, SLICE("not-here"), 3, ELSEWHERE);
	routes_by_name(f->ingest.routes, SLICE("stays"))->home = ELSEWHERE;
	put(f, LINE("gone", "1"));
	put(f, LINE("stays", "2"));
	put(f, LINE("gone", "3"));
	put(f, LINE("not-here", "4"));
	cross(f);
	routes_remove(f->ingest.routes, routes_by_app(f->ingest.routes, 1));
	ingest_bundle(&f->ingest, f->bundle);
	assert_int_equal(LINES_IN(f, lines_no_drain), 3);
	assert_int_equal(LINES_IN(f, lines_routed), 1);
	assert_string_equal(app_lines(stays), LINE("stays", "2") "\n");
	app_close(stays);
}

static void
lines_without_a_drain_are_counted_and_not_kept(void **state)
{
	struct fixture *f = *state;
	struct app_log *log = app_log_new(&f->pool, 1, "quiet");
	struct route *route = routes_add(f->ingest.routes, SLICE("quiet"), 1, HERE);

	route->log = log;
	put(f, LINE("quiet", "1"));
	route->home = ELSEWHERE;
	put(f, LINE("quiet", "2"));
	cross(f);
	ingest_bundle(&f->ingest, f->bundle);
	assert_int_equal(LINES_IN(f, lines_no_drain), 2);
	assert_int_equal(LINES_IN(f, lines_routed), 0);
	assert_int_equal(LINES_IN(f, lines_unrouted), 0);
	assert_int_equal(log->end_bytes, 0);
	assert_int_equal(f->pool.chunk_bytes, 0);
	assert_int_equal(f->touched, 0);
	app_log_free(log);
}

static void
an_unknown_app_is_counted_and_named(void **state)
{
	struct fixture *f = *state;

	put(f, LINE("typo", "1"));
	assert_int_equal(f->unknown, 1);
	assert_string_equal(f->unknown_name, "typo");
	put(f, LINE("-", "2"));
	assert_int_equal(f->unknown, 2);
	assert_string_equal(f->unknown_name, "");
	assert_int_equal(LINES_IN(f, lines_unrouted), 2);
	assert_int_equal(LINES_IN(f, lines_catch_all), 0);
}

/* What the operator should look for: the app that a map names, else what was looked up. */
static void
with_a_map_the_unknown_name_is_the_apps(void **state)
{
	struct fixture *f = *state;
	char map[] = "/tmp/unit_ingest.XXXXXX", url[96];
	int fd = mkstemp(map);

	assert_int_equal(write(fd, "web blue\n", 9), 9);
	close(fd);
	snprintf(url, sizeof(url), "syslog+tcp://127.0.0.1:0?app=app-name,map:%s", map);
	fixture_listen(f, url);
	unlink(map);
	put(f, LINE("web", "1"));
	assert_string_equal(f->unknown_name, "blue");
	put(f, LINE("typo", "2"));
	assert_string_equal(f->unknown_name, "typo");
}

static void
the_catch_all_gets_what_no_app_does(void **state)
{
	struct fixture *f = *state;
	struct fixture_app *rest = app_here(f, "rest", 1), *web = app_here(f, "web", 2);

	f->ingest.catch_all = SLICE("rest");
	put(f, LINE("typo", "1"));
	put(f, LINE("web", "2"));
	put(f, LINE("-", "3"));
	assert_string_equal(app_lines(rest), LINE("typo", "1") "\n" LINE("-", "3") "\n");
	assert_string_equal(app_lines(web), LINE("web", "2") "\n");
	assert_int_equal(LINES_IN(f, lines_unrouted), 2);
	assert_int_equal(LINES_IN(f, lines_catch_all), 2);
	assert_int_equal(f->unknown, 2);
	app_close(rest);
	app_close(web);
}

static void
a_catch_all_that_is_no_app_catches_nothing(void **state)
{
	struct fixture *f = *state;

	f->ingest.catch_all = SLICE("rest");
	put(f, LINE("typo", "1"));
	assert_int_equal(LINES_IN(f, lines_unrouted), 1);
	assert_int_equal(LINES_IN(f, lines_catch_all), 0);
}

static void
the_archive_gets_every_line_once(void **state)
{
	struct fixture *f = *state;
	struct fixture_app *all = app_here(f, "all", 1), *web = app_here(f, "web", 2);

	f->ingest.copy_to = SLICE("all");
	put(f, LINE("web", "1"));
	put(f, LINE("typo", "2"));
	put(f, LINE("all", "3"));
	assert_string_equal(app_lines(web), LINE("web", "1") "\n");
	assert_string_equal(app_lines(all),
			    LINE("web", "1") "\n" LINE("typo", "2") "\n" LINE("all", "3") "\n");
	assert_int_equal(LINES_IN(f, lines_in), 3);
	assert_int_equal(LINES_IN(f, lines_copied), 2);
	assert_int_equal(LINES_IN(f, lines_unrouted), 1);
	app_close(all);
	app_close(web);
}

static void
one_app_may_be_both_archive_and_catch_all(void **state)
{
	struct fixture *f = *state;
	struct fixture_app *all = app_here(f, "all", 1);

	f->ingest.copy_to = f->ingest.catch_all = SLICE("all");
	put(f, LINE("typo", "1"));
	assert_string_equal(app_lines(all), LINE("typo", "1") "\n");
	assert_int_equal(LINES_IN(f, lines_catch_all), 1);
	assert_int_equal(LINES_IN(f, lines_copied), 0);
	app_close(all);
}

static void
the_archive_may_be_at_home_elsewhere(void **state)
{
	struct fixture *f = *state;
	struct fixture_app *web = app_here(f, "web", 2), *all = app_here(f, "all", 1);

	routes_by_name(f->ingest.routes, SLICE("all"))->home = ELSEWHERE;
	f->ingest.copy_to = SLICE("all");
	put(f, LINE("web", "1"));
	assert_string_equal(app_lines(web), LINE("web", "1") "\n");
	cross(f);
	ingest_bundle(&f->ingest, f->bundle);
	assert_string_equal(app_lines(all), LINE("web", "1") "\n");
	app_close(web);
	app_close(all);
}

static void
a_cut_line_says_how_much_is_missing(void **state)
{
	struct fixture *f = *state;
	struct fixture_app *web = app_here(f, "web", 1);

	put_cut(f, LINE("web", "start of"), 12345);
	assert_string_equal(app_lines(web), "<14>1 2026-01-02T03:04:05Z host web - - "
					    "[penstock@32473 cut=\"12345\"] start of\n");
	assert_int_equal(LINES_IN(f, lines_cut), 1);
	assert_int_equal(LINES_IN(f, lines_rewritten), 1);
	app_close(web);
}

static void
a_cut_line_crosses_with_its_mark(void **state)
{
	struct fixture *f = *state;
	struct fixture_app *web = app_here(f, "web", 1);

	routes_by_name(f->ingest.routes, SLICE("web"))->home = ELSEWHERE;
	put_cut(f, LINE("web", "x"), 1);
	cross(f);
	ingest_bundle(&f->ingest, f->bundle);
	assert_string_equal(app_lines(web), "<14>1 2026-01-02T03:04:05Z host web - - "
					    "[penstock@32473 cut=\"1\"] x\n");
	app_close(web);
}

static void
a_sender_cannot_claim_our_mark(void **state)
{
	struct fixture *f = *state;
	struct fixture_app *web = app_here(f, "web", 1);

	put(f, "<14>1 - host web - - [penstock@32473 cut=\"9\"][x@1 a=\"b\"] text");
	assert_string_equal(app_lines(web), "<14>1 - host web - - [x@1 a=\"b\"] text\n");
	assert_int_equal(LINES_IN(f, lines_cut), 0);
	app_close(web);
}

static void
a_line_keeps_its_host_unless_told_otherwise(void **state)
{
	struct fixture *f = *state;
	struct fixture_app *web = app_here(f, "web", 1);

	put(f, LINE("web", "1"));
	assert_string_equal(app_lines(web), LINE("web", "1") "\n");
	put(f, "<13>Jan  2 03:04:05 box web: 2");
	assert_non_null(strstr(app_lines(web), " box web - - - 2\n"));

	fixture_listen(f, "syslog+tcp://127.0.0.1:0?hostname=peer");
	put(f, LINE("web", "3"));
	assert_string_equal(app_lines(web), "<14>1 2026-01-02T03:04:05Z 192.0.2.7 web - - - 3\n");

	fixture_listen(f, "syslog+tcp://127.0.0.1:0?hostname=rack-1");
	put(f, LINE("web", "4"));
	assert_string_equal(app_lines(web), "<14>1 2026-01-02T03:04:05Z rack-1 web - - - 4\n");
	app_close(web);
}

static void
free_text_gets_time_and_sender(void **state)
{
	struct fixture *f = *state;
	struct fixture_app *web;
	char want[128];

	fixture_listen(f, "syslog+tcp://127.0.0.1:0?app=fixed:web");
	web = app_here(f, "web", 1);
	put(f, "just some words");
	snprintf(want, sizeof(want), "<13>1 %.*s 192.0.2.7 - - - - just some words\n",
		 (int)f->ingest.now_slice.n, f->ingest.now_slice.p);
	assert_string_equal(app_lines(web), want);
	assert_int_equal(LINES_IN(f, lines_rewritten), 1);
	app_close(web);
}

static void
the_listeners_rule_says_which_app(void **state)
{
	struct fixture *f = *state;
	struct fixture_app *host = app_here(f, "host", 1), *cert = app_here(f, "blue", 2);

	fixture_listen(f, "syslog+tcp://127.0.0.1:0?app=hostname");
	put(f, LINE("web", "1"));
	assert_string_equal(app_lines(host), LINE("web", "1") "\n");

	fixture_listen(f, "syslog+tls://127.0.0.1:0?app=cert");
	put(f, LINE("host", "2"));
	assert_int_equal(f->unknown, 1);
	f->source.cert = SLICE("blue");
	put(f, LINE("host", "3"));
	assert_string_equal(app_lines(cert), LINE("host", "3") "\n");
	assert_string_equal(app_lines(host), "");
	app_close(host);
	app_close(cert);
}

/* The parser's buffer and the rule's are used again for the next line. */
static void
lines_of_all_forms_may_follow_each_other(void **state)
{
	struct fixture *f = *state;
	struct fixture_app *web = app_here(f, "web", 1);

	for (int i = 0; i < 300; i++) {
		put(f, LINE("web", "5424"));
		put(f, "<13>Jan  2 03:04:05 box web[7]: 3164");
		put(f, "words");
		put(f, "<14>1 - host web - - [penstock@32473 cut=\"9\"] mark");
		web->log->touched = false;
		if (i % 20 == 0)
			assert_non_null(strstr(app_lines(web), "box web 7 - - 3164\n"));
		else
			app_lines(web);
	}
	assert_int_equal(LINES_IN(f, lines_routed), 900);
	assert_int_equal(LINES_IN(f, lines_unrouted), 300);
	app_close(web);
}

static void
a_line_may_be_of_an_app_that_it_does_not_name(void **state)
{
	struct fixture *f = *state;
	struct fixture_app *web = app_here(f, "web", 1), *rest = app_here(f, "rest", 2);
	struct line line = {.verbatim = true, .frame = SLICE(LINE("other", "one"))};

	ingest_line(&f->ingest, SLICE("web"), &line);
	assert_string_equal(app_lines(web), LINE("other", "one") "\n");
	ingest_line(&f->ingest, SLICE("wbe"), &line);
	assert_string_equal(f->unknown_name, "wbe");
	assert_int_equal(LINES_IN(f, lines_unrouted), 1);
	f->ingest.catch_all = f->ingest.copy_to = SLICE("rest");
	ingest_line(&f->ingest, SLICE("wbe"), &line);
	ingest_line(&f->ingest, SLICE("web"), &line);
	assert_string_equal(app_lines(rest), LINE("other", "one") "\n" LINE("other", "one") "\n");
	assert_int_equal(LINES_IN(f, lines_in), 4);
	assert_int_equal(LINES_IN(f, lines_catch_all), 1);
	assert_int_equal(LINES_IN(f, lines_copied), 1);
	app_close(web);
	app_close(rest);
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
	    T(a_line_of_an_app_at_home_here_is_in_its_log),
	    T(a_log_is_touched_once_until_it_was_flushed),
	    T(a_line_of_an_app_at_home_elsewhere_goes_there_and_into_its_log),
	    T(lines_of_several_apps_in_one_bundle_are_told_apart),
	    T(lines_whose_app_went_while_they_crossed_are_counted),
	    T(lines_without_a_drain_are_counted_and_not_kept),
	    T(an_unknown_app_is_counted_and_named),
	    T(with_a_map_the_unknown_name_is_the_apps),
	    T(the_catch_all_gets_what_no_app_does),
	    T(a_catch_all_that_is_no_app_catches_nothing),
	    T(the_archive_gets_every_line_once),
	    T(one_app_may_be_both_archive_and_catch_all),
	    T(the_archive_may_be_at_home_elsewhere),
	    T(a_cut_line_says_how_much_is_missing),
	    T(a_cut_line_crosses_with_its_mark),
	    T(a_sender_cannot_claim_our_mark),
	    T(a_line_keeps_its_host_unless_told_otherwise),
	    T(free_text_gets_time_and_sender),
	    T(the_listeners_rule_says_which_app),
	    T(lines_of_all_forms_may_follow_each_other),
	    T(a_line_may_be_of_an_app_that_it_does_not_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
