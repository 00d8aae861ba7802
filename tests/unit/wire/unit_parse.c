#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "canonical.h"
#include "lines_3164.h"
#include "lines_5424.h"

static struct buf scratch;

static struct parse_env
env_make(void)
{
	return (struct parse_env){
	    .hostname = SLICE("peer"),
	    .now_us = INT64_C(1768478400000000),
	    .now_text = SLICE(NOW),
	    .scratch = &scratch,
	};
}

static void
check_field(const char *sender, const char *field, struct slice got, const char *want)
{
	if (!slice_is(got, want))
		fail_msg("%s: %s is \"%.*s\", not \"%s\"", sender, field, (int)got.n, got.p, want);
}

/* In a block of its exact size, so that ASan sees any look past the end. */
static char *
exact(struct slice s)
{
	char *p = malloc(s.n > 0 ? s.n : 1);

	assert_non_null(p);
	if (s.n > 0)
		memcpy(p, s.p, s.n);
	return p;
}

static void
check_line(const struct known_line *want)
{
	struct parse_env env = env_make();
	char *p = exact(want->frame);
	struct slice frame = slice_of(p, want->frame.n);
	struct line line;

	parse_line(frame, 0, &env, &line);
	if (line.pri != want->pri || line.verbatim != want->verbatim)
		fail_msg("%s: PRI %u, verbatim %d", want->sender, line.pri, line.verbatim);
	check_field(want->sender, "TIMESTAMP", line.timestamp, want->timestamp);
	check_field(want->sender, "HOSTNAME", line.hostname, want->hostname);
	check_field(want->sender, "APP-NAME", line.app_name, want->app_name);
	check_field(want->sender, "PROCID", line.procid, want->procid);
	check_field(want->sender, "MSGID", line.msgid, want->msgid);
	check_field(want->sender, "STRUCTURED-DATA", line.sd, want->sd);
	if (want->msg != NULL)
		check_field(want->sender, "MSG", line.msg, want->msg);
	must_be_canonical(frame, &line);
	free(p);
}

static void
rfc_5424_lines_are_taken_as_they_are(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(lines_5424) / sizeof(lines_5424[0]); i++)
		check_line(&lines_5424[i]);
}

static void
rfc_3164_lines_are_taken_apart(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(lines_3164) / sizeof(lines_3164[0]); i++)
		check_line(&lines_3164[i]);
}

/* Every beginning of the line, cut or not; then with each byte another. */
static void
check_mutilated(struct slice whole)
{
	static const char odd[] = " -:[]<>\"\\=\n0A\x01\x7f\xff";
	struct parse_env env = env_make();
	struct line line;

	for (size_t n = 0; n <= whole.n; n++) {
		char *p = exact(slice_of(whole.p, n));

		parse_line(slice_of(p, n), 0, &env, &line);
		must_be_canonical(slice_of(p, n), &line);
		parse_line(slice_of(p, n), UINT64_MAX - n, &env, &line);
		must_be_canonical(slice_of(p, n), &line);
		assert_false(line.verbatim);
		assert_true(line.cut == UINT64_MAX - n);
		free(p);
	}
	for (size_t at = 0; at < whole.n; at++) {
		char *p = exact(whole);

		for (size_t i = 0; i < sizeof(odd); i++) {
			p[at] = odd[i];
			parse_line(slice_of(p, whole.n), 0, &env, &line);
			must_be_canonical(slice_of(p, whole.n), &line);
		}
		free(p);
	}
}

static void
mutilated_lines_still_have_a_canonical_form(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(lines_5424) / sizeof(lines_5424[0]); i++)
		check_mutilated(lines_5424[i].frame);
	for (size_t i = 0; i < sizeof(lines_3164) / sizeof(lines_3164[0]); i++)
		check_mutilated(lines_3164[i].frame);
}

static void
check_written(struct slice frame, uint64_t cut, const struct parse_env *env, const char *want)
{
	struct line line;
	char text[500];

	parse_line(frame, cut, env, &line);
	assert_true(line_size(&line) <= sizeof(text));
	line_write(&line, text);
	check_field("canonical", "form", slice_of(text, line_size(&line)), want);
	must_be_canonical(frame, &line);
}

static void
a_cut_line_says_how_much_it_lost(void **state)
{
	struct parse_env env = env_make();

	(void)state;
	check_written(SLICE("<14>1 - h a - - - text"), 17, &env,
		      "<14>1 - h a - - [penstock@32473 cut=\"17\"] text");
	check_written(SLICE("<14>1 - h a - - [x y=\"1\"] text"), 1, &env,
		      "<14>1 - h a - - [x y=\"1\"][penstock@32473 cut=\"1\"] text");
	check_written(SLICE("<14>1 - h a - - [penstock@32473 cut=\"5\"]"), 6, &env,
		      "<14>1 - h a - - [penstock@32473 cut=\"6\"]");
	check_written(SLICE("<14>app: text"), UINT64_MAX, &env,
		      "<14>1 " NOW
		      " peer app - - [penstock@32473 cut=\"18446744073709551615\"] text");
}

static void
rewritten_lines_have_one_form(void **state)
{
	struct parse_env env = env_make();

	(void)state;
	check_written(SLICE("<7>Jan  2 03:04:05 h app[1]: text"), 0, &env,
		      "<7>1 2026-01-02T03:04:05.000000Z h app 1 - - text");
	check_written(SLICE("<14>1 - - a - - - "), 0, &env, "<14>1 - peer a - - -");
	check_written(SLICE("text"), 0, &env, "<13>1 " NOW " peer - - - - text");
}

static void
the_listener_may_name_the_host(void **state)
{
	struct parse_env env = env_make();
	struct line line;

	(void)state;
	env.hostname_always = true;
	check_written(SLICE("<14>1 - h a - - - text"), 0, &env, "<14>1 - peer a - - - text");
	check_written(SLICE("<14>Jan  2 03:04:05 h app: x"), 0, &env,
		      "<14>1 2026-01-02T03:04:05.000000Z peer app - - - x");
	parse_line(SLICE("<14>1 - peer a - - - text"), 0, &env, &line);
	assert_true(line.verbatim);
}

static void
the_listeners_zone_is_that_of_lines_without_one(void **state)
{
	struct parse_env env = env_make();
	struct line line;

	(void)state;
	env.tz_minutes = 120;
	parse_line(SLICE("<14>Jan  1 00:30:00 h app: x"), 0, &env, &line);
	assert_true(slice_is(line.timestamp, "2025-12-31T22:30:00.000000Z"));
	parse_line(SLICE("<14>1 2026-01-01T00:30:00Z h app - - - x"), 0, &env, &line);
	assert_true(slice_is(line.timestamp, "2026-01-01T00:30:00Z"));
}

static void
lengths_over_the_rfcs_are_taken_as_they_are(void **state)
{
	struct parse_env env = env_make();
	struct buf frame = {0};
	struct line line;

	(void)state;
	buf_add_str(&frame, "<14>1 - ");
	for (int field = 0; field < 4; field++) {
		for (int i = 0; i < 3000; i++)
			buf_add_char(&frame, 'x');
		buf_add_char(&frame, ' ');
	}
	buf_add_str(&frame, "- text");
	parse_line(buf_slice(&frame), 0, &env, &line);
	assert_true(line.verbatim);
	assert_int_equal(line.msgid.n, 3000);
	must_be_canonical(buf_slice(&frame), &line);
	buf_free(&frame);
}

static void
only_rfc_5424_is_canonical(void **state)
{
	struct line line;

	(void)state;
	assert_false(parse_canonical(SLICE(""), &line));
	assert_false(parse_canonical(SLICE("text"), &line));
	assert_false(parse_canonical(SLICE("<13>Jan  2 03:04:05 h app: x"), &line));
	assert_false(parse_canonical(SLICE("<13>1 - h app - -"), &line));
	assert_false(parse_canonical(SLICE("<13>1 - h app - - text"), &line));
	assert_false(parse_canonical(SLICE("<13>1 - h  - - - text"), &line));
	assert_true(parse_canonical(SLICE("<13>1 - h app - - -"), &line));
	assert_int_equal(line_facility(&line), 1);
	assert_int_equal(line_severity(&line), 5);
}

/* Short and long fields are looked at in different ways, so are those near a frame's end. */
static void
each_byte_of_a_header_counts_wherever_it_stands(void **state)
{
	static const char head[] = "<14>1 - host ", tail[] = " 1 - -";
	struct parse_env env = env_make();

	(void)state;
	for (size_t n = 1; n <= 48; n++) {
		size_t size = sizeof(head) - 1 + n + sizeof(tail) - 1;
		char *p = malloc(size), *field = p + sizeof(head) - 1;

		assert_non_null(p);
		memcpy(p, head, sizeof(head) - 1);
		memset(field, 'x', n);
		memcpy(field + n, tail, sizeof(tail) - 1);
		for (size_t at = 0; at < n; at++) {
			for (int byte = 0; byte < 256; byte++) {
				bool printable = byte > ' ' && byte < 0x7f;
				struct line line;

				/* That ends the field. */
				if (byte == ' ')
					continue;
				field[at] = (char)byte;
				parse_line(slice_of(p, size), 0, &env, &line);
				assert_int_equal(line.verbatim, printable);
				assert_int_equal(line.app_name.n, n);
			}
			field[at] = 'x';
		}
		free(p);
	}
}

static void
a_stored_frame_that_is_none_after_all_becomes_a_message(void **state)
{
	struct slice frame = SLICE("no frame at all");
	struct line line;

	(void)state;
	parse_stored(frame, &line);
	check_field("stored", "MSG", line.msg, "no frame at all");
	check_field("stored", "HOSTNAME", line.hostname, "-");
	check_field("stored", "SD", line.sd, "-");
	assert_int_equal(line.pri, 13);
	assert_false(line.verbatim);
	parse_stored(SLICE("<14>1 - h app - - - hello"), &line);
	check_field("stored", "MSG", line.msg, "hello");
	check_field("stored", "APP-NAME", line.app_name, "app");
}

static int
scratch_free(void **state)
{
	(void)state;
	buf_free(&scratch);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(rfc_5424_lines_are_taken_as_they_are),
	    cmocka_unit_test(rfc_3164_lines_are_taken_apart),
	    cmocka_unit_test(mutilated_lines_still_have_a_canonical_form),
	    cmocka_unit_test(a_cut_line_says_how_much_it_lost),
	    cmocka_unit_test(rewritten_lines_have_one_form),
	    cmocka_unit_test(the_listener_may_name_the_host),
	    cmocka_unit_test(the_listeners_zone_is_that_of_lines_without_one),
	    cmocka_unit_test(lengths_over_the_rfcs_are_taken_as_they_are),
	    cmocka_unit_test(each_byte_of_a_header_counts_wherever_it_stands),
	    cmocka_unit_test(only_rfc_5424_is_canonical),
	    cmocka_unit_test(a_stored_frame_that_is_none_after_all_becomes_a_message),
	};

	return cmocka_run_group_tests(tests, NULL, scratch_free);
}
