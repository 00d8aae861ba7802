#include "types/drain_url.h"

#include "base/percent.h"
#include "types/drain_pem.h"

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
	drain_url_add(url, url->query ? "&" : url->fragment ? "#" : "?");
	drain_url_add(url, name);
	drain_url_add(url, "=");
	percent_encode(slice_str(value), &url->full);
	percent_encode(slice_str(value), &url->redacted);
	url->query = true;
}

/* Also of a key, which is known by its certificate. */
static bool
goes_without_saying(const struct drain_conf *conf, enum drain_key key)
{
	return key == DRAIN_CLIENT_KEY || (key == DRAIN_FORMAT && conf->format == 0) ||
	       (key == DRAIN_MARK && !conf->mark) ||
	       (key == DRAIN_MIN_SEVERITY && conf->filter.severity == DRAIN_SEVERITY_ALL);
}

static void
add_patterns(struct drain_url *url, const char *name, const struct slice *patterns, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct buf pattern = {0};

		buf_add_slice(&pattern, patterns[i]);
		drain_url_add_option(url, name, buf_cstr(&pattern));
		buf_free(&pattern);
	}
}

/* Hex digits need no encoding, and the ':' is to be read by people. */
static void
add_fingerprint(struct drain_url *url, enum drain_key key, const char *pem)
{
	struct buf text = {0};

	if (pem == NULL)
		return;
	drain_url_add_option(url, drain_key_name(key), "");
	drain_pem_fingerprint(key, pem, &text);
	drain_url_add(url, buf_cstr(&text));
	buf_free(&text);
}

void
drain_url_add_options(struct drain_url *url, const struct drain_conf *conf)
{
	const struct drain_filter *filter = &conf->filter;

	for (int k = DRAIN_FORMAT; k < DRAIN_KEYS; k++) {
		enum drain_key key = (enum drain_key)k;
		const char *name = drain_key_name(key), *value = conf->value[key];

		if (key == DRAIN_MATCH)
			add_patterns(url, name, filter->match, filter->nmatch);
		else if (key == DRAIN_EXCLUDE)
			add_patterns(url, name, filter->exclude, filter->nexclude);
		else if (key == DRAIN_CA || key == DRAIN_CLIENT_CERT)
			add_fingerprint(url, key, value);
		else if (!goes_without_saying(conf, key))
			drain_url_add_option(url, name, value);
	}
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
