/* What is given is what is meant. */
#include "plumb/config_fixture.h"

#include "base/buf.h"
#include "plumb/config_table.h"
#include "plumb/proxy_url.h"

static void
without_arguments_all_defaults_hold(void **state)
{
	struct config c;

	(void)state;
	assert_int_equal(load(&c, NULL), CONFIG_OK);
	assert_string_equal(c.data_dir, "/var/lib/penstock");
	assert_int_equal(c.nlisten, 2);
	assert_string_equal(c.listen[0].text, "syslog+tcp://127.0.0.1:1514");
	assert_string_equal(c.listen[1].text, "syslog+udp://127.0.0.1:1514");
	assert_int_equal(c.nadmin, 1);
	assert_string_equal(c.admin[0].text, "http://127.0.0.1:8514");
	assert_string_equal(c.admin_token_file, "/var/lib/penstock/admin-token");
	assert_null(c.tls_cert);
	assert_null(c.ca_file);
	assert_in_range(c.workers, 1, 64);
	assert_int_equal(c.linger, 10);
	assert_int_equal(c.resend_bytes, 131072);
	assert_int_equal(c.resend_time, 5000);
	assert_int_equal(c.resend_max, 4194304);
	assert_int_equal(c.stop_timeout, 5000);
	assert_int_equal(c.max_line, 65536);
	assert_int_equal(c.app_memory, 1048576);
	assert_int_equal(c.worker_memory, 16777216);
	assert_false(c.apps_declared);
	assert_null(c.catch_all);
	assert_null(c.copy_to);
	assert_false(c.syslog_framing_octet);
	assert_int_equal(c.list_shape, LIST_AUTO);
	assert_null(c.drain_allow);
	assert_string_equal(c.drain_deny, "link-local");
	assert_null(c.http_proxy);
	assert_null(c.datadog_endpoint);
	assert_null(c.logtail_endpoint);
	assert_int_equal(c.http_timeout, 30000);
	assert_int_equal(c.batch_wait, 500);
	assert_false(c.check_only);
	assert_null(c.file);
	config_free(&c);
}

static void
flags_take_both_forms(void **state)
{
	struct config c;

	(void)state;
	assert_int_equal(load(&c, "--linger", "20ms", "--apps=declared", "--list-shape", "object",
			      "--syslog-framing=octet-counting", "--check", NULL),
			 CONFIG_OK);
	assert_int_equal(c.linger, 20);
	assert_true(c.apps_declared);
	assert_int_equal(c.list_shape, LIST_OBJECT);
	assert_true(c.syslog_framing_octet);
	assert_true(c.check_only);
	config_free(&c);
	assert_int_equal(load(&c, "--data-dir=./data", "--data-dir", "d=1", "--catch-all=lost",
			      "--copy-to", "archive", NULL),
			 CONFIG_OK);
	assert_string_equal(c.data_dir, "d=1");
	assert_string_equal(c.admin_token_file, "d=1/admin-token");
	assert_string_equal(c.catch_all, "lost");
	assert_string_equal(c.copy_to, "archive");
	config_free(&c);
}

static void
a_later_source_replaces_the_list_of_an_earlier_one(void **state)
{
	static const char content[] = "listen = syslog+tcp://127.0.0.1:1\n"
				      "listen = syslog+udp://127.0.0.1:1\n"
				      "listen = syslog+tcp://127.0.0.1:2\n"
				      "linger = 1s\n"
				      "workers = 3\n";
	struct config c = loaded_file(content);

	(void)state;
	assert_int_equal(c.nlisten, 3);
	assert_string_equal(c.listen[2].text, "syslog+tcp://127.0.0.1:2");
	assert_int_equal(c.nadmin, 1);
	assert_int_equal(c.linger, 1000);
	assert_string_equal(c.file, file);
	config_free(&c);

	assert_int_equal(load(&c, "--workers=5", "--config", file, "--listen",
			      "syslog+unix:///run/a", "--listen=syslog+unix:///run/b", NULL),
			 CONFIG_OK);
	assert_int_equal(c.nlisten, 2);
	assert_string_equal(c.listen[0].path, "/run/a");
	assert_int_equal(c.linger, 1000);
	assert_int_equal(c.workers, 5);
	config_free(&c);
}

static void
a_file_may_be_written_freely(void **state)
{
	static const char content[] = "\xef\xbb\xbf# a comment\r\n"
				      "; another\n"
				      "\n"
				      "  data-dir=/srv/a b;c # d\r\n"
				      "\tlinger =   5ms  \n"
				      "stop-timeout= 1m";
	struct config c = loaded_file(content);

	(void)state;
	assert_string_equal(c.data_dir, "/srv/a b;c # d");
	assert_int_equal(c.linger, 5);
	assert_int_equal(c.stop_timeout, 60000);
	config_free(&c);
}

static void
a_long_line_of_a_file_is_whole(void **state)
{
	struct buf content = {0};
	struct config c;

	(void)state;
	buf_add_str(&content, "listen = syslog+tcp://127.0.0.1:1?proxy=");
	for (int i = 0; i < 250; i++)
		buf_addf(&content, "%s10.255.255.%d", i > 0 ? "," : "", i);
	buf_add_str(&content, "\nlinger = 7ms\n");
	c = loaded_file(buf_cstr(&content));
	assert_int_equal(c.nlisten, 1);
	assert_int_equal(strlen(c.listen[0].text), content.n - strlen("listen = \nlinger = 7ms\n"));
	assert_int_equal(c.linger, 7);
	config_free(&c);
	buf_free(&content);
}

static void
help_and_version_end_well(void **state)
{
	struct config c;

	(void)state;
	assert_int_equal(load(&c, "--version", NULL), CONFIG_EXIT_OK);
	assert_int_equal(load(&c, "--config", "/nonexistent", "--help", NULL), CONFIG_EXIT_OK);
}

static void
help_names_every_key_that_can_be_given(void **state)
{
	char *text = NULL, *line;
	size_t n;
	FILE *f = open_memstream(&text, &n);

	(void)state;
	config_help(f);
	fclose(f);
	for (size_t i = 0; i < config_nkeys; i++) {
		line = xasprintf("\n  %s ", config_keys[i].name);
		assert_non_null(strstr(text, line));
		free(line);
	}
	free(text);
}

static void
each_changed_key_needs_a_restart(void **state)
{
	static const char *const changes[][2] = {
	    {"--data-dir=/x", "data-dir"},
	    {"--listen=syslog+tcp://127.0.0.1:1514", "listen"},
	    {"--admin=unix:///x", "admin"},
	    {"--admin-token-file=/t", "admin-token-file"},
	    {"--ca-file=/ca", "ca-file"},
	    {"--linger=11ms", "linger"},
	    {"--resend-bytes=0", "resend-bytes"},
	    {"--workers=64", "workers"},
	    {"--apps=declared", "apps"},
	    {"--copy-to=all", "copy-to"},
	    {"--syslog-framing=octet-counting", "syslog-framing"},
	    {"--list-shape=array", "list-shape"},
	    {"--drain-allow=10.0.0.0/8", "drain-allow"},
	    {"--drain-deny=none", "drain-deny"},
	    {"--http-proxy=http://proxy.example:3128", "http-proxy"},
	    {"--datadog-endpoint=http://127.0.0.1:1/%s", "datadog-endpoint"},
	    {"--logtail-endpoint=http://127.0.0.1:1", "logtail-endpoint"},
	    {"--http-timeout=31s", "http-timeout"},
	    {"--batch-wait=0", "batch-wait"},
	};
	struct config was = loaded("--check"), is = loaded("--linger=10ms");

	(void)state;
	assert_null(config_needs_restart(&was, &is));
	config_free(&is);
	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		is = loaded(changes[i][0]);
		assert_string_equal(config_needs_restart(&was, &is), changes[i][1]);
		assert_string_equal(config_needs_restart(&is, &was), changes[i][1]);
		config_free(&is);
	}
	config_free(&was);
}

static void
proxies_and_endpoints_are_taken_in_every_form(void **state)
{
	static const char *const good[] = {
	    "--http-proxy=http://proxy.example:3128",
	    "--http-proxy=http://proxy.example:3128/",
	    "--http-proxy=http://user@127.0.0.1:80",
	    "--http-proxy=http://us%2Fer:p%40ss@[::1]:65535",
	    "--datadog-endpoint=https://http-intake.logs.%s/api/v2/logs",
	    "--datadog-endpoint=http://127.0.0.1:8080",
	    "--datadog-endpoint=http://[::1]:8080/%s/logs",
	    "--datadog-endpoint=https://%s",
	    "--logtail-endpoint=https://in.logs.betterstack.com/",
	};
	struct proxy_url proxy;
	struct config c;
	char fault[200];

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		c = loaded(good[i]);
		config_free(&c);
	}
	assert_true(proxy_url_parse("http://u%2fs:p%40:x@[::1]:81/", &proxy, fault, sizeof(fault)));
	assert_string_equal(proxy.host, "::1");
	assert_int_equal(proxy.port, 81);
	assert_string_equal(proxy.user, "u/s");
	assert_string_equal(proxy.password, "p@:x");
	proxy_url_free(&proxy);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(without_arguments_all_defaults_hold),
	    cmocka_unit_test(flags_take_both_forms),
	    cmocka_unit_test(a_later_source_replaces_the_list_of_an_earlier_one),
	    cmocka_unit_test(a_file_may_be_written_freely),
	    cmocka_unit_test(a_long_line_of_a_file_is_whole),
	    cmocka_unit_test(help_and_version_end_well),
	    cmocka_unit_test(help_names_every_key_that_can_be_given),
	    cmocka_unit_test(proxies_and_endpoints_are_taken_in_every_form),
	    cmocka_unit_test(each_changed_key_needs_a_restart),
	};

	return cmocka_run_group_tests(tests, make_file, remove_file);
}
