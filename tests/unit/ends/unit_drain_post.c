/*
 * Batches of a drain over HTTP, with a client that this test answers for.  The
 * drain is elk with format=json: a body is an array of documents.
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

#include "base/clock.h"
#include "ends/drain_post.h"

enum { CALLS_MAX = 64 };

/* The requests that are under way, oldest first. */
struct http_call {
	char *body;
	char *url;
	http_answered *answered;
	void *arg;
};

static struct http_call *calls[CALLS_MAX];
static unsigned ncalls, cancelled, posts;

struct http_call *
http_client_post(struct http_client *client, const struct http_post *post, http_answered *answered,
		 void *arg)
{
	struct http_call *call = calloc(1, sizeof(*call));

	(void)client;
	assert_non_null(call);
	assert_true(ncalls < CALLS_MAX);
	call->body = strndup(post->body.p, post->body.n);
	call->url = strdup(post->url);
	call->answered = answered;
	call->arg = arg;
	calls[ncalls++] = call;
	posts++;
	return call;
}

static void
call_end(struct http_call *call)
{
	unsigned i = 0;

	while (calls[i] != call)
		i++;
	ncalls--;
	memmove(&calls[i], &calls[i + 1], (ncalls - i) * sizeof(calls[0]));
	free(call->body);
	free(call->url);
	free(call);
}

void
http_call_cancel(struct http_call *call)
{
	cancelled++;
	call_end(call);
}

static void
answer_retry_after(unsigned i, int status, const char *body, int64_t retry_after_ms)
{
	struct http_call *call = calls[i];
	struct http_answer answer = {.status = status,
				     .body = slice_str(body),
				     .retry_after_ms = retry_after_ms,
				     .step = HTTP_ANSWER,
				     .error = status == 0 ? "connection refused" : ""};
	http_answered *answered = call->answered;
	void *arg = call->arg;

	call_end(call);
	answered(&answer, arg);
}

static void
answer(unsigned i, int status, const char *body)
{
	answer_retry_after(i, status, body, -1);
}

struct fixture {
	struct config config;
	struct stats stats;
	struct drain_env env;
	struct log_pool pool;
	struct app_log *log;
	struct drain *d;
	unsigned rested, more;
};

static void
on_more(struct app_log *log, void *arg)
{
	(void)log;
	((struct fixture *)arg)->more++;
}

static void
on_rests(struct app_log *log, void *arg)
{
	(void)log;
	((struct fixture *)arg)->rested++;
}

static void
add_drain(struct fixture *f, const char *format, const char *concurrency)
{
	struct drain_input in[] = {
	    {"url", "http://127.0.0.1:8080/"}, {"format", format}, {"concurrency", concurrency}};
	struct drain_errors errors;
	struct drain_conf conf;

	assert_true(drain_conf_make(&conf, drain_type_find("elk"), in, 3, &errors));
	f->d = drain_new(&f->env, f->log, 42, &conf);
}

static int
set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	f->config = (struct config){.worker_memory = 16 << 20, .app_memory = 1 << 20};
	f->env = (struct drain_env){.base = event_base_new(),
				    .config = &f->config,
				    .stats = &f->stats,
				    .host = SLICE("here"),
				    .gzip = gzip_new(),
				    .more = on_more,
				    .rests = on_rests,
				    .arg = f};
	TAILQ_INIT(&f->env.holding);
	TAILQ_INIT(&f->env.closing);
	log_pool_init(&f->pool, 1 << 20, 16 << 20, 7);
	f->log = app_log_new(&f->pool, 1, "app");
	ncalls = cancelled = posts = 0;
	*state = f;
	return 0;
}

static int
tear_down(void **state)
{
	struct fixture *f = *state;

	drain_abandon(f->d);
	assert_int_equal(ncalls, 0);
	assert_int_equal(f->env.posting, 0);
	app_log_free(f->log);
	log_pool_clear(&f->pool);
	gzip_free(f->env.gzip);
	buf_free(&f->env.scratch);
	event_base_free(f->env.base);
	free(f);
	return 0;
}

static void
append(struct fixture *f, const char *message)
{
	char frame[512];
	int size =
	    snprintf(frame, sizeof(frame), "<14>1 2020-05-14T09:12:44Z web app 1 - - %s", message);
	size_t n = chunk_count_size((size_t)size) + (size_t)size;
	char *dst = app_log_reserve(f->log, n, clock_mono_ms());

	dst += chunk_count_write(dst, (size_t)size);
	memcpy(dst, frame, (size_t)size);
	app_log_commit(f->log, n);
}

static void
append_many(struct fixture *f, unsigned first, unsigned end)
{
	char message[32];

	for (unsigned i = first; i < end; i++) {
		snprintf(message, sizeof(message), "line-%u.", i);
		append(f, message);
	}
}

static void
flush(struct fixture *f)
{
	f->env.encoded = 0;
	f->d->cursor.flush(&f->d->cursor);
}

/* As if the time for the next try had come. */
static void
try_again(struct fixture *f)
{
	f->env.encoded = 0;
	drain_on_timer(-1, 0, f->d);
}

static struct drain_status
status(struct fixture *f)
{
	struct drain_status s;

	drain_status(f->d, &s);
	return s;
}

static unsigned
documents(const char *body)
{
	unsigned n = 0;

	for (const char *at = body; (at = strstr(at, "\"message\"")) != NULL; at++)
		n++;
	return n;
}

static void
a_good_answer_delivers_the_batch_and_lets_the_log_rest(void **state)
{
	struct fixture *f = *state;

	add_drain(f, "json", "1");
	append_many(f, 0, 100);
	flush(f);
	assert_int_equal(ncalls, 1);
	assert_int_equal(documents(calls[0]->body), 100);
	assert_int_equal(status(f).lines_waiting, 100);
	assert_int_equal(status(f).lines_delivered, 0);
	assert_false(drain_is_done(f->d));
	answer(0, 200, "ok");
	assert_int_equal(status(f).lines_delivered, 100);
	assert_int_equal(status(f).lines_minute, 100);
	assert_int_equal(status(f).lines_waiting, 0);
	assert_int_equal(status(f).state, DRAIN_CONNECTED);
	assert_int_equal(f->rested, 1);
	assert_true(app_log_is_idle(f->log));
	assert_true(drain_is_done(f->d));
}

static void
one_request_at_a_time_unless_more_are_asked_for(void **state)
{
	struct fixture *f = *state;

	add_drain(f, "line", "3");
	append_many(f, 0, 10);
	flush(f);
	assert_int_equal(ncalls, 3);
	assert_string_equal(calls[0]->body, "line-0.");
	assert_string_equal(calls[2]->body, "line-2.");
	answer(1, 200, "");
	assert_int_equal(ncalls, 3);
	assert_string_equal(calls[2]->body, "line-3.");
}

static void
the_mark_moves_over_the_accepted_front_only(void **state)
{
	struct fixture *f = *state;

	add_drain(f, "line", "4");
	append_many(f, 0, 4);
	flush(f);
	assert_int_equal(ncalls, 4);
	answer(3, 200, "");
	answer(1, 200, "");
	assert_int_equal(status(f).lines_delivered, 0);
	assert_int_equal(status(f).lines_waiting, 2);
	answer(0, 200, "");
	assert_int_equal(status(f).lines_delivered, 2);
	answer(0, 200, "");
	assert_int_equal(status(f).lines_delivered, 4);
}

static void
a_refused_batch_goes_out_again_as_it_was(void **state)
{
	struct fixture *f = *state;
	char *body;

	add_drain(f, "json", "1");
	append_many(f, 0, 50);
	flush(f);
	body = strdup(calls[0]->body);
	answer(0, 503, "busy");
	assert_int_equal(ncalls, 0);
	assert_int_equal(status(f).state, DRAIN_RETRYING);
	assert_string_equal(status(f).last_error, "HTTP 503: busy");
	append_many(f, 50, 60);
	flush(f);
	assert_int_equal(ncalls, 0);
	try_again(f);
	assert_int_equal(ncalls, 1);
	assert_string_equal(calls[0]->body, body);
	answer(0, 200, "");
	flush(f);
	assert_int_equal(ncalls, 1);
	assert_int_equal(documents(calls[0]->body), 10);
	answer(0, 200, "");
	assert_int_equal(status(f).lines_delivered, 60);
	assert_int_equal(status(f).lines_resent, 50);
	free(body);
}

static void
a_dead_receiver_costs_nothing_but_time(void **state)
{
	struct fixture *f = *state;

	add_drain(f, "json", "1");
	append_many(f, 0, 5);
	flush(f);
	for (unsigned i = 0; i < 100; i++) {
		answer(0, 0, "");
		assert_int_equal(ncalls, 0);
		try_again(f);
	}
	assert_string_equal(status(f).last_error, "connection refused");
	answer(0, 202, "");
	assert_int_equal(status(f).lines_delivered, 5);
	assert_int_equal(status(f).retries, 100);
}

/* Answers 400 to whatever has the word in it, until nothing is under way. */
static void
answer_by_word(struct fixture *f, const char *word)
{
	for (unsigned i = 0; i < 1000 && ncalls > 0; i++) {
		bool bad = strstr(calls[0]->body, word) != NULL;

		f->env.encoded = 0;
		answer(0, bad ? 400 : 200, bad ? "no such\nword" : "");
	}
}

static void
a_bad_entry_costs_itself_alone(void **state)
{
	struct fixture *f = *state;
	struct drain_status s;

	add_drain(f, "json", "1");
	append_many(f, 0, 333);
	append(f, "poison");
	append_many(f, 333, 700);
	flush(f);
	answer_by_word(f, "poison");
	s = status(f);
	assert_int_equal(s.lines_delivered, 700);
	assert_int_equal(s.lines_dropped_refused, 1);
	assert_int_equal(s.lines_waiting, 0);
	assert_int_equal(s.letter.status, 400);
	assert_string_equal(s.letter.error, "HTTP 400: no such word");
	assert_non_null(memmem(s.letter.line, s.letter.line_n, "- - poison", 10));
	assert_true(posts < 2 * 12);
	assert_true(app_log_is_idle(f->log));
}

static void
a_receiver_that_refuses_every_entry_is_asked_slowly(void **state)
{
	struct fixture *f = *state;

	add_drain(f, "line", "1");
	append_many(f, 0, 100);
	flush(f);
	answer_by_word(f, "line");
	assert_int_equal(status(f).lines_dropped_refused, 3);
	assert_int_equal(status(f).lines_waiting, 97);
	assert_int_equal(status(f).state, DRAIN_BLOCKED);
	try_again(f);
	answer_by_word(f, "line");
	assert_int_equal(status(f).lines_dropped_refused, 4);
	try_again(f);
	answer(0, 200, "");
	assert_int_equal(status(f).state, DRAIN_CONNECTED);
	answer_by_word(f, "nothing");
	assert_int_equal(status(f).lines_delivered, 96);
}

static void
a_key_that_is_refused_blocks_the_drain_and_keeps_its_lines(void **state)
{
	struct fixture *f = *state;

	add_drain(f, "json", "1");
	append_many(f, 0, 20);
	flush(f);
	answer(0, 403, "{\"errors\":[\"Forbidden\"]}");
	assert_int_equal(status(f).state, DRAIN_BLOCKED);
	assert_int_equal(status(f).lines_waiting, 20);
	assert_int_equal(status(f).lines_dropped_refused, 0);
	assert_in_range(f->d->not_before_ms - clock_mono_ms(), 4000, 6100);
	try_again(f);
	assert_int_equal(status(f).state, DRAIN_BLOCKED);
	answer(0, 202, "");
	assert_int_equal(status(f).state, DRAIN_CONNECTED);
	assert_int_equal(status(f).lines_delivered, 20);
}

static void
a_receiver_that_names_a_time_is_asked_then(void **state)
{
	struct fixture *f = *state;

	add_drain(f, "json", "1");
	append_many(f, 0, 20);
	flush(f);
	answer_retry_after(0, 429, "", 17000);
	assert_in_range(f->d->not_before_ms - clock_mono_ms(), 16000, 17000);
	assert_int_equal(status(f).state, DRAIN_RETRYING);
}

static void
a_full_batch_is_cut_at_the_types_limit(void **state)
{
	struct fixture *f = *state;

	add_drain(f, "json", "1");
	append_many(f, 0, 1700);
	flush(f);
	assert_int_equal(documents(calls[0]->body), 1000);
	f->env.encoded = 0;
	answer(0, 200, "");
	assert_int_equal(documents(calls[0]->body), 700);
	answer(0, 200, "");
	assert_int_equal(status(f).lines_delivered, 1700);
}

static void
dropped_lines_are_said_in_a_request_of_their_own(void **state)
{
	struct fixture *f = *state;

	add_drain(f, "json", "1");
	append_many(f, 0, 5000);
	cursor_trim(&f->d->cursor, 64 * 1024);
	flush(f);
	assert_int_equal(documents(calls[0]->body), 1);
	assert_non_null(strstr(calls[0]->body, "lines dropped since"));
	f->env.encoded = 0;
	answer(0, 200, "");
	assert_int_equal(ncalls, 1);
	assert_null(strstr(calls[0]->body, "lines dropped since"));
	answer_by_word(f, "nothing");
	assert_int_equal(status(f).lines_delivered + status(f).lines_dropped_memory, 5000);
}

static void
a_notice_that_is_refused_is_not_a_lost_line(void **state)
{
	struct fixture *f = *state;

	add_drain(f, "json", "1");
	append_many(f, 0, 5000);
	cursor_trim(&f->d->cursor, 64 * 1024);
	flush(f);
	answer_by_word(f, "lines dropped");
	assert_int_equal(status(f).lines_dropped_refused, 0);
	assert_int_equal(status(f).letter.at_us, 0);
	assert_int_equal(status(f).lines_delivered + status(f).lines_dropped_memory, 5000);
}

static void
a_removed_drain_cancels_what_is_under_way(void **state)
{
	struct fixture *f = *state;

	add_drain(f, "line", "4");
	append_many(f, 0, 10);
	flush(f);
	drain_remove(f->d);
	assert_int_equal(cancelled, 4);
	assert_int_equal(stats_get(&f->stats.lines_dropped_removed), 10);
	add_drain(f, "line", "1");
}

static void
batches_that_are_wound_back_are_unsent_again(void **state)
{
	struct fixture *f = *state;

	add_drain(f, "line", "4");
	append_many(f, 0, 10);
	flush(f);
	answer(2, 200, "");
	drain_post_wind_back(f->d);
	assert_int_equal(ncalls, 0);
	assert_int_equal(cursor_waiting_lines(&f->d->cursor), 10);
}

static void
one_turn_of_the_loop_encodes_so_much_and_no_more(void **state)
{
	struct fixture *f = *state;

	add_drain(f, "json", "32");
	append_many(f, 0, 14000);
	flush(f);
	assert_in_range(ncalls, 1, 6);
	assert_int_equal(f->more, 1);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	    TEST(a_good_answer_delivers_the_batch_and_lets_the_log_rest),
	    TEST(one_request_at_a_time_unless_more_are_asked_for),
	    TEST(the_mark_moves_over_the_accepted_front_only),
	    TEST(a_refused_batch_goes_out_again_as_it_was),
	    TEST(a_dead_receiver_costs_nothing_but_time),
	    TEST(a_bad_entry_costs_itself_alone),
	    TEST(a_receiver_that_refuses_every_entry_is_asked_slowly),
	    TEST(a_key_that_is_refused_blocks_the_drain_and_keeps_its_lines),
	    TEST(a_receiver_that_names_a_time_is_asked_then),
	    TEST(a_full_batch_is_cut_at_the_types_limit),
	    TEST(dropped_lines_are_said_in_a_request_of_their_own),
	    TEST(a_notice_that_is_refused_is_not_a_lost_line),
	    TEST(a_removed_drain_cancels_what_is_under_way),
	    TEST(batches_that_are_wound_back_are_unsent_again),
	    TEST(one_turn_of_the_loop_encodes_so_much_and_no_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
