#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <netinet/in.h>
#include <stdbool.h>
#include <string.h>

#include "plumb/lookup.h"

static void
localhost_is_a_loopback_address_once(void **state)
{
	struct sockaddr_storage addr[8];
	char err[80] = "";
	size_t n, v4 = 0;

	(void)state;
	assert_int_equal(lookup_host("localhost", addr, 8, &n, err, sizeof(err)), 0);
	assert_in_range(n, 1, 8);
	for (size_t i = 0; i < n; i++) {
		const struct sockaddr_in *in = (const struct sockaddr_in *)&addr[i];

		if (addr[i].ss_family != AF_INET)
			continue;
		v4++;
		assert_int_equal(ntohl(in->sin_addr.s_addr) >> 24, 127);
		assert_int_equal(in->sin_port, 0);
	}
	assert_in_range(v4, 0, 1);
}

static void
no_more_addresses_than_there_is_room(void **state)
{
	struct sockaddr_storage addr[1];
	char err[80] = "";
	size_t n;

	(void)state;
	assert_int_equal(lookup_host("127.0.0.1", addr, 1, &n, err, sizeof(err)), 0);
	assert_int_equal(n, 1);
}

static void
a_name_that_cannot_be_has_a_reason(void **state)
{
	struct sockaddr_storage addr[1];
	char name[400], err[80] = "";
	size_t n = 7;

	(void)state;
	/* Too long for a query: fails without asking anybody. */
	memset(name, 'a', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	assert_int_equal(lookup_host(name, addr, 1, &n, err, sizeof(err)), -1);
	assert_int_equal(n, 0);
	assert_string_not_equal(err, "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(localhost_is_a_loopback_address_once),
	    cmocka_unit_test(no_more_addresses_than_there_is_room),
	    cmocka_unit_test(a_name_that_cannot_be_has_a_reason),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
