/*
 * The parts that stand alone: base64, query, throttle, JSON text.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/un.h>

#include "admin/base64.h"
#include "admin/query.h"
#include "admin/reply.h"
#include "admin/throttle.h"
#include "io/http_write.h"

static void
base64_has_one_spelling_for_each_text(void **state)
{
	static const struct {
		enum base64_alphabet alphabet;
		const char *in;
		const char *out; /* NULL: refused */
	} table[] = {
	    {BASE64_STANDARD, "", ""},
	    {BASE64_STANDARD, "YQ==", "a"},
	    {BASE64_STANDARD, "YQ", "a"},
	    {BASE64_STANDARD, "YWI=", "ab"},
	    {BASE64_STANDARD, "YWJj", "abc"},
	    {BASE64_STANDARD, "++//", "\xfb\xef\xff"},
	    {BASE64_URL, "--__", "\xfb\xef\xff"},
	    {BASE64_URL, "YQ", "a"},
	    {BASE64_URL, "YQ==", NULL},
	    {BASE64_URL, "++//", NULL},
	    {BASE64_STANDARD, "--__", NULL},
	    {BASE64_STANDARD, "YR==", NULL}, /* unused bits set */
	    {BASE64_STANDARD, "YWJ", NULL},
	    {BASE64_STANDARD, "Y", NULL},
	    {BASE64_STANDARD, "YQ=", NULL},
	    {BASE64_STANDARD, "Y===", NULL},
	    {BASE64_STANDARD, "YWJj====", NULL},
	    {BASE64_STANDARD, "YQ==YQ==", NULL},
	    {BASE64_STANDARD, "YW Jj", NULL},
	    {BASE64_STANDARD, "=", NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct buf out = {0};
		size_t n = strlen(table[i].in);
		char *in = malloc(n > 0 ? n : 1);

		memcpy(in, table[i].in, n);
		if (base64_decode(table[i].alphabet, slice_of(in, n), &out) !=
		    (table[i].out != NULL))
			fail_msg("%s", table[i].in);
		if (table[i].out != NULL)
			assert_true(slice_is(buf_slice(&out), table[i].out));
		free(in);
		buf_free(&out);
	}
}

static void
base64url_comes_back_the_same(void **state)
{
	unsigned char bytes[64];

	(void)state;
	for (size_t n = 0; n < sizeof(bytes); n++) {
		struct buf text = {0}, back = {0};

		for (size_t i = 0; i < n; i++)
			bytes[i] = (unsigned char)(i * 37 + n);
		base64url_add(&text, bytes, n);
		assert_int_equal(text.n, (n * 8 + 5) / 6);
		assert_true(base64_decode(BASE64_URL, buf_slice(&text), &back));
		assert_true(slice_eq(buf_slice(&back), slice_of((const char *)bytes, n)));
		buf_free(&text);
		buf_free(&back);
	}
}

static void
a_query_gives_its_first_parameter_of_that_name(void **state)
{
	static const struct {
		const char *query, *value, *rest; /* NULL: absent */
	} table[] = {
	    {"", NULL, NULL},
	    {"url", NULL, NULL},
	    {"url=", "", ""},
	    {"url=a", "a", "a"},
	    {"url=a&b=c", "a", "a&b=c"},
	    {"x=1&url=a&url=b", "a", "a&url=b"},
	    {"xurl=1", NULL, NULL},
	    {"x&url=&y", "", "&y"},
	    {"&&url=a", "a", "a"},
	    {"x=url=a", NULL, NULL},
	    {"URL=a", NULL, NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		size_t n = strlen(table[i].query);
		char *copy = malloc(n > 0 ? n : 1);
		struct slice query = slice_of(copy, n), value, rest;

		memcpy(copy, table[i].query, n);
		value = query_get(query, "url");
		rest = query_get_rest(query, "url");
		assert_true((value.p == NULL) == (table[i].value == NULL));
		assert_true(slice_is(value, table[i].value != NULL ? table[i].value : ""));
		assert_true(slice_is(rest, table[i].rest != NULL ? table[i].rest : ""));
		free(copy);
	}
	assert_null(query_get((struct slice){NULL, 0}, "url").p);
	assert_true(query_is_true(SLICE("a&status=true"), "status"));
	assert_true(query_is_true(SLICE("status=1&x"), "status"));
	assert_false(query_is_true(SLICE("status=truex"), "status"));
	assert_false(query_is_true(SLICE("status"), "status"));
}

static void
a_query_gives_each_parameter_of_that_name_in_turn(void **state)
{
	static const struct {
		const char *query, *values; /* each followed by ';' */
	} table[] = {
	    {"", ""},
	    {"url", ""},
	    {"url=", ";"},
	    {"url=a", "a;"},
	    {"url=a&", "a;"},
	    {"url=a&url=b", "a;b;"},
	    {"url=&url=", ";;"},
	    {"x&url=a,b&xurl=c&&url=d&y=url", "a,b;d;"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		size_t n = strlen(table[i].query);
		char *copy = malloc(n > 0 ? n : 1);
		struct slice rest = slice_of(copy, n), value;
		struct buf all = {0};

		memcpy(copy, table[i].query, n);
		while (query_next(&rest, "url", &value)) {
			buf_add_slice(&all, value);
			buf_add_char(&all, ';');
		}
		assert_string_equal(buf_cstr(&all), table[i].values);
		buf_free(&all);
		free(copy);
	}
}

static struct sockaddr_in6
peer6(const unsigned char address[16])
{
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};

	memcpy(&in6.sin6_addr, address, 16);
	return in6;
}

static void
a_peer_is_its_network_however_it_comes(void **state)
{
	struct throttle *t = calloc(1, sizeof(*t));
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr = {htonl(0x0a000001)}};
	struct sockaddr_in6 mapped =
	    peer6((const unsigned char[16]){0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 0, 0, 1});
	struct sockaddr_in6 near = peer6(
	    (const unsigned char[16]){0x20, 1, 0xd, 0xb8, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1});
	struct sockaddr_in6 same = peer6(
	    (const unsigned char[16]){0x20, 1, 0xd, 0xb8, 0, 0, 0, 1, 9, 9, 9, 9, 9, 9, 9, 9});
	struct sockaddr_in6 other = peer6(
	    (const unsigned char[16]){0x20, 1, 0xd, 0xb8, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 1});
	struct sockaddr_un un = {.sun_family = AF_UNIX};

	(void)state;
	for (int i = 0; i < THROTTLE_BURST; i++) {
		assert_int_equal(throttle_fail(t, (struct sockaddr *)&in, 5), 0);
		assert_int_equal(throttle_fail(t, (struct sockaddr *)&near, 5), 0);
		assert_int_equal(throttle_fail(t, (struct sockaddr *)&un, 5), 0);
	}
	assert_int_equal(throttle_fail(t, (struct sockaddr *)&mapped, 5), 6);
	assert_int_equal(throttle_fail(t, (struct sockaddr *)&same, 5), 6);
	assert_int_equal(throttle_fail(t, (struct sockaddr *)&un, 5), 6);
	assert_int_equal(throttle_fail(t, (struct sockaddr *)&other, 5), 0);
	assert_int_equal(throttle_fail(t, (struct sockaddr *)&in, 5004), 2);
	assert_int_equal(throttle_fail(t, (struct sockaddr *)&in, 6004), 1);
	assert_int_equal(throttle_fail(t, (struct sockaddr *)&in, 6005), 0);
	assert_int_equal(throttle_fail(t, NULL, 5), 0);
	free(t);
}

static void
a_full_table_forgets_the_peer_nearest_to_forgiveness(void **state)
{
	struct throttle *t = calloc(1, sizeof(*t));
	struct sockaddr_in in = {.sin_family = AF_INET};

	(void)state;
	in.sin_addr.s_addr = htonl(1);
	for (int i = 0; i < THROTTLE_BURST; i++)
		assert_int_equal(throttle_fail(t, (struct sockaddr *)&in, 0), 0);
	for (uint32_t a = 2; a < 10 * THROTTLE_PEERS; a++) {
		in.sin_addr.s_addr = htonl(a);
		assert_int_equal(throttle_fail(t, (struct sockaddr *)&in, 0), 0);
	}
	in.sin_addr.s_addr = htonl(1);
	assert_true(throttle_fail(t, (struct sockaddr *)&in, 0) > 0);
	free(t);
}

static void
bytes_that_are_not_utf8_are_replaced(void **state)
{
	static const struct {
		const char *in, *out;
	} table[] = {
	    {"plain", "plain"},
	    {"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"},
	    {"a\xff", "a\xef\xbf\xbd"},
	    {"\xc3", "\xef\xbf\xbd"},
	    {"\xe2\x82", "\xef\xbf\xbd\xef\xbf\xbd"},
	    {"\xe2\x82z", "\xef\xbf\xbd\xef\xbf\xbdz"},
	    {"\xc0\x80", "\xef\xbf\xbd\xef\xbf\xbd"},
	    {"\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
	    {"\xf4\x90\x80\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
	    {"\xf0\x9f\x98", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		char *copy = strdup(table[i].in);
		json_t *object = json_object();

		json_set_text(object, "x", copy);
		assert_string_equal(json_string_value(json_object_get(object, "x")), table[i].out);
		json_decref(object);
		free(copy);
	}
}

static void
json_answers_have_no_control_characters(void **state)
{
	struct http_response response;

	(void)state;
	http_response_init(&response);
	reply_error(&response, 400, "%s", "\x1b\x7f\xc2\x9b\n\xc3\xbc");
	assert_string_equal(buf_cstr(&response.body),
			    "{\"error\":\"\\u001B\\u007f\\u009b\\n\xc3\xbc\"}");
	http_response_free(&response);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(base64_has_one_spelling_for_each_text),
	    cmocka_unit_test(base64url_comes_back_the_same),
	    cmocka_unit_test(a_query_gives_its_first_parameter_of_that_name),
	    cmocka_unit_test(a_query_gives_each_parameter_of_that_name_in_turn),
	    cmocka_unit_test(a_peer_is_its_network_however_it_comes),
	    cmocka_unit_test(a_full_table_forgets_the_peer_nearest_to_forgiveness),
	    cmocka_unit_test(bytes_that_are_not_utf8_are_replaced),
	    cmocka_unit_test(json_answers_have_no_control_characters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
