/* Requests whose lines are not safe at once, or cannot be taken now, or take several turns. */
#include "ends/http_fixture.h"

static void
no_answer_before_the_lines_are_safe(void **state)
{
	struct client a = client_new(), b = client_new();

	(void)state;
	late = true;
	post(&a, LOGS, TEXT, SLICE("one\ntwo\n"));
	UNTIL(lines == 2);
	post(&b, LOGS, TEXT, SLICE("three\n"));
	UNTIL(lines == 3);
	expect_silence(&a);
	/* Each has its own; what is safe first is answered first. */
	release(1);
	expect(&b, 204, NULL);
	expect_silence(&a);
	assert_int_equal(share.counts.lines_acknowledged, 1);
	release(0);
	expect(&a, 204, NULL);
	assert_int_equal(share.counts.lines_acknowledged, 3);
	client_free(&a);
	client_free(&b);
}

static void
lines_that_are_given_up_are_to_be_sent_again(void **state)
{
	struct client c = client_new();

	(void)state;
	late = true;
	post(&c, LOGS, TEXT, SLICE("one\ntwo\n"));
	UNTIL(lines == 2);
	lose(0);
	expect(&c, 503, "Retry-After: 1\r\n");
	assert_int_equal(share.counts.requests_refused, 1);
	assert_int_equal(share.counts.lines_acknowledged, 0);
	client_free(&c);
}

static void
what_is_sent_ahead_waits_for_the_answer_before_it(void **state)
{
	struct client c = client_new();

	(void)state;
	late = true;
	post(&c, LOGS, TEXT, SLICE("one\n"));
	post(&c, LOGS, TEXT, SLICE("two\n"));
	expect_silence(&c);
	assert_int_equal(lines, 1);
	release(0);
	expect(&c, 204, NULL);
	UNTIL(lines == 2);
	release(1);
	expect(&c, 204, NULL);
	client_free(&c);
}

static void
a_client_that_goes_hurts_nobody(void **state)
{
	struct client c = client_new(), other = client_new();

	(void)state;
	late = true;
	post(&c, LOGS, TEXT, SLICE("one\n"));
	UNTIL(lines == 1);
	client_free(&c);
	UNTIL(share.counts.open == 1);
	release(0);
	post(&other, LOGS, TEXT, SLICE("two\n"));
	UNTIL(lines == 2);
	release(1);
	expect(&other, 204, NULL);
	assert_int_equal(share.counts.lines_acknowledged, 1);
	client_free(&other);
}

static void
lines_that_do_not_get_safe_are_given_up_after_30_s(void **state)
{
	struct client c = client_new();
	int64_t now;

	(void)state;
	late = true;
	post(&c, LOGS, TEXT, SLICE("one\n"));
	UNTIL(lines == 1);
	now = clock_mono_ms();
	http_intake_sweep(intake.http, now + HTTP_POST_MS - 1000);
	expect_silence(&c);
	http_intake_sweep(intake.http, now + HTTP_POST_MS + 1);
	expect(&c, 503, "Retry-After: 1\r\n");
	release(0);
	post(&c, LOGS, TEXT, SLICE("one\n"));
	UNTIL(lines == 2);
	http_intake_sweep(intake.http, clock_mono_ms() + HTTP_POST_MS + 1);
	expect(
	    &c, 503,
	    "{\"error\":\"not safe within 30 s: the lines may be delivered nevertheless, and twice "
	    "if they are sent again\"}");
	assert_int_equal(share.counts.requests_refused, 2);
	assert_int_equal(share.counts.lines_acknowledged, 0);
	client_free(&c);
}

static void
nothing_is_taken_while_the_disk_takes_nothing(void **state)
{
	struct client c = client_new();

	(void)state;
	ingest.failing = true;
	post(&c, LOGS, TEXT, SLICE("one\n"));
	expect(&c, 503,
	       "{\"error\":\"lines cannot be written to disk now; nothing was taken, send it "
	       "again\"}");
	post(&c, LOGS, TEXT, SLICE("one\n"));
	expect(&c, 503, "Retry-After: 1\r\n");
	assert_int_equal(lines, 0);
	ingest.failing = false;
	post(&c, LOGS, TEXT, SLICE("one\n"));
	expect(&c, 204, NULL);
	client_free(&c);
}

static void
nothing_is_taken_while_too_much_waits(void **state)
{
	struct client c = client_new();

	(void)state;
	intake_pause(&intake, true);
	post(&c, LOGS, TEXT, SLICE("one\n"));
	expect(&c, 429,
	       "{\"error\":\"too many lines wait for their receivers; nothing was taken, "
	       "send it again\"}");
	post(&c, LOGS, TEXT, SLICE("one\n"));
	expect(&c, 429, "Retry-After: 1\r\n");
	assert_int_equal(lines, 0);
	intake_pause(&intake, false);
	post(&c, LOGS, TEXT, SLICE("one\n"));
	expect(&c, 204, NULL);
	client_free(&c);
}

static void
bytes_that_are_not_safe_are_bounded(void **state)
{
	struct buf text = text_of(50000);
	struct client c[5];

	(void)state;
	late = true;
	assert_in_range(text.n, HTTP_POSTS_BYTES / 8, HTTP_POSTS_BYTES / 4);
	for (int i = 0; i < 5; i++)
		c[i] = client_new();
	for (size_t i = 0; i < 4; i++) {
		post(&c[i], LOGS, TEXT, buf_slice(&text));
		UNTIL(lines == (i + 1) * 50000 || answer_size(&c[i]) > 0 || !client_read(&c[i]));
		if (lines < (i + 1) * 50000)
			break;
	}
	/* Lines are twice as long as their text: the third's would be over it. */
	assert_int_equal(lines, 2 * 50000);
	expect(&c[2], 429,
	       "{\"error\":\"too many requests wait for their lines to be safe; nothing "
	       "was taken, send it again\"}");
	release(0);
	expect(&c[0], 204, NULL);
	post(&c[4], LOGS, TEXT, buf_slice(&text));
	UNTIL(lines == 3 * 50000);
	for (int i = 0; i < 5; i++)
		client_free(&c[i]);
	buf_free(&text);
}

static void
a_small_body_that_becomes_large_is_bounded_too(void **state)
{
	struct buf text = text_of(250000), packed = {0};
	struct client a = client_new(), b = client_new();
	struct gzip *gzip = gzip_new();

	(void)state;
	late = true;
	gzip_whole(gzip, buf_slice(&text), &packed);
	assert_true(packed.n < HTTP_BODY_BYTES && text.n > HTTP_POSTS_BYTES * 7 / 8);
	post(&a, LOGS, TEXT, SLICE("one\n"));
	UNTIL(lines == 1);
	post(&b, LOGS, TEXT GZIP, buf_slice(&packed));
	expect(&b, 429, "too many requests wait for their lines to be safe; nothing was taken");
	assert_int_equal(lines, 1);
	/* Alone it may. */
	release(0);
	expect(&a, 204, NULL);
	post(&b, LOGS, TEXT GZIP, buf_slice(&packed));
	UNTIL(lines == 250001);
	post(&a, LOGS, TEXT, SLICE("two\n"));
	expect(&a, 429, NULL);
	release(1);
	expect(&b, 204, NULL);
	post(&a, LOGS, TEXT, SLICE("two\n"));
	UNTIL(lines == 250002);
	gzip_free(gzip);
	buf_free(&packed);
	buf_free(&text);
	client_free(&a);
	client_free(&b);
}

static void
a_large_body_takes_its_turns_and_others_theirs(void **state)
{
	struct buf text = text_of(50000);
	struct client c = client_new(), other = client_new();
	size_t events;

	(void)state;
	post(&c, LOGS, TEXT, buf_slice(&text));
	post(&other, LOGS, TEXT, SLICE("small\n"));
	events = read_events;
	UNTIL(lines == 50001);
	/* Not a line before all of it was looked at, then as much at a time as a session reads. */
	assert_in_range(read_events - events, text.n / (256 * 1024), 60);
	expect(&c, 204, NULL);
	expect(&other, 204, NULL);
	buf_free(&text);
	client_free(&c);
	client_free(&other);
}

/* Turns until a body's first lines are in, and not all of them. */
static void
begin_to_append(struct client *c, const struct buf *text, size_t all)
{
	post(c, LOGS, TEXT, buf_slice(text));
	UNTIL(lines > 0);
	assert_true(lines < all);
}

static void
a_body_that_was_begun_waits_while_too_much_waits(void **state)
{
	struct buf text = text_of(50000);
	struct client c = client_new();
	size_t before;

	(void)state;
	begin_to_append(&c, &text, 50000);
	intake_pause(&intake, true);
	before = lines;
	expect_silence(&c);
	assert_int_equal(lines, before);
	intake_pause(&intake, false);
	expect(&c, 204, NULL);
	assert_int_equal(lines, 50000);
	buf_free(&text);
	client_free(&c);
}

static void
a_body_that_was_begun_comes_in_whole_without_its_client(void **state)
{
	struct buf text = text_of(50000);
	struct client c = client_new();

	(void)state;
	begin_to_append(&c, &text, 50000);
	intake_pause(&intake, true);
	client_free(&c);
	UNTIL(share.counts.open == 0);
	assert_true(lines < 50000);
	intake_pause(&intake, false);
	UNTIL(lines == 50000);
	assert_int_equal(share.counts.lines_acknowledged, 0);
	buf_free(&text);
}

static void
a_body_that_was_not_begun_goes_with_its_client(void **state)
{
	struct buf text = text_of(50000);
	struct client c = client_new(), next = client_new();

	(void)state;
	post(&c, LOGS, TEXT, buf_slice(&text));
	UNTIL(share.counts.requests == 1);
	assert_int_equal(lines, 0);
	client_free(&c);
	UNTIL(share.counts.open == 1);
	post(&next, LOGS, TEXT, SLICE("small\n"));
	expect(&next, 204, NULL);
	assert_int_equal(lines, 1);
	buf_free(&text);
	client_free(&next);
}

static void
a_stop_ends_what_was_begun_and_takes_nothing_more(void **state)
{
	struct buf text = text_of(50000);
	struct client begun = client_new(), queued = client_new(), idle = client_new();
	struct client half = client_new(), waiting = client_new();

	(void)state;
	late = true;
	post(&waiting, LOGS, TEXT, SLICE("x"));
	UNTIL(lines == 1);
	client_send(&half,
		    SLICE("POST " LOGS " HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nab"));
	post(&begun, LOGS, TEXT, buf_slice(&text));
	UNTIL(lines > 1);
	post(&queued, LOGS, TEXT, buf_slice(&text));
	UNTIL(share.counts.requests == 3);
	assert_true(lines < 50001);
	intake_end_reading(&intake);
	assert_int_equal(lines, 50001);
	expect(&queued, 503, "{\"error\":\"the gateway stops; nothing was taken, send it again\"}");
	UNTIL(!client_read(&idle));
	client_send(&half, SLICE("cd"));
	expect(&half, 503, "Connection: close\r\n");
	assert_int_equal(lines, 50001);
	assert_int_equal(intake_acks_waiting(&intake), 2);
	release(0);
	expect(&waiting, 204, "Connection: close\r\n");
	release(1);
	expect(&begun, 204, "Connection: close\r\n");
	UNTIL(intake_acks_waiting(&intake) == 0);
	buf_free(&text);
	client_free(&begun);
	client_free(&queued);
	client_free(&idle);
	client_free(&half);
	client_free(&waiting);
}

static void
the_end_may_come_at_any_moment(void **state)
{
	struct buf text = text_of(50000);
	struct client waiting = client_new(), begun = client_new(), queued = client_new();

	(void)state;
	late = true;
	post(&waiting, LOGS, TEXT, SLICE("x"));
	UNTIL(lines == 1);
	post(&begun, LOGS, TEXT, buf_slice(&text));
	UNTIL(lines > 1);
	post(&queued, LOGS, TEXT, buf_slice(&text));
	UNTIL(share.counts.requests == 3);
	intake_close_acknowledging(&intake);
	assert_int_equal(share.counts.open, 0);
	release_all();
	buf_free(&text);
	client_free(&waiting);
	client_free(&begun);
	client_free(&queued);
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
	    T(no_answer_before_the_lines_are_safe),
	    T(lines_that_are_given_up_are_to_be_sent_again),
	    T(what_is_sent_ahead_waits_for_the_answer_before_it),
	    T(a_client_that_goes_hurts_nobody),
	    T(lines_that_do_not_get_safe_are_given_up_after_30_s),
	    T(nothing_is_taken_while_the_disk_takes_nothing),
	    T(nothing_is_taken_while_too_much_waits),
	    T(bytes_that_are_not_safe_are_bounded),
	    T(a_small_body_that_becomes_large_is_bounded_too),
	    T(a_large_body_takes_its_turns_and_others_theirs),
	    T(a_body_that_was_begun_waits_while_too_much_waits),
	    T(a_body_that_was_begun_comes_in_whole_without_its_client),
	    T(a_body_that_was_not_begun_goes_with_its_client),
	    T(a_stop_ends_what_was_begun_and_takes_nothing_more),
	    T(the_end_may_come_at_any_moment),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
