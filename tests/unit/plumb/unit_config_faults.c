/* What is wrong is said, with place and remedy. */
#include "plumb/config_fixture.h"

#include "base/buf.h"
#include "test_certs.h"

static void
errors_of_a_file_carry_its_line(void **state)
{
	static const struct {
		struct slice content;
		const char *line, *fault;
	} bad[] = {
	    {SLICE_INIT("\n# x\nlinger = 10\n"), "3",
	     "linger: \"10\": no unit; write ms, s, m, h or d"},
	    {SLICE_INIT("lingr = 10ms\n"), "1", "unknown key \"lingr\"; did you mean linger?"},
	    {SLICE_INIT("linger = 1s\nworkers=1\nlinger = 2s\n"), "3", "already given at line 1"},
	    {SLICE_INIT("workers = 1\nlinger\nworkers = x\n"), "2", "no \"=\""},
	    {SLICE_INIT("workers = 1\n[penstock]\n"), "2", "sections are not used"},
	    {SLICE_INIT("linger =\n"), "1",
	     "linger: no value; give one, or remove the key for the default (10ms)"},
	    {SLICE_INIT("check = yes\n"), "1", "unknown key \"check\""},
	    {SLICE_INIT("linger = 10ms\0\n"), "1", "NUL"},
	    {SLICE_INIT("spool-after = 1\n"), "1",
	     "spool-after: \"1\": no unit; write ms, s, m, h or d"},
	    {SLICE_INIT("admin = syslog+tcp://127.0.0.1:1\n"), "1",
	     "admin: \"syslog+tcp://127.0.0.1:1\": unknown scheme"},
	    {SLICE_INIT("linger = \"10ms\"\n"), "1", "not a number"},
	};
	struct buf long_line = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_bad_file(bad[i].content.p, bad[i].content.n, bad[i].line, bad[i].fault);
	buf_add_str(&long_line, "linger = 1s\ndata-dir = ");
	for (int i = 0; i < 10000; i++)
		buf_add_char(&long_line, 'x');
	assert_bad_file(long_line.p, long_line.n, "2", "line too long");
	buf_free(&long_line);
	assert_bad("--config=/nonexistent/c", "config: \"/nonexistent/c\": No such file");
	assert_bad("--config=/tmp", "Is a directory");
}

static void
faulty_flags_say_what_to_write(void **state)
{
	struct config c;

	(void)state;
	assert_bad("--wrkers=2", "unknown key \"wrkers\"; did you mean workers?");
	assert_bad("--chek", "unknown key \"chek\"; did you mean check?");
	assert_bad("--verbose", "unknown key \"verbose\"; see penstockd --help");
	assert_bad("linger", "unexpected argument \"linger\"");
	assert_bad("-h", "unexpected argument \"-h\"");
	assert_bad("--", "unexpected argument \"--\"");
	assert_bad("", "unexpected argument \"\"");
	assert_bad("--=x", "unknown key \"\"");
	assert_bad("--linger", "linger: no value; write --linger VALUE or --linger=VALUE");
	assert_bad("--linger=", "linger: no value");
	assert_bad("--check=yes", "--check takes no value");
	assert_bad("--config=", "write --config FILE once");
	assert_int_equal(load(&c, "--linger", "--workers", "2", NULL), CONFIG_BAD);
	assert_non_null(strstr(err, "linger: no value"));
	assert_int_equal(load(&c, "--config=/dev/null", "--config=/dev/null", NULL), CONFIG_BAD);
	assert_non_null(strstr(err, "a second file"));
}

static void
values_stay_within_bounds(void **state)
{
	(void)state;
	assert_bad("--workers=0", "workers: \"0\": too small; write 1 to 64");
	assert_bad("--workers=65", "too large; write 1 to 64");
	assert_bad("--workers=2s", "not a number");
	assert_bad("--linger=11s", "linger: \"11s\": too large; write 0 to 10s");
	assert_bad("--max-line=479", "too small; write 480B to 1MiB");
	assert_bad("--max-line=2MiB", "too large");
	assert_bad("--max-line=64k", "write B, KiB, MiB, GiB or TiB");
	assert_bad("--apps=both", "apps: \"both\": unknown; use implicit or declared");
	assert_bad("--list-shape=list", "use auto, array or object");
	assert_bad("--catch-all=two words", "not an app's name");
	assert_bad("--copy-to=1234567890123456789012345678901234567890123456789", "1 to 48");
}

static void
what_http_drains_need_is_checked(void **state)
{
	(void)state;
	assert_bad("--http-proxy=https://proxy.example:1", "http-proxy: \"***\": "
							   "the way to a proxy is plain HTTP only");
	assert_bad("--http-proxy=proxy.example:1", "not a proxy; write http://HOST:PORT");
	assert_bad("--http-proxy=socks5://proxy.example:1", "not a proxy");
	assert_bad("--http-proxy=http://proxy.example", "no port");
	assert_bad("--http-proxy=http://", "no port");
	assert_bad("--http-proxy=http://proxy.example:0", "no port");
	assert_bad("--http-proxy=http://proxy.example:65536", "no port");
	assert_bad("--http-proxy=http://:80", "no host");
	assert_bad("--http-proxy=http://::1:80", "no host");
	assert_bad("--http-proxy=http://a b:80", "no host");
	assert_bad("--http-proxy=http://proxy.example:80/path", "no port");
	assert_bad("--http-proxy=http://:pass@proxy.example:80", "the user is empty");
	assert_bad("--http-proxy=http://u%3ar:p@proxy.example:80", "has a colon");
	assert_bad("--http-proxy=http://u%zz:p@proxy.example:80", "cannot be read");
	assert_bad("--http-proxy=http://u:p%0a@proxy.example:80", "cannot be read");
	/* No password gets into a log that way. */
	assert_null(strstr(err, "u:p"));
	assert_bad("--datadog-endpoint=https://%s/%s", "only one %s");
	assert_bad("--datadog-endpoint=https://%s/%d", "only one %s");
	assert_bad("--datadog-endpoint=https://a.example/%", "only one %s");
	assert_bad("--datadog-endpoint=https://a.example/%%", "only one %s");
	assert_bad("--datadog-endpoint=https://a.example/%20", "only one %s");
	assert_bad("--datadog-endpoint=%s://a.example/", "no URL");
	assert_bad("--datadog-endpoint=a.example", "no URL");
	assert_bad("--logtail-endpoint=ftp://a.example/", "no URL");
	assert_bad("--logtail-endpoint=https://u:p@a.example/", "a user, a query");
	assert_bad("--logtail-endpoint=https://a.example/?x=1", "a user, a query");
	assert_bad("--logtail-endpoint=https://a.example/#x", "a user, a query");
	assert_bad("--logtail-endpoint=https:///x", "no host");
	assert_bad("--logtail-endpoint=https://a.example:/x", "bad port");
	assert_bad("--logtail-endpoint=https://a.example:70000/x", "bad port");
	assert_bad("--logtail-endpoint=https://::1/x", "no host");
	assert_bad("--http-timeout=999ms", "too small; write 1s to 10m");
	assert_bad("--http-timeout=11m", "too large");
	assert_bad("--batch-wait=1s", "too large; write 0 to 900ms");
}

static void
too_many_listeners_are_refused(void **state)
{
	struct buf content = {0};
	struct config c;

	(void)state;
	for (int i = 1; i <= CONFIG_LISTENERS_MAX; i++)
		buf_addf(&content, "listen = syslog+tcp://127.0.0.1:%d\n", i);
	c = loaded_file(buf_cstr(&content));
	assert_int_equal(c.nlisten, CONFIG_LISTENERS_MAX);
	config_free(&c);
	buf_add_str(&content, "listen = syslog+tcp://127.0.0.1:999\n");
	assert_bad_file(content.p, content.n, "65", "too many; give 64 at most");
	buf_free(&content);
}

static void
tls_needs_its_files(void **state)
{
	struct config c;

	(void)state;
	assert_bad("--listen=syslog+tls://127.0.0.1:6514",
		   "listen: \"syslog+tls://127.0.0.1:6514\": TLS needs a certificate; give "
		   "tls-cert and tls-key");
	assert_bad("--admin=https://127.0.0.1:8514",
		   "admin: \"https://127.0.0.1:8514\": TLS needs");
	assert_bad("--tls-cert=/c", "tls-cert: \"/c\": given without tls-key");
	assert_bad("--tls-key=/k", "tls-key: \"/k\": given without tls-cert");
	assert_int_equal(load(&c, "--listen=syslog+tls://127.0.0.1:6514?app=cert", "--tls-cert=/c",
			      "--tls-key=/k", NULL),
			 CONFIG_BAD);
	assert_non_null(strstr(err, "give tls-client-ca"));
	assert_int_equal(load(&c, "--listen=syslog+tls://127.0.0.1:6514?auth=optional",
			      "--tls-cert=/c", "--tls-key=/k", NULL),
			 CONFIG_BAD);
	assert_non_null(strstr(err, "give tls-client-ca"));
	assert_int_equal(load(&c, "--listen=syslog+tls://127.0.0.1:6514?app=cert", "--tls-cert=/c",
			      "--tls-key=/k", "--tls-client-ca=/a", NULL),
			 CONFIG_OK);
	config_free(&c);
}

static void
keys_that_contradict_each_other_are_refused(void **state)
{
	struct config c;

	(void)state;
	assert_bad("--resend-max=1KiB", "resend-max: less than resend-bytes");
	assert_bad("--app-memory=32MiB", "worker-memory: less than app-memory");
	assert_int_equal(load(&c, "--app-memory=64KiB", "--max-line=65KiB", NULL), CONFIG_BAD);
	assert_non_null(strstr(err, "app-memory: less than max-line"));
	assert_int_equal(load(&c, "--catch-all=a", "--copy-to=a", NULL), CONFIG_BAD);
	assert_non_null(strstr(err, "catch-all: the same app as copy-to"));
	assert_bad("--admin=http://127.0.0.1:1514",
		   "admin: \"http://127.0.0.1:1514\": listen \"syslog+tcp://127.0.0.1:1514\" has "
		   "this address");
	assert_bad("--spool-after=500ms", "batch-wait: not less than spool-after");
	assert_int_equal(load(&c, "--spool-after=500ms", "--spool-size=0", NULL), CONFIG_OK);
	config_free(&c);
	assert_int_equal(load(&c, "--spool-after=0", NULL), CONFIG_OK);
	config_free(&c);
	assert_int_equal(load(&c, "--resend-bytes=0", "--resend-max=0", NULL), CONFIG_OK);
	config_free(&c);
	assert_int_equal(load(&c, "--listen=syslog+tcp://127.0.0.1:0",
			      "--listen=syslog+tcp://127.0.0.1:0", NULL),
			 CONFIG_OK);
	config_free(&c);
}

static void
files_that_are_named_must_be_good(void **state)
{
	char *arg = xasprintf("--listen=syslog+tcp://127.0.0.1:0?app=hostname,map:%s", file);
	struct config c;

	(void)state;
	write_file("web-1 shop\n", 11);
	assert_int_equal(load(&c, arg, "--admin-token-file=/nonexistent/t", NULL), CONFIG_OK);
	assert_true(config_check_files(&c, err));
	write_file("web-1\n", 6);
	assert_false(config_check_files(&c, err));
	assert_non_null(strstr(err, "listen: \"syslog+tcp://"));
	assert_non_null(strstr(err, ":1: no app behind"));
	config_free(&c);
	free(arg);

	c = loaded("--ca-file=/nonexistent/ca");
	assert_false(config_check_files(&c, err));
	assert_ptr_equal(strstr(err, "ca-file: \"/nonexistent/ca\""), err);
	config_free(&c);
	c = loaded("--admin-token-file=/dev/null/x");
	assert_false(config_check_files(&c, err));
	assert_ptr_equal(strstr(err, "admin-token-file: "), err);
	config_free(&c);
	assert_int_equal(load(&c, "--tls-cert=/nonexistent/c", "--tls-key=/nonexistent/k", NULL),
			 CONFIG_OK);
	assert_false(config_check_files(&c, err));
	assert_ptr_equal(strstr(err, "tls-cert: "), err);
	config_free(&c);
}

static void
certificates_must_load_for_their_listeners(void **state)
{
	char *dir = test_dir_make(), *args[3];
	struct test_cert ca = test_cert_make(
	    dir, NULL, &(struct test_cert_spec){.name = "ca", .cn = "Test CA", .ca = true});
	struct config c;

	(void)state;
	test_cert_add(dir, &ca, (struct test_cert_spec){.name = "own", .san = "DNS:log.example"});
	args[0] = xasprintf("--tls-cert=%s/own.pem", dir);
	args[1] = xasprintf("--tls-key=%s/own.key", dir);
	args[2] = xasprintf("--tls-client-ca=%s/ca.pem", dir);
	assert_int_equal(load(&c, args[0], args[1], args[2],
			      "--listen=syslog+tls://127.0.0.1:0?app=cert",
			      "--admin=https://127.0.0.1:0", NULL),
			 CONFIG_OK);
	if (!config_check_files(&c, err))
		fail_msg("%s", err);
	free(c.tls_key);
	c.tls_key = xasprintf("%s/ca.key", dir);
	assert_false(config_check_files(&c, err));
	config_free(&c);
	for (int i = 0; i < 3; i++)
		free(args[i]);
	test_cert_free(&ca);
	test_dir_remove(dir);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(errors_of_a_file_carry_its_line),
	    cmocka_unit_test(faulty_flags_say_what_to_write),
	    cmocka_unit_test(values_stay_within_bounds),
	    cmocka_unit_test(what_http_drains_need_is_checked),
	    cmocka_unit_test(too_many_listeners_are_refused),
	    cmocka_unit_test(tls_needs_its_files),
	    cmocka_unit_test(keys_that_contradict_each_other_are_refused),
	    cmocka_unit_test(files_that_are_named_must_be_good),
	    cmocka_unit_test(certificates_must_load_for_their_listeners),
	};

	return cmocka_run_group_tests(tests, make_file, remove_file);
}
