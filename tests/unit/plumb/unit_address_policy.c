/* Where a drain may connect. */
#include "plumb/config_fixture.h"

#include <arpa/inet.h>
#include <ifaddrs.h>

#include "plumb/address_policy.h"
#include "plumb/address_rules.h"

static char why[ADDRESS_POLICY_WHY_BYTES];

static struct sockaddr_storage
address(const char *text, uint16_t port)
{
	struct sockaddr_storage ss = {0};
	struct sockaddr_in *in = (struct sockaddr_in *)&ss;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&ss;

	if (strchr(text, ':') == NULL) {
		in->sin_family = AF_INET;
		in->sin_port = htons(port);
		assert_int_equal(inet_pton(AF_INET, text, &in->sin_addr), 1);
	} else {
		in6->sin6_family = AF_INET6;
		in6->sin6_port = htons(port);
		assert_int_equal(inet_pton(AF_INET6, text, &in6->sin6_addr), 1);
	}
	return ss;
}

static bool
allows_port(const struct address_policy *p, const char *text, uint16_t port, bool udp)
{
	struct sockaddr_storage ss = address(text, port);
	/* Just the bytes of its family: a look behind them is seen by ASan. */
	size_t n =
	    ss.ss_family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
	struct sockaddr *exact = malloc(n);
	bool allowed;

	memcpy(exact, &ss, n);
	memset(why, 0, sizeof(why));
	allowed = address_policy_allows(p, exact, udp, why);
	free(exact);
	return allowed;
}

static bool
allows(const struct address_policy *p, const char *text)
{
	return allows_port(p, text, 443, false);
}

static struct address_policy *
policy(const char *first, const char *second, const char *third)
{
	struct address_policy *p;
	struct config c;

	if (load(&c, first, second, third, NULL) != CONFIG_OK)
		fail_msg("%s", err);
	p = address_policy_new(&c);
	config_free(&c);
	return p;
}

static void
by_default_only_link_local_addresses_are_denied(void **state)
{
	static const char *const denied[] = {"169.254.169.254",
					     "169.254.0.0",
					     "169.254.255.255",
					     "fe80::1",
					     "febf::1",
					     "fd00:ec2::254",
					     "::ffff:169.254.169.254",
					     "::169.254.169.254",
					     "::ffff:0:169.254.169.254",
					     "64:ff9b::169.254.169.254",
					     "64:ff9b:1::169.254.169.254",
					     "64:ff9b:1:a9fe:a9:fe00::",
					     "64:ff9b:1:1a9:fe:a9fe::",
					     "64:ff9b:1:1:a9:fea9:fe00:0",
					     "2002:a9fe:a9fe::1",
					     "2001:0:a9fe:a9fe::1",
					     "2001:0:1:1:1:1:5601:5601"};
	static const char *const allowed[] = {"127.0.0.1",
					      "10.1.2.3",
					      "192.168.1.1",
					      "8.8.8.8",
					      "169.253.255.255",
					      "169.255.0.0",
					      "::1",
					      "fec0::1",
					      "fd00:ec2::255",
					      "2001:db8::1",
					      "::ffff:1.2.3.4",
					      "64:ff9b::1.2.3.4",
					      "0.0.0.0",
					      "::"};
	struct address_policy *p = policy("--linger=1ms", NULL, NULL);

	(void)state;
	for (size_t i = 0; i < sizeof(denied) / sizeof(denied[0]); i++)
		if (allows(p, denied[i]))
			fail_msg("allowed: %s", denied[i]);
	for (size_t i = 0; i < sizeof(allowed) / sizeof(allowed[0]); i++)
		if (!allows(p, allowed[i]))
			fail_msg("%s", why);
	assert_false(allows(p, "169.254.169.254"));
	assert_string_equal(
	    why, "address 169.254.169.254 is denied by drain-deny (link-local: 169.254.0.0/16)");
	assert_false(allows(p, "::ffff:169.254.1.1"));
	assert_string_equal(
	    why, "address 169.254.1.1 is denied by drain-deny (link-local: 169.254.0.0/16)");
	assert_false(allows(p, "64:ff9b::169.254.1.1"));
	assert_string_equal(why, "address 64:ff9b::a9fe:101, which leads to 169.254.1.1, is denied "
				 "by drain-deny (link-local: 169.254.0.0/16)");
	address_policy_free(p);
	address_policy_free(NULL);
}

static void
untrusted_denies_all_that_is_not_public(void **state)
{
	static const char *const denied[] = {"0.0.0.0",
					     "0.1.2.3",
					     "10.255.255.255",
					     "100.64.0.1",
					     "100.127.255.255",
					     "127.0.0.1",
					     "127.255.0.1",
					     "172.16.0.1",
					     "172.31.255.255",
					     "192.0.0.8",
					     "192.0.2.1",
					     "192.168.0.1",
					     "198.18.0.1",
					     "198.19.255.255",
					     "198.51.100.7",
					     "203.0.113.7",
					     "224.0.0.1",
					     "239.255.255.255",
					     "240.0.0.1",
					     "255.255.255.255",
					     "169.254.1.1",
					     "::",
					     "::1",
					     "::8.8.8.8",
					     "::ffff:10.0.0.1",
					     "fe80::1",
					     "fc00::1",
					     "fdff::1",
					     "fec0::1",
					     "ff02::1",
					     "2001:db8::1",
					     "64:ff9b::8.8.8.8",
					     "64:ff9b:1::8.8.8.8",
					     "2002:808:808::1",
					     "2001::1",
					     "::ffff:0:8.8.8.8",
					     "100::1"};
	static const char *const allowed[] = {
	    "8.8.8.8",	    "1.0.0.0",	    "9.255.255.255", "11.0.0.0",	"100.63.255.255",
	    "100.128.0.0",  "126.0.0.1",    "128.0.0.1",     "172.15.0.1",	"172.32.0.1",
	    "192.167.0.1",  "198.17.0.1",   "198.20.0.1",    "223.255.255.255", "::ffff:8.8.8.8",
	    "2606:4700::1", "2001:4860::1", "2a00::1",	     "2003::1"};
	struct address_policy *p = policy("--drain-deny=untrusted", NULL, NULL);

	(void)state;
	for (size_t i = 0; i < sizeof(denied) / sizeof(denied[0]); i++)
		if (allows(p, denied[i]))
			fail_msg("allowed: %s", denied[i]);
	for (size_t i = 0; i < sizeof(allowed) / sizeof(allowed[0]); i++)
		if (!allows(p, allowed[i]))
			fail_msg("%s", why);
	assert_false(allows(p, "10.1.2.3"));
	assert_string_equal(why,
			    "address 10.1.2.3 is denied by drain-deny (untrusted: 10.0.0.0/8)");
	address_policy_free(p);
}

static void
ranges_written_by_hand_hold_for_every_form_of_an_address(void **state)
{
	struct address_policy *p = policy("--drain-deny= 10.0.0.0/8 ,2001:db8:1::/48", NULL, NULL);

	(void)state;
	assert_false(allows(p, "10.1.2.3"));
	assert_string_equal(why, "address 10.1.2.3 is denied by drain-deny (10.0.0.0/8)");
	assert_false(allows(p, "::ffff:10.1.2.3"));
	assert_false(allows(p, "64:ff9b::10.1.2.3"));
	assert_false(allows(p, "2002:a01:203::"));
	assert_false(allows(p, "2001:db8:1::5"));
	assert_true(allows(p, "2001:db8:2::5"));
	/* link-local is the default only. */
	assert_true(allows(p, "169.254.169.254"));
	address_policy_free(p);
}

static void
the_unspecified_address_is_loopback_where_rules_are_concerned(void **state)
{
	struct address_policy *p = policy("--drain-deny=127.0.0.0/8,::1/128", NULL, NULL);

	(void)state;
	assert_false(allows(p, "0.0.0.0"));
	assert_string_equal(why, "address 0.0.0.0, which leads to 127.0.0.1, is denied by "
				 "drain-deny (127.0.0.0/8)");
	assert_false(allows(p, "::"));
	assert_string_equal(why,
			    "address ::, which leads to ::1, is denied by drain-deny (::1/128)");
	assert_false(allows(p, "::ffff:0.0.0.0"));
	address_policy_free(p);
	p = policy("--drain-deny=untrusted", "--drain-allow=127.0.0.0/8", NULL);
	assert_false(allows(p, "0.0.0.0"));
	address_policy_free(p);
}

static void
allow_makes_exceptions_however_wide(void **state)
{
	struct address_policy *p =
	    policy("--drain-deny=untrusted", "--drain-allow=10.0.0.0/8,fd00::/16", NULL);

	(void)state;
	assert_true(allows(p, "10.1.2.3"));
	assert_true(allows(p, "::ffff:10.1.2.3"));
	assert_true(allows(p, "fd00::1"));
	assert_false(allows(p, "192.168.1.1"));
	/* The IPv4 address is allowed, the way over NAT64 is not. */
	assert_false(allows(p, "64:ff9b::10.1.2.3"));
	address_policy_free(p);

	p = policy("--drain-deny=10.1.2.3", "--drain-allow=10.0.0.0/8", NULL);
	assert_true(allows(p, "10.1.2.3"));
	address_policy_free(p);

	/* NAT64 is allowed, and still does not lead to what is private. */
	p = policy("--drain-deny=untrusted", "--drain-allow=64:ff9b::/96", NULL);
	assert_true(allows(p, "64:ff9b::8.8.8.8"));
	assert_false(allows(p, "64:ff9b::10.1.2.3"));
	address_policy_free(p);

	p = policy("--drain-deny=none", NULL, NULL);
	assert_true(allows(p, "169.254.169.254"));
	address_policy_free(p);
	p = policy("--drain-deny=untrusted", "--drain-allow=untrusted", NULL);
	assert_true(allows(p, "127.0.0.1"));
	address_policy_free(p);
}

static void
own_listeners_are_always_denied(void **state)
{
	struct address_policy *p = policy("--listen=syslog+tcp://127.0.0.5:1514",
					  "--admin=http://[::1]:8514", "--drain-deny=none");

	(void)state;
	assert_false(allows_port(p, "127.0.0.5", 1514, false));
	assert_string_equal(why, "the drain leads back to this gateway's own listener (address "
				 "127.0.0.5, port 1514)");
	assert_false(allows_port(p, "::ffff:127.0.0.5", 1514, false));
	assert_false(allows_port(p, "::1", 8514, false));
	/* Linux takes "any" for loopback. */
	assert_false(allows_port(p, "::", 8514, false));
	assert_true(allows_port(p, "127.0.0.1", 1514, false));
	assert_true(allows_port(p, "127.0.0.5", 1515, false));
	assert_true(allows_port(p, "127.0.0.5", 1514, true));
	address_policy_free(p);

	p = policy("--listen=syslog+udp://127.0.0.1:514", "--admin=unix:///run/x",
		   "--drain-allow=127.0.0.0/8");
	assert_false(allows_port(p, "127.0.0.1", 514, true));
	assert_false(allows_port(p, "0.0.0.0", 514, true));
	assert_false(allows_port(p, "::ffff:0.0.0.0", 514, true));
	assert_true(allows_port(p, "127.0.0.1", 514, false));
	address_policy_free(p);
}

static void
a_wildcard_listener_is_every_address_of_this_machine(void **state)
{
	struct address_policy *any = policy("--listen=syslog+tcp://0.0.0.0:1514", NULL, NULL);
	struct address_policy *both = policy("--listen=syslog+tcp://*:1514", NULL, NULL);
	struct address_policy *six = policy("--listen=syslog+tcp://[::]:1514", NULL, NULL);
	char text[INET6_ADDRSTRLEN];
	struct ifaddrs *all;

	(void)state;
	assert_false(allows_port(any, "127.3.4.5", 1514, false));
	assert_false(allows_port(any, "0.0.0.0", 1514, false));
	assert_true(allows_port(any, "::1", 1514, false));
	assert_true(allows_port(any, "192.0.2.77", 1514, false));
	assert_true(allows_port(any, "127.3.4.5", 1515, false));
	assert_false(allows_port(both, "127.3.4.5", 1514, false));
	assert_false(allows_port(both, "::1", 1514, false));
	assert_false(allows_port(both, "::ffff:127.0.0.1", 1514, false));
	assert_true(allows_port(both, "2001:db8::77", 1514, false));
	assert_false(allows_port(six, "::1", 1514, false));
	assert_true(allows_port(six, "127.0.0.1", 1514, false));

	assert_int_equal(getifaddrs(&all), 0);
	for (struct ifaddrs *i = all; i != NULL; i = i->ifa_next) {
		if (i->ifa_addr == NULL || i->ifa_addr->sa_family != AF_INET)
			continue;
		inet_ntop(AF_INET, &((struct sockaddr_in *)(void *)i->ifa_addr)->sin_addr, text,
			  sizeof(text));
		assert_false(allows_port(any, text, 1514, false));
		assert_false(allows_port(both, text, 1514, false));
	}
	freeifaddrs(all);
	address_policy_free(any);
	address_policy_free(both);
	address_policy_free(six);
}

static void
an_answer_keeps_the_addresses_that_are_allowed(void **state)
{
	struct address_policy *p = policy("--drain-deny=10.0.0.0/8", NULL, NULL);
	struct resolve_answer answer = {.n = 3};
	struct sockaddr_storage good = address("192.0.2.1", 443);

	(void)state;
	answer.addr[0] = address("10.0.0.1", 443);
	answer.addr[1] = good;
	answer.addr[2] = address("10.0.0.2", 443);
	address_policy_filter(p, &answer, false);
	assert_int_equal(answer.n, 1);
	assert_memory_equal(&answer.addr[0], &good, sizeof(good));

	answer.addr[0] = address("10.0.0.1", 443);
	address_policy_filter(p, &answer, false);
	assert_int_equal(answer.n, 0);
	assert_string_equal(answer.error, "address 10.0.0.1 is denied by drain-deny (10.0.0.0/8)");

	snprintf(answer.error, sizeof(answer.error), "no such name");
	address_policy_filter(p, &answer, false);
	assert_string_equal(answer.error, "no such name");
	address_policy_free(p);
}

static void
every_sentence_fits(void **state)
{
	struct address_policy *p =
	    policy("--drain-deny=untrusted", "--listen=syslog+tcp://*:65535", NULL);

	(void)state;
	assert_false(allows_port(p, "2001:0:a00:ffff:ffff:ffff:f5ff:ffff", 65535, false));
	assert_int_equal(why[strlen(why) - 1], ')');
	address_policy_free(p);
	p = policy("--drain-deny=link-local", NULL, NULL);
	assert_false(allows(p, "2001:0:ffff:ffff:ffff:ffff:5601:0100"));
	assert_int_equal(why[strlen(why) - 1], ')');
	address_policy_free(p);
}

static void
what_is_no_rule_says_what_to_write(void **state)
{
	(void)state;
	assert_bad("--drain-deny=private",
		   "drain-deny: \"private\": \"private\" is no range; write one like 10.0.0.0/8");
	assert_bad("--drain-deny=10.0.0.0/8,none", "\"none\" stands alone");
	assert_bad("--drain-deny=10.0.0.1/8", "bits are set behind the prefix");
	assert_bad("--drain-deny=10.0.0.0/8,", "is no range");
	assert_bad("--drain-deny=,", "is no range");
	assert_bad("--drain-deny=10.0.0.0/33", "0 to 32");
	assert_bad("--drain-allow=link-local 10.0.0.0/8", "drain-allow: ");
	assert_bad("--drain-allow=", "drain-allow: no value");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(by_default_only_link_local_addresses_are_denied),
	    cmocka_unit_test(untrusted_denies_all_that_is_not_public),
	    cmocka_unit_test(ranges_written_by_hand_hold_for_every_form_of_an_address),
	    cmocka_unit_test(the_unspecified_address_is_loopback_where_rules_are_concerned),
	    cmocka_unit_test(allow_makes_exceptions_however_wide),
	    cmocka_unit_test(own_listeners_are_always_denied),
	    cmocka_unit_test(a_wildcard_listener_is_every_address_of_this_machine),
	    cmocka_unit_test(an_answer_keeps_the_addresses_that_are_allowed),
	    cmocka_unit_test(every_sentence_fits),
	    cmocka_unit_test(what_is_no_rule_says_what_to_write),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
