/* The URL of a receiver that a user gives: what is taken from it, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "params.h"
#include "types/drain_own_url.h"

static struct drain_conf
make(const char *type, const char *request)
{
	struct drain_errors errors;
	struct drain_conf conf;
	struct params p;

	params_split(&p, request, " ");
	if (!drain_conf_make(&conf, drain_type_find(type), p.in, p.n, &errors))
		fail_msg("%s: %s %s", request, errors.at[0].key, errors.at[0].text);
	params_free(&p);
	return conf;
}

static void
check_target(const char *type, const char *request, const char *host, uint16_t port,
	     const char *target)
{
	struct drain_conf conf = make(type, request);

	assert_int_equal(conf.transport, DRAIN_HTTP);
	assert_string_equal(conf.host, host);
	assert_int_equal(conf.port, port);
	assert_string_equal(conf.target, target);
	drain_conf_free(&conf);
}

static void
the_target_has_no_user_and_always_a_path(void **state)
{
	(void)state;
	check_target("elk", "url=http://h", "h", 80, "http://h/");
	check_target("elk", "url=HTTPS://u:p@Elk.Example.COM", "elk.example.com", 443,
		     "https://elk.example.com/");
	check_target("elk", "url=https://h:443/x?y=z", "h", 443, "https://h/x?y=z");
	check_target("elk", "url=https://h:80/x", "h", 80, "https://h:80/x");
	check_target("elk", "url=http://h:443?a@b:c", "h", 443, "http://h:443/?a@b:c");
	check_target("elk", "url=http://[2001:DB8:0::1]:8080/%20", "2001:db8::1", 8080,
		     "http://[2001:db8::1]:8080/%20");
	check_target("https", "url=http://10.0.0.1/a/../b", "10.0.0.1", 80,
		     "http://10.0.0.1/a/../b");
}

static void
otlp_adds_its_path_to_a_base_url(void **state)
{
	(void)state;
	check_target("otlp", "url=http://h:4318", "h", 4318, "http://h:4318/v1/logs");
	check_target("otlp", "url=http://h:4318/", "h", 4318, "http://h:4318/v1/logs");
	check_target("otlp", "url=http://h/v1/logs", "h", 80, "http://h/v1/logs");
	check_target("otlp", "url=http://h/v1/logs?x=/v1", "h", 80, "http://h/v1/logs?x=/v1");
	check_target("otlp", "url=http://h/otlp//", "h", 80, "http://h/otlp/v1/logs");
	check_target("otlp", "url=http://h/otlp?x=y", "h", 80, "http://h/otlp/v1/logs?x=y");
	check_target("otlp", "url=http://h?x=/v1/logs", "h", 80, "http://h/v1/logs?x=/v1/logs");
}

static void
check_urls(const char *type, const char *request, const char *url, const char *redacted)
{
	struct drain_conf conf = make(type, request);

	assert_string_equal(conf.url, url);
	assert_string_equal(conf.redacted, redacted);
	drain_conf_free(&conf);
}

static void
the_url_stays_as_it_was_given_and_options_follow_in_its_fragment(void **state)
{
	(void)state;
	check_urls("elk", "url=HTTP://H/?a=%20b", "HTTP://H/?a=%20b", "HTTP://H/?a=%20b");
	check_urls("elk", "url=http://u:p@h/ format=json", "http://u:p@h/#format=json",
		   "http://u:***@h/#format=json");
	check_urls("elk", "url=http://key@h?x concurrency=4 gzip=true",
		   "http://key@h?x#gzip=true&concurrency=4",
		   "http://***@h?x#gzip=true&concurrency=4");
	check_urls("elk", "url=http://key:@h/x", "http://key:@h/x", "http://***@h/x");
	check_urls("elk", "url=http://:p@h/x", "http://:p@h/x", "http://:***@h/x");
	check_urls("https", "url=https://h token=a/b rate=10", "https://h#token=a%2Fb&rate=10",
		   "https://h#token=***&rate=10");
	check_urls("otlp", "url=https://h token=abc", "https://h#token=abc", "https://h#token=***");
}

static void
defaults_that_are_given_stay_out_of_the_url(void **state)
{
	(void)state;
	check_urls("elk", "url=http://h format=line gzip=false concurrency=8", "http://h",
		   "http://h");
	check_urls("elk", "url=http://h format=json gzip=false concurrency=1",
		   "http://h#format=json", "http://h#format=json");
	check_urls("elk", "url=http://h format=ndjson concurrency=8",
		   "http://h#format=ndjson&concurrency=8", "http://h#format=ndjson&concurrency=8");
	check_urls("otlp", "url=http://h gzip=true", "http://h", "http://h");
	check_urls("datadog", "token=t drain_region=us gzip=true concurrency=1",
		   "datadog://t?region=us", "datadog://***?region=us");
	check_urls("logtail", "token=t host=In.Logs.BetterStack.com gzip=false",
		   "logtail://t?gzip=false", "logtail://***?gzip=false");
}

static void
check_defaults(const char *type, const char *request, bool gzip, unsigned concurrency)
{
	struct drain_conf conf = make(type, request);

	assert_int_equal(conf.gzip, gzip);
	assert_int_equal(conf.concurrency, concurrency);
	drain_conf_free(&conf);
}

static void
each_type_has_its_defaults(void **state)
{
	(void)state;
	check_defaults("elk", "url=http://h", false, 8);
	check_defaults("elk", "url=http://h format=json", false, 1);
	check_defaults("https", "url=http://h", false, 1);
	check_defaults("otlp", "url=http://h", true, 1);
	check_defaults("logtail", "token=t", true, 1);
	check_defaults("datadog", "token=t drain_region=us", true, 1);
	check_defaults("datadog", "token=t drain_region=us gzip=false concurrency=32", false, 32);
}

static void
the_user_is_decoded_for_the_request(void **state)
{
	static const char *const urls[][2] = {
	    {"url=http://h", ""},	   {"url=http://@h", ""},
	    {"url=http://u:p@h", "u:p"},   {"url=http://a%3ab%40:%2525+@h/x@y", "a:b@:%25+"},
	    {"url=http://key@h", "key:"},  {"url=http://key:@h", "key:"},
	    {"url=http://a%3ab@h", "a:b"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
		struct drain_conf conf = make("elk", urls[i][0]);
		struct buf user = {0};

		drain_own_url_user(&conf, &user);
		assert_string_equal(buf_cstr(&user), urls[i][1]);
		buf_free(&user);
		drain_conf_free(&conf);
	}
}

static void
check_refused(const char *type, const char *request, const char *key, const char *part)
{
	struct drain_errors errors;
	struct drain_conf conf;
	struct params p;

	params_split(&p, request, " ");
	if (drain_conf_make(&conf, drain_type_find(type), p.in, p.n, &errors))
		fail_msg("%s was taken", request);
	assert_string_equal(errors.at[0].key, key);
	if (strstr(errors.at[0].text, part) == NULL)
		fail_msg("%s: %s", request, errors.at[0].text);
	params_free(&p);
}

static void
what_could_mean_two_hosts_is_refused(void **state)
{
	static const char *const types[] = {"elk", "https", "otlp"};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		check_refused(types[i], "url=ftp://h", "url", "http:// or https://");
		check_refused(types[i], "url=http:/h", "url", "http:// or https://");
		check_refused(types[i], "url=http://", "url", "host name");
		check_refused(types[i], "url=http:///x", "url", "host name");
		check_refused(types[i], "url=http://u@", "url", "host name");
		check_refused(types[i], "url=http://h#x", "url", "fragment");
		check_refused(types[i], "url=http://h#", "url", "fragment");
		check_refused(types[i], "url=http://a\\@b", "url", "%5C");
		check_refused(types[i], "url=http://a@b@c", "url", "%40");
		check_refused(types[i], "url=http://%zz@c", "url", "%25");
		check_refused(types[i], "url=http://h:0", "url", "port");
		check_refused(types[i], "url=http://h:65536", "url", "port");
		check_refused(types[i], "url=http://h:", "url", "port");
		check_refused(types[i], "url=http://h:80:80", "url", "port");
		check_refused(types[i], "url=http://[::1", "url", "host name");
		check_refused(types[i], "url=http://[::1]x", "url", "host name");
		check_refused(types[i], "url=http://a%2eb", "url", "host name");
		check_refused(types[i], "url=http://a,b", "url", "host name");
		check_refused(types[i], "url=http://h\x7f", "url", "ASCII");
	}
}

static void
one_request_has_one_authorization(void **state)
{
	(void)state;
	check_refused("otlp", "url=https://u:p@h token=t", "token", "user");
}

static void
logtails_host_is_a_name_or_an_ipv4_address(void **state)
{
	(void)state;
	check_target("logtail", "token=t host=s1.eu.betterstackdata.com",
		     "s1.eu.betterstackdata.com", 443, "https://s1.eu.betterstackdata.com/");
	check_refused("logtail", "token=t host=::1", "host", "ingesting host");
	check_urls("logtail", "token=t host=S1.example", "logtail://t?host=s1.example",
		   "logtail://***?host=s1.example");
	check_urls("betterstack", "token=t", "logtail://t", "logtail://***");
}

static void
gelf_is_tcp_unless_told_and_never_udp(void **state)
{
	struct drain_conf conf = make("gelf", "host=h");

	(void)state;
	assert_int_equal(conf.transport, DRAIN_TCP);
	assert_int_equal(conf.framing, DRAIN_FRAMING_NUL);
	assert_int_equal(conf.port, 12201);
	drain_conf_free(&conf);
	check_urls("gelf", "host=h", "gelf://h:12201", "gelf://h:12201");
	check_urls("gelf", "host=tls://H port=1", "gelf://h:1?protocol=tls",
		   "gelf://h:1?protocol=tls");
	check_urls("gelf", "host=::1 protocol=tcp resend_bytes=0",
		   "gelf://[::1]:12201?resend_bytes=0", "gelf://[::1]:12201?resend_bytes=0");
	check_refused("gelf", "host=h protocol=udp", "protocol", "tcp or tls");
	check_refused("gelf", "host=udp://h", "protocol", "tcp or tls");
}

static void
check_endpoint(const char *type, const char *request, const char *endpoint, const char *host,
	       uint16_t port, const char *target)
{
	struct drain_conf conf = make(type, request);
	char *url = xstrdup(conf.url);

	conf.type->use_endpoint(&conf, endpoint);
	assert_string_equal(conf.host, host);
	assert_int_equal(conf.port, port);
	assert_string_equal(conf.target, target);
	assert_string_equal(conf.url, url);
	free(url);
	drain_conf_free(&conf);
}

static void
an_endpoint_takes_the_place_of_the_vendors_own(void **state)
{
	(void)state;
	check_endpoint("datadog", "token=t drain_region=eu", "https://dd.example/%s/logs",
		       "dd.example", 443, "https://dd.example/datadoghq.eu/logs");
	check_endpoint("datadog", "token=t drain_region=eu", "http://127.0.0.1:8080/api/v2/logs",
		       "127.0.0.1", 8080, "http://127.0.0.1:8080/api/v2/logs");
	check_endpoint("datadog", "token=t drain_region=us3", "https://intake.%s",
		       "intake.us3.datadoghq.com", 443, "https://intake.us3.datadoghq.com/");
	check_endpoint("logtail", "token=t", "http://[::1]:99", "::1", 99, "http://[::1]:99/");
	check_endpoint("logtail", "token=t host=s1", "http://proxy/%s/", "proxy", 80,
		       "http://proxy/s1/");
	/* The vendors' own are such templates too. */
	check_endpoint("datadog", "token=t drain_region=ap1", drain_type_find("datadog")->endpoint,
		       "http-intake.logs.ap1.datadoghq.com", 443,
		       "https://http-intake.logs.ap1.datadoghq.com/api/v2/logs");
	check_endpoint("logtail", "token=t", drain_type_find("logtail")->endpoint,
		       "in.logs.betterstack.com", 443, "https://in.logs.betterstack.com/");
	/* What is none changes nothing. */
	check_endpoint("logtail", "token=t", "ftp://x", "in.logs.betterstack.com", 443,
		       "https://in.logs.betterstack.com/");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_target_has_no_user_and_always_a_path),
	    cmocka_unit_test(otlp_adds_its_path_to_a_base_url),
	    cmocka_unit_test(the_url_stays_as_it_was_given_and_options_follow_in_its_fragment),
	    cmocka_unit_test(defaults_that_are_given_stay_out_of_the_url),
	    cmocka_unit_test(each_type_has_its_defaults),
	    cmocka_unit_test(the_user_is_decoded_for_the_request),
	    cmocka_unit_test(what_could_mean_two_hosts_is_refused),
	    cmocka_unit_test(one_request_has_one_authorization),
	    cmocka_unit_test(logtails_host_is_a_name_or_an_ipv4_address),
	    cmocka_unit_test(gelf_is_tcp_unless_told_and_never_udp),
	    cmocka_unit_test(an_endpoint_takes_the_place_of_the_vendors_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
