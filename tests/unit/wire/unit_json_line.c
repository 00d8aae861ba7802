/* What becomes of a JSON document: what is taken out of it, and what makes it stay whole. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <stdio.h>

#include "base/xmalloc.h"
#include "wire/canonical.h"
#include "wire/json_in.h"
#include "wire/json_line.h"

#define NOW "2026-01-15T12:00:00.000000Z"
/* In front of the message of a document that says nothing else. */
#define HEAD "<14>1 " NOW " 192.0.2.7 shop - - - "

static bool hostname_always;

static void
check_line(struct slice document, const char *want)
{
	struct buf scratch = {0};
	struct parse_env env = {.hostname = SLICE("192.0.2.7"),
				.hostname_always = hostname_always,
				.now_us = INT64_C(1768478400000000),
				.now_text = SLICE(NOW),
				.scratch = &scratch};
	char *exact = xmalloc(document.n), *text;
	struct json_fault fault;
	struct line line, again;
	size_t n;

	memcpy(exact, document.p, document.n);
	document.p = exact;
	if (json_in_value(document, &fault) != document.n)
		fail_msg("%.*s: %s", (int)document.n, document.p, fault.what);
	json_line(document, SLICE("shop"), &env, &line);
	n = line_size(&line);
	text = xmalloc(n + 1);
	line_write(&line, text);
	text[n] = '\0';
	if (n != strlen(want) || memcmp(text, want, n) != 0)
		fail_msg("%.*s\n got %s\nwant %s", (int)document.n, document.p, text, want);
	assert_true(parse_canonical(slice_of(text, n), &again));
	must_be_same(&line, &again);
	free(text);
	free(exact);
	buf_free(&scratch);
}

/* The document's line is want. */
#define LINE(document, want) check_line(SLICE(document), want)
/* Nothing is taken out of it but what stands in head. */
#define WHOLE(document) LINE(document, HEAD document)

static void
a_message_alone_is_the_message(void **state)
{
	(void)state;
	LINE("{\"message\":\"hello \\\"you\\\"\"}", HEAD "hello \"you\"");
	LINE("{\"msg\":\"a\\nb\"}", HEAD "a\nb");
	LINE("{\"log\":\"caf\\u00e9\"}", HEAD "caf\xc3\xa9");
	LINE("{\"message\":\"\"}", "<14>1 " NOW " 192.0.2.7 shop - - -");
	LINE("{ \"message\" : \"x\" , \"level\" : null }", HEAD "x");
}

static void
all_members_that_are_known_find_their_place(void **state)
{
	(void)state;
	LINE("{\"message\":\"hello\",\"severity\":\"error\",\"timestamp\":\"2020-05-14T09:12:44."
	     "123456Z\","
	     "\"hostname\":\"web-1\",\"procid\":\"worker.2\"}",
	     "<11>1 2020-05-14T09:12:44.123456Z web-1 shop worker.2 - - hello");
	LINE("{\"level\":30,\"time\":1589447564123,\"pid\":4711,\"host\":\"db\",\"msg\":\"pino\"}",
	     "<14>1 2020-05-14T09:12:44.123000Z db shop 4711 - - pino");
	LINE("{\"date\":1589447564.123456,\"log\":\"fluent bit\"}",
	     "<14>1 2020-05-14T09:12:44.123456Z 192.0.2.7 shop - - - fluent bit");
}

static void
what_finds_no_place_keeps_the_document_whole(void **state)
{
	(void)state;
	WHOLE("{\"message\":\"hello\",\"user\":5}");
	WHOLE("{\"message\":\"hello\",\"msg\":\"again\"}");
	WHOLE("{\"message\":\"hello\",\"message\":\"again\"}");
	WHOLE("{\"message\":{\"a\":1}}");
	WHOLE("{\"message\":5}");
	WHOLE("{\"message\":null}");
	WHOLE("{\"Message\":\"hello\"}");
	WHOLE("{\"mess\\u0061ge\":\"hello\"}");
	WHOLE("{\"message\":\"hello\",\"level\":\"loud\"}");
	WHOLE("{\"message\":\"hello\",\"status\":200}");
	WHOLE("{\"message\":\"hello\",\"status\":1}");
	WHOLE("{\"message\":\"hello\",\"level\":8}");
	WHOLE("{\"message\":\"hello\",\"level\":70}");
	WHOLE("{\"message\":\"hello\",\"timestamp\":\"yesterday\"}");
	WHOLE("{\"message\":\"hello\",\"timestamp\":\"\"}");
	WHOLE("{\"message\":\"hello\",\"time\":true}");
	WHOLE("{\"message\":\"hello\",\"host\":\"two words\"}");
	WHOLE("{\"message\":\"hello\",\"host\":{\"name\":\"web-1\"}}");
	WHOLE("{\"message\":\"hello\",\"host\":5}");
	WHOLE("{\"message\":\"hello\",\"pid\":\"\"}");
	WHOLE("{}");
}

static void
the_rest_of_a_whole_document_still_counts(void **state)
{
	(void)state;
	LINE("{\"level\":\"warn\",\"time\":\"2020-05-14T09:12:44Z\",\"host\":\"db\",\"user\":5}",
	     "<12>1 2020-05-14T09:12:44Z db shop - - - "
	     "{\"level\":\"warn\",\"time\":\"2020-05-14T09:12:44Z\",\"host\":\"db\",\"user\":5}");
}

static void
other_values_are_their_text(void **state)
{
	(void)state;
	LINE("\"a \\t string\"", HEAD "a \t string");
	LINE("\"\"", "<14>1 " NOW " 192.0.2.7 shop - - -");
	WHOLE("12.50");
	WHOLE("true");
	WHOLE("null");
	WHOLE("[1, \"two\"]");
}

static void
a_document_of_many_rows_becomes_one(void **state)
{
	(void)state;
	LINE("{\r\n  \"user\": \"a b\",\r\n  \"n\": [\r\n 1 ]\r\n}",
	     HEAD "{\"user\":\"a b\",\"n\":[1]}");
	LINE("[\n1,\n2]", HEAD "[1,2]");
}

static void
severities(void **state)
{
	static const struct {
		const char *value;
		unsigned severity;
	} known[] = {
	    {"\"emerg\"", 0},	{"\"PANIC\"", 0},  {"\"alert\"", 1}, {"\"Critical\"", 2},
	    {"\"fatal\"", 2},	{"\"err\"", 3},	   {"\"ERROR\"", 3}, {"\"warn\"", 4},
	    {"\"Warning\"", 4}, {"\"notice\"", 5}, {"\"info\"", 6},  {"\"ok\"", 6},
	    {"\"debug\"", 7},	{"\"TRACE\"", 7},  {"0", 0},	     {"7", 7},
	    {"\"3\"", 3},	{"10", 7},	   {"20", 7},	     {"30", 6},
	    {"40", 4},		{"50", 3},	   {"60", 2},	     {"\"50\"", 3},
	};
	char document[80], want[120];

	(void)state;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		snprintf(document, sizeof(document), "{\"level\":%s,\"msg\":\"m\"}",
			 known[i].value);
		snprintf(want, sizeof(want), "<%u>1 " NOW " 192.0.2.7 shop - - - m",
			 8 + known[i].severity);
		check_line(slice_str(document), want);
	}
}

static void
check_stamp(const char *value, const char *want)
{
	char document[120], line[160];

	snprintf(document, sizeof(document), "{\"time\":%s,\"msg\":\"m\"}", value);
	snprintf(line, sizeof(line), "<14>1 %s 192.0.2.7 shop - - - m", want);
	check_line(slice_str(document), line);
}

static void
check_no_stamp(const char *value)
{
	char document[120], line[200];

	snprintf(document, sizeof(document), "{\"time\":%s,\"msg\":\"m\"}", value);
	snprintf(line, sizeof(line), HEAD "%s", document);
	check_line(slice_str(document), line);
}

static void
stamps(void **state)
{
	(void)state;
	check_stamp("\"2020-05-14T09:12:44+02:00\"", "2020-05-14T09:12:44+02:00");
	check_stamp("\"2020-05-14T09:12:44.123456789Z\"", "2020-05-14T09:12:44.123456Z");
	check_stamp("\"2020-05-14T09:12:44,5+0200\"", "2020-05-14T07:12:44.500000Z");
	check_stamp("\"2020-05-14 09:12:44\"", "2020-05-14T09:12:44.000000Z");
	check_stamp("158944756", "1975-01-14T15:19:16.000000Z");
	check_stamp("1589447564", "2020-05-14T09:12:44.000000Z");
	check_stamp("\"1589447564\"", "2020-05-14T09:12:44.000000Z");
	check_stamp("1589447564.5", "2020-05-14T09:12:44.500000Z");
	check_stamp("1589447564.123456789", "2020-05-14T09:12:44.123456Z");
	check_stamp("1589447564123", "2020-05-14T09:12:44.123000Z");
	check_stamp("1589447564123.4567", "2020-05-14T09:12:44.123456Z");
	check_stamp("1589447564123456", "2020-05-14T09:12:44.123456Z");
	check_stamp("1589447564123456789", "2020-05-14T09:12:44.123456Z");
	check_no_stamp("15894475");
	check_no_stamp("15894475641");
	check_no_stamp("15894475641234");
	check_no_stamp("15894475641234567890");
	check_no_stamp("1.589447564e9");
	check_no_stamp("-1589447564");
	check_no_stamp("\"1589447564.\"");
	check_no_stamp("\"1589447564 \"");
	check_no_stamp("\"2020-05-14T09:12:44Z and more\"");
}

static void
the_listener_may_decide_the_hostname(void **state)
{
	(void)state;
	LINE("{\"host\":\"-\",\"msg\":\"m\"}", HEAD "m");
	hostname_always = true;
	LINE("{\"host\":\"db\",\"msg\":\"m\"}", HEAD "m");
	hostname_always = false;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_message_alone_is_the_message),
	    cmocka_unit_test(all_members_that_are_known_find_their_place),
	    cmocka_unit_test(what_finds_no_place_keeps_the_document_whole),
	    cmocka_unit_test(the_rest_of_a_whole_document_still_counts),
	    cmocka_unit_test(other_values_are_their_text),
	    cmocka_unit_test(a_document_of_many_rows_becomes_one),
	    cmocka_unit_test(severities),
	    cmocka_unit_test(stamps),
	    cmocka_unit_test(the_listener_may_decide_the_hostname),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
