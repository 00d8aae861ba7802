/*
 * elk -- Logstash's http input, by its URL: one request a line, or batches of
 * JSON documents.
 *
 * The input: elastic.co, Logstash reference, http input plugin.  It sets
 * [host][ip] in every event itself, so a document's host must be an object,
 * as the Elastic Common Schema has it: github.com/logstash-plugins/
 * logstash-input-http, lib/logstash/inputs/http.rb.
 */
#include "base/percent.h"
#include "types/drain_doc.h"
#include "types/drain_own_url.h"
#include "wire/json_out.h"

/* Indexes of formats. */
enum { ELK_LINE, ELK_JSON, ELK_NDJSON };

enum {
	ELK_ENTRIES = 1000,
	ELK_BODY = 1 << 20,	  /* the input takes 100 MB, but parses all of it at once */
	ELK_ENTRY = 4 << 20,	  /* more than a line of 1 MiB usually becomes */
	ELK_LINE_CONCURRENCY = 8, /* one request a line gets no faster than this a round trip */
};

static const char *const formats[] = {"line", "json", "ndjson", NULL};

static void
finish(struct drain_conf *conf, struct drain_errors *errors)
{
	drain_http_defaults(conf, false, conf->format == ELK_LINE ? ELK_LINE_CONCURRENCY : 1);
	if (conf->mark && conf->format == ELK_LINE)
		drain_error(errors, drain_key_name(DRAIN_MARK),
			    "needs format=json or ndjson: a message alone has no place for it");
	drain_own_url_finish(conf, errors);
}

static struct drain_limits
limits(const struct drain_conf *conf)
{
	return (struct drain_limits){conf->format == ELK_LINE ? 1 : ELK_ENTRIES, ELK_BODY};
}

static void
open_body(const struct drain_conf *conf, struct drain_batch *batch, struct buf *body)
{
	if (conf->format == ELK_JSON)
		drain_array_open(conf, batch, body);
}

static void
write_document(const struct drain_doc *doc, struct buf *out)
{
	const struct line *line = doc->line;

	buf_add_char(out, '{');
	drain_doc_member(out, "@timestamp", line->timestamp);
	json_out_member(out, "message", doc->message);
	if (!drain_is_nil(line->hostname)) {
		json_out_key(out, "host");
		buf_add_char(out, '{');
		json_out_member(out, "name", drain_doc_field(line->hostname));
		buf_add_char(out, '}');
	}
	drain_doc_member(out, "app", line->app_name);
	drain_doc_member(out, "proc", line->procid);
	drain_doc_member(out, "msgid", line->msgid);
	json_out_member(out, "severity", drain_severity_word(line));
	json_out_member(out, "facility", drain_facility_word(line));
	drain_doc_sd(out, doc);
	drain_doc_cut(out, "cut", doc);
	drain_doc_mark(out, doc);
	buf_add_char(out, '}');
}

static unsigned
entry(const struct drain_conf *conf, struct drain_batch *batch, const struct line *line,
      struct buf *body)
{
	unsigned flags;

	if (conf->format == ELK_LINE) {
		buf_add_slice(body, line->msg);
		return 0;
	}
	if (conf->format == ELK_JSON)
		drain_array_next(batch, body);
	flags = drain_doc_add(write_document, conf, batch, line, ELK_ENTRY, body);
	if (conf->format == ELK_NDJSON)
		buf_add_char(body, '\n');
	return flags;
}

static void
close_body(const struct drain_conf *conf, struct drain_batch *batch, struct buf *body)
{
	if (conf->format == ELK_JSON)
		drain_array_close(conf, batch, body);
}

/* NAME=VALUE behind the query that is there, or as the first of one. */
static void
add_query(struct buf *url, const char *name, struct slice value)
{
	const char *query = memchr(url->p, '?', url->n);

	if (drain_is_nil(value))
		return;
	if (query == NULL)
		buf_add_char(url, '?');
	else if (url->p[url->n - 1] != '?' && url->p[url->n - 1] != '&')
		buf_add_char(url, '&');
	buf_add_str(url, name);
	buf_add_char(url, '=');
	percent_encode(drain_doc_field(value), url);
}

static void
request(const struct drain_conf *conf, const struct drain_batch *batch, const struct line *first,
	struct drain_request *req)
{
	/* As the platform has always sent it, for receivers that look at it. */
	static const char *const content[] = {
	    [ELK_LINE] = "plain/text",
	    [ELK_JSON] = "application/json",
	    [ELK_NDJSON] = "application/x-ndjson",
	};

	(void)batch;
	buf_add_str(&req->url, conf->target);
	if (conf->format == ELK_LINE) {
		add_query(&req->url, "appname", first->app_name);
		add_query(&req->url, "hostname", first->hostname);
	}
	drain_request_header(req, "Content-Type", content[conf->format]);
	drain_own_url_authorize(conf, req);
}

static const struct drain_http http = {
    .limits = limits,
    .open = open_body,
    .entry = entry,
    .close = close_body,
    .request = request,
};

const struct drain_type drain_type_elk = {
    .name = "elk",
    .need =
	{
	    [DRAIN_URL] = DRAIN_REQUIRED,
	    [DRAIN_FORMAT] = DRAIN_OPTIONAL,
	    [DRAIN_MARK] = DRAIN_OPTIONAL,
	    DRAIN_HTTP_OPTIONS,
	},
    .formats = formats,
    .finish = finish,
    .http = &http,
};
