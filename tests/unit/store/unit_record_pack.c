#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <msgpack.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/hash.h"
#include "base/xmalloc.h"
#include "store/record_pack.h"
#include "store/unpack.h"

static const char app_id[] = "0123456789abcdef01234567";

static struct drain_record
some_drain(void)
{
	struct drain_record drain = {
	    .id = 77, .position = UINT64_MAX, .created_us = -5, .mark = 1ULL << 40};

	memcpy(drain.app_id, app_id, sizeof(app_id));
	drain.type = xstrdup("datadog");
	drain.url = xstrdup("datadog://x?api_key=\xc3\xa9");
	for (drain.nparams = 0; drain.nparams < RECORD_PARAMS_MAX; drain.nparams++) {
		drain.params[drain.nparams].key = xasprintf("key%zu", drain.nparams);
		drain.params[drain.nparams].value =
		    xstrndup("vvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvv", drain.nparams);
	}
	return drain;
}

static void
assert_same_drain(const struct drain_record *a, const struct drain_record *b)
{
	assert_int_equal(a->id, b->id);
	assert_string_equal(a->app_id, b->app_id);
	assert_string_equal(a->type, b->type);
	assert_string_equal(a->url, b->url);
	assert_int_equal(a->nparams, b->nparams);
	for (size_t i = 0; i < a->nparams; i++) {
		assert_string_equal(a->params[i].key, b->params[i].key);
		assert_string_equal(a->params[i].value, b->params[i].value);
	}
	assert_true(a->position == b->position);
	assert_true(a->created_us == b->created_us);
	assert_true(a->mark == b->mark);
}

static void
a_drain_comes_back_as_it_was(void **state)
{
	struct drain_record drain = some_drain(), back;
	struct buf b = {0};

	(void)state;
	assert_true(drain_record_pack(&drain, &b));
	assert_true(drain_record_unpack(buf_slice(&b), &back));
	assert_same_drain(&drain, &back);
	drain_record_free(&back);
	buf_free(&b);

	drain.url = xrealloc(drain.url, 100001);
	memset(drain.url, 'u', 100000);
	drain.url[100000] = '\0';
	assert_true(drain_record_pack(&drain, &b));
	assert_true(drain_record_unpack(buf_slice(&b), &back));
	assert_same_drain(&drain, &back);
	drain_record_free(&back);
	drain_record_free(&drain);
	drain_record_free(&drain);
	buf_free(&b);
}

/* The first versions kept nine members, and the spool knew a drain by its id. */
static void
a_drain_without_a_mark_has_its_id_for_one(void **state)
{
	struct drain_record drain = some_drain(), back;
	struct buf b = {0};

	(void)state;
	drain.mark = 1;
	assert_true(drain_record_pack(&drain, &b));
	assert_int_equal((unsigned char)b.p[8], 0x90 + 10);
	b.p[8] = (char)(0x90 + 9);
	b.n--;
	record_put_u64((unsigned char *)b.p, hash_slice(slice_skip(buf_slice(&b), 8)));
	assert_true(drain_record_unpack(buf_slice(&b), &back));
	drain.mark = drain.id;
	assert_same_drain(&drain, &back);
	drain_record_free(&back);
	drain_record_free(&drain);
	buf_free(&b);
}

static void
an_app_a_token_and_counters_come_back_as_they_were(void **state)
{
	struct app_record app = {.serial = 1ULL << 47, .created_us = INT64_MAX}, app_back;
	struct token_record token = {.created_us = INT64_MIN}, token_back;
	struct counters_record counters = {0, 127, 1ULL << 32, UINT64_MAX}, counters_back;
	struct buf b = {0};

	(void)state;
	memcpy(app.id, app_id, sizeof(app_id));
	memset(app.name, 'n', RECORD_NAME_MAX);
	assert_true(app_record_pack(&app, &b));
	assert_true(app_record_unpack(buf_slice(&b), &app_back));
	assert_memory_equal(&app, &app_back, sizeof(app));
	buf_free(&b);

	memcpy(token.id, app_id, sizeof(app_id));
	memset(token.sha256, 0xff, sizeof(token.sha256));
	memset(token.name, 't', sizeof(token.name) - 1);
	assert_true(token_record_pack(&token, &b));
	assert_true(token_record_unpack(buf_slice(&b), &token_back));
	assert_memory_equal(&token, &token_back, sizeof(token));
	buf_free(&b);

	assert_true(counters_record_pack(&counters, &b));
	assert_true(counters_record_unpack(buf_slice(&b), &counters_back));
	assert_memory_equal(&counters, &counters_back, sizeof(counters));
	/* A record of one kind is none of another. */
	assert_false(app_record_unpack(buf_slice(&b), &app_back));
	assert_false(token_record_unpack(buf_slice(&b), &token_back));
	buf_free(&b);
}

static void
what_cannot_be_kept_is_not_packed(void **state)
{
	struct app_record app = {0};
	struct drain_record drain = some_drain();
	struct token_record token = {0};
	struct buf b = {0};
	char *url = drain.url;

	(void)state;
	memcpy(app.id, app_id, sizeof(app_id));
	assert_false(app_record_pack(&app, &b));
	strcpy(app.name, "two words");
	assert_false(app_record_pack(&app, &b));
	memset(app.name, 'n', sizeof(app.name));
	assert_false(app_record_pack(&app, &b));
	strcpy(app.name, "web");
	app.id[3] = 'G';
	assert_false(app_record_pack(&app, &b));

	memcpy(token.id, app_id, sizeof(app_id));
	memset(token.name, 't', sizeof(token.name));
	assert_false(token_record_pack(&token, &b));

	drain.url = NULL;
	assert_false(drain_record_pack(&drain, &b));
	drain.url = xmalloc(RECORD_BYTES_MAX + 1);
	memset(drain.url, 'u', RECORD_BYTES_MAX);
	drain.url[RECORD_BYTES_MAX] = '\0';
	assert_false(drain_record_pack(&drain, &b));
	free(drain.url);
	drain.url = url;
	drain_record_free(&drain);
	buf_free(&b);
}

/* In a heap buffer of just that size: ASan sees a read behind it. */
static bool
unpacks(const char *p, size_t n, bool fix_checksum)
{
	unsigned char *copy = xmalloc(n);
	struct drain_record drain;
	bool ok;

	memcpy(copy, p, n);
	if (fix_checksum && n > 8)
		record_put_u64(copy, hash_slice(slice_of((char *)copy + 8, n - 8)));
	ok = drain_record_unpack(slice_of((char *)copy, n), &drain);
	if (ok)
		drain_record_free(&drain);
	else
		assert_null(drain.url);
	free(copy);
	return ok;
}

static void
a_record_cut_anywhere_is_refused(void **state)
{
	struct drain_record drain = some_drain();
	struct buf b = {0};

	(void)state;
	assert_true(drain_record_pack(&drain, &b));
	for (size_t n = 0; n < b.n; n++) {
		assert_false(unpacks(b.p, n, false));
		assert_false(unpacks(b.p, n, true));
	}
	assert_true(unpacks(b.p, b.n, true));
	buf_add_char(&b, '\xc0');
	assert_false(unpacks(b.p, b.n, true));
	buf_free(&b);
	drain_record_free(&drain);
}

static void
a_flipped_bit_is_refused_and_with_a_forged_checksum_harmless(void **state)
{
	struct drain_record drain = some_drain();
	struct buf b = {0};

	(void)state;
	assert_true(drain_record_pack(&drain, &b));
	for (size_t bit = 0; bit < b.n * 8; bit++) {
		b.p[bit / 8] ^= (char)(1 << (bit % 8));
		assert_false(unpacks(b.p, b.n, false));
		(void)unpacks(b.p, b.n, true);
		b.p[bit / 8] ^= (char)(1 << (bit % 8));
	}
	srand(1);
	for (int i = 0; i < 200000; i++) {
		size_t at = 8 + (size_t)rand() % (b.n - 8);
		char was = b.p[at];

		b.p[at] = (char)rand();
		(void)unpacks(b.p, b.n, true);
		b.p[at] = was;
	}
	buf_free(&b);
	drain_record_free(&drain);
}

static int
write_to(void *out, const char *p, size_t n)
{
	buf_add(out, p, n);
	return 0;
}

/* A counters record with members of the caller's behind the known ones. */
static struct buf
counters_with(unsigned version, size_t members, struct slice more)
{
	struct buf b = {0};
	msgpack_packer pk;

	buf_add(&b, "12345678", 8);
	msgpack_packer_init(&pk, &b, write_to);
	msgpack_pack_array(&pk, members);
	msgpack_pack_unsigned_char(&pk, 4);
	msgpack_pack_unsigned_int(&pk, version);
	for (uint64_t i = 0; i < 4; i++)
		msgpack_pack_uint64(&pk, i << 16);
	buf_add_slice(&b, more);
	record_put_u64((unsigned char *)b.p, hash_slice(slice_skip(buf_slice(&b), 8)));
	return b;
}

static bool
counters_unpack_exact(struct buf b)
{
	struct counters_record counters;
	char *copy = xmalloc(b.n);
	bool ok;

	memcpy(copy, b.p, b.n);
	ok = counters_record_unpack(slice_of(copy, b.n), &counters);
	assert_int_equal(counters.start, ok ? 3 << 16 : 0);
	free(copy);
	buf_free(&b);
	return ok;
}

static void
fields_of_a_later_penstock_are_passed_over(void **state)
{
	static const struct {
		size_t extra;
		struct slice bytes;
	} good[] = {
	    {0, SLICE_INIT("")},
	    {1, SLICE_INIT("\xc0")},
	    {3, SLICE_INIT("\xc2\xc3\xe0")},
	    {1, SLICE_INIT("\xa3xyz")},
	    {2, SLICE_INIT("\xca\0\0\0\0\xcb\0\0\0\0\0\0\0\0")},
	    {1, SLICE_INIT("\x82\x01\x92\x05\xc4\x02zz\xa1k\x80")},
	    {1, SLICE_INIT("\xde\0\x01\x01\x02")},
	    {1, SLICE_INIT("\xdc\0\x02\xd1\x01\x02\xd9\x01q")},
	    {1, SLICE_INIT("\xd4\x01\x02")},
	    {1, SLICE_INIT("\xd8\x01"
			   "0123456789abcdef")},
	    {1, SLICE_INIT("\xc7\x02\x01zz")},
	    {4,
	     SLICE_INIT("\xcc\xff\xcd\xff\xff\xce\xff\xff\xff\xff\xcf\xff\xff\xff\xff\xff\xff\xff"
			"\xff")},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_true(counters_unpack_exact(
		    counters_with(RECORD_VERSION, 6 + good[i].extra, good[i].bytes)));
}

static void
lengths_that_lie_reserve_nothing(void **state)
{
	static const struct slice bad[] = {
	    SLICE_INIT("\xdd\x00\xff\xff\xff"),
	    SLICE_INIT("\xdd\xff\xff\xff\xff"),
	    SLICE_INIT("\xdf\xff\xff\xff\xff"),
	    SLICE_INIT("\xdb\xff\xff\xff\xffzz"),
	    SLICE_INIT("\xc6\xff\xff\xff\xff"),
	    SLICE_INIT("\xc9\xff\xff\xff\xff\x01"),
	    SLICE_INIT("\xc1"),
	    SLICE_INIT("\x91"),
	    SLICE_INIT("\x81\x01"),
	    SLICE_INIT("\xa2z"),
	    SLICE_INIT("\xcf\x01"),
	    SLICE_INIT("\xc0\xc0"),
	    SLICE_INIT(""),
	    /* 20 arrays in one another */
	    SLICE_INIT("\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91"
		       "\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\xc0"),
	};
	struct rusage before, after;

	(void)state;
	getrusage(RUSAGE_SELF, &before);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(counters_unpack_exact(counters_with(RECORD_VERSION, 7, bad[i])));
	getrusage(RUSAGE_SELF, &after);
	assert_in_range(after.ru_maxrss - before.ru_maxrss, 0, 64 * 1024);
	/* Members promised by the outer array itself. */
	assert_false(counters_unpack_exact(counters_with(RECORD_VERSION, 0xffffffff, SLICE(""))));
	assert_false(counters_unpack_exact(counters_with(RECORD_VERSION, 5, SLICE(""))));
}

static void
a_record_of_another_version_is_refused(void **state)
{
	(void)state;
	assert_false(counters_unpack_exact(counters_with(RECORD_VERSION + 1, 6, SLICE(""))));
	assert_false(counters_unpack_exact(counters_with(0, 6, SLICE(""))));
	assert_true(counters_unpack_exact(counters_with(RECORD_VERSION, 6, SLICE(""))));
}

static void
numbers_of_every_width_are_read(void **state)
{
	static const struct {
		struct slice bytes;
		int64_t want;
	} cases[] = {
	    {SLICE_INIT("\x7f"), 127},
	    {SLICE_INIT("\xff"), -1},
	    {SLICE_INIT("\xe0"), -32},
	    {SLICE_INIT("\xcc\xff"), 255},
	    {SLICE_INIT("\xd0\x80"), -128},
	    {SLICE_INIT("\xd0\x7f"), 127},
	    {SLICE_INIT("\xd1\x80\x00"), -32768},
	    {SLICE_INIT("\xd2\x80\x00\x00\x00"), INT32_MIN},
	    {SLICE_INIT("\xd3\x80\x00\x00\x00\x00\x00\x00\x00"), INT64_MIN},
	    {SLICE_INIT("\xd3\x7f\xff\xff\xff\xff\xff\xff\xff"), INT64_MAX},
	    {SLICE_INIT("\xcf\x7f\xff\xff\xff\xff\xff\xff\xff"), INT64_MAX},
	};
	struct unpack u;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		u = (struct unpack){.rest = cases[i].bytes};
		assert_true(unpack_i64(&u) == cases[i].want);
		assert_false(u.failed);
		assert_int_equal(u.rest.n, 0);
	}
	u = (struct unpack){.rest = SLICE("\xcf\x80\x00\x00\x00\x00\x00\x00\x00")};
	(void)unpack_i64(&u);
	assert_true(u.failed);
	u = (struct unpack){.rest = SLICE("\xff")};
	(void)unpack_u64(&u);
	assert_true(u.failed);
	/* Text with a NUL would be cut silently. */
	u = (struct unpack){.rest = SLICE("\xa3"
					  "a\0b")};
	assert_int_equal(unpack_text(&u).n, 0);
	assert_true(u.failed);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_drain_comes_back_as_it_was),
	    cmocka_unit_test(a_drain_without_a_mark_has_its_id_for_one),
	    cmocka_unit_test(an_app_a_token_and_counters_come_back_as_they_were),
	    cmocka_unit_test(what_cannot_be_kept_is_not_packed),
	    cmocka_unit_test(a_record_cut_anywhere_is_refused),
	    cmocka_unit_test(a_flipped_bit_is_refused_and_with_a_forged_checksum_harmless),
	    cmocka_unit_test(fields_of_a_later_penstock_are_passed_over),
	    cmocka_unit_test(lengths_that_lie_reserve_nothing),
	    cmocka_unit_test(a_record_of_another_version_is_refused),
	    cmocka_unit_test(numbers_of_every_width_are_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
