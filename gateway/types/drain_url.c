#include "types/drain_url.h"

#include "base/percent.h"

void
drain_url_add(struct drain_url *url, const char *text)
{
	buf_add_str(&url->full, text);
	buf_add_str(&url->redacted, text);
}

void
drain_url_add_secret(struct drain_url *url, const char *secret)
{
	percent_encode(slice_str(secret), &url->full);
	buf_add_str(&url->redacted, "***");
}

static void
add_address(struct buf *out, const struct drain_conf *conf)
{
	bool ipv6 = strchr(conf->host, ':') != NULL;

	buf_addf(out, ipv6 ? "[%s]:%u" : "%s:%u", conf->host, (unsigned)conf->port);
}

void
drain_url_add_address(struct drain_url *url, const struct drain_conf *conf)
{
	add_address(&url->full, conf);
	add_address(&url->redacted, conf);
}

void
drain_url_add_option(struct drain_url *url, const char *name, const char *value)
{
	if (value == NULL)
		return;
	drain_url_add(url, url->query ? "&" : "?");
	drain_url_add(url, name);
	drain_url_add(url, "=");
	percent_encode(slice_str(value), &url->full);
	percent_encode(slice_str(value), &url->redacted);
	url->query = true;
}

/* The buffer's memory becomes the string. */
static char *
take(struct buf *b)
{
	buf_add_char(b, '\0');
	return b->p;
}

void
drain_url_finish(struct drain_url *url, struct drain_conf *conf)
{
	conf->url = take(&url->full);
	conf->redacted = take(&url->redacted);
	*url = (struct drain_url){0};
}
