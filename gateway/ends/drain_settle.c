#include "ends/drain_settle.h"

#include <string.h>

#include "plumb/tls.h"

/* The configured endpoint under that key; NULL: the vendor's own. */
static const char *
endpoint_of(const struct config *config, const char *key)
{
	if (strcmp(key, "datadog-endpoint") == 0)
		return config->datadog_endpoint;
	return strcmp(key, "logtail-endpoint") == 0 ? config->logtail_endpoint : NULL;
}

void
drain_settle(struct drain_conf *conf, const struct config *config)
{
	const char *endpoint = NULL;

	if (conf->framing == DRAIN_FRAMING_DEFAULT)
		conf->framing =
		    config->syslog_framing_octet ? DRAIN_FRAMING_OCTET : DRAIN_FRAMING_LF;
	if (conf->type->endpoint_key != NULL)
		endpoint = endpoint_of(config, conf->type->endpoint_key);
	if (endpoint != NULL)
		conf->type->use_endpoint(conf, endpoint);
}

struct tls_own
drain_tls_own(const struct drain_conf *conf)
{
	return (struct tls_own){.ca = conf->value[DRAIN_CA],
				.cert = conf->value[DRAIN_CLIENT_CERT],
				.key = conf->value[DRAIN_CLIENT_KEY]};
}

bool
drain_has_tls_own(const struct drain_conf *conf)
{
	return conf->value[DRAIN_CA] != NULL || conf->value[DRAIN_CLIENT_CERT] != NULL;
}
