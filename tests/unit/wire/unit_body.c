/* What lines a body of a request is, by its type, and what is wrong with one that is not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <stdio.h>

#include "base/xmalloc.h"
#include "wire/body.h"

#define NOW "2026-01-15T12:00:00.000000Z"
#define HEAD "<14>1 " NOW " 192.0.2.7 shop - - - "

enum { MAX_LINE = 200 };

static bool hostname_always;

/* All lines, each with a newline behind it, then how it ended and its fault. */
static void
check_body(enum body_kind kind, struct slice bytes, const char *want)
{
	struct buf scratch = {0}, got = {0};
	struct body_env env = {.parse = {.hostname = SLICE("192.0.2.7"),
					 .hostname_always = hostname_always,
					 .now_us = INT64_C(1768478400000000),
					 .now_text = SLICE(NOW),
					 .scratch = &scratch},
			       .app = SLICE("shop"),
			       .max_line = MAX_LINE};
	char *exact = xmalloc(bytes.n);
	enum body_result result;
	struct body body;
	struct line line;
	size_t n = 0;

	memcpy(exact, bytes.p, bytes.n);
	body_init(&body, kind, slice_of(exact, bytes.n));
	while ((result = body_next(&body, &env, &line)) == BODY_LINE) {
		size_t size = line_size(&line);

		line_write(&line, buf_reserve(&got, size));
		got.n += size;
		buf_add_char(&got, '\n');
		n++;
	}
	if (result == BODY_BAD)
		buf_addf(&got, "BAD %s", body.fault);
	else if (result == BODY_BIG)
		buf_addf(&got, "BIG %s", body.fault);
	assert_int_equal(body.count, n);
	assert_true(result != BODY_END || body.rest.n == 0);
	if (got.n != strlen(want) || (got.n > 0 && memcmp(got.p, want, got.n) != 0))
		fail_msg("%.*s\n got %.*s\nwant %s", (int)bytes.n, bytes.p, (int)got.n, got.p,
			 want);
	buf_free(&got);
	buf_free(&scratch);
	free(exact);
}

#define TEXT(bytes, want) check_body(BODY_TEXT, SLICE(bytes), want)
#define NDJSON(bytes, want) check_body(BODY_NDJSON, SLICE(bytes), want)
#define JSON(bytes, want) check_body(BODY_JSON, SLICE(bytes), want)
#define LOGPLEX(bytes, want) check_body(BODY_LOGPLEX, SLICE(bytes), want)

static void
check_kind(const char *type, enum body_kind want)
{
	enum body_kind kind;

	if (!body_kind_of(type != NULL ? slice_str(type) : slice_of(NULL, 0), &kind) ||
	    kind != want)
		fail_msg("%s", type != NULL ? type : "no type");
}

static void
check_no_kind(const char *type)
{
	enum body_kind kind;

	if (body_kind_of(slice_str(type), &kind))
		fail_msg("%s", type != NULL ? type : "no type");
}

static void
types_are_told_apart_without_their_parameters(void **state)
{
	(void)state;
	check_kind(NULL, BODY_TEXT);
	check_kind("", BODY_TEXT);
	check_kind("text/plain", BODY_TEXT);
	check_kind("Text/Plain; charset=iso-8859-1", BODY_TEXT);
	check_kind("text/x-log", BODY_TEXT);
	check_kind("application/x-ndjson", BODY_NDJSON);
	check_kind("application/NDJSON ; charset=utf-8", BODY_NDJSON);
	check_kind("application/jsonl", BODY_NDJSON);
	check_kind("application/json;charset=utf-8", BODY_JSON);
	check_kind("application/logplex-1", BODY_LOGPLEX);
	check_no_kind("text/");
	check_no_kind("text");
	check_no_kind("application/json5");
	check_no_kind("application/x-www-form-urlencoded");
	check_no_kind("application/octet-stream");
	check_no_kind("application/logplex-2");
}

static void
text_is_a_line_each(void **state)
{
	(void)state;
	TEXT("", "");
	TEXT("one", HEAD "one\n");
	TEXT("one\ntwo\n", HEAD "one\n" HEAD "two\n");
	TEXT("one\r\n\r\n\n\ntwo\r", HEAD "one\n" HEAD "two\r\n");
	TEXT("\n\n", "");
	TEXT(" 12 <14> spaces \t\n", HEAD " 12 <14> spaces \t\n");
	TEXT("<14>Jan  2 03:04:05 h app: not taken apart\n",
	     HEAD "<14>Jan  2 03:04:05 h app: not taken apart\n");
	TEXT("<14>1 apple a day\n", HEAD "<14>1 apple a day\n");
	TEXT("<14>1\n<\n<14>\n", HEAD "<14>1\n" HEAD "<\n" HEAD "<14>\n");
}

static void
text_that_is_rfc_5424_is_taken_as_that(void **state)
{
	(void)state;
	TEXT("<11>1 2020-05-14T09:12:44Z web-1 app 7 id [a b=\"c\"] text\nplain\n",
	     "<11>1 2020-05-14T09:12:44Z web-1 app 7 id [a b=\"c\"] text\n" HEAD "plain\n");
	TEXT("<11>1 2020-05-14T09:12:44Z - app - - [penstock@32473 cut=\"9\"] text\n",
	     "<11>1 2020-05-14T09:12:44Z 192.0.2.7 app - - - text\n");
	TEXT("<11>1 2020-05-14T09:12:44.123456789Z h app - - - nearly\n",
	     "<11>1 2020-05-14T09:12:44.123456Z h app - - - nearly\n");
	hostname_always = true;
	TEXT("<11>1 2020-05-14T09:12:44Z h app - - - x\n",
	     "<11>1 2020-05-14T09:12:44Z 192.0.2.7 app - - - x\n");
	hostname_always = false;
}

static void
long_texts_are_cut_and_marked(void **state)
{
	char text[MAX_LINE + 12], want[MAX_LINE + 300];

	(void)state;
	memset(text, 'x', sizeof(text));
	check_body(BODY_TEXT, slice_of(text, MAX_LINE),
		   (snprintf(want, sizeof(want), HEAD "%.*s\n", MAX_LINE, text), want));
	text[MAX_LINE + 9] = '\n';
	text[MAX_LINE + 10] = 'y';
	text[MAX_LINE + 11] = '\n';
	snprintf(want, sizeof(want),
		 "<14>1 " NOW " 192.0.2.7 shop - - [penstock@32473 cut=\"9\"] %.*s\n" HEAD "y\n",
		 MAX_LINE, text);
	check_body(BODY_TEXT, slice_of(text, sizeof(text)), want);
}

static void
ndjson_is_a_document_each(void **state)
{
	(void)state;
	NDJSON("", "");
	NDJSON(" \r\n\n", "");
	NDJSON("{\"msg\":\"one\"}\n{\"msg\":\"two\"}", HEAD "one\n" HEAD "two\n");
	NDJSON("{\"msg\":\"one\"}\r\n\r\n{\"msg\":\"two\"}\r\n", HEAD "one\n" HEAD "two\n");
	NDJSON("[1,2]\n\"s\"\n3\n", HEAD "[1,2]\n" HEAD "s\n" HEAD "3\n");
	NDJSON("{\"msg\":\"one\"}{\"msg\":\"two\"}", HEAD "one\n" HEAD "two\n");
}

static void
json_may_be_one_document_or_several_or_arrays(void **state)
{
	(void)state;
	JSON("", "");
	JSON("{\"msg\":\"one\"}", HEAD "one\n");
	JSON("[]", "");
	JSON(" [ ] [] ", "");
	JSON("[{\"msg\":\"one\"}]", HEAD "one\n");
	JSON("[ {\"msg\":\"one\"} ,\n{\"msg\":\"two\"},\"three\",[4] ]\n",
	     HEAD "one\n" HEAD "two\n" HEAD "three\n" HEAD "[4]\n");
	JSON("{\"msg\":\"one\"}\n[{\"msg\":\"two\"}]{\"msg\":\"three\"}",
	     HEAD "one\n" HEAD "two\n" HEAD "three\n");
}

static void
what_is_no_json_is_named_by_document_and_line(void **state)
{
	(void)state;
	NDJSON("{\"msg\":\"one\"}\n\n{\"msg\":two}\n",
	       HEAD "one\nBAD document 2, in line 3: not JSON: a word that JSON does not have, 8 "
		    "bytes from where it begins");
	NDJSON("plain text\n", "BAD document 1, in line 1: not JSON: no value where one is needed, "
			       "0 bytes from where it begins");
	NDJSON("{\"msg\":\"one\"},\n", HEAD "one\nBAD document 2, in line 1: not JSON: no value "
					    "where one is needed, 0 bytes from where it begins");
	JSON("[", "BAD document 1, in line 1: not JSON: it ends too early, 0 bytes from where it "
		  "begins");
	JSON("[1", HEAD "1\nBAD the array of documents does not end; send all of it, with its ]");
	JSON("[1\n2]", HEAD "1\nBAD document 2, in line 2: not JSON: no comma and no ] behind an "
			    "element, 0 bytes from where it begins");
	JSON("[1,]", HEAD "1\nBAD document 2, in line 1: not JSON: no value where one is needed, 0 "
			  "bytes from where it begins");
	JSON("[,1]", "BAD document 1, in line 1: not JSON: no value where one is needed, 0 bytes "
		     "from where it begins");
	JSON("[1]]", HEAD "1\nBAD document 2, in line 1: not JSON: no value where one is needed, 0 "
			  "bytes from where it begins");
	JSON("{\n\"a\":\n\"b\n", "BAD document 1, in line 1: not JSON: a control character in a "
				 "string, 9 bytes from where it begins");
}

static void
a_document_over_its_limit_is_too_big(void **state)
{
	size_t n = BODY_DOCUMENT_BYTES;
	char *text = xmalloc(n + 2), *want;

	(void)state;
	memset(text, 'x', n + 2);
	text[0] = text[n - 1] = '"';
	want = xasprintf("<14>1 " NOW " 192.0.2.7 shop - - [penstock@32473 cut=\"%zu\"] %.*s\n",
			 n - 2 - MAX_LINE, MAX_LINE, text + 1);
	check_body(BODY_NDJSON, slice_of(text, n), want);
	text[n - 1] = 'x';
	text[n] = '"';
	text[n + 1] = '\n';
	check_body(BODY_NDJSON, slice_of(text, n + 1),
		   "BIG document 1, in line 1, is over 1048576 bytes; send shorter ones");
	text[n] = 'x';
	check_body(BODY_NDJSON, slice_of(text, n + 2),
		   "BIG document 1, in line 1, is over 1048576 bytes; send shorter ones");
	/* It is the end that is missing, then, and not the limit that is in the way. */
	check_body(BODY_NDJSON, slice_of(text, n - 10),
		   "BAD document 1, in line 1: not JSON: it ends too early, 1048566 bytes from "
		   "where it begins");
	free(text);
	free(want);
}

#define FRAME "<40>1 2012-11-30T06:45:29+00:00 host app web.3 - "

static void
logplex_is_counted_and_has_no_structured_data(void **state)
{
	(void)state;
	LOGPLEX("", "");
	LOGPLEX("83 <40>1 2012-11-30T06:45:29+00:00 host app web.3 - State changed from starting "
		"to up\n119 <40>1 2012-11-30T06:45:26+00:00 host app web.3 - Starting process with "
		"command `bundle exec rackup config.ru -p 24405`\n",
		"<40>1 2012-11-30T06:45:29+00:00 host app web.3 - - State changed from starting to "
		"up\n<40>1 2012-11-30T06:45:26+00:00 host app web.3 - - Starting process with "
		"command `bundle exec rackup config.ru -p 24405`\n");
	LOGPLEX("58 " FRAME "[a b=\"c\"]", "<40>1 2012-11-30T06:45:29+00:00 host app web.3 - - "
					   "[a b=\"c\"]\n");
	LOGPLEX("50 " FRAME "-", "<40>1 2012-11-30T06:45:29+00:00 host app web.3 - - -\n");
	LOGPLEX("49 " FRAME, "<40>1 2012-11-30T06:45:29+00:00 host app web.3 - -\n");
	LOGPLEX("53 " FRAME "a\nb\n52 " FRAME "c\r\n",
		"<40>1 2012-11-30T06:45:29+00:00 host app web.3 - - a\nb\n"
		"<40>1 2012-11-30T06:45:29+00:00 host app web.3 - - c\n");
	LOGPLEX("30 <14>1 - - my-app - - no stamp.", "<14>1 - 192.0.2.7 my-app - - - no stamp.\n");
}

static void
what_is_no_logplex_is_named_by_its_frame(void **state)
{
#define NO_COUNT "no count; begin each with its length in bytes and a space (RFC 6587, 3.4.1)"
#define NO_HEADER                                                                                \
	"not <PRI>1 TIMESTAMP HOSTNAME APP-NAME PROCID MSGID MSG; send text/plain for lines of " \
	"other forms"
	(void)state;
	LOGPLEX(FRAME "a", "BAD frame 1: " NO_COUNT);
	LOGPLEX("50 " FRAME "a\n", "<40>1 2012-11-30T06:45:29+00:00 host app web.3 - - a\n"
				   "BAD frame 2: " NO_COUNT);
	LOGPLEX("050 " FRAME "a", "BAD frame 1: " NO_COUNT);
	LOGPLEX("0 ", "BAD frame 1: " NO_COUNT);
	LOGPLEX("50", "BAD frame 1: " NO_COUNT);
	LOGPLEX("12345678 <14>", "BAD frame 1: " NO_COUNT);
	LOGPLEX("51 " FRAME "a", "BAD frame 1: 51 bytes by its count, and only 50 are left; count "
				 "bytes, not characters");
	LOGPLEX("9999999 ", "BAD frame 1: 9999999 bytes by its count, and only 0 are left; count "
			    "bytes, not characters");
	LOGPLEX("5 hello", "BAD frame 1: " NO_HEADER);
	LOGPLEX("1 \n", "BAD frame 1: " NO_HEADER);
	LOGPLEX("18 <14>1 - - my-app -", "BAD frame 1: " NO_HEADER);
	LOGPLEX("24 <14>1 yesterday h a p - x", "BAD frame 1: " NO_HEADER);
}

static void
long_frames_are_cut_and_the_next_is_whole(void **state)
{
	char text[400], want[600], *p = text;

	(void)state;
	p += snprintf(p, 100, "%d " FRAME, MAX_LINE + 5);
	memset(p, 'x', MAX_LINE + 5 - 49);
	p += MAX_LINE + 5 - 49;
	p += snprintf(p, 100, "50 " FRAME "y");
	snprintf(want, sizeof(want),
		 "<40>1 2012-11-30T06:45:29+00:00 host app web.3 - [penstock@32473 cut=\"5\"] "
		 "%.*s\n<40>1 2012-11-30T06:45:29+00:00 host app web.3 - - y\n",
		 MAX_LINE - 49, text + 4 + 49);
	check_body(BODY_LOGPLEX, slice_of(text, (size_t)(p - text)), want);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(types_are_told_apart_without_their_parameters),
	    cmocka_unit_test(text_is_a_line_each),
	    cmocka_unit_test(text_that_is_rfc_5424_is_taken_as_that),
	    cmocka_unit_test(long_texts_are_cut_and_marked),
	    cmocka_unit_test(ndjson_is_a_document_each),
	    cmocka_unit_test(json_may_be_one_document_or_several_or_arrays),
	    cmocka_unit_test(what_is_no_json_is_named_by_document_and_line),
	    cmocka_unit_test(a_document_over_its_limit_is_too_big),
	    cmocka_unit_test(logplex_is_counted_and_has_no_structured_data),
	    cmocka_unit_test(what_is_no_logplex_is_named_by_its_frame),
	    cmocka_unit_test(long_frames_are_cut_and_the_next_is_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
