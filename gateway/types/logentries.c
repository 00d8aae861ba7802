/*
 * logentries -- Rapid7 InsightOps, once Logentries: token TCP over TLS; each
 * line is the log's token, a space, the line, LF.
 *
 * docs.rapid7.com/insightops/token-tcp
 */
#include "base/xmalloc.h"
#include "types/drain_lines.h"
#include "types/drain_type.h"
#include "types/drain_url.h"
#include "wire/escape.h"

enum { LOGENTRIES_PORT = 443 };

/* The region as a host has it; NULL: there is no such region. */
static const char *
region_find(const char *given)
{
	static const char *const regions[] = {"us", "eu", "au", "ca", "ap"};

	for (size_t i = 0; i < sizeof(regions) / sizeof(regions[0]); i++)
		if (strcmp(given, regions[i]) == 0)
			return regions[i];
	return NULL;
}

static void
finish(struct drain_conf *conf, struct drain_errors *errors)
{
	const char *given = conf->value[DRAIN_REGION];
	struct drain_url url = {0};

	if (given == NULL) {
		conf->host = xstrdup("data.logentries.com");
	} else if (region_find(given) != NULL) {
		conf->host = xasprintf("%s.data.logs.insight.rapid7.com", region_find(given));
	} else {
		drain_error(errors, drain_key_name(DRAIN_REGION), "must be us, eu, au, ca or ap");
		return;
	}
	conf->port = LOGENTRIES_PORT;
	conf->transport = DRAIN_TLS;
	conf->framing = DRAIN_FRAMING_LF;
	drain_url_add(&url, "logentries://");
	drain_url_add_secret(&url, conf->value[DRAIN_TOKEN]);
	drain_url_add_option(&url, "region", given);
	drain_url_add_options(&url, conf);
	drain_url_finish(&url, conf);
}

static unsigned
encode(const struct drain_conf *conf, struct slice frame, struct buf *out)
{
	buf_add_str(out, conf->value[DRAIN_TOKEN]);
	buf_add_char(out, ' ');
	escape_controls(frame, out);
	buf_add_char(out, '\n');
	return 0;
}

const struct drain_type drain_type_logentries = {
    .name = "logentries",
    .need =
	{
	    [DRAIN_TOKEN] = DRAIN_REQUIRED,
	    [DRAIN_REGION] = DRAIN_OPTIONAL,
	    DRAIN_STREAM_OPTIONS,
	},
    .finish = finish,
    .encode = encode,
    .verbatim = drain_never_verbatim,
};
