/*
 * https -- Heroku's HTTPS drains: application/logplex-1, which is RFC 5424
 * without structured data, octet-counted (RFC 6587, section 3.4.1).
 *
 * devcenter.heroku.com/articles/log-drains#https-drains
 */
#include <stdint.h>
#include <stdlib.h>

#include "base/hash.h"
#include "base/xmalloc.h"
#include "types/drain_http.h"
#include "types/drain_lines.h"
#include "types/drain_own_url.h"

enum {
	LOGPLEX_ENTRIES = 1000,
	LOGPLEX_BODY = 1 << 20, /* nobody says; receivers are written for small batches */
};

static void
finish(struct drain_conf *conf, struct drain_errors *errors)
{
	drain_http_defaults(conf, false, 1);
	drain_own_url_finish(conf, errors);
}

static struct drain_limits
limits(const struct drain_conf *conf)
{
	(void)conf;
	return (struct drain_limits){LOGPLEX_ENTRIES, LOGPLEX_BODY};
}

static unsigned
entry(const struct drain_conf *conf, struct drain_batch *batch, const struct line *line,
      struct buf *body)
{
	struct slice sd = drain_frame_from(line->frame, 6);
	size_t header = sd.p != NULL ? line->frame.n - sd.n : 0;

	(void)conf;
	(void)batch;
	buf_addf(body, "%zu ", header + line->msg.n);
	buf_add(body, line->frame.p, header);
	buf_add_slice(body, line->msg);
	return 0;
}

/* Of a drain that was given none: of its URL, so that it stays what it is. */
static char *
token_of(const struct drain_conf *conf)
{
	const char *url = conf->value[DRAIN_URL];
	char *salted;
	uint64_t high, low;

	if (conf->value[DRAIN_TOKEN] != NULL)
		return xstrdup(conf->value[DRAIN_TOKEN]);
	salted = xasprintf("drain token %s", url);
	high = hash_slice(slice_str(url));
	low = hash_slice(slice_str(salted));
	free(salted);
	return xasprintf("d.%08x-%04x-%04x-%04x-%012llx", (unsigned)(high >> 32),
			 (unsigned)(high >> 16 & 0xffff), (unsigned)(high & 0xffff),
			 (unsigned)(low >> 48), (unsigned long long)(low & 0xffffffffffff));
}

static void
request(const struct drain_conf *conf, const struct drain_batch *batch, const struct line *first,
	struct drain_request *req)
{
	char *token = token_of(conf), *count = xasprintf("%u", (unsigned)batch->entries);

	(void)first;
	buf_add_str(&req->url, conf->target);
	drain_request_header(req, "Content-Type", "application/logplex-1");
	drain_request_header(req, "Logplex-Msg-Count", count);
	drain_request_header(req, "Logplex-Frame-Id", batch->id);
	drain_request_header(req, "Logplex-Drain-Token", token);
	drain_own_url_authorize(conf, req);
	free(count);
	free(token);
}

static const struct drain_http http = {
    .limits = limits,
    .entry = entry,
    .request = request,
};

const struct drain_type drain_type_https = {
    .name = "https",
    .need =
	{
	    [DRAIN_TOKEN] = DRAIN_OPTIONAL,
	    [DRAIN_URL] = DRAIN_REQUIRED,
	    DRAIN_HTTP_OPTIONS,
	},
    .finish = finish,
    .http = &http,
};
