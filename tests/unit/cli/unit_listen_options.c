#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "cli/listen_options.h"

static struct listen_options o;
static char err[LISTEN_ERROR_BYTES];

static bool
parse(const char *a, const char *b)
{
	char *argv[] = {(char *)"listen", (char *)a, (char *)b, NULL};
	int argc = 1;

	while (argv[argc] != NULL)
		argc++;
	return listen_options_parse(argc, argv, &o, err);
}

static void
a_port_alone_means_loopback_and_both_protocols(void **state)
{
	(void)state;
	assert_true(parse("5514", NULL));
	assert_string_equal(o.host, "127.0.0.1");
	assert_int_equal(o.port, 5514);
	assert_true(o.tcp && o.udp && !o.raw);
}

static void
a_protocol_flag_leaves_the_other_out(void **state)
{
	(void)state;
	assert_true(parse("--udp", "0"));
	assert_true(o.udp && !o.tcp);
	assert_int_equal(o.port, 0);
	assert_true(parse("514", "--tcp"));
	assert_true(o.tcp && !o.udp);
	assert_true(parse("--raw", "514"));
	assert_true(o.raw && o.tcp && o.udp);
}

static void
addresses_come_without_their_brackets(void **state)
{
	(void)state;
	assert_true(parse("[::1]:65535", NULL));
	assert_string_equal(o.host, "::1");
	assert_int_equal(o.port, 65535);
	assert_true(parse("localhost:1", NULL));
	assert_string_equal(o.host, "localhost");
	assert_true(parse("*:1", NULL));
	assert_string_equal(o.host, "");
}

static void
what_is_no_port_is_refused_by_name(void **state)
{
	static const char *const bad[] = {
	    "",	  "65536", "99999",	 "100000",	   "+5",       " 5", "-5", "5x", "0x10",
	    "a:", ":",	   "127.0.0.1:", "127.0.0.1:http", "localhost"};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		err[0] = '\0';
		assert_false(parse(bad[i], NULL));
		assert_int_not_equal(err[0], '\0');
	}
}

static void
malformed_addresses_are_refused(void **state)
{
	static const char *const bad[] = {":514", "::1:514", "[::1:514", "::1]:514", "[]:514"};
	char longer[LISTEN_HOST_BYTES + 8];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(parse(bad[i], NULL));
	memset(longer, 'a', sizeof(longer));
	memcpy(longer + LISTEN_HOST_BYTES, ":514", 5);
	assert_false(parse(longer, NULL));
	memcpy(longer + LISTEN_HOST_BYTES - 1, ":514", 5);
	assert_true(parse(longer, NULL));
}

static void
unknown_options_and_second_addresses_are_refused(void **state)
{
	(void)state;
	assert_false(parse("--tls", "514"));
	assert_non_null(strstr(err, "--tls"));
	assert_false(parse("514", "515"));
	assert_non_null(strstr(err, "515"));
	assert_false(parse(NULL, NULL));
	assert_false(parse("--tcp", NULL));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_port_alone_means_loopback_and_both_protocols),
	    cmocka_unit_test(a_protocol_flag_leaves_the_other_out),
	    cmocka_unit_test(addresses_come_without_their_brackets),
	    cmocka_unit_test(what_is_no_port_is_refused_by_name),
	    cmocka_unit_test(malformed_addresses_are_refused),
	    cmocka_unit_test(unknown_options_and_second_addresses_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
