#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <sys/un.h>

#include "base/xmalloc.h"
#include "plumb/listen_url.h"

static char err[512];

static struct listen_url
parse(const char *text, bool admin)
{
	struct listen_url u;

	if (!listen_url_parse(text, admin, &u, err, sizeof(err)))
		fail_msg("%s", err);
	assert_string_equal(u.text, text);
	return u;
}

static void
assert_refused(const char *text, bool admin, const char *fault)
{
	struct listen_url u;

	if (listen_url_parse(text, admin, &u, err, sizeof(err)))
		fail_msg("taken: %s", text);
	assert_ptr_equal(strstr(err, admin ? "admin: \"" : "listen: \""), err);
	if (strstr(err, fault) == NULL)
		fail_msg("%s", err);
	assert_null(u.text);
}

/* ADDR:PORT of the address to bind. */
static const char *
bound(const struct listen_url *u)
{
	static char text[INET6_ADDRSTRLEN + 10];
	char addr[INET6_ADDRSTRLEN];
	struct sockaddr_storage ss;
	struct sockaddr_in6 in6;
	struct sockaddr_in in;
	socklen_t n = listen_url_sockaddr(u, &ss);

	memcpy(&in, &ss, sizeof(in));
	memcpy(&in6, &ss, sizeof(in6));
	if (ss.ss_family == AF_INET) {
		assert_int_equal(n, sizeof(in));
		inet_ntop(AF_INET, &in.sin_addr, addr, sizeof(addr));
	} else {
		assert_int_equal(n, sizeof(in6));
		inet_ntop(AF_INET6, &in6.sin6_addr, addr, sizeof(addr));
	}
	snprintf(text, sizeof(text), "%s %d", addr, ntohs(in.sin_port));
	return text;
}

static void
every_scheme_has_its_kind(void **state)
{
	static const struct {
		const char *text;
		bool admin;
		enum listen_kind kind;
		const char *bound;
	} good[] = {
	    {"syslog+tcp://127.0.0.1:1514", false, LISTEN_TCP, "127.0.0.1 1514"},
	    {"syslog+tls://0.0.0.0:6514", false, LISTEN_TLS, "0.0.0.0 6514"},
	    {"syslog+udp://[::1]:0", false, LISTEN_UDP, "::1 0"},
	    {"syslog+tcp://[2001:db8::1]:65535/", false, LISTEN_TCP, "2001:db8::1 65535"},
	    {"syslog+tcp://*:1514", false, LISTEN_TCP, ":: 1514"},
	    {"syslog+tcp://[ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255]:65535", false,
	     LISTEN_TCP, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535"},
	    {"relp://127.0.0.1:2514", false, LISTEN_RELP, "127.0.0.1 2514"},
	    {"relps://*:2514", false, LISTEN_RELPS, ":: 2514"},
	    {"http://127.0.0.1:8080", false, LISTEN_INGEST, "127.0.0.1 8080"},
	    {"https://127.0.0.1:8443/", false, LISTEN_INGESTS, "127.0.0.1 8443"},
	    {"http://127.0.0.1:8514", true, LISTEN_HTTP, "127.0.0.1 8514"},
	    {"https://[::]:8514/", true, LISTEN_HTTPS, ":: 8514"},
	};
	struct listen_url u;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		u = parse(good[i].text, good[i].admin);
		assert_int_equal(u.kind, good[i].kind);
		assert_string_equal(bound(&u), good[i].bound);
		assert_int_equal(u.both_families, strchr(good[i].text, '*') != NULL);
		assert_false(listen_url_is_unix(&u));
		listen_url_free(&u);
	}
}

static void
unix_paths_are_decoded_and_bounded(void **state)
{
	struct listen_url u = parse("syslog+unix:///run/a%3Fb+c.sock?app=hostname", false);
	struct sockaddr_storage ss;
	struct sockaddr_un un;
	char text[160];

	(void)state;
	assert_int_equal(u.kind, LISTEN_UNIX);
	assert_true(listen_url_is_unix(&u));
	assert_string_equal(u.path, "/run/a?b+c.sock");
	assert_int_equal(listen_url_sockaddr(&u, &ss), offsetof(struct sockaddr_un, sun_path) + 16);
	memcpy(&un, &ss, sizeof(un));
	assert_string_equal(un.sun_path, "/run/a?b+c.sock");
	listen_url_free(&u);

	snprintf(text, sizeof(text), "unix:///%0106d", 1);
	u = parse(text, true);
	assert_int_equal(u.kind, LISTEN_HTTP_UNIX);
	assert_int_equal(listen_url_sockaddr(&u, &ss), sizeof(un));
	listen_url_free(&u);
	snprintf(text, sizeof(text), "unix:///%0107d", 1);
	assert_refused(text, true, "107 at most");
	assert_refused("unix://run/x", true, "not absolute");
	assert_refused("unix://", true, "not absolute");
	assert_refused("unix:///run/", true, "directory");
	assert_refused("unix:///run/%00x", true, "%00");
	assert_refused("unix:///run/%0", true, "two hex digits");
}

static void
options_have_defaults(void **state)
{
	struct listen_url u = parse("syslog+tls://127.0.0.1:6514", false);

	(void)state;
	assert_string_equal(u.app, "app-name");
	assert_int_equal(u.auth, TLS_CLIENT_NONE);
	assert_int_equal(u.framing, FRAMING_AUTO);
	assert_int_equal(u.hostname, HOSTNAME_KEEP);
	assert_null(u.proxy);
	assert_true(u.tz_local);
	listen_url_free(&u);
	u = parse("http://127.0.0.1:8514", true);
	assert_null(u.app);
	listen_url_free(&u);
	u = parse("relp://127.0.0.1:2514", false);
	assert_string_equal(u.app, "app-name");
	listen_url_free(&u);
	u = parse("http://127.0.0.1:8080", false);
	assert_null(u.app);
	assert_int_equal(u.hostname, HOSTNAME_KEEP);
	assert_true(u.tz_local);
	listen_url_free(&u);
}

static void
options_are_taken(void **state)
{
	struct listen_url u =
	    parse("syslog+tls://127.0.0.1:6514?app=sd:origin:x%2cy&auth=optional&"
		  "framing=octet-counting&proxy=10.0.0.0/8,::1&hostname=gate-1&tz=+05:30",
		  false);

	(void)state;
	assert_string_equal(u.app, "sd:origin:x,y");
	assert_int_equal(u.auth, TLS_CLIENT_OPTIONAL);
	assert_int_equal(u.framing, FRAMING_OCTET);
	assert_string_equal(u.proxy, "10.0.0.0/8,::1");
	assert_int_equal(u.hostname, HOSTNAME_FIXED);
	assert_string_equal(u.hostname_fixed, "gate-1");
	assert_false(u.tz_local);
	assert_int_equal(u.tz_minutes, 330);
	listen_url_free(&u);

	u = parse("syslog+tcp://127.0.0.1:1?framing=nul&hostname=peer&tz=-12:00", false);
	assert_int_equal(u.framing, FRAMING_NUL);
	assert_int_equal(u.hostname, HOSTNAME_PEER);
	assert_int_equal(u.tz_minutes, -720);
	listen_url_free(&u);
	u = parse("syslog+unixgram:///dev/log2?tz=UTC", false);
	assert_false(u.tz_local);
	assert_int_equal(u.tz_minutes, 0);
	listen_url_free(&u);
}

static void
each_kind_takes_its_options_and_no_others(void **state)
{
	struct listen_url u = parse("relps://127.0.0.1:1?app=hostname&auth=optional&proxy=::1&"
				    "hostname=peer&tz=UTC",
				    false);

	(void)state;
	assert_string_equal(u.app, "hostname");
	assert_int_equal(u.auth, TLS_CLIENT_OPTIONAL);
	assert_string_equal(u.proxy, "::1");
	assert_int_equal(u.hostname, HOSTNAME_PEER);
	assert_false(u.tz_local);
	listen_url_free(&u);
	u = parse("https://127.0.0.1:1?auth=required&proxy=::1&hostname=h&tz=+01:00", false);
	assert_int_equal(u.auth, TLS_CLIENT_REQUIRED);
	assert_string_equal(u.proxy, "::1");
	assert_string_equal(u.hostname_fixed, "h");
	assert_int_equal(u.tz_minutes, 60);
	listen_url_free(&u);
	u = parse("https://127.0.0.1:1?app=cert", false);
	assert_string_equal(u.app, "cert");
	assert_int_equal(u.auth, TLS_CLIENT_REQUIRED);
	listen_url_free(&u);
	u = parse("http://127.0.0.1:1?app=fixed:shop", false);
	assert_string_equal(u.app, "fixed:shop");
	listen_url_free(&u);
	assert_refused("relp://127.0.0.1:1?framing=lf", false, "have a choice");
	assert_refused("relp://127.0.0.1:1?auth=required", false, "with TLS only");
	assert_refused("http://127.0.0.1:1?framing=lf", false, "have a choice");
	assert_refused("http://127.0.0.1:1?auth=optional", false, "with TLS only");
	assert_refused("http://127.0.0.1:1?app=hostname", false,
		       "path of a request names the app; use cert or fixed:NAME");
	assert_refused("https://127.0.0.1:1?app=app-name", false,
		       "path of a request names the app");
	assert_refused("http://127.0.0.1:1?app=cert", false, "without TLS; use https");
	assert_refused("https://127.0.0.1:1?app=cert&auth=none", false,
		       "needs client certificates");
	assert_refused("https://127.0.0.1:1?tz=UTC", true, "takes no lines");
	assert_refused("https://127.0.0.1:1?proxy=::1", true, "listeners for lines");
}

static void
what_tls_is_is_known_of_every_kind(void **state)
{
	static const struct {
		const char *text;
		bool admin, tls;
	} kinds[] = {
	    {"syslog+tcp://*:1", false, false}, {"syslog+tls://*:1", false, true},
	    {"syslog+udp://*:1", false, false}, {"syslog+unix:///x", false, false},
	    {"relp://*:1", false, false},	{"relps://*:1", false, true},
	    {"http://*:1", false, false},	{"https://*:1", false, true},
	    {"http://*:1", true, false},	{"https://*:1", true, true},
	    {"unix:///x", true, false},
	};
	struct listen_url u;

	(void)state;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		u = parse(kinds[i].text, kinds[i].admin);
		assert_int_equal(listen_url_is_tls(&u), kinds[i].tls);
		listen_url_free(&u);
	}
}

static void
the_cert_rule_asks_for_certificates(void **state)
{
	struct listen_url u = parse("syslog+tls://127.0.0.1:6514?app=cert", false);

	(void)state;
	assert_int_equal(u.auth, TLS_CLIENT_REQUIRED);
	listen_url_free(&u);
	u = parse("syslog+tls://127.0.0.1:6514?app=cert,map:/m&auth=optional", false);
	assert_int_equal(u.auth, TLS_CLIENT_OPTIONAL);
	listen_url_free(&u);
	assert_refused("syslog+tls://127.0.0.1:6514?app=cert&auth=none", false, "auth=required");
	assert_refused("syslog+tcp://127.0.0.1:1514?app=cert", false, "use syslog+tls");
	assert_refused("syslog+unix:///x?app=cert,map:/m", false, "use syslog+tls");
	u = parse("relps://127.0.0.1:2514?app=cert", false);
	assert_int_equal(u.auth, TLS_CLIENT_REQUIRED);
	listen_url_free(&u);
	assert_refused("relp://127.0.0.1:2514?app=cert", false, "use relps");
}

static void
faulty_places_say_what_to_write(void **state)
{
	static const char *const bad[][2] = {
	    {"", "no scheme"},
	    {"127.0.0.1:1514", "no scheme; write syslog+tcp://"},
	    {"syslog+tpc://127.0.0.1:1514",
	     "unknown scheme \"syslog+tpc\"; use syslog+tcp, syslog+tls, syslog+udp, "
	     "syslog+unix, syslog+unixgram, relp, relps, http or https"},
	    {"SYSLOG+TCP://127.0.0.1:1514", "unknown scheme"},
	    {"://127.0.0.1:1514", "unknown scheme"},
	    {"unix:///run/x", "unknown scheme"},
	    {"syslog+tcp://", "no port"},
	    {"syslog+tcp://127.0.0.1", "no port"},
	    {"syslog+tcp://[::1]", "no port"},
	    {"syslog+tcp://127.0.0.1:", "0 to 65535"},
	    {"syslog+tcp://127.0.0.1:65536", "0 to 65535"},
	    {"syslog+tcp://127.0.0.1:000001", "0 to 65535"},
	    {"syslog+tcp://127.0.0.1:-1", "0 to 65535"},
	    {"syslog+tcp://127.0.0.1:14x", "0 to 65535"},
	    {"syslog+tcp://:1514", "not an address"},
	    {"syslog+tcp://[]:1514", "not an address"},
	    {"syslog+tcp://[:1514", "not an address"},
	    {"syslog+tcp://]:1514", "not an address"},
	    {"syslog+tcp://::1:1514", "not an address"},
	    {"syslog+tcp://[127.0.0.1]:1514", "not an address"},
	    {"syslog+tcp://[*]:1514", "not an address"},
	    {"syslog+tcp://localhost:1514", "not an address (names are not resolved)"},
	    {"syslog+tcp://user@127.0.0.1:1514", "not an address"},
	    {"syslog+tcp://127.0.0.1:1514/x", "no address and port"},
	    {"syslog+tcp://127.0.0.1:1514//", "no address and port"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_refused(bad[i][0], false, bad[i][1]);
	assert_refused("syslog+tcp://127.0.0.1:1514", true, "use http, https or unix");
	assert_refused("127.0.0.1:8514", true, "write http://");
}

static void
faulty_options_say_what_to_write(void **state)
{
	static const char *const bad[][2] = {
	    {"tcp://127.0.0.1:1?", "no option behind"},
	    {"tcp://127.0.0.1:1?tz=UTC&", "no option behind"},
	    {"tcp://127.0.0.1:1?&tz=UTC", "has no value"},
	    {"tcp://127.0.0.1:1?tz", "has no value"},
	    {"tcp://127.0.0.1:1?tz=", "option tz has no value"},
	    {"tcp://127.0.0.1:1?=UTC", "unknown option \"\""},
	    {"tcp://127.0.0.1:1?framming=lf", "did you mean framing?"},
	    {"tcp://127.0.0.1:1?colour=red", "use app, auth, framing, proxy, hostname or tz"},
	    {"tcp://127.0.0.1:1?tz=UTC&tz=UTC", "given twice"},
	    {"tcp://127.0.0.1:1?tz=Europe/Paris", "set TZ and use local"},
	    {"tcp://127.0.0.1:1?tz=+14:01", "up to 14:00"},
	    {"tcp://127.0.0.1:1?tz=+01:60", "up to 14:00"},
	    {"tcp://127.0.0.1:1?tz=+1:00", "up to 14:00"},
	    {"tcp://127.0.0.1:1?tz=01:00", "up to 14:00"},
	    {"tcp://127.0.0.1:1?framing=crlf", "use auto, octet-counting, lf or nul"},
	    {"tcp://127.0.0.1:1?proxy=10.0.0.0/33", "0 to 32"},
	    {"tcp://127.0.0.1:1?proxy=any", "\"any\": not an address"},
	    {"tcp://127.0.0.1:1?hostname=a%20b", "without space"},
	    {"tcp://127.0.0.1:1?hostname=a%00b", "%00"},
	    {"tcp://127.0.0.1:1?hostname=%4", "two hex digits"},
	    {"tcp://127.0.0.1:1?app=appname", "did you mean app-name?"},
	    {"tcp://127.0.0.1:1?app=fixed:", "no app's name"},
	    {"tcp://127.0.0.1:1?auth=required", "with TLS only"},
	    {"tls://127.0.0.1:1?auth=yes", "use none, optional or required"},
	    {"udp://127.0.0.1:1?framing=lf", "have a choice"},
	    {"unixgram:///x?framing=lf", "have a choice"},
	    {"udp://127.0.0.1:1?proxy=::1", "over TCP and TLS have proxies"},
	};
	char *text;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		text = xasprintf("syslog+%s", bad[i][0]);
		assert_refused(text, false, bad[i][1]);
		free(text);
	}
	assert_refused("http://127.0.0.1:1?app=cert", true, "takes no lines");
	assert_refused("http://127.0.0.1:1?auth=required", true, "with TLS only");
}

static void
a_long_faulty_value_still_fits_the_error(void **state)
{
	char text[4096];

	(void)state;
	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	assert_refused(text, false, "no scheme");
	memcpy(text, "syslog+tcp://127.0.0.1:1?hostname=", 34);
	assert_refused(text, false, "1 to 255");
}

static bool
conflict(const char *a, const char *b)
{
	struct listen_url ua = parse(a, strncmp(a, "http", 4) == 0);
	struct listen_url ub = parse(b, strncmp(b, "http", 4) == 0);
	bool is = listen_url_conflicts(&ua, &ub);

	assert_int_equal(listen_url_conflicts(&ub, &ua), is);
	listen_url_free(&ua);
	listen_url_free(&ub);
	return is;
}

static void
what_cannot_both_be_bound_conflicts(void **state)
{
	(void)state;
	assert_true(conflict("syslog+tcp://127.0.0.1:1", "syslog+tls://127.0.0.1:1"));
	assert_true(conflict("syslog+tcp://127.0.0.1:1", "http://127.0.0.1:1"));
	assert_true(conflict("syslog+tcp://0.0.0.0:1", "http://127.0.0.1:1"));
	assert_true(conflict("syslog+tcp://*:1", "http://127.0.0.1:1"));
	assert_true(conflict("syslog+tcp://*:1", "http://[::1]:1"));
	assert_true(conflict("syslog+tcp://[::]:1", "http://[::1]:1"));
	assert_true(conflict("relp://127.0.0.1:1", "relps://127.0.0.1:1"));
	assert_true(conflict("relp://*:1", "syslog+tcp://127.0.0.1:1"));
	assert_false(conflict("relp://127.0.0.1:1", "syslog+udp://127.0.0.1:1"));
	assert_true(conflict("syslog+udp://[::1]:1", "syslog+udp://[0::1]:1?tz=UTC"));
	assert_true(conflict("syslog+unix:///x", "syslog+unixgram:///x"));
	assert_false(conflict("syslog+tcp://[::]:1", "http://127.0.0.1:1"));
	assert_false(conflict("syslog+tcp://127.0.0.1:1", "syslog+udp://127.0.0.1:1"));
	assert_false(conflict("syslog+tcp://127.0.0.1:1", "syslog+tcp://127.0.0.2:1"));
	assert_false(conflict("syslog+tcp://127.0.0.1:1", "syslog+tcp://127.0.0.1:2"));
	assert_false(conflict("syslog+tcp://127.0.0.1:0", "syslog+tcp://127.0.0.1:0"));
	assert_false(conflict("syslog+unix:///x", "syslog+unix:///y"));
	assert_false(conflict("syslog+unix:///x", "syslog+tcp://127.0.0.1:1"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_scheme_has_its_kind),
	    cmocka_unit_test(unix_paths_are_decoded_and_bounded),
	    cmocka_unit_test(options_have_defaults),
	    cmocka_unit_test(options_are_taken),
	    cmocka_unit_test(each_kind_takes_its_options_and_no_others),
	    cmocka_unit_test(what_tls_is_is_known_of_every_kind),
	    cmocka_unit_test(the_cert_rule_asks_for_certificates),
	    cmocka_unit_test(faulty_places_say_what_to_write),
	    cmocka_unit_test(faulty_options_say_what_to_write),
	    cmocka_unit_test(a_long_faulty_value_still_fits_the_error),
	    cmocka_unit_test(what_cannot_both_be_bound_conflicts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
