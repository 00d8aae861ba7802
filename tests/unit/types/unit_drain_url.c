/* What a drain's URL looks like, and what its parameters become. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "params.h"

#define TOKEN "5af97be7-34e5-47b6-a016-8d0001228ffb"

/* The conf of a request that must be fine. */
static struct drain_conf
make(const char *type, const char *request)
{
	struct drain_errors errors;
	struct drain_conf conf;
	struct params p;

	params_split(&p, request, " ");
	if (!drain_conf_make(&conf, drain_type_find(type), p.in, p.n, &errors))
		fail_msg("%s %s: %s %s", type, request, errors.at[0].key, errors.at[0].text);
	params_free(&p);
	return conf;
}

static void
check_url(const char *type, const char *request, const char *want)
{
	struct drain_conf conf = make(type, request);

	assert_string_equal(conf.url, want);
	drain_conf_free(&conf);
}

static void
the_six_types_have_the_urls_of_the_specification(void **state)
{
	(void)state;
	check_url("ovh-graylog", "token=" TOKEN " host=tag1.logs.ovh.com",
		  "ovh://:" TOKEN "@tag1.logs.ovh.com:6514");
	check_url("datadog", "token=" TOKEN " drain_region=eu-west-2",
		  "datadog://" TOKEN "?region=eu-west-2");
	check_url("syslog", "token=id host=custom.logs.com port=1234",
		  "syslog://:id@custom.logs.com:1234");
	check_url("syslog", "host=custom.logs.com port=514", "syslog://custom.logs.com:514");
	check_url("logentries", "token=" TOKEN, "logentries://" TOKEN);
	check_url("logentries", "token=" TOKEN " drain_region=eu",
		  "logentries://" TOKEN "?region=eu");
	check_url("papertrail", "host=logs5.papertrailapp.com port=12345",
		  "tcp+tls://logs5.papertrailapp.com:12345");
	check_url("elk", "url=https://user:pw@elk.example.com:8080/in?a=b",
		  "https://user:pw@elk.example.com:8080/in?a=b");
}

static void
both_spellings_of_the_region_are_one_key(void **state)
{
	(void)state;
	check_url("datadog", "token=t drain-region=us3", "datadog://t?region=us3");
	check_url("datadog", "token=t drain-region=us3 drain_region=us3", "datadog://t?region=us3");
	check_url("datadog", "token=t drain-region= drain_region=us3", "datadog://t?region=us3");
}

static void
blank_values_are_absent_even_of_unknown_keys(void **state)
{
	(void)state;
	check_url("papertrail",
		  "token= host=h port=1 drain_region= url= protocol= framing= resend_bytes= new=",
		  "tcp+tls://h:1");
	check_url("ovh-graylog", "token=t host=h port=", "ovh://:t@h:6514");
}

static void
a_null_value_is_absent(void **state)
{
	const struct drain_input in[] = {{"host", "h"}, {"port", "1"}, {"token", NULL}};
	struct drain_errors errors;
	struct drain_conf conf;

	(void)state;
	assert_true(drain_conf_make(&conf, drain_type_find("papertrail"), in, 3, &errors));
	assert_null(conf.value[DRAIN_TOKEN]);
	drain_conf_free(&conf);
}

static void
hosts_and_ports_become_canonical(void **state)
{
	struct drain_conf conf = make("syslog", "host=LOGS.Example.COM port=00514");

	(void)state;
	assert_string_equal(conf.url, "syslog://logs.example.com:514");
	assert_string_equal(conf.host, "logs.example.com");
	assert_string_equal(conf.value[DRAIN_HOST], "logs.example.com");
	assert_string_equal(conf.value[DRAIN_PORT], "514");
	assert_int_equal(conf.port, 514);
	drain_conf_free(&conf);
	check_url("syslog", "host=h port=65535", "syslog://h:65535");
	check_url("syslog", "host=h port=1", "syslog://h:1");
}

static void
ipv6_has_brackets_in_the_url_and_none_in_the_host(void **state)
{
	struct drain_conf conf = make("papertrail", "host=2001:DB8:0:0::0001 port=514");

	(void)state;
	assert_string_equal(conf.url, "tcp+tls://[2001:db8::1]:514");
	assert_string_equal(conf.host, "2001:db8::1");
	drain_conf_free(&conf);
	check_url("papertrail", "host=[2001:db8::1] port=514", "tcp+tls://[2001:db8::1]:514");
	check_url("syslog", "host=tls://[::1] port=1", "syslog://[::1]:1?protocol=tls");
	check_url("syslog", "host=::ffff:1.2.3.4 port=1", "syslog://[::ffff:1.2.3.4]:1");
	check_url("syslog", "host=127.0.0.1 port=1", "syslog://127.0.0.1:1");
}

static void
tokens_are_percent_encoded_in_urls(void **state)
{
	const struct drain_input in[] = {{"host", "h"}, {"token", "a b/c:@%+?#\"\xc3\xb6~-._"}};
	struct drain_errors errors;
	struct drain_conf conf;

	(void)state;
	assert_true(drain_conf_make(&conf, drain_type_find("ovh-graylog"), in, 2, &errors));
	assert_string_equal(conf.url, "ovh://:a%20b%2Fc%3A%40%25%2B%3F%23%22%C3%B6~-._@h:6514");
	assert_string_equal(conf.value[DRAIN_TOKEN], in[1].value);
	drain_conf_free(&conf);
}

static void
check_syslog(const char *request, const char *url, enum drain_transport transport,
	     enum drain_framing framing, bool verbatim)
{
	struct drain_conf conf = make("syslog", request);

	assert_string_equal(conf.url, url);
	assert_int_equal(conf.transport, transport);
	assert_int_equal(conf.framing, framing);
	assert_int_equal(conf.type->verbatim(&conf), verbatim);
	drain_conf_free(&conf);
}

static void
syslog_is_tls_on_6514_or_with_a_token_and_tcp_otherwise(void **state)
{
	(void)state;
	check_syslog("host=h port=514", "syslog://h:514", DRAIN_TCP, DRAIN_FRAMING_DEFAULT, false);
	check_syslog("host=h port=6514", "syslog://h:6514", DRAIN_TLS, DRAIN_FRAMING_OCTET, true);
	check_syslog("host=h port=514 token=t", "syslog://:t@h:514", DRAIN_TLS, DRAIN_FRAMING_OCTET,
		     false);
}

static void
a_protocol_decides_and_is_in_the_url_when_it_is_not_the_default(void **state)
{
	(void)state;
	check_syslog("host=h port=514 protocol=udp", "syslog://h:514?protocol=udp", DRAIN_UDP,
		     DRAIN_FRAMING_NONE, false);
	check_syslog("host=h port=514 protocol=tcp", "syslog://h:514", DRAIN_TCP,
		     DRAIN_FRAMING_DEFAULT, false);
	check_syslog("host=h port=514 protocol=tls", "syslog://h:514?protocol=tls", DRAIN_TLS,
		     DRAIN_FRAMING_OCTET, true);
	check_syslog("host=h port=6514 protocol=tls", "syslog://h:6514", DRAIN_TLS,
		     DRAIN_FRAMING_OCTET, true);
	check_syslog("host=h port=6514 protocol=tcp", "syslog://h:6514?protocol=tcp", DRAIN_TCP,
		     DRAIN_FRAMING_DEFAULT, false);
	check_syslog("host=h port=514 token=t protocol=tcp", "syslog://:t@h:514?protocol=tcp",
		     DRAIN_TCP, DRAIN_FRAMING_DEFAULT, false);
}

static void
a_scheme_in_front_of_the_host_is_its_protocol(void **state)
{
	(void)state;
	check_syslog("host=tls://H port=514", "syslog://h:514?protocol=tls", DRAIN_TLS,
		     DRAIN_FRAMING_OCTET, true);
	check_syslog("host=TCP://h port=6514", "syslog://h:6514?protocol=tcp", DRAIN_TCP,
		     DRAIN_FRAMING_DEFAULT, false);
	check_syslog("host=udp://h port=514 protocol=udp", "syslog://h:514?protocol=udp", DRAIN_UDP,
		     DRAIN_FRAMING_NONE, false);
	check_syslog("protocol=udp host=udp://h port=514", "syslog://h:514?protocol=udp", DRAIN_UDP,
		     DRAIN_FRAMING_NONE, false);
}

static void
framing_is_in_the_url_unless_tls_has_it_anyway(void **state)
{
	(void)state;
	check_syslog("host=h port=6514 framing=octet-counting", "syslog://h:6514", DRAIN_TLS,
		     DRAIN_FRAMING_OCTET, true);
	check_syslog("host=h port=6514 framing=lf", "syslog://h:6514?framing=lf", DRAIN_TLS,
		     DRAIN_FRAMING_LF, false);
	check_syslog("host=h port=514 framing=lf", "syslog://h:514?framing=lf", DRAIN_TCP,
		     DRAIN_FRAMING_LF, false);
	check_syslog("host=h port=514 framing=nul", "syslog://h:514?framing=nul", DRAIN_TCP,
		     DRAIN_FRAMING_NUL, false);
	check_syslog("host=h port=514 framing=octet-counting",
		     "syslog://h:514?framing=octet-counting", DRAIN_TCP, DRAIN_FRAMING_OCTET, true);
}

static void
options_stand_in_a_fixed_order(void **state)
{
	struct drain_conf conf =
	    make("syslog", "resend_bytes=64KiB framing=nul protocol=tls port=514 host=h");

	(void)state;
	assert_string_equal(conf.url, "syslog://h:514?protocol=tls&framing=nul&resend_bytes=65536");
	assert_int_equal(conf.resend_bytes, 65536);
	drain_conf_free(&conf);
}

static void
resend_bytes_are_the_gateways_unless_given(void **state)
{
	struct drain_conf conf = make("papertrail", "host=h port=1");

	(void)state;
	assert_int_equal(conf.resend_bytes, -1);
	drain_conf_free(&conf);

	conf = make("logentries", "token=t drain_region=us resend_bytes=0");
	assert_int_equal(conf.resend_bytes, 0);
	assert_string_equal(conf.url, "logentries://t?region=us&resend_bytes=0");
	drain_conf_free(&conf);

	conf = make("ovh-graylog", "token=t host=h resend_bytes=1073741824");
	assert_int_equal(conf.resend_bytes, 1 << 30);
	assert_string_equal(conf.url, "ovh://:t@h:6514?resend_bytes=1073741824");
	drain_conf_free(&conf);
}

static void
check_receiver(const char *type, const char *request, enum drain_transport transport,
	       enum drain_framing framing, const char *host, uint16_t port)
{
	struct drain_conf conf = make(type, request);

	assert_int_equal(conf.transport, transport);
	assert_int_equal(conf.framing, framing);
	assert_string_equal(conf.host, host);
	assert_int_equal(conf.port, port);
	if (conf.transport == DRAIN_HTTP)
		assert_non_null(conf.type->http);
	else if (strcmp(type, "syslog") != 0)
		assert_false(conf.type->verbatim(&conf));
	drain_conf_free(&conf);
}

static void
each_type_knows_its_receiver(void **state)
{
	(void)state;
	check_receiver("papertrail", "host=h port=9", DRAIN_TLS, DRAIN_FRAMING_LF, "h", 9);
	check_receiver("ovh-graylog", "host=h token=t", DRAIN_TLS, DRAIN_FRAMING_LF, "h", 6514);
	check_receiver("ovh-graylog", "host=h token=t port=7", DRAIN_TLS, DRAIN_FRAMING_LF, "h", 7);
	check_receiver("logentries", "token=t", DRAIN_TLS, DRAIN_FRAMING_LF, "data.logentries.com",
		       443);
	check_receiver("logentries", "token=t drain_region=au", DRAIN_TLS, DRAIN_FRAMING_LF,
		       "au.data.logs.insight.rapid7.com", 443);
	check_receiver("elk", "url=http://h/x", DRAIN_HTTP, DRAIN_FRAMING_NONE, "h", 80);
	check_receiver("elk", "url=HTTPS://u:p@H?x", DRAIN_HTTP, DRAIN_FRAMING_NONE, "h", 443);
	check_receiver("elk", "url=https://[::1]:9200", DRAIN_HTTP, DRAIN_FRAMING_NONE, "::1",
		       9200);
	check_receiver("elk", "url=http://10.0.0.1:8080/a@b:c", DRAIN_HTTP, DRAIN_FRAMING_NONE,
		       "10.0.0.1", 8080);
}

static void
a_datadog_region_picks_the_site(void **state)
{
	static const char *const regions[][2] = {
	    {"us", "datadoghq.com"},
	    {"us1", "datadoghq.com"},
	    {"us-east-1", "datadoghq.com"},
	    {"datadoghq.com", "datadoghq.com"},
	    {"eu", "datadoghq.eu"},
	    {"eu1", "datadoghq.eu"},
	    {"eu-west-2", "datadoghq.eu"},
	    {"datadoghq.eu", "datadoghq.eu"},
	    {"us3", "us3.datadoghq.com"},
	    {"us5", "us5.datadoghq.com"},
	    {"ap1", "ap1.datadoghq.com"},
	    {"ap2", "ap2.datadoghq.com"},
	    {"us3.datadoghq.com", "us3.datadoghq.com"},
	    {"us5.datadoghq.com", "us5.datadoghq.com"},
	    {"ap1.datadoghq.com", "ap1.datadoghq.com"},
	    {"ap2.datadoghq.com", "ap2.datadoghq.com"},
	    {"gov", "ddog-gov.com"},
	    {"us1-fed", "ddog-gov.com"},
	    {"ddog-gov.com", "ddog-gov.com"},
	    {"us2.ddog-gov.com", "us2.ddog-gov.com"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(regions) / sizeof(regions[0]); i++) {
		char *request = xasprintf("token=t drain_region=%s", regions[i][0]);
		char *url = xasprintf("datadog://t?region=%s", regions[i][0]);
		char *host = xasprintf("http-intake.logs.%s", regions[i][1]);

		check_receiver("datadog", request, DRAIN_HTTP, DRAIN_FRAMING_NONE, host, 443);
		check_url("datadog", request, url);
		free(request);
		free(url);
		free(host);
	}
}

static void
check_redacted(const char *type, const char *request, const char *want)
{
	struct drain_conf conf = make(type, request);

	assert_string_equal(conf.redacted, want);
	drain_conf_free(&conf);
}

static void
redacted_urls_have_no_secret(void **state)
{
	(void)state;
	check_redacted("datadog", "token=abc drain_region=eu", "datadog://***?region=eu");
	check_redacted("ovh-graylog", "token=abc host=h", "ovh://:***@h:6514");
	check_redacted("logentries", "token=abc drain_region=eu", "logentries://***?region=eu");
	check_redacted("syslog", "token=abc host=h port=1 protocol=tcp",
		       "syslog://:***@h:1?protocol=tcp");
	check_redacted("syslog", "host=h port=1", "syslog://h:1");
	check_redacted("papertrail", "host=h port=1", "tcp+tls://h:1");
	check_redacted("elk", "url=http://h/x?y", "http://h/x?y");
	check_redacted("elk", "url=http://me:abc@h:1/x?y=@", "http://me:***@h:1/x?y=@");
	check_redacted("elk", "url=http://me:a:b@h", "http://me:***@h");
	check_redacted("elk", "url=http://abc@h/x", "http://***@h/x");
	check_redacted("elk", "url=http://h/a:b@c", "http://h/a:b@c");
}

static void
a_confs_own_values_make_the_same_conf(void **state)
{
	static const char *const requests[][2] = {
	    {"syslog", "host=TLS://[2001:DB8::0] port=0514 resend_bytes=1KiB framing=lf"},
	    {"syslog", "host=h port=6514 token=a%b"},
	    {"papertrail", "host=H port=1"},
	    {"ovh-graylog", "host=h token=t"},
	    {"logentries", "token=t drain-region=eu"},
	    {"datadog", "token=t drain-region=eu"},
	    {"elk", "url=http://u:p@H/"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
		struct drain_conf conf = make(requests[i][0], requests[i][1]), again;
		struct drain_input in[DRAIN_KEYS];
		struct drain_errors errors;

		for (int k = 0; k < DRAIN_KEYS; k++)
			in[k] =
			    (struct drain_input){drain_key_name((enum drain_key)k), conf.value[k]};
		assert_true(drain_conf_make(&again, conf.type, in, DRAIN_KEYS, &errors));
		assert_string_equal(again.url, conf.url);
		assert_string_equal(again.host, conf.host);
		assert_int_equal(again.transport, conf.transport);
		assert_int_equal(again.framing, conf.framing);
		assert_int_equal(again.resend_bytes, conf.resend_bytes);
		drain_conf_free(&conf);
		drain_conf_free(&again);
	}
}

static void
types_are_found_by_name(void **state)
{
	size_t n = 0;

	(void)state;
	for (const struct drain_type *const *type = drain_type_all(); *type != NULL; type++, n++)
		assert_ptr_equal(drain_type_find((*type)->name), *type);
	assert_int_equal(n, 10);
	assert_ptr_equal(drain_type_find("betterstack"), drain_type_find("logtail"));
	assert_null(drain_type_find(""));
	assert_null(drain_type_find("Syslog"));
	assert_null(drain_type_find("syslog "));
}

static void
a_freed_conf_is_empty_and_can_be_freed_again(void **state)
{
	struct drain_conf conf = make("syslog", "host=h port=1");

	(void)state;
	drain_conf_free(&conf);
	assert_null(conf.url);
	assert_null(conf.type);
	drain_conf_free(&conf);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_six_types_have_the_urls_of_the_specification),
	    cmocka_unit_test(both_spellings_of_the_region_are_one_key),
	    cmocka_unit_test(blank_values_are_absent_even_of_unknown_keys),
	    cmocka_unit_test(a_null_value_is_absent),
	    cmocka_unit_test(hosts_and_ports_become_canonical),
	    cmocka_unit_test(ipv6_has_brackets_in_the_url_and_none_in_the_host),
	    cmocka_unit_test(tokens_are_percent_encoded_in_urls),
	    cmocka_unit_test(syslog_is_tls_on_6514_or_with_a_token_and_tcp_otherwise),
	    cmocka_unit_test(a_protocol_decides_and_is_in_the_url_when_it_is_not_the_default),
	    cmocka_unit_test(a_scheme_in_front_of_the_host_is_its_protocol),
	    cmocka_unit_test(framing_is_in_the_url_unless_tls_has_it_anyway),
	    cmocka_unit_test(options_stand_in_a_fixed_order),
	    cmocka_unit_test(resend_bytes_are_the_gateways_unless_given),
	    cmocka_unit_test(each_type_knows_its_receiver),
	    cmocka_unit_test(a_datadog_region_picks_the_site),
	    cmocka_unit_test(redacted_urls_have_no_secret),
	    cmocka_unit_test(a_confs_own_values_make_the_same_conf),
	    cmocka_unit_test(types_are_found_by_name),
	    cmocka_unit_test(a_freed_conf_is_empty_and_can_be_freed_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
