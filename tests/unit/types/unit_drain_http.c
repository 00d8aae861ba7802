/* What HTTP types share: headers, verdicts, and where lines that are too long are cut. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>
#include <time.h>

#include "batches.h"
#include "params.h"
#include "types/drain_doc.h"

#define HEADER "<14>1 2020-05-14T09:12:44Z h a p - - "
#define NOW_US INT64_C(1589447565000000)

enum { MB = 1000000 };

static struct drain_conf
make(const char *type, const char *request)
{
	struct drain_errors errors;
	struct drain_conf conf;
	struct params p;

	params_split(&p, request, " ");
	if (!drain_conf_make(&conf, drain_type_find(type), p.in, p.n, &errors))
		fail_msg("%s: %s %s", request, errors.at[0].key, errors.at[0].text);
	params_free(&p);
	return conf;
}

static void
verdicts_are_those_of_the_table(void **state)
{
	static const int split[] = {400, 413, 422},
			 retry[] = {408, 425, 429, 500, 502, 503, 504, 599};
	static const int refused[] = {0,   100, 199, 300, 301, 302, 308, 401, 402, 403, 404, 405,
				      407, 409, 410, 411, 414, 415, 418, 431, 451, 600, -1};

	(void)state;
	for (int status = 200; status <= 299; status++)
		assert_int_equal(drain_judge(status).answer, DRAIN_ACCEPTED);
	for (size_t i = 0; i < sizeof(split) / sizeof(split[0]); i++)
		assert_int_equal(drain_judge(split[i]).answer, DRAIN_SPLIT);
	for (size_t i = 0; i < sizeof(retry) / sizeof(retry[0]); i++)
		assert_int_equal(drain_judge(retry[i]).answer, DRAIN_RETRY);
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
		assert_int_equal(drain_judge(refused[i]).answer, DRAIN_REFUSED);
	assert_int_equal(drain_judge(200).rejected, 0);
}

static void
check_header(struct drain_request *req, const char *want, size_t n)
{
	assert_int_equal(req->headers.n, n);
	assert_memory_equal(req->headers.p, want, n);
	buf_free(&req->headers);
}

static void
a_header_value_cannot_end_its_line(void **state)
{
	struct drain_request req = {0};

	(void)state;
	drain_request_header(&req, "A", "b\r\nC: d\x7f\x01\te");
	drain_request_header(&req, "F", "\xc3\xbc ~");
	check_header(&req, "A: b  C: d   e\0F: \xc3\xbc ~\0", 15 + 8);
}

/* RFC 4648, section 10; RFC 7617, section 2 */
static void
basic_credentials_are_base64(void **state)
{
	static const char *const pairs[][2] = {
	    {"", ""},
	    {"f", "Zg=="},
	    {"fo", "Zm8="},
	    {"foo", "Zm9v"},
	    {"foob", "Zm9vYg=="},
	    {"fooba", "Zm9vYmE="},
	    {"foobar", "Zm9vYmFy"},
	    {"Aladdin:open sesame", "QWxhZGRpbjpvcGVuIHNlc2FtZQ=="},
	    {"test:123\xc2\xa3", "dGVzdDoxMjPCow=="},
	    {"\xff\xfe\xfb", "//77"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		char *exact = xmalloc(strlen(pairs[i][0]));
		char *want = xasprintf("Authorization: Basic %s", pairs[i][1]);
		struct drain_request req = {0};

		memcpy(exact, pairs[i][0], strlen(pairs[i][0]));
		drain_request_basic(&req, slice_of(exact, strlen(pairs[i][0])));
		check_header(&req, want, strlen(want) + 1);
		free(want);
		free(exact);
	}
}

static void
judge_of(const char *type, const char *request, int status, const char *body,
	 enum drain_answer answer, uint64_t rejected)
{
	struct drain_conf conf = make(type, request);
	struct slice exact = slice_of(xmalloc(strlen(body)), strlen(body));
	struct drain_verdict v;

	memcpy((char *)exact.p, body, exact.n);
	v = conf.type->http->judge(&conf, status, exact);
	if (v.answer != answer || v.rejected != rejected)
		fail_msg("%s %d %s: %d, %llu rejected", type, status, body, (int)v.answer,
			 (unsigned long long)v.rejected);
	free((char *)exact.p);
	drain_conf_free(&conf);
}

static void
logtail_says_406_of_a_body_that_it_cannot_read(void **state)
{
	(void)state;
	judge_of("logtail", "token=t", 406, "", DRAIN_SPLIT, 0);
	judge_of("logtail", "token=t", 403, "Unauthorized", DRAIN_REFUSED, 0);
	judge_of("logtail", "token=t", 413, "", DRAIN_SPLIT, 0);
	judge_of("logtail", "token=t", 202, "", DRAIN_ACCEPTED, 0);
}

static void
otlp_counts_what_a_partial_success_rejects(void **state)
{
	static const struct {
		const char *body;
		uint64_t rejected;
	} answers[] = {
	    {"", 0},
	    {"{}", 0},
	    {"{\"partialSuccess\":{}}", 0},
	    {"{\"partialSuccess\":{\"rejectedLogRecords\":\"3\",\"errorMessage\":\"too old\"}}", 3},
	    {"{\"partialSuccess\":{\"rejectedLogRecords\":12}}", 12},
	    {"{ \"partialSuccess\" : {\r\n\t\"rejectedLogRecords\" : \"7\" } }", 7},
	    {"{\"partialSuccess\":{\"rejectedLogRecords\":\"3\",\"errorMessage\":\"cut in the mid",
	     3},
	    {"{\"partialSuccess\":{\"errorMessage\":\"no \\\"rejectedLogRecords\\\": 5\"}}", 0},
	    {"{\"partialSuccess\":{\"rejectedLogRecords\":\"99999999999999999999999\"}}", 1000},
	    {"{\"partialSuccess\":{\"rejectedLogRecords\":\"-1\"}}", 0},
	    {"{\"partialSuccess\":{\"rejectedLogRecords\":", 0},
	    {"{\"partialSuccess\":{\"rejectedLogRecords\"", 0},
	    {"\"rejectedLogRecords\":\"", 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++)
		judge_of("otlp", "url=https://h", 200, answers[i].body, DRAIN_ACCEPTED,
			 answers[i].rejected);
	judge_of("otlp", "url=https://h", 400, "{\"rejectedLogRecords\":\"3\"}", DRAIN_SPLIT, 0);
}

static void
otlp_comes_again_soon_only_for_what_its_owner_lists(void **state)
{
	static const int later[] = {429, 502, 503, 504}, never[] = {500, 501, 505, 599, 401, 404};

	(void)state;
	for (size_t i = 0; i < sizeof(later) / sizeof(later[0]); i++)
		judge_of("otlp", "url=https://h", later[i], "", DRAIN_RETRY, 0);
	for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++)
		judge_of("otlp", "url=https://h", never[i], "", DRAIN_REFUSED, 0);
}

struct collected {
	uint32_t entries[16];
	size_t bytes[16];
	size_t n;
	json_t *last;
};

static void
collect(const struct drain_request *req, struct slice body, uint32_t entries, void *arg)
{
	struct collected *c = arg;

	(void)req;
	assert_true(c->n < 16);
	c->entries[c->n] = entries;
	c->bytes[c->n++] = body.n;
	json_decref(c->last);
	c->last = json_loadb(body.p, body.n, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);
	assert_non_null(c->last);
}

static struct collected
collect_all(struct drain_conf *conf, struct slice frame, size_t times, unsigned *flags)
{
	struct collected c = {.n = 0};
	struct batches b = {.conf = conf, .now_us = NOW_US, .done = collect, .arg = &c};

	for (size_t i = 0; i < times; i++)
		batches_add(&b, frame);
	batches_end(&b);
	*flags = b.flags;
	return c;
}

static struct buf
frame_of(const char *header, size_t n, char fill)
{
	struct buf b = {0};

	buf_add_str(&b, header);
	memset(buf_reserve(&b, n), fill, n);
	b.n += n;
	return b;
}

static void
a_batch_has_at_most_1000_entries(void **state)
{
	static const char *const types[][2] = {{"datadog", "token=t drain_region=us"},
					       {"logtail", "token=t"},
					       {"otlp", "url=http://h"}};

	(void)state;
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		struct drain_conf conf = make(types[i][0], types[i][1]);
		unsigned flags;
		struct collected c = collect_all(&conf, SLICE(HEADER "m"), 1001, &flags);

		assert_int_equal(c.n, 2);
		assert_int_equal(c.entries[0], 1000);
		assert_int_equal(c.entries[1], 1);
		json_decref(c.last);
		drain_conf_free(&conf);
	}
}

static void
datadog_takes_5_mb_a_request(void **state)
{
	struct drain_conf conf = make("datadog", "token=t drain_region=us");
	struct buf frame = frame_of(HEADER, 60000, 'x');
	unsigned flags;
	struct collected c = collect_all(&conf, buf_slice(&frame), 100, &flags);

	(void)state;
	assert_int_equal(c.n, 2);
	assert_in_range(c.bytes[0], 4 * MB, 5 * MB - 1);
	assert_int_equal(c.entries[0] + c.entries[1], 100);
	assert_int_equal(flags, 0);
	json_decref(c.last);
	buf_free(&frame);
	drain_conf_free(&conf);
}

/* Of one message: its entry's size and members. */
static void
check_datadog_cut(const char *header, size_t n, char fill, size_t kept, bool cut)
{
	struct drain_conf conf = make("datadog", "token=t drain_region=us");
	struct buf frame = frame_of(header, n, fill);
	unsigned flags;
	struct collected c = collect_all(&conf, buf_slice(&frame), 1, &flags);
	json_t *entry = json_array_get(c.last, 0);
	size_t length = json_string_length(json_object_get(entry, "message"));

	assert_int_equal(flags, cut ? DRAIN_ENTRY_CUT : 0);
	assert_true(c.bytes[0] - 2 <= MB);
	/* What the mark takes may differ by its digits. */
	assert_in_range(length, kept > 32 ? kept - 32 : kept, kept);
	if (cut)
		assert_int_equal(json_integer_value(json_object_get(entry, "cut")), n - length);
	else
		assert_null(json_object_get(entry, "cut"));
	json_decref(c.last);
	buf_free(&frame);
	drain_conf_free(&conf);
}

static void
datadog_takes_1_mb_an_entry(void **state)
{
	/* {"message":"","service":"a",...}: what stands around the message. */
	const size_t around = 143;

	(void)state;
	check_datadog_cut(HEADER, MB - around, 'x', MB - around, false);
	check_datadog_cut(HEADER, MB - around + 1, 'x', MB - around, true);
	check_datadog_cut(HEADER, 1 << 20, 'x', MB - around, true);
	check_datadog_cut(HEADER, 1 << 20, '"', (MB - around) / 2, true);
	check_datadog_cut(HEADER, 1 << 20, '\x01', (MB - around) / 6, true);
}

/* Structured data that leaves no room goes before the message does. */
static void
structured_data_that_is_too_long_is_left_out(void **state)
{
	struct drain_conf conf = make("datadog", "token=t drain_region=us");
	struct buf frame = frame_of("<14>1 2020-05-14T09:12:44Z h a p - [a b=\"", MB, '\x02');
	struct collected c;
	json_t *entry;
	unsigned flags;

	(void)state;
	buf_add_str(&frame, "\"] hello");
	c = collect_all(&conf, buf_slice(&frame), 1, &flags);
	entry = json_array_get(c.last, 0);
	assert_int_equal(flags, DRAIN_ENTRY_CUT);
	assert_null(json_object_get(entry, "sd"));
	assert_string_equal(json_string_value(json_object_get(entry, "message")), "hello");
	json_decref(c.last);
	buf_free(&frame);
	drain_conf_free(&conf);
}

/* Not even Graylog's default limit of 2 MiB is reached by a message that stands in it twice. */
static void
gelf_messages_stay_below_2_mib(void **state)
{
	struct drain_conf conf = make("gelf", "host=h");
	struct buf frame = frame_of(HEADER, 1 << 20, 'x'), out = {0};

	(void)state;
	frame.p[frame.n - 1] = '\n';
	assert_int_equal(conf.type->encode(&conf, buf_slice(&frame), &out), DRAIN_ENTRY_CUT);
	assert_true(out.n <= 2 << 20);
	assert_int_equal(out.p[out.n - 1], '\0');
	buf_free(&out);
	buf_free(&frame);
	drain_conf_free(&conf);
}

static void
a_message_that_fits_is_not_called_cut_because_it_stands_twice(void **state)
{
	struct drain_conf conf = make("gelf", "host=h");
	struct buf frame = frame_of(HEADER, 600000, 'x'), out = {0};

	(void)state;
	frame.p[frame.n - 1] = '\n';
	assert_int_equal(conf.type->encode(&conf, buf_slice(&frame), &out), 0);
	assert_true(out.n > 1200000);
	assert_null(memmem(out.p, out.n, "_cut", 4));
	buf_free(&out);
	buf_free(&frame);
	drain_conf_free(&conf);
}

/* Names as long as a line allows. */
static void
gelf_spends_little_on_long_names(void **state)
{
	struct drain_conf conf = make("gelf", "host=h");
	struct buf frame = {0}, out = {0};
	clock_t start = clock();

	(void)state;
	buf_add_str(&frame, "<14>1 - h a p - [e");
	for (int i = 0; i < DRAIN_DOC_PARAMS; i++)
		buf_addf(&frame, " %0950d=\"\"", i);
	buf_add_str(&frame, "] m");
	for (int i = 0; i < 20; i++) {
		out.n = 0;
		assert_int_equal(conf.type->encode(&conf, buf_slice(&frame), &out), 0);
	}
	/* With each name made anew for each other one it is far more. */
	assert_true(clock() - start < CLOCKS_PER_SEC);
	buf_free(&out);
	buf_free(&frame);
	drain_conf_free(&conf);
}

static void
long_header_fields_are_cut_not_the_line(void **state)
{
	struct buf frame = {0};
	static const char *const types[][2] = {{"datadog", "token=t drain_region=us"},
					       {"logtail", "token=t"},
					       {"otlp", "url=http://h"}};

	(void)state;
	buf_add_str(&frame, "<14>1 2020-05-14T09:12:44Z ");
	for (size_t field = 0; field < 4; field++) {
		for (size_t i = 0; i < 100000; i++)
			buf_add_char(&frame, '\\');
		buf_add_char(&frame, ' ');
	}
	buf_add_str(&frame, "- hello");
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		struct drain_conf conf = make(types[i][0], types[i][1]);
		unsigned flags;
		struct collected c = collect_all(&conf, buf_slice(&frame), 1, &flags);

		assert_int_equal(flags, 0);
		assert_true(c.bytes[0] < 4096);
		json_decref(c.last);
		drain_conf_free(&conf);
	}
	buf_free(&frame);
}

/* The drain takes an entry that is one too many off the end again, and puts the marks back. */
static void
an_entry_can_be_taken_back(void **state)
{
	struct drain_conf conf = make("otlp", "url=http://h");
	struct drain_batch batch = {.now_us = NOW_US}, before;
	const struct drain_http *http = conf.type->http;
	struct buf body = {0}, want = {0};
	struct line here, there;
	size_t at;

	(void)state;
	assert_true(parse_canonical(SLICE("<14>1 - here a - - - one"), &here));
	assert_true(parse_canonical(SLICE("<14>1 - there a - - - two"), &there));
	http->open(&conf, &batch, &body);
	http->entry(&conf, &batch, &here, &body);
	batch.entries++;
	before = batch;
	at = body.n;
	http->entry(&conf, &batch, &there, &body);
	body.n = at;
	batch = before;
	http->entry(&conf, &batch, &here, &body);
	batch.entries++;
	http->close(&conf, &batch, &body);

	batch = (struct drain_batch){.now_us = NOW_US};
	http->open(&conf, &batch, &want);
	http->entry(&conf, &batch, &here, &want);
	batch.entries++;
	http->entry(&conf, &batch, &here, &want);
	batch.entries++;
	http->close(&conf, &batch, &want);
	assert_string_equal(buf_cstr(&body), buf_cstr(&want));
	buf_free(&body);
	buf_free(&want);
	drain_conf_free(&conf);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(verdicts_are_those_of_the_table),
	    cmocka_unit_test(a_header_value_cannot_end_its_line),
	    cmocka_unit_test(basic_credentials_are_base64),
	    cmocka_unit_test(logtail_says_406_of_a_body_that_it_cannot_read),
	    cmocka_unit_test(otlp_counts_what_a_partial_success_rejects),
	    cmocka_unit_test(otlp_comes_again_soon_only_for_what_its_owner_lists),
	    cmocka_unit_test(a_batch_has_at_most_1000_entries),
	    cmocka_unit_test(datadog_takes_5_mb_a_request),
	    cmocka_unit_test(datadog_takes_1_mb_an_entry),
	    cmocka_unit_test(structured_data_that_is_too_long_is_left_out),
	    cmocka_unit_test(gelf_messages_stay_below_2_mib),
	    cmocka_unit_test(a_message_that_fits_is_not_called_cut_because_it_stands_twice),
	    cmocka_unit_test(gelf_spends_little_on_long_names),
	    cmocka_unit_test(long_header_fields_are_cut_not_the_line),
	    cmocka_unit_test(an_entry_can_be_taken_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
