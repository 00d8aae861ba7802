/*
 * datadog -- Datadog's logs intake: JSON batches over HTTPS.
 *
 * Sites: docs.datadoghq.com/getting_started/site
 */
#include "base/xmalloc.h"
#include "types/drain_lines.h"
#include "types/drain_type.h"
#include "types/drain_url.h"

enum { DATADOG_PORT = 443 };

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

static void
finish(struct drain_conf *conf, struct drain_errors *errors)
{
	const char *site = site_find(conf->value[DRAIN_REGION]);
	struct drain_url url = {0};

	if (site == NULL) {
		drain_error(
		    errors, drain_key_name(DRAIN_REGION),
		    "must be us, us1, us3, us5, us-..., eu, eu1, eu-..., ap1, ap2, gov, us1-fed "
		    "or the name of a Datadog site, such as datadoghq.eu");
		return;
	}
	conf->host = xasprintf("http-intake.logs.%s", site);
	conf->port = DATADOG_PORT;
	conf->transport = DRAIN_HTTP;
	conf->framing = DRAIN_FRAMING_NONE;
	drain_url_add(&url, "datadog://");
	drain_url_add_secret(&url, conf->value[DRAIN_TOKEN]);
	drain_url_add_option(&url, "region", conf->value[DRAIN_REGION]);
	drain_url_finish(&url, conf);
}

const struct drain_type drain_type_datadog = {
    .name = "datadog",
    .need =
	{
	    [DRAIN_TOKEN] = DRAIN_REQUIRED,
	    [DRAIN_REGION] = DRAIN_REQUIRED,
	},
    .finish = finish,
    .encode = NULL,
    .verbatim = drain_never_verbatim,
};
