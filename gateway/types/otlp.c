/*
 * otlp -- OpenTelemetry's logs over OTLP/HTTP, in JSON.
 *
 * Requests and answers: opentelemetry.io/docs/specs/otlp, "OTLP/HTTP" (JSON
 * Protobuf Encoding).  Which field is what: opentelemetry.io/docs/specs/otel/
 * logs/data-model-appendix, "RFC5424 Syslog" and "SeverityNumber".
 */
#include <stdlib.h>
#include <string.h>

#include "base/xmalloc.h"
#include "types/drain_doc.h"
#include "types/drain_own_url.h"
#include "wire/json_out.h"
#include "wire/sd.h"
#include "wire/timestamp.h"

#define OTLP_PATH "/v1/logs"

enum {
	OTLP_ENTRIES = 1000,
	OTLP_BODY = 4 << 20, /* of the 20 MiB that receivers should take */
	OTLP_ENTRY = 4 << 20,
};

/*
 * Where the text of the last resource lies in the body: lines of the same app
 * and host that follow each other share one.
 */
enum { MARK_RESOURCE, MARK_RESOURCE_BYTES };

/* As exporters do with a base URL. */
static void
complete_target(struct drain_conf *conf)
{
	size_t path = strcspn(conf->target, "?"), slash = path;
	const size_t suffix = sizeof(OTLP_PATH) - 1;
	char *whole;

	if (path >= suffix && memcmp(conf->target + path - suffix, OTLP_PATH, suffix) == 0)
		return;
	while (conf->target[slash - 1] == '/')
		slash--;
	whole = xasprintf("%.*s" OTLP_PATH "%s", (int)slash, conf->target, conf->target + path);
	free(conf->target);
	conf->target = whole;
}

static void
finish(struct drain_conf *conf, struct drain_errors *errors)
{
	struct buf user = {0};

	drain_http_defaults(conf, true, 1);
	if (!drain_own_url_finish(conf, errors))
		return;
	complete_target(conf);
	drain_own_url_user(conf, &user);
	if (user.n > 0 && conf->value[DRAIN_TOKEN] != NULL)
		drain_error(errors, drain_key_name(DRAIN_TOKEN),
			    "does not go with a user in the url: a request has one Authorization");
	buf_free(&user);
}

static struct drain_limits
limits(const struct drain_conf *conf)
{
	(void)conf;
	return (struct drain_limits){OTLP_ENTRIES, OTLP_BODY};
}

static void
open_body(const struct drain_conf *conf, struct drain_batch *batch, struct buf *body)
{
	(void)conf;
	(void)batch;
	buf_add_str(body, "{\"resourceLogs\":[");
}

/* {"key":"KEY","value":{"stringValue":"TEXT"}}, with a comma in front but for the first. */
static void
add_attribute(struct buf *out, const char *key, struct slice text)
{
	if (out->p[out->n - 1] != '[')
		buf_add_char(out, ',');
	buf_add_char(out, '{');
	json_out_member(out, "key", slice_str(key));
	buf_add_str(out, ",\"value\":{\"stringValue\":");
	json_out_string(out, text);
	buf_add_str(out, "}}");
}

static void
add_field(struct buf *out, const char *key, struct slice field)
{
	if (!drain_is_nil(field))
		add_attribute(out, key, drain_doc_field(field));
}

/* A key of a list, as KeyValueList has it, and what is open behind it. */
static void
add_list_key(struct buf *out, struct slice key, const char *value)
{
	if (out->p[out->n - 1] != '[')
		buf_add_char(out, ',');
	buf_add_char(out, '{');
	json_out_member(out, "key", key);
	buf_add_str(out, ",\"value\":");
	buf_add_str(out, value);
}

#define LIST_OPEN "{\"kvlistValue\":{\"values\":["
#define ARRAY_OPEN "{\"arrayValue\":{\"values\":["
#define TEXT_OPEN "{\"stringValue\":"

static void
add_param(struct buf *out, const struct drain_param *param)
{
	if (param->first_of_id)
		add_list_key(out, param->sd.id, LIST_OPEN);
	if (param->sd.name.n > 0) {
		bool alone = param->first_of_name && param->last_of_name;

		if (param->first_of_name)
			add_list_key(out, param->sd.name, alone ? "" : ARRAY_OPEN);
		else
			buf_add_char(out, ',');
		buf_add_str(out, TEXT_OPEN);
		drain_param_value(out, param);
		buf_add_char(out, '}');
		if (param->last_of_name)
			buf_add_str(out, alone ? "}" : "]}}}");
	}
	if (param->last_of_id)
		buf_add_str(out, "]}}}");
}

/* As a map of maps, which is what the collector's own syslog receiver makes of it. */
static void
add_sd(struct buf *out, const struct drain_doc *doc)
{
	struct drain_param list[DRAIN_DOC_PARAMS];
	int n = drain_doc_params(doc, list);

	if (n < 0)
		add_attribute(out, "syslog.structured_data_text", doc->line->sd);
	if (n <= 0)
		return;
	add_list_key(out, SLICE("syslog.structured_data"), LIST_OPEN);
	for (int i = 0; i < n; i++)
		add_param(out, &list[i]);
	buf_add_str(out, "]}}}");
}

/* 64-bit numbers are strings. */
static void
add_number(struct buf *out, struct slice key, uint64_t value)
{
	add_list_key(out, key, "{\"intValue\":");
	buf_addf(out, "\"%llu\"}}", (unsigned long long)value);
}

static void
add_nanos(struct buf *out, const char *key, int64_t us)
{
	/* What fixed64 cannot say is not said: the years before 1970 and behind 2554. */
	if (us < 0 || us > INT64_C(18446744073709551))
		return;
	json_out_key(out, key);
	buf_addf(out, "\"%llu\"", (unsigned long long)us * 1000);
}

static void
write_record(const struct drain_doc *doc, struct buf *out)
{
	static const int severities[] = {21, 19, 18, 17, 13, 10, 9, 5};
	const struct line *line = doc->line;
	int64_t us;

	buf_add_char(out, '{');
	if (timestamp_parse(line->timestamp, &us))
		add_nanos(out, "timeUnixNano", us);
	add_nanos(out, "observedTimeUnixNano", doc->batch->now_us);
	json_out_number(out, "severityNumber", severities[line_severity(line)]);
	json_out_member(out, "severityText", drain_severity_word(line));
	json_out_key(out, "body");
	buf_add_str(out, TEXT_OPEN);
	json_out_string(out, doc->message);
	buf_add_str(out, "},\"attributes\":[");
	add_attribute(out, "syslog.facility", drain_facility_word(line));
	add_field(out, "syslog.procid", line->procid);
	add_field(out, "syslog.msgid", line->msgid);
	add_sd(out, doc);
	if (doc->cut > 0)
		add_number(out, SLICE("penstock.cut"), doc->cut);
	if (line->marked) {
		add_number(out, SLICE("penstock.log"), line->mark.log);
		add_number(out, SLICE("penstock.start"), line->mark.start);
		add_number(out, SLICE("penstock.seq"), line->mark.seq);
	}
	buf_add_str(out, "]}");
}

static void
add_resource(struct buf *out, const struct line *line)
{
	buf_add_str(out, "{\"resource\":{\"attributes\":[");
	add_field(out, "service.name", line->app_name);
	add_field(out, "host.name", line->hostname);
	buf_add_str(out, "]},\"scopeLogs\":[{\"logRecords\":[");
}

/* What ends the last resource. */
#define RESOURCE_CLOSE "]}]}"

static unsigned
entry(const struct drain_conf *conf, struct drain_batch *batch, const struct line *line,
      struct buf *body)
{
	size_t start = body->n, last = batch->mark[MARK_RESOURCE];
	size_t last_n = batch->mark[MARK_RESOURCE_BYTES], from;

	if (last_n > 0)
		buf_add_str(body, RESOURCE_CLOSE ",");
	from = body->n;
	add_resource(body, line);
	if (last_n == body->n - from && memcmp(body->p + last, body->p + from, last_n) == 0) {
		body->n = start;
		buf_add_char(body, ',');
	} else {
		batch->mark[MARK_RESOURCE] = from;
		batch->mark[MARK_RESOURCE_BYTES] = body->n - from;
	}
	return drain_doc_add(write_record, conf, batch, line, OTLP_ENTRY, body);
}

static void
close_body(const struct drain_conf *conf, struct drain_batch *batch, struct buf *body)
{
	(void)conf;
	if (batch->mark[MARK_RESOURCE_BYTES] > 0)
		buf_add_str(body, RESOURCE_CLOSE);
	buf_add_str(body, "]}");
}

static void
request(const struct drain_conf *conf, const struct drain_batch *batch, const struct line *first,
	struct drain_request *req)
{
	(void)batch;
	(void)first;
	buf_add_str(&req->url, conf->target);
	drain_request_header(req, "Content-Type", "application/json");
	/* One of them at most. */
	if (conf->value[DRAIN_TOKEN] != NULL)
		drain_request_bearer(req, conf->value[DRAIN_TOKEN]);
	drain_own_url_authorize(conf, req);
}

static size_t
blanks(struct slice s)
{
	size_t n = 0;

	while (n < s.n && (s.p[n] == ' ' || s.p[n] == '\t' || s.p[n] == '\r' || s.p[n] == '\n'))
		n++;
	return n;
}

/*
 * {"partialSuccess":{"rejectedLogRecords":"3","errorMessage":"..."}}: the
 * number, with or without quotes.  The answer may be cut inside the message,
 * so it is not parsed as a whole; inside a string the name's quotes would
 * have backslashes.
 */
static uint64_t
rejected_of(struct slice body)
{
	static const struct slice name = SLICE_INIT("\"rejectedLogRecords\"");
	const char *at = body.n > 0 ? memmem(body.p, body.n, name.p, name.n) : NULL;
	struct slice rest;
	uint64_t value = 0;

	if (at == NULL)
		return 0;
	rest = slice_skip(body, (size_t)(at - body.p) + name.n);
	rest = slice_skip(rest, blanks(rest));
	if (rest.n == 0 || rest.p[0] != ':')
		return 0;
	rest = slice_skip(rest, 1);
	rest = slice_skip(rest, blanks(rest));
	if (rest.n > 0 && rest.p[0] == '"')
		rest = slice_skip(rest, 1);
	for (; rest.n > 0 && rest.p[0] >= '0' && rest.p[0] <= '9'; rest = slice_skip(rest, 1))
		if (value < OTLP_ENTRIES)
			value = value * 10 + (uint64_t)(rest.p[0] - '0');
	return value < OTLP_ENTRIES ? value : OTLP_ENTRIES;
}

static struct drain_verdict
judge(const struct drain_conf *conf, int status, struct slice body)
{
	struct drain_verdict verdict = drain_judge(status);

	(void)conf;
	if (verdict.answer == DRAIN_ACCEPTED)
		verdict.rejected = rejected_of(body);
	/* Of these only 502, 503 and 504 mean "later" ("Retryable Response Codes"). */
	if (status >= 500 && (status < 502 || status > 504))
		verdict.answer = DRAIN_REFUSED;
	return verdict;
}

static const struct drain_http http = {
    .limits = limits,
    .open = open_body,
    .entry = entry,
    .close = close_body,
    .request = request,
    .judge = judge,
};

const struct drain_type drain_type_otlp = {
    .name = "otlp",
    .need =
	{
	    [DRAIN_TOKEN] = DRAIN_OPTIONAL,
	    [DRAIN_URL] = DRAIN_REQUIRED,
	    [DRAIN_MARK] = DRAIN_OPTIONAL,
	    DRAIN_HTTP_OPTIONS,
	},
    .finish = finish,
    .http = &http,
};
