/*
 * log_test -- an app log with cursors for tests: appends numbered lines and
 * reads back what a cursor would send.
 */
#ifndef LOG_TEST_H
#define LOG_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "log/cursor.h"

static const struct resend_rule hold_all = {
    .bytes = 128 * 1024, .time_ms = 5000, .max_bytes = 1024 * 1024};
static const struct resend_rule hold_none = {.bytes = 0, .time_ms = 5000, .max_bytes = 1024 * 1024};

static uint64_t test_dropped;

static inline void
test_on_dropped(struct cursor *c, enum cursor_reason reason, uint64_t lines)
{
	(void)c;
	(void)reason;
	test_dropped += lines;
}

/* One line of `size` bytes, its message being "line N" padded with dots. */
static void
append_line(struct app_log *log, unsigned number, size_t size, int64_t now_ms)
{
	char *message = calloc(1, size + 32);
	size_t n = chunk_count_size(size) + size;
	char *dst;
	int used;

	memset(message, '.', size);
	assert_non_null(message);
	used = snprintf(message, 32, "line %u ", number);
	message[used] = '.';
	dst = app_log_reserve(log, n, now_ms);
	dst += chunk_count_write(dst, size);
	memcpy(dst, message, size);
	app_log_commit(log, n);
	free(message);
}

/* The number in it; a chunk has no zero at its end. */
static inline unsigned
line_number(struct slice message)
{
	unsigned number = 0;
	size_t i = 5;

	assert_true(message.n > i && memcmp(message.p, "line ", i) == 0);
	for (; i < message.n && message.p[i] >= '0' && message.p[i] <= '9'; i++)
		number = number * 10 + (unsigned)(message.p[i] - '0');
	return number;
}

static inline void
open_cursor(struct cursor *c, struct app_log *log)
{
	*c = (struct cursor){.dropped = test_on_dropped};
	cursor_open(c, log, 0);
}

/*
 * Sends every unsent segment, checks that its lines are first, first + 1, ...
 * and returns the number behind the last.  Each byte counts one on the TCP scale.
 */
static inline unsigned
send_all(struct cursor *c, unsigned first, uint64_t *tcp, int64_t now_ms)
{
	const struct segment *s;

	while ((s = cursor_unsent(c, 0, now_ms)) != NULL) {
		uint32_t at = s->from;

		*tcp += s->to - s->from;
		while (at < s->to) {
			struct slice message;

			at = chunk_frame(s->chunk, at, &message);
			assert_int_equal(line_number(message), first);
			first++;
		}
		cursor_sent(c, *tcp, now_ms);
	}
	return first;
}

#endif
