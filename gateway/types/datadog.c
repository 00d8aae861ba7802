/*
 * datadog -- Datadog's logs intake: JSON batches over HTTPS.
 *
 * Requests, limits and answers: docs.datadoghq.com/api/latest/logs/send-logs
 * (v2).  Sites: docs.datadoghq.com/getting_started/site
 */
#include "types/drain_doc.h"
#include "types/drain_own_url.h"
#include "types/drain_url.h"
#include "wire/json_out.h"
#include "wire/timestamp.h"

#define DATADOG_ENDPOINT "https://http-intake.logs.%s/api/v2/logs"

enum {
	DATADOG_ENTRIES = 1000,
	DATADOG_BODY = 4500000,	 /* of the 5 MB that the intake takes */
	DATADOG_ENTRY = 1000000, /* it cuts longer ones, and says nothing */
};

/* It takes timestamps up to 18 hours old; a batch may be on its way for a while. */
static const int64_t old_us = INT64_C(17) * 3600 * 1000000;

/* A site is known by its own name and by what people call it. */
static const struct {
	const char *region;
	const char *site;
} sites[] = {
    {"datadoghq.com", "datadoghq.com"},
    {"us", "datadoghq.com"},
    {"us1", "datadoghq.com"},
    {"datadoghq.eu", "datadoghq.eu"},
    {"eu", "datadoghq.eu"},
    {"eu1", "datadoghq.eu"},
    {"us3.datadoghq.com", "us3.datadoghq.com"},
    {"us3", "us3.datadoghq.com"},
    {"us5.datadoghq.com", "us5.datadoghq.com"},
    {"us5", "us5.datadoghq.com"},
    {"ap1.datadoghq.com", "ap1.datadoghq.com"},
    {"ap1", "ap1.datadoghq.com"},
    {"ap2.datadoghq.com", "ap2.datadoghq.com"},
    {"ap2", "ap2.datadoghq.com"},
    {"uk1.datadoghq.com", "uk1.datadoghq.com"},
    {"ddog-gov.com", "ddog-gov.com"},
    {"gov", "ddog-gov.com"},
    {"us1-fed", "ddog-gov.com"},
    {"us2.ddog-gov.com", "us2.ddog-gov.com"},
};

/* Whether region is one of a cloud, like "eu-west-2" for the prefix "eu-". */
static bool
is_region_of(const char *region, const char *prefix)
{
	size_t n = strlen(prefix);

	return strncmp(region, prefix, n) == 0 && region[n] != '\0';
}

static const char *
site_find(const char *region)
{
	for (size_t i = 0; i < sizeof(sites) / sizeof(sites[0]); i++)
		if (strcmp(region, sites[i].region) == 0)
			return sites[i].site;
	if (is_region_of(region, "us-"))
		return "datadoghq.com";
	if (is_region_of(region, "eu-"))
		return "datadoghq.eu";
	return NULL;
}

/* The region was found when the drain was made. */
static void
use_endpoint(struct drain_conf *conf, const char *endpoint)
{
	drain_own_url_endpoint(conf, endpoint, site_find(conf->value[DRAIN_REGION]));
}

static void
finish(struct drain_conf *conf, struct drain_errors *errors)
{
	struct drain_url url = {0};

	if (site_find(conf->value[DRAIN_REGION]) == NULL) {
		drain_error(
		    errors, drain_key_name(DRAIN_REGION),
		    "must be us, us1, us3, us5, us-..., eu, eu1, eu-..., ap1, ap2, gov, us1-fed "
		    "or the name of a Datadog site, such as datadoghq.eu");
		return;
	}
	use_endpoint(conf, DATADOG_ENDPOINT);
	drain_http_defaults(conf, true, 1);
	drain_url_add(&url, "datadog://");
	drain_url_add_secret(&url, conf->value[DRAIN_TOKEN]);
	drain_url_add_option(&url, "region", conf->value[DRAIN_REGION]);
	drain_url_add_options(&url, conf);
	drain_url_finish(&url, conf);
}

static struct drain_limits
limits(const struct drain_conf *conf)
{
	(void)conf;
	return (struct drain_limits){DATADOG_ENTRIES, DATADOG_BODY};
}

/* Adds NAME:VALUE; a comma would begin the next tag. */
static void
add_tag(struct buf *tags, const char *name, struct slice value)
{
	size_t start;

	if (drain_is_nil(value))
		return;
	if (tags->n > 0)
		buf_add_char(tags, ',');
	buf_add_str(tags, name);
	start = tags->n;
	buf_add_slice(tags, drain_doc_field(value));
	for (size_t i = start; i < tags->n; i++)
		if (tags->p[i] == ',')
			tags->p[i] = '_';
}

static void
add_tags(const struct line *line, struct buf *out)
{
	struct buf tags = {0};

	add_tag(&tags, "app:", line->app_name);
	add_tag(&tags, "container:", line->procid);
	if (tags.n > 0)
		json_out_member(out, "ddtags", buf_slice(&tags));
	buf_free(&tags);
}

static bool
is_old(const struct drain_batch *batch, const struct line *line)
{
	int64_t us;

	return timestamp_parse(line->timestamp, &us) && us < batch->now_us - old_us;
}

static void
write_entry(const struct drain_doc *doc, struct buf *out)
{
	const struct line *line = doc->line;

	buf_add_char(out, '{');
	json_out_member(out, "message", doc->message);
	drain_doc_member(out, "service", line->app_name);
	drain_doc_member(out, "hostname", line->hostname);
	json_out_member(out, "ddsource", SLICE("syslog"));
	add_tags(line, out);
	json_out_member(out, "status", drain_severity_word(line));
	drain_doc_member(out, is_old(doc->batch, line) ? "original_timestamp" : "timestamp",
			 line->timestamp);
	drain_doc_member(out, "msgid", line->msgid);
	drain_doc_sd(out, doc);
	drain_doc_cut(out, "cut", doc);
	drain_doc_mark(out, doc);
	buf_add_char(out, '}');
}

static unsigned
entry(const struct drain_conf *conf, struct drain_batch *batch, const struct line *line,
      struct buf *body)
{
	unsigned flags = is_old(batch, line) ? DRAIN_ENTRY_OLD : 0;

	drain_array_next(batch, body);
	return flags | drain_doc_add(write_entry, conf, batch, line, DATADOG_ENTRY, body);
}

static void
request(const struct drain_conf *conf, const struct drain_batch *batch, const struct line *first,
	struct drain_request *req)
{
	(void)batch;
	(void)first;
	buf_add_str(&req->url, conf->target);
	drain_request_header(req, "Content-Type", "application/json");
	drain_request_header(req, "DD-API-KEY", conf->value[DRAIN_TOKEN]);
}

static const struct drain_http http = {
    .limits = limits,
    .open = drain_array_open,
    .entry = entry,
    .close = drain_array_close,
    .request = request,
};

const struct drain_type drain_type_datadog = {
    .name = "datadog",
    .need =
	{
	    [DRAIN_TOKEN] = DRAIN_REQUIRED,
	    [DRAIN_REGION] = DRAIN_REQUIRED,
	    [DRAIN_MARK] = DRAIN_OPTIONAL,
	    DRAIN_HTTP_OPTIONS,
	},
    .finish = finish,
    .http = &http,
    .endpoint_key = "datadog-endpoint",
    .endpoint = DATADOG_ENDPOINT,
    .use_endpoint = use_endpoint,
};
