/*
 * Whatever lines hold, what every type makes of them for HTTP or as JSON is
 * what its receiver can read: JSON is parsed by jansson, which refuses
 * ill-formed UTF-8 and names that stand twice, and says the same message.
 *
 * The input is lines, each ended by LF; \x1e stands for an LF inside one.
 * They are parsed as a listener does it, so most bytes may stand anywhere.
 */
#include <jansson.h>
#include <stdio.h>

#include "types/batches.h"
#include "types/params.h"
#include "wire/frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUST(what)                                                                         \
	do {                                                                               \
		if (!(what)) {                                                             \
			fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #what); \
			abort();                                                           \
		}                                                                          \
	} while (0)

#define NOW_US INT64_C(1768478400000000)

enum { JSON_FLAGS = JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, LINES_MAX = 1500 };

enum shape { SHAPE_ARRAY, SHAPE_LINES, SHAPE_OTLP, SHAPE_LOGPLEX, SHAPE_ANY };

static struct target {
	const char *type, *request;
	enum shape shape;
	const char *message; /* its member's name */
	struct drain_conf conf;
} targets[] = {
    {"datadog", "token=t drain_region=us", SHAPE_ARRAY, "message", {0}},
    {"elk", "url=http://u:p@h/?a", SHAPE_ANY, NULL, {0}},
    {"elk", "url=http://h format=json", SHAPE_ARRAY, "message", {0}},
    {"elk", "url=http://h format=ndjson", SHAPE_LINES, "message", {0}},
    {"https", "url=http://h", SHAPE_LOGPLEX, NULL, {0}},
    {"logtail", "token=t", SHAPE_ARRAY, "message", {0}},
    {"otlp", "url=http://h", SHAPE_OTLP, NULL, {0}},
};

static struct drain_conf gelf;

/* The lines of this input, canonical. */
static struct slice frames[LINES_MAX];
static size_t nframes;

static void
make(struct drain_conf *conf, const char *type, const char *request)
{
	struct drain_errors errors;
	struct params p;

	params_split(&p, request, " ");
	MUST(drain_conf_make(conf, drain_type_find(type), p.in, p.n, &errors));
	params_free(&p);
}

static json_t *
parse(struct slice text)
{
	json_error_t error;
	json_t *json = json_loadb(text.p, text.n, JSON_FLAGS, &error);

	if (json == NULL)
		fprintf(stderr, "%s at byte %d of %.*s\n", error.text, error.position, (int)text.n,
			text.p);
	MUST(json != NULL);
	return json;
}

/* json is the line's message; byte for byte if that was UTF-8. */
static void
must_say(const json_t *json, struct slice frame)
{
	struct line line;
	json_t *want;

	MUST(parse_canonical(frame, &line));
	if (line.msg.n >= 3 && memcmp(line.msg.p, "\xef\xbb\xbf", 3) == 0)
		line.msg = slice_skip(line.msg, 3);
	MUST(json_is_string(json));
	want = json_stringn(line.msg.n > 0 ? line.msg.p : "", line.msg.n);
	MUST(want == NULL || json_equal(json, want));
	json_decref(want);
}

static size_t
check_array(const struct target *t, struct slice body, size_t from)
{
	json_t *array = parse(body), *entry;
	size_t i;

	MUST(json_is_array(array));
	json_array_foreach(array, i, entry)
	    must_say(json_object_get(entry, t->message), frames[from + i]);
	i = json_array_size(array);
	json_decref(array);
	return i;
}

static size_t
check_lines(const struct target *t, struct slice body, size_t from)
{
	size_t n = 0;

	while (body.n > 0) {
		const char *lf = memchr(body.p, '\n', body.n);
		json_t *entry;

		MUST(lf != NULL);
		entry = parse(slice_of(body.p, (size_t)(lf - body.p)));
		must_say(json_object_get(entry, t->message), frames[from + n++]);
		json_decref(entry);
		body = slice_skip(body, (size_t)(lf - body.p) + 1);
	}
	return n;
}

static size_t
check_otlp(struct slice body, size_t from)
{
	json_t *json = parse(body), *resource, *record, *records, *text;
	size_t i, k, n = 0;

	json_array_foreach(json_object_get(json, "resourceLogs"), i, resource)
	{
		records = json_object_get(json_array_get(json_object_get(resource, "scopeLogs"), 0),
					  "logRecords");
		json_array_foreach(records, k, record)
		{
			text = json_object_get(json_object_get(record, "body"), "stringValue");
			must_say(text, frames[from + n++]);
		}
	}
	json_decref(json);
	return n;
}

static size_t
check_logplex(struct slice body)
{
	struct framer framer;
	struct frame frame;
	size_t n = 0;

	framer_init(&framer, FRAMING_OCTET, 1 << 20);
	while (frame_next(&framer, body, true, &frame) == FRAME_LINE) {
		MUST(frame.cut == 0 && frame.bytes.n > 0 && frame.bytes.p[0] == '<');
		body = slice_skip(body, frame.used);
		n++;
	}
	MUST(body.n == 0);
	return n;
}

struct checking {
	const struct target *target;
	size_t seen;
};

static void
check_request(const struct drain_request *req, struct slice body, uint32_t entries, void *arg)
{
	struct checking *c = arg;
	size_t n = entries;

	for (size_t i = 0; i < req->url.n; i++)
		MUST(req->url.p[i] > ' ' && req->url.p[i] < 0x7f);
	MUST(req->headers.n > 0 && req->headers.p[req->headers.n - 1] == '\0');
	switch (c->target->shape) {
	case SHAPE_ARRAY:
		n = check_array(c->target, body, c->seen);
		break;
	case SHAPE_LINES:
		n = check_lines(c->target, body, c->seen);
		break;
	case SHAPE_OTLP:
		n = check_otlp(body, c->seen);
		break;
	case SHAPE_LOGPLEX:
		n = check_logplex(body);
		break;
	case SHAPE_ANY:
		break;
	}
	MUST(n == entries);
	c->seen += n;
}

static void
check_target(const struct target *t)
{
	struct checking checking = {t, 0};
	struct batches b = {
	    .conf = &t->conf, .now_us = NOW_US, .done = check_request, .arg = &checking};

	for (size_t i = 0; i < nframes; i++)
		batches_add(&b, frames[i]);
	batches_end(&b);
	MUST(checking.seen == nframes);
}

/* Names as GELF has them, and a message that says something. */
static void
check_gelf(struct slice frame)
{
	struct buf out = {0};
	const char *key;
	json_t *json, *value;

	gelf.type->encode(&gelf, frame, &out);
	MUST(out.n > 0 && memchr(out.p, '\0', out.n) == out.p + out.n - 1);
	json = parse(slice_of(out.p, out.n - 1));
	json_object_foreach(json, key, value)
	{
		MUST(strspn(key, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"
				 ".-") == strlen(key));
		MUST(json_is_string(value) || json_is_number(value));
	}
	MUST(json_object_get(json, "_id") == NULL);
	MUST(json_string_length(json_object_get(json, "short_message")) > 0);
	MUST(json_string_length(json_object_get(json, "host")) > 0);
	json_decref(json);
	buf_free(&out);
}

static void
take_line(const uint8_t *data, size_t n)
{
	static struct buf scratch;
	struct parse_env env = {
	    .hostname = SLICE("peer.example"),
	    .now_us = NOW_US,
	    .now_text = SLICE("2026-01-15T12:00:00.000000Z"),
	    .scratch = &scratch,
	};
	char *text = xmalloc(n), *frame;
	struct line line;

	for (size_t i = 0; i < n; i++)
		text[i] = data[i] == 0x1e ? '\n' : (char)data[i];
	parse_line(slice_of(text, n), n % 7 == 0 ? n : 0, &env, &line);
	frame = xmalloc(line_size(&line));
	line_write(&line, frame);
	frames[nframes++] = slice_of(frame, line_size(&line));
	free(text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const size_t n = sizeof(targets) / sizeof(targets[0]);

	if (gelf.type == NULL) {
		make(&gelf, "gelf", "host=h");
		for (size_t i = 0; i < n; i++)
			make(&targets[i].conf, targets[i].type, targets[i].request);
	}
	if (size > 1 << 16)
		return 0;
	nframes = 0;
	while (size > 0 && nframes < LINES_MAX) {
		const uint8_t *lf = memchr(data, '\n', size);
		size_t line = lf != NULL ? (size_t)(lf - data) : size;

		take_line(data, line);
		data += line + (lf != NULL);
		size -= line + (lf != NULL);
	}
	for (size_t i = 0; i < n; i++)
		check_target(&targets[i]);
	for (size_t i = 0; i < nframes; i++) {
		check_gelf(frames[i]);
		free((char *)frames[i].p);
	}
	return 0;
}
