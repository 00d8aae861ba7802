/* Compressed bodies come out whole, piece by piece; what is damaged, or a bomb, is said to be so.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <stdio.h>

#include "base/xmalloc.h"
#include "plumb/gunzip.h"
#include "plumb/gzip.h"

enum { MOST = 4 * 1024 * 1024 };

static struct gunzip *gunzip;
static struct gzip *gzip;

/* Unpacks by pieces; the block has its exact size, so that reading past it shows. */
static enum gunzip_result
unpack(struct slice in, size_t piece, struct buf *out, char fault[GUNZIP_FAULT_BYTES])
{
	char *exact = xmalloc(in.n);
	enum gunzip_result result;
	int pieces = 0;

	if (in.n > 0)
		memcpy(exact, in.p, in.n);
	out->n = 0;
	gunzip_start(gunzip, slice_of(exact, in.n), MOST);
	while ((result = gunzip_some(gunzip, piece, out, fault)) == GUNZIP_MORE)
		assert_true(++pieces < 100000);
	free(exact);
	return result;
}

static void
check_same(struct slice packed, struct slice want)
{
	static const size_t pieces[] = {1, 100, 65536, MOST};
	char fault[GUNZIP_FAULT_BYTES] = "";
	struct buf out = {0};

	for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
		if (unpack(packed, pieces[i], &out, fault) != GUNZIP_END)
			fail_msg("%s", fault);
		assert_int_equal(out.n, want.n);
		assert_true(slice_eq(buf_slice(&out), want));
	}
	buf_free(&out);
}

static void
check_fault(struct slice packed, enum gunzip_result want, const char *words)
{
	char fault[GUNZIP_FAULT_BYTES] = "";
	struct buf out = {0};

	assert_int_equal(unpack(packed, 65536, &out, fault), want);
	if (strcmp(fault, words) != 0)
		fail_msg("\"%s\", not \"%s\"", fault, words);
	buf_free(&out);
}

/* Text that compresses about as well as logs do. */
static struct buf
some_text(size_t n)
{
	struct buf text = {0};

	for (unsigned i = 0; text.n < n; i++)
		buf_addf(&text, "line %u of %u, some words and %ld\n", i, i * 7, random());
	text.n = n;
	return text;
}

static void
a_body_comes_out_as_it_went_in(void **state)
{
	static const size_t sizes[] = {0, 1, 1000, 65536, 1000000, MOST};

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct buf text = some_text(sizes[i]), packed = {0};

		gzip_whole(gzip, buf_slice(&text), &packed);
		check_same(buf_slice(&packed), buf_slice(&text));
		buf_free(&packed);
		buf_free(&text);
	}
}

static void
several_members_are_one_body(void **state)
{
	struct buf text = some_text(70000), packed = {0};

	(void)state;
	gzip_whole(gzip, slice_of(text.p, 30000), &packed);
	gzip_whole(gzip, slice_of(text.p, 0), &packed);
	gzip_whole(gzip, slice_of(text.p + 30000, 40000), &packed);
	check_same(buf_slice(&packed), buf_slice(&text));
	buf_free(&packed);
	buf_free(&text);
}

#define AGAIN "; compress it again, or send it as it is without Content-Encoding"

static void
what_is_cut_short_is_not_whole(void **state)
{
	struct buf text = some_text(500), packed = {0};

	(void)state;
	gzip_whole(gzip, buf_slice(&text), &packed);
	for (size_t n = 0; n < packed.n; n++) {
		struct buf out = {0};
		char fault[GUNZIP_FAULT_BYTES] = "";

		assert_int_equal(unpack(slice_of(packed.p, n), 65536, &out, fault), GUNZIP_BAD);
		assert_string_equal(fault, "body is not whole" AGAIN);
		buf_free(&out);
	}
	buf_free(&packed);
	buf_free(&text);
}

static void
what_is_damaged_or_something_else_is_refused(void **state)
{
	struct buf text = some_text(500), packed = {0};

	(void)state;
	check_fault(SLICE("plain text, not compressed"), GUNZIP_BAD,
		    "body is not gzip (RFC 1952)" AGAIN);
	check_fault(SLICE("\x78\x9c zlib's own format"), GUNZIP_BAD,
		    "body is not gzip (RFC 1952)" AGAIN);
	gzip_whole(gzip, buf_slice(&text), &packed);
	buf_add_str(&packed, "garbage behind it");
	check_fault(buf_slice(&packed), GUNZIP_BAD, "body is not gzip (RFC 1952)" AGAIN);
	packed.n -= strlen("garbage behind it");
	packed.p[packed.n - 6] ^= 1; /* of the checksum */
	check_fault(buf_slice(&packed), GUNZIP_BAD, "body is damaged" AGAIN);
	/* And the next one is judged for itself. */
	packed.p[packed.n - 6] ^= 1;
	check_same(buf_slice(&packed), buf_slice(&text));
	buf_free(&packed);
	buf_free(&text);
}

static void
what_is_too_large_is_refused(void **state)
{
	struct buf text = some_text(MOST + 1), packed = {0};

	(void)state;
	gzip_whole(gzip, buf_slice(&text), &packed);
	check_fault(buf_slice(&packed), GUNZIP_BIG,
		    "body too large; send at most 4194304 bytes in one request, decompressed");
	buf_free(&packed);
	buf_free(&text);
}

static void
a_bomb_is_refused_and_the_same_text_over_again_is_not(void **state)
{
	struct buf zeros = {0}, packed = {0};

	(void)state;
	memset(buf_reserve(&zeros, MOST), 'x', MOST);
	zeros.n = GUNZIP_FREE_BYTES;
	gzip_whole(gzip, buf_slice(&zeros), &packed);
	assert_true(packed.n * GUNZIP_RATIO < GUNZIP_FREE_BYTES);
	check_same(buf_slice(&packed), buf_slice(&zeros));
	packed.n = 0;
	zeros.n = 2 * GUNZIP_FREE_BYTES;
	gzip_whole(gzip, buf_slice(&zeros), &packed);
	check_fault(buf_slice(&packed), GUNZIP_BIG,
		    "body becomes more than 200 times larger by decompressing; send it as it is");
	buf_free(&packed);
	buf_free(&zeros);
}

static void
members_in_which_nothing_is_take_more_than_one_piece(void **state)
{
	struct buf packed = {0}, out = {0};
	char fault[GUNZIP_FAULT_BYTES];
	int pieces = 1;

	(void)state;
	while (packed.n < 1000000)
		gzip_whole(gzip, slice_of(NULL, 0), &packed);
	gunzip_start(gunzip, buf_slice(&packed), MOST);
	while (gunzip_some(gunzip, 100000, &out, fault) == GUNZIP_MORE)
		pieces++;
	assert_in_range(pieces, 5, 20);
	assert_int_equal(out.n, 0);
	buf_free(&packed);
	buf_free(&out);
}

static int
setup(void **state)
{
	(void)state;
	gunzip = gunzip_new();
	gzip = gzip_new();
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	gunzip_free(gunzip);
	gunzip_free(NULL);
	gzip_free(gzip);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_body_comes_out_as_it_went_in),
	    cmocka_unit_test(several_members_are_one_body),
	    cmocka_unit_test(what_is_cut_short_is_not_whole),
	    cmocka_unit_test(what_is_damaged_or_something_else_is_refused),
	    cmocka_unit_test(what_is_too_large_is_refused),
	    cmocka_unit_test(a_bomb_is_refused_and_the_same_text_over_again_is_not),
	    cmocka_unit_test(members_in_which_nothing_is_take_more_than_one_piece),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
