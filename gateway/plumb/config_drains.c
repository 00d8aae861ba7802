#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "plumb/address_rules.h"
#include "plumb/config_table.h"
#include "plumb/proxy_url.h"
#include "types/drain_host.h"

enum { ENDPOINT_MAX = 512 };

bool
config_check_ranges(const char *value, char *fault, size_t len)
{
	struct address_rules rules;

	if (!address_rules_parse(value, &rules, fault, len))
		return false;
	address_rules_free(&rules);
	return true;
}

bool
config_check_proxy(const char *value, char *fault, size_t len)
{
	struct proxy_url proxy;

	if (!proxy_url_parse(value, &proxy, fault, len))
		return false;
	proxy_url_free(&proxy);
	return true;
}

/* HOST[:PORT] with a site in place of %s. */
static bool
authority_is_good(struct slice s)
{
	struct buf host = {0};
	const char *fault = NULL, *bracket = memrchr(s.p, ']', s.n);
	const char *colon = memrchr(s.p, ':', s.n);
	uint16_t port;
	bool good = true;

	if (colon != NULL && (bracket == NULL || colon > bracket)) {
		good = drain_port_parse(slice_skip(s, (size_t)(colon - s.p) + 1), &port);
		s.n = (size_t)(colon - s.p);
	}
	if (bracket == NULL && memchr(s.p, ':', s.n) != NULL)
		good = false;
	good = good && drain_host_check(s, &host, &fault);
	buf_free(&host);
	return good;
}

static const char *
endpoint_fault(const char *value)
{
	const char *percent = strchr(value, '%'), *rest, *site;
	struct buf tried = {0};
	bool good;

	if (strlen(value) > ENDPOINT_MAX)
		return "longer than 512 bytes; write a shorter one";
	if (strncmp(value, "http://", 7) != 0 && strncmp(value, "https://", 8) != 0)
		return "no URL; write http://HOST/PATH or https://HOST/PATH";
	for (const char *p = value; *p != '\0'; p++)
		if (!isgraph((unsigned char)*p) || strchr("@?#\\\"<>", *p) != NULL)
			return "a user, a query, a fragment or what no URL has; write "
			       "https://HOST/PATH";
	if (percent != NULL && (percent[1] != 's' || strchr(percent + 1, '%') != NULL))
		return "only one %s, for the site, may stand in it; remove any other %";
	rest = strstr(value, "://") + 3;
	if (percent == NULL) {
		buf_add_str(&tried, rest);
	} else {
		buf_add(&tried, rest, (size_t)(percent - rest));
		buf_addf(&tried, "site.example%s", percent + 2);
	}
	site = buf_cstr(&tried);
	good = authority_is_good(slice_of(site, strcspn(site, "/")));
	buf_free(&tried);
	return good ? NULL
		    : "no host, or a bad port; write https://HOST/PATH or "
		      "https://HOST:PORT/PATH";
}

bool
config_check_endpoint(const char *value, char *fault, size_t len)
{
	const char *why = endpoint_fault(value);

	if (why != NULL)
		snprintf(fault, len, "%s", why);
	return why == NULL;
}
