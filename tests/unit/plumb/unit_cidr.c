#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <sys/un.h>

#include "base/buf.h"
#include "plumb/cidr.h"

static bool
has(const char *ranges, const char *address)
{
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};
	struct sockaddr_in in = {.sin_family = AF_INET};
	struct cidr_list list;
	char err[200];
	bool found = false;

	if (!cidr_list_parse(ranges, &list, err, sizeof(err)))
		fail_msg("%s", err);
	if (inet_pton(AF_INET, address, &in.sin_addr) == 1)
		found = cidr_list_has(&list, (const struct sockaddr *)(const void *)&in);
	else if (inet_pton(AF_INET6, address, &in6.sin6_addr) == 1)
		found = cidr_list_has(&list, (const struct sockaddr *)(const void *)&in6);
	else
		fail_msg("%s is no address", address);
	cidr_list_free(&list);
	return found;
}

static void
an_address_alone_is_a_range_of_one(void **state)
{
	(void)state;
	assert_true(has("192.0.2.7", "192.0.2.7"));
	assert_false(has("192.0.2.7", "192.0.2.6"));
	assert_true(has("::1", "::1"));
	assert_false(has("::1", "::2"));
}

static void
prefixes_end_inside_bytes_too(void **state)
{
	(void)state;
	assert_true(has("10.0.0.0/8", "10.255.255.255"));
	assert_false(has("10.0.0.0/8", "11.0.0.0"));
	assert_true(has("172.16.0.0/12", "172.31.255.255"));
	assert_false(has("172.16.0.0/12", "172.32.0.0"));
	assert_true(has("128.0.0.0/1", "255.0.0.1"));
	assert_false(has("128.0.0.0/1", "127.0.0.1"));
	assert_true(has("0.0.0.0/0", "203.0.113.9"));
	assert_true(has("fe80::/10", "febf::1"));
	assert_false(has("fe80::/10", "fec0::1"));
	assert_true(has("10.0.0.0/8,2001:db8::/32,127.0.0.1", "2001:db8:ffff::1"));
	assert_true(has("10.0.0.0/8,2001:db8::/32,127.0.0.1", "127.0.0.1"));
}

static void
a_mapped_address_is_the_ipv4_address(void **state)
{
	(void)state;
	assert_true(has("10.0.0.0/8", "::ffff:10.1.2.3"));
	assert_false(has("10.0.0.0/8", "::ffff:11.1.2.3"));
	assert_true(has("::ffff:10.0.0.0/104", "10.1.2.3"));
	assert_true(has("::ffff:0.0.0.0/96", "10.1.2.3"));
	assert_false(has("::/0", "10.1.2.3"));
	assert_false(has("::/0", "::ffff:10.1.2.3"));
	assert_true(has("::/0", "2001:db8::1"));
	assert_false(has("0.0.0.0/0", "2001:db8::1"));
}

static void
a_unix_peer_is_in_no_range(void **state)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	struct cidr_list list;
	char err[200];

	(void)state;
	assert_true(cidr_list_parse("0.0.0.0/0,::/0", &list, err, sizeof(err)));
	assert_false(cidr_list_has(&list, (const struct sockaddr *)(const void *)&un));
	cidr_list_free(&list);
}

static void
faults_are_named_with_the_range(void **state)
{
	static const char *const bad[][2] = {
	    {"", "not an address"},
	    {"10.0.0.0/8,", "not an address"},
	    {"10.0.0/8", "not an address"},
	    {"010.0.0.0/8", "not an address"},
	    {" 10.0.0.0/8", "not an address"},
	    {"localhost", "not an address"},
	    {"10.0.0.0/33", "0 to 32"},
	    {"10.0.0.0/", "0 to 32"},
	    {"10.0.0.0/-1", "0 to 32"},
	    {"10.0.0.0/0008", "0 to 32"},
	    {"10.0.0.0/8/8", "0 to 32"},
	    {"::/129", "0 to 128"},
	    {"10.0.0.1/8", "behind the prefix"},
	    {"2001:db8::1/32", "behind the prefix"},
	    {"1111:2222:3333:4444:5555:6666:123.123.123.1234444444444/128", "not an address"},
	};
	struct cidr_list list;
	char err[200];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_false(cidr_list_parse(bad[i][0], &list, err, sizeof(err)));
		assert_non_null(strstr(err, bad[i][1]));
		assert_null(list.v);
	}
	assert_false(cidr_list_parse("10.0.0.0/8,oops,::1", &list, err, sizeof(err)));
	assert_non_null(strstr(err, "\"oops\""));
}

static void
a_list_has_an_end(void **state)
{
	struct buf text = {0};
	struct cidr_list list;
	char err[200];

	(void)state;
	for (int i = 0; i < CIDR_LIST_MAX; i++)
		buf_addf(&text, "%s10.0.0.%d", i > 0 ? "," : "", i);
	assert_true(cidr_list_parse(buf_cstr(&text), &list, err, sizeof(err)));
	assert_int_equal(list.n, CIDR_LIST_MAX);
	cidr_list_free(&list);
	buf_add_str(&text, ",::1");
	assert_false(cidr_list_parse(buf_cstr(&text), &list, err, sizeof(err)));
	assert_non_null(strstr(err, "256 at most"));
	buf_free(&text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(an_address_alone_is_a_range_of_one),
	    cmocka_unit_test(prefixes_end_inside_bytes_too),
	    cmocka_unit_test(a_mapped_address_is_the_ipv4_address),
	    cmocka_unit_test(a_unix_peer_is_in_no_range),
	    cmocka_unit_test(faults_are_named_with_the_range),
	    cmocka_unit_test(a_list_has_an_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
