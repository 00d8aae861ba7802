/*
 * drain_url -- writes a drain's URL and, beside it, the same with *** in place
 * of every secret.
 *
 *	struct drain_url url = {0};
 *
 *	drain_url_add(&url, "logentries://");
 *	drain_url_add_secret(&url, conf->value[DRAIN_TOKEN]);
 *	drain_url_finish(&url, conf);
 */
#ifndef DRAIN_URL_H
#define DRAIN_URL_H

#include "types/drain_type.h"

struct drain_url {
	struct buf full;
	struct buf redacted;
	bool query;    /* a '?' stands already */
	bool fragment; /* options go behind '#': the query is the receiver's own */
};

/* text as it is */
void drain_url_add(struct drain_url *, const char *text);
/* percent-encoded */
void drain_url_add_secret(struct drain_url *, const char *secret);
/* HOST:PORT of conf, IPv6 in brackets */
void drain_url_add_address(struct drain_url *, const struct drain_conf *conf);
/* NAME=VALUE in the query, the value percent-encoded; nothing if value is NULL */
void drain_url_add_option(struct drain_url *, const char *name, const char *value);
/*
 * The options that every type may take, as far as they are given and differ
 * from the default, in the order of enum drain_key from DRAIN_FORMAT on:
 * repeated for several patterns, sha256:HEX for PEM texts, no client_key.
 */
void drain_url_add_options(struct drain_url *, const struct drain_conf *conf);
/* Hands url and redacted to conf, which has none yet. */
void drain_url_finish(struct drain_url *, struct drain_conf *conf);

#endif
