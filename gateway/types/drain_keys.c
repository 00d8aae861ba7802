#include "types/drain_keys.h"

#include "base/units.h"
#include "types/drain_host.h"
#include "types/drain_pem.h"

static bool
check_token(struct slice given, struct buf *canonical, const char **fault)
{
	if (given.n > DRAIN_TOKEN_MAX) {
		*fault = "must not be longer than 1024 bytes";
		return false;
	}
	/* A receiver or a header would lose them; a paste brings them along. */
	if (given.p[0] == ' ' || given.p[given.n - 1] == ' ') {
		*fault = "must not begin or end with a space";
		return false;
	}
	for (size_t i = 0; i < given.n; i++) {
		unsigned char c = (unsigned char)given.p[i];

		/* U+0080 to U+009F are C2 80 to C2 9F. */
		bool c1 = c == 0xc2 && i + 1 < given.n && (unsigned char)given.p[i + 1] < 0xa0;

		if (c < 0x20 || c == 0x7f || c1) {
			*fault = "must not have control characters";
			return false;
		}
	}
	buf_add_slice(canonical, given);
	return true;
}

static bool
check_port(struct slice given, struct buf *canonical, const char **fault)
{
	uint16_t port;

	(void)fault;
	if (!drain_port_parse(given, &port))
		return false;
	buf_addf(canonical, "%u", (unsigned)port);
	return true;
}

/* Which regions there are is known to the type. */
static bool
check_region(struct slice given, struct buf *canonical, const char **fault)
{
	(void)fault;
	if (given.n > 64)
		return false;
	for (size_t i = 0; i < given.n; i++) {
		char c = given.p[i];

		if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9') &&
		    c != '-' && c != '.' && c != '_')
			return false;
	}
	buf_add_slice(canonical, given);
	return true;
}

/* The rest is drain_own_url.c's: it takes the URL apart anyway. */
static bool
check_url(struct slice given, struct buf *canonical, const char **fault)
{
	if (given.n > DRAIN_URL_MAX) {
		*fault = "must not be longer than 4096 bytes";
		return false;
	}
	for (size_t i = 0; i < given.n; i++) {
		if (given.p[i] <= ' ' || given.p[i] >= 0x7f) {
			*fault = "must be ASCII without spaces and control characters; "
				 "write other bytes as %XX";
			return false;
		}
	}
	buf_add_slice(canonical, given);
	return true;
}

static bool
add_if_one_of(struct slice given, const char *const *words, struct buf *canonical)
{
	for (; *words != NULL; words++) {
		if (slice_is(given, *words)) {
			buf_add_slice(canonical, given);
			return true;
		}
	}
	return false;
}

static bool
check_protocol(struct slice given, struct buf *canonical, const char **fault)
{
	static const char *const words[] = {"tcp", "tls", "udp", NULL};

	(void)fault;
	return add_if_one_of(given, words, canonical);
}

static bool
check_framing(struct slice given, struct buf *canonical, const char **fault)
{
	static const char *const words[] = {"octet-counting", "lf", "nul", NULL};

	(void)fault;
	return add_if_one_of(given, words, canonical);
}

static bool
check_resend_bytes(struct slice given, struct buf *canonical, const char **fault)
{
	char text[UNITS_TEXT_BYTES];
	const char *why;
	int64_t bytes;

	(void)fault;
	if (given.n >= sizeof(text))
		return false;
	memcpy(text, given.p, given.n);
	text[given.n] = '\0';
	if (!units_parse_size(text, &bytes, &why) || bytes > DRAIN_RESEND_MAX)
		return false;
	buf_addf(canonical, "%lld", (long long)bytes);
	return true;
}

/* Which formats there are is known to the type. */
static bool
check_format(struct slice given, struct buf *canonical, const char **fault)
{
	(void)fault;
	buf_add_slice(canonical, given);
	return true;
}

/* RFC 5424's names and numbers (table 2), and what people call them. */
static bool
check_min_severity(struct slice given, struct buf *canonical, const char **fault)
{
	static const struct {
		const char *spelling;
		unsigned severity;
	} other[] = {
	    {"emergency", 0}, {"panic", 0},	  {"critical", 2},
	    {"error", 3},     {"warn", 4},	  {"0", 0},
	    {"1", 1},	      {"2", 2},		  {"3", 3},
	    {"4", 4},	      {"5", 5},		  {"6", 6},
	    {"7", 7},	      {"information", 6}, {"informational", 6},
	};

	(void)fault;
	if (add_if_one_of(given, drain_severities, canonical))
		return true;
	for (size_t i = 0; i < sizeof(other) / sizeof(other[0]); i++) {
		if (slice_is(given, other[i].spelling)) {
			buf_add_str(canonical, drain_severities[other[i].severity]);
			return true;
		}
	}
	return false;
}

/* One text a line, each once. */
static bool
check_patterns(struct slice given, struct buf *canonical, const char **fault)
{
	struct slice pattern;

	while (drain_pattern_next(&given, &pattern)) {
		if (pattern.n == 0 || pattern.n > DRAIN_PATTERN_BYTES)
			return false;
		for (size_t i = 0; i < pattern.n; i++) {
			if ((unsigned char)pattern.p[i] < 0x20 || pattern.p[i] == 0x7f) {
				*fault = "must not have control characters";
				return false;
			}
		}
		drain_pattern_add(canonical, pattern);
		if (drain_pattern_count(buf_slice(canonical)) > DRAIN_PATTERNS_MAX)
			return false;
	}
	return true;
}

/* Digits alone, from 1 to max. */
static bool
check_count(struct slice given, uint32_t max, struct buf *canonical)
{
	uint32_t value = 0;

	for (size_t i = 0; i < given.n; i++) {
		if (given.p[i] < '0' || given.p[i] > '9')
			return false;
		value = value * 10 + (uint32_t)(given.p[i] - '0');
		if (value > max)
			return false;
	}
	buf_addf(canonical, "%u", (unsigned)value);
	return value > 0;
}

static bool
check_rate(struct slice given, struct buf *canonical, const char **fault)
{
	(void)fault;
	return check_count(given, DRAIN_RATE_MAX, canonical);
}

static bool
check_boolean(struct slice given, struct buf *canonical, const char **fault)
{
	static const char *const words[] = {"true", "false", NULL};

	(void)fault;
	return add_if_one_of(given, words, canonical);
}

static bool
check_concurrency(struct slice given, struct buf *canonical, const char **fault)
{
	(void)fault;
	return check_count(given, DRAIN_CONCURRENCY_MAX, canonical);
}

const struct drain_key_row drain_key_rows[DRAIN_KEYS] = {
    [DRAIN_TOKEN] = {"token", NULL,
		     "the key that the receiver gave you: up to 1024 bytes, no control characters",
		     check_token},
    [DRAIN_HOST] = {"host", NULL, "a host name or an IP address", drain_host_check},
    [DRAIN_PORT] = {"port", NULL, "a number from 1 to 65535", check_port},
    [DRAIN_REGION] = {"drain_region", "drain-region", "a region that the vendor has", check_region},
    [DRAIN_URL] = {"url", NULL, "an http:// or https:// URL with a host", check_url},
    [DRAIN_PROTOCOL] = {"protocol", NULL, "tcp, tls or udp", check_protocol},
    [DRAIN_FRAMING] = {"framing", NULL, "octet-counting, lf or nul", check_framing},
    [DRAIN_FORMAT] = {"format", NULL, "a format that the type has", check_format},
    [DRAIN_MIN_SEVERITY] = {"min_severity", NULL,
			    "emerg, alert, crit, err, warning, notice, info or debug",
			    check_min_severity},
    [DRAIN_MATCH] = {"match", NULL,
		     "text that a message must have, up to 256 bytes, or an array of 16 such "
		     "texts at most",
		     check_patterns},
    [DRAIN_EXCLUDE] = {"exclude", NULL,
		       "text that a message must not have, up to 256 bytes, or an array of 16 "
		       "such texts at most",
		       check_patterns},
    [DRAIN_RATE] = {"rate", NULL, "a number of lines a second from 1 to 1000000", check_rate},
    [DRAIN_GZIP] = {"gzip", NULL, "true or false", check_boolean},
    [DRAIN_CONCURRENCY] = {"concurrency", NULL, "a number from 1 to 32", check_concurrency},
    [DRAIN_RESEND_BYTES] = {"resend_bytes", NULL, "a size from 0 to 1GiB, such as 65536 or 64KiB",
			    check_resend_bytes},
    [DRAIN_MARK] = {"mark", NULL, "true or false", check_boolean},
    [DRAIN_CA] = {"ca", NULL, "PEM text with CA certificates", drain_pem_check_ca},
    [DRAIN_CLIENT_CERT] = {"client_cert", NULL, "PEM text with a certificate and its chain",
			   drain_pem_check_cert},
    [DRAIN_CLIENT_KEY] = {"client_key", NULL,
			  "PEM text with the private key of client_cert, not encrypted",
			  drain_pem_check_key},
};

const char *
drain_key_name(enum drain_key key)
{
	return drain_key_rows[key].name;
}

const char *
drain_key_text(enum drain_key key)
{
	return drain_key_rows[key].text;
}

enum drain_key
drain_key_find(const char *name)
{
	for (int key = 0; key < DRAIN_KEYS; key++) {
		const struct drain_key_row *row = &drain_key_rows[key];

		if (strcmp(name, row->name) == 0 ||
		    (row->alias != NULL && strcmp(name, row->alias) == 0))
			return (enum drain_key)key;
	}
	return DRAIN_KEYS;
}
