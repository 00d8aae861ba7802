/* What a receiver's window tells of what it has not read; with traces of real ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ends/drain_window.h"

static const struct resend_rule usual = {
    .bytes = 128 * 1024, .time_ms = 5000, .max_bytes = 4 * 1024 * 1024};

static struct drain_window window;

/* TCP's own largest: as io/stream.c keeps it. */
static uint32_t largest;

static int
setup(void **state)
{
	(void)state;
	drain_window_open(&window, 1000);
	largest = 0;
	return 0;
}

static void
see_with(int64_t now_ms, uint64_t acked, uint64_t unacked, uint32_t size)
{
	struct stream_tcp tcp = {.acked = acked, .unacked = unacked, .window = size};

	if (size > largest)
		largest = size;
	tcp.window_max = largest;
	drain_window_see(&window, &tcp, 1000 + now_ms);
}

static void
see(int64_t now_ms, uint64_t acked, uint32_t size)
{
	see_with(now_ms, acked, 0, size);
}

static uint64_t
unread(void)
{
	return drain_window_rule(&window, &usual, 0).unread;
}

static bool
stopped(int64_t now_ms)
{
	return drain_window_stopped(&window, usual.time_ms, 1000 + now_ms);
}

/* 2,000 lines a second, read at once: the window grows at first, then it stands. */
static void
a_prompt_receiver_is_in_no_doubt(void **state)
{
	(void)state;
	see(0, 0, 65536);
	for (int i = 1; i <= 10; i++)
		see(250 * i, (uint64_t)(100000 * i), 104448);
	assert_int_equal(unread(), 0);
	assert_false(stopped(2500));
}

/* 600 kB into a buffer of 4 MiB, of which nothing is read. */
static void
a_burst_that_lets_the_window_grow_is_in_doubt(void **state)
{
	(void)state;
	see(0, 0, 65535);
	see(5, 131072, 300000);
	see(9, 400000, 3500000);
	see(20, 593000, 5631616);
	see(21, 600000, 5631616);
	assert_int_equal(unread(), 600000);
	/* Time alone tells nothing. */
	see(4000, 600000, 5631616);
	assert_int_equal(unread(), 600000);
	assert_false(stopped(4000));
}

static void
as_much_again_must_have_been_read(void **state)
{
	(void)state;
	see(0, 0, 65535);
	see(20, 600000, 5631616);
	see(30, 1100000, 5631616);
	assert_int_equal(unread(), 1100000);
	see(40, 1200000, 5631616);
	assert_int_equal(unread(), 0);
}

/* A receiver that reads has read what it was sent half a second before its window grew. */
static void
what_came_long_before_the_window_grew_is_in_no_doubt(void **state)
{
	uint64_t acked = 0;

	(void)state;
	see(0, 0, 865535);
	for (int64_t ms = 100; ms < 3000; ms += 100) {
		acked += 40000;
		see(ms, acked, 865535);
	}
	acked += 40000;
	see(3000, acked, 904448);
	assert_in_range(unread(), 5 * 40000, 7 * 40000);
}

/* Seldom looked at: since the last time that is long enough ago. */
static void
what_was_not_looked_at_is_in_doubt(void **state)
{
	(void)state;
	see(0, 0, 865535);
	see(250, 1000, 865535);
	see(60000, 901000, 914448);
	assert_int_equal(unread(), 900000);
}

/* As measured: 1,968,000 bytes of small pieces unread, the window fallen by 1,636,992. */
static void
a_fall_of_the_window_is_what_is_unread(void **state)
{
	uint64_t acked = 0;

	(void)state;
	see(0, 0, 65535);
	for (int64_t ms = 10; ms < 3000; ms += 10)
		see(ms, acked += 4000, 6910080);
	assert_int_equal(unread(), 0);
	see(3560, acked += 252000, 6698880);
	assert_true(unread() >= 252000);
	see(4190, acked += 252000, 6488448);
	assert_true(unread() >= 504000);
	see(7850, acked += 1464000, 5273088);
	assert_in_range(unread(), 1968000, 2500000);
	see(7860, acked += 4000, 6910080);
	assert_int_equal(unread(), 0);
}

static void
a_small_fall_tells_nothing(void **state)
{
	(void)state;
	see(0, 0, 131072);
	see(250, 100000, 131072);
	see(500, 200000, 131072 - 12 * 1024);
	assert_int_equal(unread(), 0);
	see(750, 300000, 131072 - 16 * 1024);
	assert_true(unread() > 0);
}

/* What lies there may have come long ago; what is just not told anew is let go in time. */
static void
as_long_as_the_window_falls_nothing_is_too_old(void **state)
{
	struct resend_rule now;

	(void)state;
	see(0, 0, 1000000);
	see(250, 100000, 1000000);
	see(500, 200000, 1000000);
	assert_int_equal(drain_window_rule(&window, &usual, 1500).time_ms, usual.time_ms);
	for (int i = 1; i <= 100; i++)
		see(500 + 250 * i, (uint64_t)(200000 + 4000 * i), (uint32_t)(1000000 - 4000 * i));
	now = drain_window_rule(&window, &usual, 1000 + 25500);
	assert_true(now.unread > 400000 && now.time_ms > 1000000);
	for (int i = 1; i <= 100; i++)
		see(25500 + 250 * i, 600000, 600000);
	now = drain_window_rule(&window, &usual, 1000 + 25500 + 5000);
	assert_true(now.unread > 400000);
	assert_int_equal(now.time_ms, usual.time_ms);
}

/* No buffer hides more than its own size. */
static void
a_small_window_hides_little(void **state)
{
	(void)state;
	see(0, 0, 65535);
	see(20, 600000, 104448);
	assert_int_equal(unread(), 104448);
}

/* A window that goes on growing shows at no time that anything is read. */
static void
what_was_in_doubt_stays_so_while_the_window_grows(void **state)
{
	uint64_t acked = 0;

	(void)state;
	see(0, 0, 65535);
	for (int i = 1; i <= 20; i++)
		see(100 * i, acked += 100000, (uint32_t)(5000000 + 10000 * i));
	assert_int_equal(unread(), 2000000);
}

static void
a_low_window_is_that_of_a_receiver_that_stopped(void **state)
{
	(void)state;
	see(0, 0, 104448);
	see(250, 100000, 52224);
	assert_false(drain_window_is_low(&window) || stopped(250));
	see(500, 150000, 52223);
	assert_true(drain_window_is_low(&window) && stopped(500));
	see(750, 160000, 104448);
	assert_false(drain_window_is_low(&window));
	assert_true(stopped(5499));
	assert_false(stopped(5500));
}

static void
so_is_a_send_queue_that_stands_still(void **state)
{
	(void)state;
	see(0, 0, 104448);
	see_with(100, 1000, 5000, 104448);
	see_with(599, 1000, 5000, 104448);
	assert_false(stopped(599));
	see_with(600, 1000, 5000, 104448);
	assert_true(stopped(600));
}

static void
nothing_to_acknowledge_is_no_standstill(void **state)
{
	(void)state;
	see(0, 0, 104448);
	see(100, 1000, 104448);
	see(10000, 1000, 104448);
	assert_false(stopped(10000));
}

/* Measured, unread at a window of 0 after a largest of 95 kB: up to 415 kB. */
static void
of_one_that_stopped_some_windows_are_held(void **state)
{
	(void)state;
	see(0, 0, 65536);
	see(250, 100000, 0);
	assert_true(drain_window_rule(&window, &usual, 0).max_bytes >= 415000);
	see(500, 200000, 500000);
	see(750, 200000, 0);
	assert_int_equal(drain_window_rule(&window, &usual, 0).max_bytes, 128 * 1024 + 4 * 500000);
	see(1000, 300000, 5000000);
	see(1250, 300000, 0);
	assert_int_equal(drain_window_rule(&window, &usual, 0).max_bytes, usual.max_bytes);
}

/* Below the default of resend-bytes only what visibly is unread is another matter. */
static void
who_chose_fewer_duplicates_gets_fewer(void **state)
{
	struct resend_rule few = usual, none = usual, now;

	(void)state;
	few.bytes = 8 * 1024;
	none.bytes = 0;
	see(0, 0, 65535);
	see(20, 600000, 5631616);
	see(30, 606000, 5625616);
	now = drain_window_rule(&window, &few, 0);
	assert_int_equal(now.unread, 0);
	see(30, 650000, 5000000);
	now = drain_window_rule(&window, &few, 0);
	assert_int_equal(now.unread, (5631616 - 5000000) * 5 / 4);
	assert_int_equal(now.bytes, 8 * 1024);
	assert_true(now.max_bytes >= now.unread);
	now = drain_window_rule(&window, &none, 0);
	assert_int_equal(now.unread, 0);
	assert_int_equal(now.bytes, 0);
}

/* As measured, in steps of 189,000 bytes: first they are read, then none of them. */
static void
what_one_step_cannot_have_made_fall_lay_there_before(void **state)
{
	(void)state;
	see(0, 0, 128000);
	see(100, 189000, 1199104);
	/* It may not have read the last step, or read it after it acknowledged it. */
	see(200, 378000, 1016832);
	assert_false(drain_window_is_behind(&window, 189000));
	see(300, 567000, 834560);
	assert_true(drain_window_is_behind(&window, 378000));
	/* What it says after it read on. */
	see(400, 567180, 1199104);
	assert_false(drain_window_is_behind(&window, 378000));
}

static void
another_connection_begins_anew(void **state)
{
	(void)state;
	see(0, 0, 65535);
	see(20, 600000, 5631616);
	see(30, 600000, 1000);
	assert_true(unread() > 0 && stopped(30));
	drain_window_open(&window, 1100);
	assert_int_equal(unread(), 0);
	assert_false(stopped(100));
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup(name, setup)
	const struct CMUnitTest tests[] = {
	    T(a_prompt_receiver_is_in_no_doubt),
	    T(a_burst_that_lets_the_window_grow_is_in_doubt),
	    T(as_much_again_must_have_been_read),
	    T(what_came_long_before_the_window_grew_is_in_no_doubt),
	    T(what_was_not_looked_at_is_in_doubt),
	    T(a_fall_of_the_window_is_what_is_unread),
	    T(a_small_fall_tells_nothing),
	    T(as_long_as_the_window_falls_nothing_is_too_old),
	    T(a_small_window_hides_little),
	    T(what_was_in_doubt_stays_so_while_the_window_grows),
	    T(a_low_window_is_that_of_a_receiver_that_stopped),
	    T(so_is_a_send_queue_that_stands_still),
	    T(nothing_to_acknowledge_is_no_standstill),
	    T(of_one_that_stopped_some_windows_are_held),
	    T(who_chose_fewer_duplicates_gets_fewer),
	    T(what_one_step_cannot_have_made_fall_lay_there_before),
	    T(another_connection_begins_anew),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
