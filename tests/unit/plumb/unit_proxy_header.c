#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <netinet/in.h>

#include "base/buf.h"
#include "plumb/proxy_header.h"

#define SIGNATURE "\r\n\r\n\0\r\nQUIT\n"

/* Parses from a heap block of exactly that size, so that an over-read shows. */
static enum proxy_result
parse(const char *p, size_t n, struct proxy_header *h)
{
	char *exact = malloc(n > 0 ? n : 1);
	enum proxy_result result;

	assert_non_null(exact);
	memcpy(exact, p, n);
	result = proxy_header_parse(slice_of(n > 0 ? exact : NULL, n), h);
	free(exact);
	return result;
}

static enum proxy_result
parse_str(const char *text, struct proxy_header *h)
{
	return parse(text, strlen(text), h);
}

static void
assert_source(const struct proxy_header *h, const char *address, int port)
{
	char text[INET6_ADDRSTRLEN];
	struct sockaddr_in6 in6;
	struct sockaddr_in in;

	assert_int_equal(h->from, PROXY_ADDRESS);
	memcpy(&in, &h->source, sizeof(in));
	memcpy(&in6, &h->source, sizeof(in6));
	if (h->source.ss_family == AF_INET)
		inet_ntop(AF_INET, &in.sin_addr, text, sizeof(text));
	else
		inet_ntop(AF_INET6, &in6.sin6_addr, text, sizeof(text));
	assert_string_equal(text, address);
	assert_int_equal(ntohs(h->source.ss_family == AF_INET ? in.sin_port : in6.sin6_port), port);
}

/* A version 2 header with `more` bytes announced and `have` bytes of body. */
static struct buf
v2(unsigned char command, unsigned char family, size_t more, size_t have)
{
	struct buf b = {0};

	buf_add(&b, SIGNATURE, 12);
	buf_add_char(&b, (char)command);
	buf_add_char(&b, (char)family);
	buf_add_char(&b, (char)(more >> 8));
	buf_add_char(&b, (char)(more & 0xff));
	for (size_t i = 0; i < have; i++)
		buf_add_char(&b, (char)(i + 1));
	return b;
}

static void
version_1_names_the_source(void **state)
{
	struct proxy_header h;

	(void)state;
	assert_int_equal(parse_str("PROXY TCP4 192.0.2.1 198.51.100.2 56324 443\r\n<14>1", &h),
			 PROXY_OK);
	assert_int_equal(h.length, 45);
	assert_source(&h, "192.0.2.1", 56324);
	assert_int_equal(parse_str("PROXY TCP6 2001:db8::1 ::1 0 65535\r\n", &h), PROXY_OK);
	assert_source(&h, "2001:db8::1", 0);
}

static void
version_1_unknown_ignores_the_rest_of_the_line(void **state)
{
	struct proxy_header h;

	(void)state;
	assert_int_equal(parse_str("PROXY UNKNOWN\r\n", &h), PROXY_OK);
	assert_int_equal(h.from, PROXY_UNKNOWN);
	assert_int_equal(h.length, 15);
	assert_int_equal(parse_str("PROXY UNKNOWN what ever 1 2 3\r\nx", &h), PROXY_OK);
	assert_int_equal(h.from, PROXY_UNKNOWN);
	assert_int_equal(h.length, 31);
	assert_int_equal(h.source.ss_family, 0);
}

static void
version_1_may_be_107_bytes_and_no_more(void **state)
{
	struct proxy_header h;
	char line[120];

	(void)state;
	memset(line, 'x', sizeof(line));
	memcpy(line, "PROXY UNKNOWN ", 14);
	memcpy(line + 105, "\r\n", 2);
	assert_int_equal(parse(line, 107, &h), PROXY_OK);
	assert_int_equal(h.length, PROXY_V1_MAX);
	assert_int_equal(parse(line, 106, &h), PROXY_MORE);
	memcpy(line + 105, "x\r\n", 3);
	assert_int_equal(parse(line, 108, &h), PROXY_BAD);
	assert_int_equal(parse(line, 107, &h), PROXY_BAD);
	assert_int_equal(parse(line, 106, &h), PROXY_MORE);
}

static void
every_head_of_a_header_asks_for_more(void **state)
{
	static const char v1[] = "PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n";
	struct buf b = v2(0x21, 0x21, 40, 40);
	struct proxy_header h;

	(void)state;
	for (size_t n = 0; n < sizeof(v1) - 1; n++)
		assert_int_equal(parse(v1, n, &h), PROXY_MORE);
	assert_int_equal(parse(v1, sizeof(v1) - 1, &h), PROXY_OK);
	for (size_t n = 0; n < b.n; n++)
		assert_int_equal(parse(b.p, n, &h), PROXY_MORE);
	assert_int_equal(parse(b.p, b.n, &h), PROXY_OK);
	buf_free(&b);
}

static void
version_1_is_strict(void **state)
{
	static const char *const bad[] = {
	    "PROXY TCP4 192.0.2.1 198.51.100.2 1 2\rX",
	    "PROXY  TCP4 192.0.2.1 198.51.100.2 1 2\r\n",
	    "PROXY TCP4  192.0.2.1 198.51.100.2 1 2\r\n",
	    "PROXY TCP4 192.0.2.1 198.51.100.2 1 2 \r\n",
	    "PROXY TCP4 192.0.2.1 198.51.100.2 1 2 3\r\n",
	    "PROXY TCP4 192.0.2.1 198.51.100.2 1\r\n",
	    "PROXY TCP4 192.0.2.1 198.51.100.2 01 2\r\n",
	    "PROXY TCP4 192.0.2.1 198.51.100.2 65536 2\r\n",
	    "PROXY TCP4 192.0.2.1 198.51.100.2 1 99999\r\n",
	    "PROXY TCP4 192.0.2.1 198.51.100.2 -1 2\r\n",
	    "PROXY TCP4 192.0.2.01 198.51.100.2 1 2\r\n",
	    "PROXY TCP4 192.0.2 198.51.100.2 1 2\r\n",
	    "PROXY TCP4 ::1 ::1 1 2\r\n",
	    "PROXY TCP6 192.0.2.1 198.51.100.2 1 2\r\n",
	    "PROXY TCP6 2001:db8:0000:0000:0000:0000:0000:0000:0000:0001:00 ::1 1 2\r\n",
	    "PROXY tcp4 192.0.2.1 198.51.100.2 1 2\r\n",
	    "PROXY UDP4 192.0.2.1 198.51.100.2 1 2\r\n",
	    "PROXY \r\n",
	    "PROXY TCP4\r\n",
	    "PROXY UNKNOWN\nPROXY\r\n",
	};
	struct proxy_header h;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (parse_str(bad[i], &h) != PROXY_BAD)
			fail_msg("taken: %s", bad[i]);
	}
	assert_int_equal(parse("PROXY TCP4 192.0.2.1\0 1.2.3.4 1 2\r\n", 36, &h), PROXY_BAD);
}

static void
what_is_no_header_is_known_at_the_first_wrong_byte(void **state)
{
	struct proxy_header h;

	(void)state;
	assert_int_equal(parse_str("<", &h), PROXY_NONE);
	assert_int_equal(parse_str("PROXX", &h), PROXY_NONE);
	assert_int_equal(parse_str("PROXYTCP4", &h), PROXY_NONE);
	assert_int_equal(parse_str("\r\n\r\nGET", &h), PROXY_NONE);
	assert_int_equal(parse_str("\x16\x03\x01", &h), PROXY_NONE);
	assert_int_equal(parse_str("", &h), PROXY_MORE);
}

static void
version_2_names_the_source(void **state)
{
	struct buf b = v2(0x21, 0x11, 12, 12);
	struct proxy_header h;

	(void)state;
	assert_int_equal(parse(b.p, b.n, &h), PROXY_OK);
	assert_int_equal(h.length, 28);
	assert_source(&h, "1.2.3.4", 0x090a);
	buf_free(&b);

	b = v2(0x21, 0x21, 36 + 5, 36 + 5 + 3);
	assert_int_equal(parse(b.p, b.n, &h), PROXY_OK);
	assert_int_equal(h.length, 16 + 36 + 5);
	assert_source(&h, "102:304:506:708:90a:b0c:d0e:f10", 0x2122);
	buf_free(&b);
}

static void
version_2_local_and_unknown_have_no_address(void **state)
{
	struct proxy_header h;
	struct buf b = v2(0x20, 0x00, 0, 0);

	(void)state;
	assert_int_equal(parse(b.p, b.n, &h), PROXY_OK);
	assert_int_equal(h.from, PROXY_LOCAL);
	assert_int_equal(h.length, 16);
	buf_free(&b);
	b = v2(0x20, 0x77, 3, 3);
	assert_int_equal(parse(b.p, b.n, &h), PROXY_OK);
	assert_int_equal(h.from, PROXY_LOCAL);
	buf_free(&b);
	b = v2(0x21, 0x00, 7, 7);
	assert_int_equal(parse(b.p, b.n, &h), PROXY_OK);
	assert_int_equal(h.from, PROXY_UNKNOWN);
	assert_int_equal(h.length, 23);
	buf_free(&b);
	b = v2(0x21, 0x31, 216, 216);
	assert_int_equal(parse(b.p, b.n, &h), PROXY_OK);
	assert_int_equal(h.from, PROXY_UNKNOWN);
	buf_free(&b);
}

static void
version_2_is_strict(void **state)
{
	static const struct {
		unsigned char command, family;
		size_t more;
	} bad[] = {
	    {0x11, 0x11, 12},	{0x31, 0x11, 12},    {0x22, 0x11, 12},	{0x2f, 0x11, 12},
	    {0x21, 0x10, 12},	{0x21, 0x13, 12},    {0x21, 0x01, 12},	{0x21, 0x41, 216},
	    {0x21, 0x11, 11},	{0x21, 0x21, 35},    {0x21, 0x31, 215}, {0x21, 0x11, 0},
	    {0x21, 0x11, 4097}, {0x20, 0x00, 65535},
	};
	struct proxy_header h;
	struct buf b;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		b = v2(bad[i].command, bad[i].family, bad[i].more, 0);
		assert_int_equal(parse(b.p, b.n, &h), PROXY_BAD);
		buf_free(&b);
	}
}

static void
more_is_never_asked_beyond_the_bound(void **state)
{
	struct proxy_header h;
	struct buf b = v2(0x21, 0x11, PROXY_V2_MORE_MAX, PROXY_V2_MORE_MAX);

	(void)state;
	assert_int_equal(b.n, PROXY_HEADER_MAX);
	assert_int_equal(parse(b.p, b.n - 1, &h), PROXY_MORE);
	assert_int_equal(parse(b.p, b.n, &h), PROXY_OK);
	assert_int_equal(h.length, PROXY_HEADER_MAX);
	buf_free(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(version_1_names_the_source),
	    cmocka_unit_test(version_1_unknown_ignores_the_rest_of_the_line),
	    cmocka_unit_test(version_1_may_be_107_bytes_and_no_more),
	    cmocka_unit_test(every_head_of_a_header_asks_for_more),
	    cmocka_unit_test(version_1_is_strict),
	    cmocka_unit_test(what_is_no_header_is_known_at_the_first_wrong_byte),
	    cmocka_unit_test(version_2_names_the_source),
	    cmocka_unit_test(version_2_local_and_unknown_have_no_address),
	    cmocka_unit_test(version_2_is_strict),
	    cmocka_unit_test(more_is_never_asked_beyond_the_bound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
