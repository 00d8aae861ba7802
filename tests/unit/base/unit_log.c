/* What reaches stderr: one line an event, whatever a sender put into its values. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <unistd.h>

#include "base/log.h"

static char line[16 * 1024];
static int was_stderr, pipe_fds[2];

static void
capture_begin(void)
{
	assert_int_equal(pipe(pipe_fds), 0);
	fflush(stderr);
	was_stderr = dup(STDERR_FILENO);
	assert_true(was_stderr >= 0);
	assert_int_equal(dup2(pipe_fds[1], STDERR_FILENO), STDERR_FILENO);
	close(pipe_fds[1]);
}

static void
capture_end(void)
{
	size_t n = 0;
	ssize_t got;

	assert_int_equal(dup2(was_stderr, STDERR_FILENO), STDERR_FILENO);
	close(was_stderr);
	while ((got = read(pipe_fds[0], line + n, sizeof(line) - 1 - n)) > 0)
		n += (size_t)got;
	close(pipe_fds[0]);
	line[n] = '\0';
}

/* What the call writes is in `line` afterwards. */
#define CAPTURE(call)            \
	do {                     \
		capture_begin(); \
		call;            \
		capture_end();   \
	} while (0)

/* Skips "ts=2026-01-01T00:00:00.000Z ", after a look at its shape. */
static const char *
after_time(void)
{
	static const char shape[] = "ts=0000-00-00T00:00:00.000Z ";
	size_t i;

	for (i = 0; shape[i] != '\0'; i++) {
		if (shape[i] == '0')
			assert_in_range(line[i], '0', '9');
		else
			assert_int_equal(line[i], shape[i]);
	}
	return line + i;
}

static void
an_event_is_one_line_of_keys_and_values(void **state)
{
	(void)state;
	CAPTURE(log_warn("drain lost", "app", "web", "url", "syslog://127.0.0.1:514", NULL));
	assert_string_equal(after_time(),
			    "level=warn msg=\"drain lost\" app=web url=syslog://127.0.0.1:514\n");
	CAPTURE(log_error("stopped", NULL));
	assert_string_equal(after_time(), "level=error msg=stopped\n");
}

static void
a_value_cannot_forge_a_line_or_a_key(void **state)
{
	(void)state;
	CAPTURE(log_info("m", "name", "x\nts=1 level=error msg=forged", NULL));
	assert_string_equal(after_time(),
			    "level=info msg=m name=\"x\\nts=1 level=error msg=forged\"\n");
	CAPTURE(log_info("m", "name", "a\" level=error x=\"", NULL));
	assert_string_equal(after_time(), "level=info msg=m name=\"a\\\" level=error x=\\\"\"\n");
	CAPTURE(log_info("m", "name", "back\\", "next", "a=b", NULL));
	assert_string_equal(after_time(), "level=info msg=m name=\"back\\\\\" next=\"a=b\"\n");
	CAPTURE(log_info("m", "name", "\r\033[2J\177", NULL));
	assert_string_equal(after_time(), "level=info msg=m name=\"\\x0d\\x1b[2J\\x7f\"\n");
	CAPTURE(log_info("m", "name", "\xc2\x9b\xc2\xa0\xc4\x9b\xc2", NULL));
	assert_string_equal(after_time(),
			    "level=info msg=m name=\"\\xc2\\x9b\xc2\xa0\xc4\x9b\xc2\"\n");
}

static void
no_byte_of_a_value_or_message_ends_the_line(void **state)
{
	char text[] = "a?b";

	(void)state;
	for (int c = 1; c < 256; c++) {
		const char *end;

		text[1] = (char)c;
		CAPTURE(log_info(text, "k", text, NULL));
		end = strchr(line, '\n');
		assert_non_null(end);
		assert_int_equal(end[1], '\0');
		for (const char *p = line; p < end; p++)
			assert_true((unsigned char)*p >= ' ' && *p != 0x7f);
	}
}

static void
absent_and_empty_values_are_told_apart(void **state)
{
	(void)state;
	CAPTURE(log_info("m", "absent", (const char *)NULL, "empty", "", "dash", "-", NULL));
	assert_string_equal(after_time(), "level=info msg=m absent=- empty=\"\" dash=-\n");
}

static void
a_value_is_cut_at_512_bytes(void **state)
{
	char *value = malloc(514);
	char want[600];

	(void)state;
	assert_non_null(value);
	memset(value, 'v', 513);
	value[512] = '\0';
	CAPTURE(log_info("m", "k", value, NULL));
	snprintf(want, sizeof(want), "level=info msg=m k=%s\n", value);
	assert_string_equal(after_time(), want);

	value[512] = 'v';
	value[513] = '\0';
	CAPTURE(log_info("m", "k", value, "next", "1", NULL));
	snprintf(want, sizeof(want), "level=info msg=m k=\"%.512s...\" next=1\n", value);
	assert_string_equal(after_time(), want);
	free(value);
}

/* Of escaped bytes a cut value may take four times its room. */
static void
a_line_too_long_still_ends_in_one_newline(void **state)
{
	char value[600];
	const char *end;

	(void)state;
	memset(value, '\1', sizeof(value) - 1);
	value[sizeof(value) - 1] = '\0';
	CAPTURE(log_info("m", "a", value, "b", value, "c", value, NULL));
	end = strchr(line, '\n');
	assert_non_null(end);
	assert_int_equal(end[1], '\0');
	assert_int_equal(end + 1 - line, 4096);
}

static void
what_is_below_the_level_is_not_written(void **state)
{
	(void)state;
	CAPTURE(log_debug("quiet", NULL));
	assert_string_equal(line, "");
	log_set_level(LOG_LEVEL_ERROR);
	CAPTURE(log_warn("quiet", NULL));
	assert_string_equal(line, "");
	log_set_level(LOG_LEVEL_DEBUG);
	CAPTURE(log_debug("loud", NULL));
	assert_string_equal(after_time(), "level=debug msg=loud\n");
	log_set_level(LOG_LEVEL_INFO);
}

static void
numbers_of_one_event_do_not_share_a_buffer(void **state)
{
	(void)state;
	CAPTURE(log_info("m", "a", log_u64(0), "b", log_u64(UINT64_MAX), "c", log_i64(INT64_MIN),
			 "d", log_i64(-1), "e", log_u64(5), "f", log_u64(6), "g", log_u64(7), "h",
			 log_u64(8), NULL));
	assert_string_equal(after_time(), "level=info msg=m a=0 b=18446744073709551615 "
					  "c=-9223372036854775808 d=-1 e=5 f=6 g=7 h=8\n");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(an_event_is_one_line_of_keys_and_values),
	    cmocka_unit_test(a_value_cannot_forge_a_line_or_a_key),
	    cmocka_unit_test(no_byte_of_a_value_or_message_ends_the_line),
	    cmocka_unit_test(absent_and_empty_values_are_told_apart),
	    cmocka_unit_test(a_value_is_cut_at_512_bytes),
	    cmocka_unit_test(a_line_too_long_still_ends_in_one_newline),
	    cmocka_unit_test(what_is_below_the_level_is_not_written),
	    cmocka_unit_test(numbers_of_one_event_do_not_share_a_buffer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
