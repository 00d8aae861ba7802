/* What options may be, what they become, and where they stand in a URL. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

#include "params.h"

#define SYSLOG "host=h port=514 "

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
	assert_null(strstr(conf.redacted, "TOKEN"));
	drain_conf_free(&conf);
}

/* One value of one key, which may hold any byte. */
static void
refused(const char *key, const char *value, const char *text)
{
	const struct drain_input in[] = {{"host", "h"}, {"port", "1"}, {key, value}};
	struct drain_errors errors;
	struct drain_conf conf;

	if (drain_conf_make(&conf, drain_type_find("syslog"), in, 3, &errors))
		fail_msg("%s=%s was taken", key, value);
	assert_int_equal(errors.n, 1);
	assert_string_equal(errors.at[0].key, key);
	assert_string_equal(errors.at[0].text, text);
}

static void
severities_have_one_name_and_the_default_stays_out(void **state)
{
	static const char *const names[][2] = {
	    {"emerg", "emerg"},	     {"emergency", "emerg"},	{"panic", "emerg"},
	    {"0", "emerg"},	     {"alert", "alert"},	{"1", "alert"},
	    {"crit", "crit"},	     {"critical", "crit"},	{"2", "crit"},
	    {"err", "err"},	     {"error", "err"},		{"3", "err"},
	    {"warning", "warning"},  {"warn", "warning"},	{"4", "warning"},
	    {"notice", "notice"},    {"5", "notice"},		{"info", "info"},
	    {"information", "info"}, {"informational", "info"}, {"6", "info"},
	};
	static const char text[] =
	    "must be emerg, alert, crit, err, warning, notice, info or debug";

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char *request = xasprintf(SYSLOG "min_severity=%s", names[i][0]);
		char *url = xasprintf("syslog://h:514?min_severity=%s", names[i][1]);

		check_url("syslog", request, url);
		free(request);
		free(url);
	}
	check_url("syslog", SYSLOG "min_severity=debug", "syslog://h:514");
	check_url("syslog", SYSLOG "min_severity=7", "syslog://h:514");
	refused("min_severity", "8", text);
	refused("min_severity", "-1", text);
	refused("min_severity", "ERR", text);
	refused("min_severity", "none", text);
	refused("min_severity", "03", text);
}

static void
formats_are_the_types_own(void **state)
{
	struct drain_conf conf = make("syslog", SYSLOG "format=rfc3164");

	(void)state;
	assert_int_equal(conf.format, 1);
	drain_conf_free(&conf);
	check_url("syslog", SYSLOG "format=rfc3164", "syslog://h:514?format=rfc3164");
	check_url("syslog", SYSLOG "format=rfc5424", "syslog://h:514");
	refused("format", "json", "must be rfc5424 or rfc3164");
	refused("format", "RFC3164", "must be rfc5424 or rfc3164");
	refused("format", "rfc3164\n", "must be rfc5424 or rfc3164");
}

static void
only_rfc_5424_goes_out_as_it_is_kept(void **state)
{
	struct drain_conf conf = make("syslog", SYSLOG "framing=octet-counting");

	(void)state;
	assert_true(conf.type->verbatim(&conf));
	drain_conf_free(&conf);
	conf = make("syslog", SYSLOG "framing=octet-counting format=rfc3164");
	assert_false(conf.type->verbatim(&conf));
	drain_conf_free(&conf);
}

static void
a_marked_line_does_not_go_out_as_it_is_kept(void **state)
{
	struct drain_conf conf = make("syslog", SYSLOG "framing=octet-counting mark=true");

	(void)state;
	assert_true(conf.mark);
	assert_false(conf.type->verbatim(&conf));
	assert_string_equal(conf.url, "syslog://h:514?framing=octet-counting&mark=true");
	drain_conf_free(&conf);
	conf = make("syslog", SYSLOG "framing=octet-counting mark=false");
	assert_false(conf.mark);
	assert_true(conf.type->verbatim(&conf));
	assert_string_equal(conf.url, "syslog://h:514?framing=octet-counting");
	drain_conf_free(&conf);
	check_url("elk", "url=http://h/ format=ndjson mark=true",
		  "http://h/#format=ndjson&mark=true");
	refused("mark", "yes", "must be true or false");
}

static void
rates_and_concurrencies_have_bounds(void **state)
{
	static const char rate[] = "must be a number of lines a second from 1 to 1000000";
	struct drain_conf conf = make("syslog", SYSLOG "rate=1000000");

	(void)state;
	assert_int_equal(conf.rate, 1000000);
	drain_conf_free(&conf);
	conf = make("syslog", SYSLOG);
	assert_int_equal(conf.rate, 0);
	drain_conf_free(&conf);
	check_url("syslog", SYSLOG "rate=0007", "syslog://h:514?rate=7");
	refused("rate", "0", rate);
	refused("rate", "1000001", rate);
	refused("rate", "-5", rate);
	refused("rate", "1e3", rate);
	refused("rate", " 1", rate);
	refused("rate", "99999999999999999999999999", rate);

	conf = make("elk", "url=http://h/ concurrency=32 gzip=true");
	assert_int_equal(conf.concurrency, 32);
	assert_true(conf.gzip);
	drain_conf_free(&conf);
	conf = make("elk", "url=http://h/");
	assert_int_equal(conf.concurrency, 8);
	assert_false(conf.gzip);
	drain_conf_free(&conf);
}

static void
several_patterns_are_one_value(void **state)
{
	const struct drain_input in[] = {{"host", "h"},	  {"port", "1"},     {"match", "b c"},
					 {"match", ""},	  {"match", "a\nd"}, {"match", "b c"},
					 {"match", NULL}, {"exclude", "&=#"}};
	struct drain_errors errors;
	struct drain_conf conf;

	(void)state;
	assert_true(drain_conf_make(&conf, drain_type_find("syslog"), in, 8, &errors));
	assert_string_equal(conf.value[DRAIN_MATCH], "b c\na\nd");
	assert_int_equal(conf.filter.nmatch, 3);
	assert_true(slice_is(conf.filter.match[2], "d"));
	assert_int_equal(conf.filter.nexclude, 1);
	assert_string_equal(conf.url, "syslog://h:1?match=b%20c&match=a&match=d&exclude=%26%3D%23");
	drain_conf_free(&conf);
}

static void
patterns_have_bounds(void **state)
{
	static const char text[] = "must be text that a message must have, up to 256 bytes, or an "
				   "array of 16 such texts at "
				   "most";
	static const char control[] = "must not have control characters";
	struct drain_errors errors;
	char longest[258] = "";
	struct drain_conf conf;
	struct buf many = {0};

	(void)state;
	memset(longest, 'x', 257);
	refused("match", longest, text);
	longest[256] = '\0';
	buf_add_str(&many, SYSLOG "match=");
	buf_add_str(&many, longest);
	conf = make("syslog", buf_cstr(&many));
	assert_int_equal(conf.filter.match[0].n, 256);
	drain_conf_free(&conf);

	many.n = 0;
	for (int i = 0; i < 16; i++)
		buf_addf(&many, "%s%d", i > 0 ? "\n" : "", i);
	/* The same ones again are no more. */
	buf_add_str(&many, "\n3");
	struct drain_input in[] = {{"host", "h"}, {"port", "1"}, {"exclude", buf_cstr(&many)}};
	assert_true(drain_conf_make(&conf, drain_type_find("syslog"), in, 3, &errors));
	assert_int_equal(conf.filter.nexclude, 16);
	assert_true(slice_is(conf.filter.exclude[15], "15"));
	drain_conf_free(&conf);
	buf_add_str(&many, "\n16");
	refused("match", buf_cstr(&many), text);
	buf_free(&many);

	refused("match", "a\n\nb", text);
	refused("match", "a\n", text);
	refused("match", "\n", text);
	refused("match", "a\tb", control);
	refused("match", "a\r\nb", control);
	refused("match", "a\x7f", control);
}

static void
a_flood_of_patterns_is_one_error(void **state)
{
	struct drain_input in[2000] = {{"host", "h"}, {"port", "1"}};
	char texts[2000][8];
	struct drain_errors errors;
	struct drain_conf conf;

	(void)state;
	for (size_t i = 2; i < 2000; i++) {
		snprintf(texts[i], sizeof(texts[i]), "%zu", i);
		in[i] = (struct drain_input){"match", texts[i]};
	}
	assert_false(drain_conf_make(&conf, drain_type_find("syslog"), in, 2000, &errors));
	assert_int_equal(errors.n, 1);
}

static void
all_options_stand_in_one_order(void **state)
{
	check_url("syslog",
		  "resend_bytes=1KiB rate=5 exclude=e match=m min_severity=err format=rfc3164 "
		  "framing=nul protocol=tcp token=TOKEN port=6514 host=h",
		  "syslog://:TOKEN@h:6514?protocol=tcp&framing=nul&format=rfc3164&min_severity=err"
		  "&match=m&exclude=e&rate=5&resend_bytes=1024");
	check_url("logentries", "token=TOKEN drain_region=eu rate=5",
		  "logentries://TOKEN?region=eu&rate=5");
	check_url("ovh-graylog", "token=TOKEN host=h min_severity=notice",
		  "ovh://:TOKEN@h:6514?min_severity=notice");
	check_url("papertrail", "mark=true resend_bytes=5 host=h port=1 match=m",
		  "tcp+tls://h:1?match=m&resend_bytes=5&mark=true");
	check_url("datadog", "token=TOKEN drain_region=eu concurrency=3 gzip=false rate=9",
		  "datadog://TOKEN?region=eu&rate=9&gzip=false&concurrency=3");
	(void)state;
}

static void
options_of_a_url_of_ones_own_stand_in_its_fragment(void **state)
{
	(void)state;
	check_url("elk", "url=http://h/a?b=c format=json match=x match=y",
		  "http://h/a?b=c#format=json&match=x&match=y");
	check_url("elk", "url=http://h/a format=line min_severity=debug concurrency=8",
		  "http://h/a");
	check_url("elk", "url=http://h/a format=json concurrency=8",
		  "http://h/a#format=json&concurrency=8");
}

static void
the_same_options_make_the_same_conf_again(void **state)
{
	struct drain_conf conf = make("syslog", SYSLOG "match=b match=a exclude=c rate=07 "
						       "min_severity=4 format=rfc3164");
	struct drain_input in[DRAIN_KEYS];
	struct drain_errors errors;
	struct drain_conf again;

	(void)state;
	for (int k = 0; k < DRAIN_KEYS; k++)
		in[k] = (struct drain_input){drain_key_name((enum drain_key)k), conf.value[k]};
	assert_true(drain_conf_make(&again, conf.type, in, DRAIN_KEYS, &errors));
	assert_string_equal(again.url, conf.url);
	assert_int_equal(again.filter.nmatch, 2);
	assert_int_equal(again.filter.nexclude, 1);
	assert_int_equal(again.filter.severity, 4);
	assert_int_equal(again.rate, 7);
	assert_int_equal(again.format, 1);
	drain_conf_free(&conf);
	drain_conf_free(&again);
}

static void
a_type_is_found_by_its_other_name(void **state)
{
	size_t aliases = 0;

	(void)state;
	for (const struct drain_type *const *type = drain_type_all(); *type != NULL; type++) {
		if ((*type)->alias == NULL)
			continue;
		assert_ptr_equal(drain_type_find((*type)->alias), *type);
		aliases++;
	}
	assert_true(aliases > 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(severities_have_one_name_and_the_default_stays_out),
	    cmocka_unit_test(formats_are_the_types_own),
	    cmocka_unit_test(only_rfc_5424_goes_out_as_it_is_kept),
	    cmocka_unit_test(a_marked_line_does_not_go_out_as_it_is_kept),
	    cmocka_unit_test(rates_and_concurrencies_have_bounds),
	    cmocka_unit_test(several_patterns_are_one_value),
	    cmocka_unit_test(patterns_have_bounds),
	    cmocka_unit_test(a_flood_of_patterns_is_one_error),
	    cmocka_unit_test(all_options_stand_in_one_order),
	    cmocka_unit_test(options_of_a_url_of_ones_own_stand_in_its_fragment),
	    cmocka_unit_test(the_same_options_make_the_same_conf_again),
	    cmocka_unit_test(a_type_is_found_by_its_other_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
