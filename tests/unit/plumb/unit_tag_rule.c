#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <unistd.h>

#include "base/xmalloc.h"
#include "plumb/tag_map.h"
#include "plumb/tag_rule.h"

static char map_file[64];
static char err[512];

static int
make_file(void **state)
{
	int fd;

	(void)state;
	snprintf(map_file, sizeof(map_file), "/tmp/unit_tag_rule.XXXXXX");
	fd = mkstemp(map_file);
	return fd < 0 ? -1 : close(fd);
}

static int
remove_file(void **state)
{
	(void)state;
	return unlink(map_file);
}

static void
write_map(const char *content, size_t n)
{
	FILE *f = fopen(map_file, "w");

	assert_non_null(f);
	assert_int_equal(fwrite(content, 1, n, f), n);
	assert_int_equal(fclose(f), 0);
}

static struct line
a_line(void)
{
	return (struct line){
	    .hostname = SLICE_INIT("web-1"),
	    .app_name = SLICE_INIT("shop"),
	    .sd =
		SLICE_INIT("[origin software=\"rsyslogd\"][app@32473 name=\"a\\\"b\" empty=\"\"]"),
	};
}

/* What the rule makes of a_line; checks the key, too.  NULL: nothing. */
static void
assert_app(const char *spec, const char *cert, const char *key, const char *app)
{
	struct tag_rule *rule = tag_rule_new(spec, err, sizeof(err));
	struct slice c = cert == NULL ? slice_of(NULL, 0) : slice_str(cert), k, a;
	struct buf scratch = {0};
	struct line line = a_line();

	if (rule == NULL)
		fail_msg("%s", err);
	a = tag_rule_app(rule, &line, c, &scratch, &k);
	assert_int_equal(k.p == NULL, key == NULL);
	if (key != NULL)
		assert_true(slice_is(k, key));
	assert_int_equal(a.p == NULL, app == NULL);
	if (app != NULL)
		assert_true(slice_is(a, app));
	buf_free(&scratch);
	tag_rule_free(rule);
}

static void
each_rule_looks_at_its_field(void **state)
{
	(void)state;
	assert_app("app-name", NULL, "shop", "shop");
	assert_app("hostname", NULL, "web-1", "web-1");
	assert_app("cert", "client.example.com", "client.example.com", "client.example.com");
	assert_app("cert", NULL, NULL, NULL);
	assert_app("fixed:depot", NULL, "depot", "depot");
	assert_app("sd:origin:software", NULL, "rsyslogd", "rsyslogd");
	assert_app("sd:origin:swVersion", NULL, NULL, NULL);
	assert_app("sd:nobody:software", NULL, NULL, NULL);
}

static void
structured_data_is_unescaped_and_empty_is_absent(void **state)
{
	(void)state;
	assert_app("sd:app@32473:name", NULL, "a\"b", "a\"b");
	assert_app("sd:app@32473:empty", NULL, NULL, NULL);
}

static void
a_nil_field_names_no_app(void **state)
{
	struct tag_rule *rule = tag_rule_new("app-name", err, sizeof(err));
	struct line line = a_line();
	struct slice key;

	(void)state;
	assert_non_null(rule);
	line.app_name = SLICE("-");
	assert_null(tag_rule_app(rule, &line, slice_of(NULL, 0), NULL, &key).p);
	assert_null(key.p);
	line.app_name = SLICE("--");
	assert_non_null(tag_rule_app(rule, &line, slice_of(NULL, 0), NULL, &key).p);
	tag_rule_free(rule);
}

static void
a_map_names_the_app_of_a_value(void **state)
{
	static const char content[] = "# our hosts\n"
				      "\n"
				      "web-1\t front \r\n"
				      "   web-2   back\n"
				      "shop depot";
	char *spec = xasprintf("hostname,map:%s", map_file);

	(void)state;
	write_map(content, sizeof(content) - 1);
	assert_app(spec, NULL, "web-1", "front");
	free(spec);
	spec = xasprintf("app-name,map:%s", map_file);
	assert_app(spec, NULL, "shop", "depot");
	free(spec);
	/* A value that the map does not know is reported, and has no app. */
	spec = xasprintf("cert,map:%s", map_file);
	assert_app(spec, "web-3", "web-3", NULL);
	assert_app(spec, "web-2", "web-2", "back");
	assert_app(spec, "#", "#", NULL);
	assert_app(spec, "", "", NULL);
	free(spec);
}

static void
an_empty_map_knows_nobody(void **state)
{
	struct tag_map *map;

	(void)state;
	write_map("", 0);
	map = tag_map_load(map_file, err, sizeof(err));
	assert_non_null(map);
	assert_null(tag_map_find(map, SLICE("x")).p);
	tag_map_free(map);
}

static void
a_map_of_many_lines_finds_each(void **state)
{
	enum { LINES = 100000 };
	struct buf content = {0};
	struct tag_map *map;
	char value[32], app[32];

	(void)state;
	for (int i = 0; i < LINES; i++)
		buf_addf(&content, "host-%d app-%d\n", i, i % 977);
	write_map(content.p, content.n);
	buf_free(&content);
	map = tag_map_load(map_file, err, sizeof(err));
	assert_non_null(map);
	for (int i = 0; i < LINES; i++) {
		snprintf(value, sizeof(value), "host-%d", i);
		snprintf(app, sizeof(app), "app-%d", i % 977);
		assert_true(slice_is(tag_map_find(map, slice_str(value)), app));
	}
	assert_null(tag_map_find(map, SLICE("host-100000")).p);
	tag_map_free(map);
}

static void
a_faulty_map_is_refused_with_its_line(void **state)
{
	static const struct {
		struct slice content;
		const char *line, *fault;
	} bad[] = {
	    {SLICE_INIT("a b\nc\n"), ":2:", "no app behind \"c\""},
	    {SLICE_INIT("a b c\n"), ":1:", "more than two words"},
	    {SLICE_INIT("a b\n\n#\na c\n"), ":4:", "already given at line 1"},
	    {SLICE_INIT("a 1234567890123456789012345678901234567890123456789\n"),
	     ":1:", "no app's name"},
	    {SLICE_INIT("a b\xc3\xa4\n"), ":1:", "no app's name"},
	    {SLICE_INIT("a\0 b\n"), ":1:", "NUL"},
	    {SLICE_INIT("a b\nx y\0"), ":2:", "NUL"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		write_map(bad[i].content.p, bad[i].content.n);
		assert_null(tag_map_load(map_file, err, sizeof(err)));
		assert_non_null(strstr(err, map_file));
		assert_non_null(strstr(err, bad[i].line));
		assert_non_null(strstr(err, bad[i].fault));
	}
	assert_null(tag_map_load("/nonexistent/map", err, sizeof(err)));
	assert_non_null(strstr(err, "No such file"));
	assert_null(tag_map_load("/tmp", err, sizeof(err)));
	assert_non_null(strstr(err, "not a regular file"));
	assert_null(tag_rule_new("hostname,map:/nonexistent/map", err, sizeof(err)));
	assert_non_null(strstr(err, "No such file"));
}

static void
a_faulty_rule_is_refused_with_the_remedy(void **state)
{
	static const char *const bad[][2] = {
	    {"", "use app-name"},
	    {"appname", "did you mean app-name?"},
	    {"hostnam", "did you mean hostname?"},
	    {"sd:", "write sd:ID:PARAM"},
	    {"sd:origin", "write sd:ID:PARAM"},
	    {"sd::x", "1 to 32"},
	    {"sd:x:", "1 to 32"},
	    {"sd:a=b:x", "1 to 32"},
	    {"sd:123456789012345678901234567890123:x", "1 to 32"},
	    {"fixed:", "no app's name"},
	    {"fixed:two words", "no app's name"},
	    {"fixed:x,map:/f", "remove ,map:FILE"},
	    {"hostname,map:", "no file"},
	    {"hostname,mop:/f", "use app-name"},
	    {",map:/f", "use app-name"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_false(tag_rule_check(bad[i][0], err, sizeof(err)));
		if (strstr(err, bad[i][1]) == NULL)
			fail_msg("%s", err);
		assert_null(tag_rule_new(bad[i][0], err, sizeof(err)));
	}
	/* The text alone: no file is looked for. */
	assert_true(tag_rule_check("hostname,map:/nonexistent/map", err, sizeof(err)));
	assert_true(tag_rule_check("sd:urn:x:name", err, sizeof(err)));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_rule_looks_at_its_field),
	    cmocka_unit_test(structured_data_is_unescaped_and_empty_is_absent),
	    cmocka_unit_test(a_nil_field_names_no_app),
	    cmocka_unit_test(a_map_names_the_app_of_a_value),
	    cmocka_unit_test(an_empty_map_knows_nobody),
	    cmocka_unit_test(a_map_of_many_lines_finds_each),
	    cmocka_unit_test(a_faulty_map_is_refused_with_its_line),
	    cmocka_unit_test(a_faulty_rule_is_refused_with_the_remedy),
	};

	return cmocka_run_group_tests(tests, make_file, remove_file);
}
