/* Bodies are compressed with one state, which must not remember the last one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <zlib.h>

#include "plumb/gzip.h"

static void
inflate_and_compare(struct slice packed, struct slice want)
{
	unsigned char *out = malloc(want.n + 1);
	z_stream z = {.next_in = (Bytef *)(uintptr_t)packed.p,
		      .avail_in = (uInt)packed.n,
		      .next_out = out,
		      .avail_out = (uInt)want.n + 1};

	assert_non_null(out);
	assert_int_equal(inflateInit2(&z, 15 + 16), Z_OK);
	assert_int_equal(inflate(&z, Z_FINISH), Z_STREAM_END);
	assert_int_equal(z.avail_in, 0);
	assert_int_equal(z.total_out, want.n);
	assert_memory_equal(out, want.p, want.n);
	inflateEnd(&z);
	free(out);
}

static void
each_body_is_a_whole_member_of_its_own(void **state)
{
	struct gzip *g = gzip_new();
	size_t sizes[] = {0, 1, 100, 65536, 3000000};
	struct buf out = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		char *text = malloc(sizes[i] + 1);
		size_t before = out.n;

		assert_non_null(text);
		/* Half of it cannot be compressed: the bound must hold for that as well. */
		for (size_t k = 0; k < sizes[i]; k++)
			text[k] = k < sizes[i] / 2 ? 'x' : (char)random();
		gzip_whole(g, slice_of(text, sizes[i]), &out);
		inflate_and_compare(slice_of(out.p + before, out.n - before),
				    slice_of(text, sizes[i]));
		free(text);
	}
	buf_free(&out);
	gzip_free(g);
	gzip_free(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_body_is_a_whole_member_of_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
