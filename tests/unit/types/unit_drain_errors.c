/* What is refused, under which key, and what the client is told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "params.h"

static void
check_refused(const char *type, const struct drain_input *in, size_t n, const char *key,
	      const char *text)
{
	struct drain_errors errors;
	struct drain_conf conf;

	if (drain_conf_make(&conf, drain_type_find(type), in, n, &errors))
		fail_msg("%s was taken as %s; want: %s %s", type, conf.url, key, text);
	if (errors.n != 1)
		fail_msg("%zu errors; second: %s %s", errors.n, errors.at[1].key,
			 errors.at[1].text);
	assert_string_equal(errors.at[0].key, key);
	assert_string_equal(errors.at[0].text, text);
	assert_null(conf.url);
	assert_null(conf.host);
	for (int k = 0; k < DRAIN_KEYS; k++)
		assert_null(conf.value[k]);
}

/* Exactly one error, with this key and text. */
static void
refused(const char *type, const char *request, const char *key, const char *text)
{
	struct params p;

	params_split(&p, request, " ");
	check_refused(type, p.in, p.n, key, text);
	params_free(&p);
}

static void
a_required_parameter_that_is_missing_is_named(void **state)
{
	struct drain_errors errors;
	struct drain_conf conf;

	(void)state;
	refused("syslog", "host=h", "port", "is required");
	refused("syslog", "host=h port=", "port", "is required");
	refused("papertrail", "port=1", "host", "is required");
	refused("ovh-graylog", "host=h", "token", "is required");
	refused("ovh-graylog", "token=t", "host", "is required");
	refused("logentries", "drain_region=eu", "token", "is required");
	refused("datadog", "token=t", "drain_region", "is required");
	refused("datadog", "token=t drain-region=", "drain-region", "is required");
	refused("datadog", "drain_region=eu", "token", "is required");
	refused("elk", "url=", "url", "is required");

	assert_false(drain_conf_make(&conf, drain_type_find("syslog"), NULL, 0, &errors));
	assert_int_equal(errors.n, 2);
	assert_string_equal(errors.at[0].key, "host");
	assert_string_equal(errors.at[1].key, "port");
}

#define ELK_TAKES                                                                         \
	"is not a parameter of elk; it takes url; options: format, min_severity, match, " \
	"exclude, rate, gzip, concurrency, mark, ca, client_cert, client_key"

/* A text that were cut off would not say so. */
static void
each_types_parameters_fit_into_an_error(void **state)
{
	const struct drain_input in[] = {{"nonsense", "1"}};
	struct drain_errors errors;
	struct drain_conf conf;

	(void)state;
	for (const struct drain_type *const *type = drain_type_all(); *type != NULL; type++) {
		assert_false(drain_conf_make(&conf, *type, in, 1, &errors));
		assert_string_equal(errors.at[0].key, "nonsense");
		assert_non_null(strstr(errors.at[0].text, ", client_key"));
	}
}

static void
a_parameter_the_type_does_not_know_is_named_and_the_known_ones_listed(void **state)
{
	(void)state;
	refused("papertrail", "host=h port=1 token=t", "token",
		"is not a parameter of papertrail; it takes host, port; options: min_severity, "
		"match, exclude, rate, resend_bytes, mark, ca, client_cert, client_key");
	refused("syslog", "host=h port=1 drain-region=x", "drain-region",
		"is not a parameter of syslog; it takes token, host, port; options: protocol, "
		"framing, format, min_severity, match, exclude, rate, resend_bytes, mark, ca, "
		"client_cert, client_key");
	refused("datadog", "token=t drain_region=eu protocol=tcp", "protocol",
		"is not a parameter of datadog; it takes token, drain_region; options: "
		"min_severity, match, exclude, rate, gzip, concurrency, mark, ca, client_cert, "
		"client_key");
	refused("elk", "url=http://h resend_bytes=1", "resend_bytes", ELK_TAKES);
	refused("elk", "url=http://h Url=http://h", "Url", ELK_TAKES);
	refused("elk", "url=http://h nonsense=1", "nonsense", ELK_TAKES);
	refused("https", "url=http://h mark=true", "mark",
		"is not a parameter of https; it takes token, url; options: min_severity, match, "
		"exclude, rate, gzip, concurrency, ca, client_cert, client_key");
}

static void
each_fault_is_told_of_its_own_field(void **state)
{
	struct drain_errors errors;
	struct drain_conf conf;
	struct params p;

	(void)state;
	params_split(&p, "host=a/b port=0 url=x framing=crlf", " ");
	assert_false(drain_conf_make(&conf, drain_type_find("syslog"), p.in, p.n, &errors));
	assert_int_equal(errors.n, 4);
	assert_string_equal(errors.at[0].key, "host");
	assert_string_equal(errors.at[1].key, "port");
	assert_string_equal(errors.at[2].key, "url");
	assert_string_equal(errors.at[3].key, "framing");
	params_free(&p);
}

static void
a_flood_of_unknown_keys_is_refused_without_overflow(void **state)
{
	struct drain_input in[100];
	struct drain_errors errors;
	struct drain_conf conf;

	(void)state;
	for (size_t i = 0; i < 100; i++)
		in[i] = (struct drain_input){"nonsense", "1"};
	assert_false(drain_conf_make(&conf, drain_type_find("syslog"), in, 100, &errors));
	assert_int_equal(errors.n, DRAIN_KEYS * 2);
}

static void
bad_ports_are_refused(void **state)
{
	static const char *const ports[] = {"0",   "00",  "65536", "99999999999999999999999",
					    "-1",  "+1",  " 1",	   "1 ",
					    "0x1", "1.0", "http",  "4294967297"};

	(void)state;
	for (size_t i = 0; i < sizeof(ports) / sizeof(ports[0]); i++) {
		const struct drain_input in[] = {{"host", "h"}, {"port", ports[i]}};

		check_refused("syslog", in, 2, "port", "must be a number from 1 to 65535");
	}
}

static void
bad_hosts_are_refused(void **state)
{
	static const char *const hosts[] = {
	    "a b", " h",    "h ",   "h\n", "h\t",    "\x01",	  "h\x7f",
	    "a/b", "a?b",   "a#b",  "a@b", "a%41",   "a\\b",	  "h\xc3\xb6st",
	    "a,b", "[::1",  "::1]", "[]",  "[::1]x", "[1.2.3.4]", "fe80::1%eth0",
	    "::g", "a:b:c", ":",    "<h>", "*"};

	(void)state;
	for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
		const struct drain_input in[] = {{"host", hosts[i]}, {"port", "1"}};

		check_refused("papertrail", in, 2, "host", "must be a host name or an IP address");
	}
}

static void
a_port_typed_into_the_host_is_told_where_it_belongs(void **state)
{
	static const char text[] =
	    "must be a host name or an IP address alone; the port has a parameter of its own";

	(void)state;
	refused("syslog", "host=logs.example.com:514 port=514", "host", text);
	refused("ovh-graylog", "token=t host=[::1]:6514", "host", text);
	refused("syslog", "host=tcp://h:514 port=514", "host", text);
}

static void
a_url_typed_into_the_host_is_told_so(void **state)
{
	static const char text[] = "must be a host name or an IP address, not a URL";

	(void)state;
	refused("syslog", "host=http://h port=1", "host", text);
	refused("syslog", "host=tls://tls://h port=1", "host", text);
	refused("papertrail", "host=tls://h port=1", "host", text);
	refused("syslog", "host=tls:// port=1", "host", "must be a host name or an IP address");
}

static void
a_host_is_253_bytes_at_most(void **state)
{
	char host[255];
	const struct drain_input in[] = {{"host", host}, {"port", "1"}};
	struct drain_errors errors;
	struct drain_conf conf;

	(void)state;
	memset(host, 'a', sizeof(host));
	host[254] = '\0';
	check_refused("syslog", in, 2, "host", "must not be longer than 253 bytes");
	host[253] = '\0';
	assert_true(drain_conf_make(&conf, drain_type_find("syslog"), in, 2, &errors));
	drain_conf_free(&conf);
}

static void
tokens_have_no_control_characters_and_no_blanks_around_them(void **state)
{
	static const char *const controls[] = {"a\nb",	"a\r",	       "\ta",	  "\x01",
					       "a\x7f", "a\xc2\x85 b", "a\x1b[0m"};
	const struct drain_input before[] = {{"token", " a"}};
	const struct drain_input behind[] = {{"token", "a "}};

	(void)state;
	for (size_t i = 0; i < sizeof(controls) / sizeof(controls[0]); i++) {
		const struct drain_input in[] = {{"token", controls[i]}};

		check_refused("logentries", in, 1, "token", "must not have control characters");
	}
	check_refused("logentries", before, 1, "token", "must not begin or end with a space");
	check_refused("logentries", behind, 1, "token", "must not begin or end with a space");
}

static void
a_token_is_1024_bytes_at_most(void **state)
{
	char token[1026];
	const struct drain_input in[] = {{"token", token}};
	struct drain_errors errors;
	struct drain_conf conf;

	(void)state;
	memset(token, 'a', sizeof(token));
	token[1025] = '\0';
	check_refused("logentries", in, 1, "token", "must not be longer than 1024 bytes");
	token[1024] = '\0';
	assert_true(drain_conf_make(&conf, drain_type_find("logentries"), in, 1, &errors));
	drain_conf_free(&conf);
}

static void
unknown_regions_are_refused_in_the_requests_spelling(void **state)
{
	static const char datadog[] =
	    "must be us, us1, us3, us5, us-..., eu, eu1, eu-..., ap1, ap2, gov, us1-fed "
	    "or the name of a Datadog site, such as datadoghq.eu";

	(void)state;
	refused("datadog", "token=t drain_region=mars", "drain_region", datadog);
	refused("datadog", "token=t drain-region=us-", "drain-region", datadog);
	refused("datadog", "token=t drain-region=us2", "drain-region", datadog);
	refused("datadog", "token=t drain_region=evil.datadoghq.com", "drain_region", datadog);
	refused("datadog", "token=t drain_region=us-a&b", "drain_region",
		"must be a region that the vendor has");
	refused("logentries", "token=t drain_region=eu-west-2", "drain_region",
		"must be us, eu, au, ca or ap");
	refused("logentries", "token=t drain-region=de", "drain-region",
		"must be us, eu, au, ca or ap");
}

static void
values_that_contradict_each_other_are_refused(void **state)
{
	(void)state;
	refused("syslog", "host=tls://h port=1 protocol=udp", "protocol",
		"is udp, but the host begins with tls://");
	refused("syslog", "host=h port=1 protocol=udp framing=lf", "framing",
		"does not apply to udp: a datagram is a frame");
	refused("syslog", "host=udp://h port=1 resend_bytes=0", "resend_bytes",
		"does not apply to udp: nothing is sent again");
	refused("syslog", "host=h port=1 format=rfc3164 mark=true", "mark",
		"needs format=rfc5424: RFC 3164 has no structured data to put it into");
	refused("elk", "url=http://h mark=true", "mark",
		"needs format=json or ndjson: a message alone has no place for it");
	refused("datadog", "token=t drain_region=eu drain-region=us", "drain-region",
		"is given twice, with different values");
}

static void
options_are_checked(void **state)
{
	static const char size[] = "must be a size from 0 to 1GiB, such as 65536 or 64KiB";

	(void)state;
	refused("syslog", "host=h port=1 protocol=TCP", "protocol", "must be tcp, tls or udp");
	refused("syslog", "host=h port=1 protocol=http", "protocol", "must be tcp, tls or udp");
	refused("syslog", "host=h port=1 framing=crlf", "framing",
		"must be octet-counting, lf or nul");
	refused("syslog", "host=h port=1 resend_bytes=1073741825", "resend_bytes", size);
	refused("syslog", "host=h port=1 resend_bytes=-1", "resend_bytes", size);
	refused("syslog", "host=h port=1 resend_bytes=2GiB", "resend_bytes", size);
	refused("syslog", "host=h port=1 resend_bytes=99999999999999999999", "resend_bytes", size);
	refused("syslog", "host=h port=1 resend_bytes=9999999999999999999999999999", "resend_bytes",
		size);
}

static void
bad_elk_urls_are_refused(void **state)
{
	static const char scheme[] = "must begin with http:// or https://";
	static const char host[] =
	    "must have a host name or an IP address behind http:// or https://";
	static const char port[] = "must have a port from 1 to 65535, or none";

	(void)state;
	refused("elk", "url=ftp://h/", "url", scheme);
	refused("elk", "url=h:80", "url", scheme);
	refused("elk", "url=http:/h", "url", scheme);
	refused("elk", "url=file:///etc/passwd", "url", scheme);
	refused("elk", "url=http://", "url", host);
	refused("elk", "url=http:///x", "url", host);
	refused("elk", "url=http://?x", "url", host);
	refused("elk", "url=http://u:p@/x", "url", host);
	refused("elk", "url=http://:80/", "url", host);
	refused("elk", "url=http://a%41/", "url", host);
	refused("elk", "url=http://::1/", "url", host);
	refused("elk", "url=http://[::1/", "url", host);
	refused("elk", "url=http://[::1]x:80/", "url", host);
	refused("elk", "url=http://h:/", "url", port);
	refused("elk", "url=http://h:0/", "url", port);
	refused("elk", "url=http://h:65536/", "url", port);
	refused("elk", "url=http://h:80:80/", "url", port);
	refused("elk", "url=http://h:8a/", "url", port);
	refused("elk", "url=http://a@b@c/", "url", "must write '@' in its user or password as %40");
	refused("elk", "url=http://a%@c/", "url", "must write '%' in its user or password as %25");
	refused("elk", "url=http://evil\\@good/", "url", "must write '\\' as %5C");
	refused("elk", "url=http://h/#format", "url",
		"must not have a fragment ('#'): it would never be sent");
}

static void
elk_urls_have_no_spaces_and_controls_and_an_end(void **state)
{
	static const char *const urls[] = {"http://h/a b", "http://h/a\r\nX: y", "http://h/\x7f",
					   "http://h/\xc3\xb6", " http://h"};
	char longest[4098] = "http://h/";

	(void)state;
	for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
		const struct drain_input in[] = {{"url", urls[i]}};

		check_refused("elk", in, 1, "url",
			      "must be ASCII without spaces and control characters; "
			      "write other bytes as %XX");
	}
	memset(longest + 9, 'a', sizeof(longest) - 10);
	const struct drain_input in[] = {{"url", longest}};
	check_refused("elk", in, 1, "url", "must not be longer than 4096 bytes");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_required_parameter_that_is_missing_is_named),
	    cmocka_unit_test(each_types_parameters_fit_into_an_error),
	    cmocka_unit_test(a_parameter_the_type_does_not_know_is_named_and_the_known_ones_listed),
	    cmocka_unit_test(each_fault_is_told_of_its_own_field),
	    cmocka_unit_test(a_flood_of_unknown_keys_is_refused_without_overflow),
	    cmocka_unit_test(bad_ports_are_refused),
	    cmocka_unit_test(bad_hosts_are_refused),
	    cmocka_unit_test(a_port_typed_into_the_host_is_told_where_it_belongs),
	    cmocka_unit_test(a_url_typed_into_the_host_is_told_so),
	    cmocka_unit_test(a_host_is_253_bytes_at_most),
	    cmocka_unit_test(tokens_have_no_control_characters_and_no_blanks_around_them),
	    cmocka_unit_test(a_token_is_1024_bytes_at_most),
	    cmocka_unit_test(unknown_regions_are_refused_in_the_requests_spelling),
	    cmocka_unit_test(values_that_contradict_each_other_are_refused),
	    cmocka_unit_test(options_are_checked),
	    cmocka_unit_test(bad_elk_urls_are_refused),
	    cmocka_unit_test(elk_urls_have_no_spaces_and_controls_and_an_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
