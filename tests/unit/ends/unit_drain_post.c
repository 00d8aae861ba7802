/*
 * What a drain over HTTP makes of its receiver's answers.
 */
#include "drain_post_fixture.h"

#include "base/seq.h"

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

/* What one start of the gateway numbered lies far from what the next one does. */
static void
lines_of_two_starts_are_halved_like_others(void **state)
{
	struct fixture *f = *state;

	add_drain(f, "json", "1");
	append_many(f, 0, 4);
	app_log_seal(f->log);
	f->log->end_seq += UINT64_C(1) << SEQ_START_SHIFT;
	append(f, "poison");
	append_many(f, 4, 7);
	flush(f);
	assert_int_equal(documents(calls[0]->body), 8);
	answer_by_word(f, "poison");
	assert_int_equal(status(f).lines_delivered, 7);
	assert_int_equal(status(f).lines_dropped_refused, 1);
	assert_int_equal(posts, 7);
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

/* Answers 413 to whatever is longer, until nothing is under way; returns how often. */
static unsigned
answer_by_size(struct fixture *f, size_t size)
{
	unsigned refused = 0;

	for (unsigned i = 0; i < 10000 && ncalls > 0; i++) {
		bool large = strlen(calls[0]->body) > size;

		refused += large;
		f->env.encoded = 0;
		answer(0, large ? 413 : 200, "");
	}
	return refused;
}

static void
a_receiver_of_small_bodies_is_learned_and_tried_for_more(void **state)
{
	struct fixture *f = *state;
	unsigned refused;

	add_drain(f, "json", "1");
	append_many(f, 0, 20000);
	flush(f);
	refused = answer_by_size(f, 30000);
	assert_int_equal(status(f).lines_delivered, 20000);
	assert_int_equal(status(f).lines_dropped_refused, 0);
	/* Twenty batches of 1,000 lines would each have been refused several times. */
	assert_in_range(refused, 2, posts / 8);
	append_many(f, 0, 20000);
	flush(f);
	(void)answer_by_size(f, 1 << 20);
	assert_true(f->d->post->limits.bytes > 60000);
}

static void
a_receiver_that_refuses_us_cannot_ask_to_be_asked_at_once(void **state)
{
	struct fixture *f = *state;

	add_drain(f, "json", "1");
	append_many(f, 0, 20);
	flush(f);
	answer_retry_after(0, 403, "", 1);
	assert_in_range(f->d->not_before_ms - clock_mono_ms(), 4000, 5000);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	    TEST(a_good_answer_delivers_the_batch_and_lets_the_log_rest),
	    TEST(one_request_at_a_time_unless_more_are_asked_for),
	    TEST(a_refused_batch_goes_out_again_as_it_was),
	    TEST(a_dead_receiver_costs_nothing_but_time),
	    TEST(a_bad_entry_costs_itself_alone),
	    TEST(lines_of_two_starts_are_halved_like_others),
	    TEST(a_receiver_that_refuses_every_entry_is_asked_slowly),
	    TEST(a_key_that_is_refused_blocks_the_drain_and_keeps_its_lines),
	    TEST(a_receiver_that_names_a_time_is_asked_then),
	    TEST(a_full_batch_is_cut_at_the_types_limit),
	    TEST(a_receiver_of_small_bodies_is_learned_and_tried_for_more),
	    TEST(a_receiver_that_refuses_us_cannot_ask_to_be_asked_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
