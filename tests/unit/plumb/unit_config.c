#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/xmalloc.h"
#include "plumb/config.h"
#include "plumb/config_table.h"
#include "test_certs.h"

enum { ARGS_MAX = 8 };

static char file[64];
static char err[CONFIG_ERROR_BYTES];

static int
make_file(void **state)
{
	int fd;

	(void)state;
	snprintf(file, sizeof(file), "/tmp/unit_config.XXXXXX");
	fd = mkstemp(file);
	return fd < 0 ? -1 : close(fd);
}

static int
remove_file(void **state)
{
	(void)state;
	return unlink(file);
}

static void
write_file(const char *content, size_t n)
{
	FILE *f = fopen(file, "w");

	assert_non_null(f);
	assert_int_equal(fwrite(content, 1, n, f), n);
	assert_int_equal(fclose(f), 0);
}

/* Loads with these arguments, a NULL behind the last. */
static enum config_result
load(struct config *c, const char *first, ...)
{
	char *argv[ARGS_MAX + 2] = {xstrdup("penstockd")};
	const char *arg = first;
	enum config_result result;
	int argc = 1;
	va_list ap;

	va_start(ap, first);
	for (; arg != NULL && argc <= ARGS_MAX; arg = va_arg(ap, const char *))
		argv[argc++] = xstrdup(arg);
	va_end(ap);
	err[0] = '\0';
	result = config_load(argc, argv, c, err);
	for (int i = 0; i < argc; i++)
		free(argv[i]);
	return result;
}

/* Loads with one argument more than none, and must succeed. */
static struct config
loaded(const char *arg)
{
	struct config c;

	if (load(&c, arg, NULL) != CONFIG_OK)
		fail_msg("%s", err);
	return c;
}

static struct config
loaded_file(const char *content)
{
	char *arg = xasprintf("--config=%s", file);
	struct config c;

	write_file(content, strlen(content));
	c = loaded(arg);
	free(arg);
	return c;
}

static void
assert_bad(const char *arg, const char *fault)
{
	struct config c;

	if (load(&c, arg, NULL) != CONFIG_BAD)
		fail_msg("taken: %s", arg);
	if (strstr(err, fault) == NULL)
		fail_msg("%s", err);
}

static void
assert_bad_file(const char *content, size_t n, const char *line, const char *fault)
{
	char *place = xasprintf("%s:%s: ", file, line);
	struct config c;

	write_file(content, n);
	assert_int_equal(load(&c, "--config", file, NULL), CONFIG_BAD);
	if (strncmp(err, place, strlen(place)) != 0 || strstr(err, fault) == NULL)
		fail_msg("%s", err);
	free(place);
}

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
	assert_int_equal(c.resend_max, 1048576);
	assert_int_equal(c.stop_timeout, 5000);
	assert_int_equal(c.max_line, 65536);
	assert_int_equal(c.app_memory, 1048576);
	assert_int_equal(c.worker_memory, 16777216);
	assert_false(c.apps_declared);
	assert_null(c.catch_all);
	assert_null(c.copy_to);
	assert_false(c.syslog_framing_octet);
	assert_int_equal(c.list_shape, LIST_AUTO);
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
	    {SLICE_INIT("spool-after = 1s\n"), "1",
	     "key spool-after: this build has no spool yet; remove the key"},
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
what_is_not_built_is_refused_by_name(void **state)
{
	static const char *const keys[] = {"spool-after", "spool-cap",	     "spool-size",
					   "spool-age",	  "drain-allow",     "drain-deny",
					   "http-proxy",  "datadog-endpoint"};
	char *arg, *fault;

	(void)state;
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		arg = xasprintf("--%s=1", keys[i]);
		fault = xasprintf("key %s: this build has no ", keys[i]);
		assert_bad(arg, fault);
		assert_non_null(strstr(err, "; remove the key"));
		free(arg);
		free(fault);
	}
	assert_bad("--listen=relp://127.0.0.1:2514", "this build has no RELP input yet");
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
	assert_int_equal(load(&c, "--resend-bytes=0", "--resend-max=0", NULL), CONFIG_OK);
	config_free(&c);
	assert_int_equal(load(&c, "--listen=syslog+tcp://127.0.0.1:0",
			      "--listen=syslog+tcp://127.0.0.1:0", NULL),
			 CONFIG_OK);
	config_free(&c);
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
		assert_int_equal(strstr(text, line) != NULL, config_keys[i].kind != CONFIG_ABSENT);
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
	    cmocka_unit_test(without_arguments_all_defaults_hold),
	    cmocka_unit_test(flags_take_both_forms),
	    cmocka_unit_test(a_later_source_replaces_the_list_of_an_earlier_one),
	    cmocka_unit_test(a_file_may_be_written_freely),
	    cmocka_unit_test(a_long_line_of_a_file_is_whole),
	    cmocka_unit_test(errors_of_a_file_carry_its_line),
	    cmocka_unit_test(faulty_flags_say_what_to_write),
	    cmocka_unit_test(values_stay_within_bounds),
	    cmocka_unit_test(too_many_listeners_are_refused),
	    cmocka_unit_test(what_is_not_built_is_refused_by_name),
	    cmocka_unit_test(tls_needs_its_files),
	    cmocka_unit_test(keys_that_contradict_each_other_are_refused),
	    cmocka_unit_test(help_and_version_end_well),
	    cmocka_unit_test(help_names_every_key_that_can_be_given),
	    cmocka_unit_test(each_changed_key_needs_a_restart),
	    cmocka_unit_test(files_that_are_named_must_be_good),
	    cmocka_unit_test(certificates_must_load_for_their_listeners),
	};

	return cmocka_run_group_tests(tests, make_file, remove_file);
}
