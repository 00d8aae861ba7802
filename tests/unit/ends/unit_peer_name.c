#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <sys/un.h>

#include "ends/peer_name.h"

static struct slice
name_of_v6(const char *address)
{
	static char text[PEER_NAME_BYTES];
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(514)};

	assert_int_equal(inet_pton(AF_INET6, address, &v6.sin6_addr), 1);
	return peer_name((struct sockaddr *)&v6, SLICE("here"), text);
}

/* On a heap of exactly its size: a look beyond an IPv4 address is an error. */
static void
an_ipv4_sender_is_its_address_without_port(void **state)
{
	struct sockaddr_in *v4 = calloc(1, sizeof(*v4));
	char text[PEER_NAME_BYTES];

	(void)state;
	assert_non_null(v4);
	v4->sin_family = AF_INET;
	v4->sin_port = htons(514);
	assert_int_equal(inet_pton(AF_INET, "192.0.2.255", &v4->sin_addr), 1);
	assert_true(slice_is(peer_name((struct sockaddr *)v4, SLICE("here"), text), "192.0.2.255"));
	free(v4);
}

static void
an_ipv6_sender_is_its_address_in_short(void **state)
{
	(void)state;
	assert_true(slice_is(name_of_v6("2001:DB8:0:0::7"), "2001:db8::7"));
	assert_true(slice_is(name_of_v6("::1"), "::1"));
	assert_true(slice_is(name_of_v6("2001:db8:1111:2222:3333:4444:5555:6666"),
			     "2001:db8:1111:2222:3333:4444:5555:6666"));
}

static void
an_ipv4_sender_on_an_ipv6_socket_is_an_ipv4_sender(void **state)
{
	(void)state;
	assert_true(slice_is(name_of_v6("::ffff:192.0.2.1"), "192.0.2.1"));
}

static void
a_local_sender_is_this_machine(void **state)
{
	sa_family_t *family = malloc(sizeof(*family));
	char text[PEER_NAME_BYTES];

	(void)state;
	assert_non_null(family);
	*family = AF_UNIX;
	assert_true(slice_is(peer_name((struct sockaddr *)family, SLICE("here"), text), "here"));
	free(family);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(an_ipv4_sender_is_its_address_without_port),
	    cmocka_unit_test(an_ipv6_sender_is_its_address_in_short),
	    cmocka_unit_test(an_ipv4_sender_on_an_ipv6_socket_is_an_ipv4_sender),
	    cmocka_unit_test(a_local_sender_is_this_machine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
