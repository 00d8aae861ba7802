/*
 * logtail -- Better Stack, once Logtail: JSON batches over HTTPS.
 *
 * betterstack.com/docs/logs/ingesting-data/http/logs
 */
#include "types/drain_doc.h"
#include "types/drain_own_url.h"
#include "types/drain_url.h"
#include "wire/json_out.h"

#define LOGTAIL_HOST "in.logs.betterstack.com"

enum {
	LOGTAIL_ENTRIES = 1000,
	LOGTAIL_BODY = 4 << 20,	 /* of 10 MiB compressed, 20 MiB in all */
	LOGTAIL_ENTRY = 4 << 20, /* of 10 MiB */
	LOGTAIL_NOT_JSON = 406,
};

/* A source has an ingesting host of its own; older ones share one. */
static void
use_endpoint(struct drain_conf *conf, const char *endpoint)
{
	const char *host = conf->value[DRAIN_HOST];

	drain_own_url_endpoint(conf, endpoint, host != NULL ? host : LOGTAIL_HOST);
}

static void
finish(struct drain_conf *conf, struct drain_errors *errors)
{
	const char *host = conf->value[DRAIN_HOST];
	struct drain_url url = {0};

	if (host != NULL && strchr(host, ':') != NULL) {
		drain_error(errors, drain_key_name(DRAIN_HOST),
			    "must be the ingesting host of a source, such as " LOGTAIL_HOST);
		return;
	}
	if (host != NULL && strcmp(host, LOGTAIL_HOST) == 0)
		host = NULL;
	use_endpoint(conf, "https://%s");
	drain_http_defaults(conf, true, 1);
	drain_url_add(&url, "logtail://");
	drain_url_add_secret(&url, conf->value[DRAIN_TOKEN]);
	drain_url_add_option(&url, "host", host);
	drain_url_add_options(&url, conf);
	drain_url_finish(&url, conf);
}

static struct drain_limits
limits(const struct drain_conf *conf)
{
	(void)conf;
	return (struct drain_limits){LOGTAIL_ENTRIES, LOGTAIL_BODY};
}

static void
write_event(const struct drain_doc *doc, struct buf *out)
{
	const struct line *line = doc->line;

	buf_add_char(out, '{');
	drain_doc_member(out, "dt", line->timestamp);
	json_out_member(out, "message", doc->message);
	json_out_member(out, "level", drain_severity_word(line));
	json_out_key(out, "syslog");
	buf_add_char(out, '{');
	drain_doc_member(out, "hostname", line->hostname);
	drain_doc_member(out, "appname", line->app_name);
	drain_doc_member(out, "procid", line->procid);
	drain_doc_member(out, "msgid", line->msgid);
	json_out_member(out, "facility", drain_facility_word(line));
	buf_add_char(out, '}');
	drain_doc_sd(out, doc);
	drain_doc_cut(out, "cut", doc);
	drain_doc_mark(out, doc);
	buf_add_char(out, '}');
}

static unsigned
entry(const struct drain_conf *conf, struct drain_batch *batch, const struct line *line,
      struct buf *body)
{
	drain_array_next(batch, body);
	return drain_doc_add(write_event, conf, batch, line, LOGTAIL_ENTRY, body);
}

static void
request(const struct drain_conf *conf, const struct drain_batch *batch, const struct line *first,
	struct drain_request *req)
{
	(void)batch;
	(void)first;
	buf_add_str(&req->url, conf->target);
	drain_request_header(req, "Content-Type", "application/json");
	drain_request_bearer(req, conf->value[DRAIN_TOKEN]);
}

static struct drain_verdict
judge(const struct drain_conf *conf, int status, struct slice body)
{
	(void)conf;
	(void)body;
	/* "The body is not a valid JSON or MessagePack": its way to say 400. */
	if (status == LOGTAIL_NOT_JSON)
		return (struct drain_verdict){DRAIN_SPLIT, 0};
	return drain_judge(status);
}

static const struct drain_http http = {
    .limits = limits,
    .open = drain_array_open,
    .entry = entry,
    .close = drain_array_close,
    .request = request,
    .judge = judge,
};

const struct drain_type drain_type_logtail = {
    .name = "logtail",
    .alias = "betterstack",
    .need =
	{
	    [DRAIN_TOKEN] = DRAIN_REQUIRED,
	    [DRAIN_HOST] = DRAIN_OPTIONAL,
	    [DRAIN_MARK] = DRAIN_OPTIONAL,
	    DRAIN_HTTP_OPTIONS,
	},
    .finish = finish,
    .http = &http,
    .endpoint_key = "logtail-endpoint",
    .endpoint = "https://" LOGTAIL_HOST,
    .use_endpoint = use_endpoint,
};
