#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "chunk/chunk.h"

static void
count_is_written_as_digits_and_a_space(void **state)
{
	static const struct {
		size_t n;
		const char *text;
	} cases[] = {{0, "0 "},
		     {9, "9 "},
		     {10, "10 "},
		     {99, "99 "},
		     {100, "100 "},
		     {1048576, "1048576 "},
		     {9999999, "9999999 "}};
	char text[CHUNK_COUNT_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		size_t n = strlen(cases[i].text);

		assert_int_equal(chunk_count_size(cases[i].n), n);
		assert_int_equal(chunk_count_write(text, cases[i].n), n);
		assert_memory_equal(text, cases[i].text, n);
	}
}

static void
frames_are_read_back_one_after_the_other(void **state)
{
	static const char bytes[] = "5 hello0 12 hello world!";
	struct chunk *c = chunk_new(sizeof(bytes) - 1);
	struct slice message;
	uint32_t at;

	(void)state;
	memcpy(c->data, bytes, sizeof(bytes) - 1);
	c->used = sizeof(bytes) - 1;
	at = chunk_frame(c, 0, &message);
	assert_true(slice_is(message, "hello"));
	at = chunk_frame(c, at, &message);
	assert_int_equal(message.n, 0);
	at = chunk_frame(c, at, &message);
	assert_true(slice_is(message, "hello world!"));
	assert_int_equal(at, c->used);
	chunk_free(c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(count_is_written_as_digits_and_a_space),
	    cmocka_unit_test(frames_are_read_back_one_after_the_other),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
