#include "types/drain_type.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "base/xmalloc.h"
#include "types/drain_host.h"
#include "types/drain_keys.h"
#include "types/drain_pem.h"

/* A request being read. */
struct reading {
	struct drain_conf *conf;
	struct drain_errors *errors;
	const char *spelled[DRAIN_KEYS]; /* the request's own spelling; NULL: not there */
	bool faulty[DRAIN_KEYS];
	const char *host_protocol; /* what "tls://" in front of the host says; NULL: nothing */
};

void
drain_error(struct drain_errors *errors, const char *key, const char *fmt, ...)
{
	va_list ap;

	/* The request is refused either way; more texts would help nobody. */
	if (errors->n == sizeof(errors->at) / sizeof(errors->at[0]))
		return;
	errors->at[errors->n].key = key;
	va_start(ap, fmt);
	vsnprintf(errors->at[errors->n].text, sizeof(errors->at[0].text), fmt, ap);
	va_end(ap);
	errors->n++;
}

static void
report_unknown(const struct drain_type *type, const char *key, struct drain_errors *errors)
{
	struct buf known = {0};
	bool options = false;

	for (int k = 0; k < DRAIN_KEYS; k++) {
		if (type->need[k] == DRAIN_NOT_KNOWN)
			continue;
		/* The receiver's parameters first, then what tunes the way to it. */
		if (k >= DRAIN_PROTOCOL && !options) {
			buf_add_str(&known, "; options: ");
			options = true;
		} else if (known.n > 0) {
			buf_add_str(&known, ", ");
		}
		buf_add_str(&known, drain_key_name((enum drain_key)k));
	}
	drain_error(errors, key, "is not a parameter of %s; it takes %s", type->name,
		    buf_cstr(&known));
	buf_free(&known);
}

/* Takes "tls://" off a host, for clients that cannot send `protocol`. */
static const char *
split_protocol(struct slice *host)
{
	static const char *const protocols[] = {"tcp", "tls", "udp"};

	for (size_t i = 0; i < sizeof(protocols) / sizeof(protocols[0]); i++) {
		if (host->n >= 6 && strncasecmp(host->p, protocols[i], 3) == 0 &&
		    memcmp(host->p + 3, "://", 3) == 0) {
			*host = slice_skip(*host, 6);
			return protocols[i];
		}
	}
	return NULL;
}

/* Members of the same key, as a client's array becomes, are one value. */
static void
join_patterns(struct reading *r, enum drain_key key, struct slice more)
{
	char **value = &r->conf->value[key];
	struct buf all = {0};
	struct slice pattern;

	buf_add_str(&all, *value);
	while (drain_pattern_next(&more, &pattern))
		drain_pattern_add(&all, pattern);
	if (drain_pattern_count(buf_slice(&all)) > DRAIN_PATTERNS_MAX) {
		r->faulty[key] = true;
		drain_error(r->errors, r->spelled[key], "must be %s", drain_key_text(key));
	} else {
		free(*value);
		*value = xstrdup(buf_cstr(&all));
	}
	buf_free(&all);
}

static void
read_value(struct reading *r, enum drain_key key, const char *given)
{
	const struct drain_key_row *row = &drain_key_rows[key];
	char **value = &r->conf->value[key];
	struct slice s = slice_str(given);
	struct buf canonical = {0};
	const char *fault = NULL;

	if (key == DRAIN_HOST && r->conf->type->need[DRAIN_PROTOCOL] != DRAIN_NOT_KNOWN)
		r->host_protocol = split_protocol(&s);

	if (s.n == 0 || !row->check(s, &canonical, &fault)) {
		r->faulty[key] = true;
		if (fault != NULL)
			drain_error(r->errors, r->spelled[key], "%s", fault);
		else
			drain_error(r->errors, r->spelled[key], "must be %s", row->text);
	} else if (*value == NULL) {
		*value = xstrdup(buf_cstr(&canonical));
	} else if (key == DRAIN_MATCH || key == DRAIN_EXCLUDE) {
		join_patterns(r, key, buf_slice(&canonical));
	} else if (strcmp(*value, buf_cstr(&canonical)) != 0) {
		drain_error(r->errors, r->spelled[key], "is given twice, with different values");
	}
	buf_free(&canonical);
}

static void
read_member(struct reading *r, const struct drain_input *in)
{
	enum drain_key key = drain_key_find(in->key);
	bool absent = in->value == NULL || in->value[0] == '\0';

	/* Clients send all keys that they know, blank where they have nothing. */
	if (key != DRAIN_KEYS && (r->spelled[key] == NULL || !absent))
		r->spelled[key] = in->key;
	if (absent)
		return;
	if (key == DRAIN_KEYS || r->conf->type->need[key] == DRAIN_NOT_KNOWN)
		report_unknown(r->conf->type, in->key, r->errors);
	else if (!r->faulty[key]) /* an array's many members have one fault */
		read_value(r, key, in->value);
}

static void
apply_host_protocol(struct reading *r)
{
	char **protocol = &r->conf->value[DRAIN_PROTOCOL];

	if (r->host_protocol == NULL || r->faulty[DRAIN_PROTOCOL])
		return;
	if (*protocol == NULL)
		*protocol = xstrdup(r->host_protocol);
	else if (strcmp(*protocol, r->host_protocol) != 0)
		drain_error(r->errors, drain_key_name(DRAIN_PROTOCOL),
			    "is %s, but the host begins with %s://", *protocol, r->host_protocol);
}

static void
require(struct reading *r)
{
	for (int k = 0; k < DRAIN_KEYS; k++) {
		if (r->conf->type->need[k] == DRAIN_REQUIRED && r->conf->value[k] == NULL &&
		    !r->faulty[k])
			drain_error(r->errors, drain_key_name((enum drain_key)k), "is required");
	}
}

/* One of the type's formats. */
static void
choose_format(struct reading *r)
{
	const char *const *formats = r->conf->type->formats;
	const char *given = r->conf->value[DRAIN_FORMAT];
	struct buf known = {0};
	unsigned i;

	if (given == NULL || formats == NULL)
		return;
	for (i = 0; formats[i] != NULL; i++) {
		if (strcmp(given, formats[i]) == 0) {
			r->conf->format = i;
			buf_free(&known);
			return;
		}
		if (i > 0)
			buf_add_str(&known, formats[i + 1] != NULL ? ", " : " or ");
		buf_add_str(&known, formats[i]);
	}
	drain_error(r->errors, r->spelled[DRAIN_FORMAT], "must be %s", buf_cstr(&known));
	buf_free(&known);
}

/* A certificate and its key are of use only together. */
static void
check_client_cert(struct reading *r)
{
	const char *cert = r->conf->value[DRAIN_CLIENT_CERT];
	const char *key = r->conf->value[DRAIN_CLIENT_KEY];
	enum drain_key about;
	const char *fault;

	if (r->faulty[DRAIN_CLIENT_CERT] || r->faulty[DRAIN_CLIENT_KEY])
		return;
	if (cert != NULL && key == NULL) {
		drain_error(r->errors, drain_key_name(DRAIN_CLIENT_KEY),
			    "is required with client_cert");
	} else if (cert == NULL && key != NULL) {
		drain_error(r->errors, drain_key_name(DRAIN_CLIENT_CERT),
			    "is required with client_key");
	} else if (cert != NULL) {
		fault = drain_pem_pair_fault(cert, key, &about);
		if (fault != NULL)
			drain_error(r->errors, drain_key_name(about), "%s", fault);
	}
}

/* Values passed their checks: numbers are digits, and in range. */
static void
fill_common(struct drain_conf *conf)
{
	char *const *value = conf->value;

	if (value[DRAIN_HOST] != NULL)
		conf->host = xstrdup(value[DRAIN_HOST]);
	if (value[DRAIN_PORT] != NULL)
		conf->port = (uint16_t)strtoul(value[DRAIN_PORT], NULL, 10);
	if (value[DRAIN_RATE] != NULL)
		conf->rate = (uint32_t)strtoul(value[DRAIN_RATE], NULL, 10);
	if (value[DRAIN_GZIP] != NULL)
		conf->gzip = strcmp(value[DRAIN_GZIP], "true") == 0;
	if (value[DRAIN_CONCURRENCY] != NULL)
		conf->concurrency = (unsigned)strtoul(value[DRAIN_CONCURRENCY], NULL, 10);
	if (value[DRAIN_RESEND_BYTES] != NULL)
		conf->resend_bytes = strtoll(value[DRAIN_RESEND_BYTES], NULL, 10);
	if (value[DRAIN_MARK] != NULL)
		conf->mark = strcmp(value[DRAIN_MARK], "true") == 0;
	drain_filter_set(&conf->filter, value[DRAIN_MIN_SEVERITY], value[DRAIN_MATCH],
			 value[DRAIN_EXCLUDE]);
}

/* Errors name keys as the request wrote them. */
static void
respell(struct reading *r)
{
	for (size_t i = 0; i < r->errors->n; i++) {
		enum drain_key key = drain_key_find(r->errors->at[i].key);

		if (key != DRAIN_KEYS && r->spelled[key] != NULL)
			r->errors->at[i].key = r->spelled[key];
	}
}

bool
drain_conf_make(struct drain_conf *conf, const struct drain_type *type,
		const struct drain_input *in, size_t n, struct drain_errors *errors)
{
	struct reading r = {.conf = conf, .errors = errors};

	*conf = (struct drain_conf){.type = type, .resend_bytes = -1};
	errors->n = 0;
	for (size_t i = 0; i < n; i++)
		read_member(&r, &in[i]);
	apply_host_protocol(&r);
	require(&r);
	choose_format(&r);
	check_client_cert(&r);
	if (errors->n == 0) {
		fill_common(conf);
		type->finish(conf, errors);
	}
	if (errors->n == 0)
		return true;
	respell(&r);
	drain_conf_free(conf);
	return false;
}

void
drain_conf_free(struct drain_conf *conf)
{
	for (int k = 0; k < DRAIN_KEYS; k++)
		free(conf->value[k]);
	free(conf->url);
	free(conf->redacted);
	free(conf->host);
	free(conf->target);
	*conf = (struct drain_conf){0};
}
