/*
 * drain_type -- what a drain can be: one const table a type, one list of all.
 *
 * A type knows parameters, its URL form and how a line is encoded.  It knows
 * no sockets and no timers: golden files test it.  Adding a type adds one file
 * and one line in drain_types.c.
 */
#ifndef DRAIN_TYPE_H
#define DRAIN_TYPE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/slice.h"
#include "types/drain_filter.h"

/*
 * The keys a POST may carry; drain_keys.c has their names, checks and texts.
 * Options stand behind the receiver's own parameters and, in this order, in URLs.
 */
enum drain_key {
	DRAIN_TOKEN,
	DRAIN_HOST,
	DRAIN_PORT,
	DRAIN_REGION, /* "drain_region", also spelled "drain-region" */
	DRAIN_URL,
	DRAIN_PROTOCOL, /* the first option: "tcp", "tls", "udp" */
	DRAIN_FRAMING,	/* "octet-counting", "lf", "nul" */
	DRAIN_FORMAT,	/* one of the type's formats */
	DRAIN_MIN_SEVERITY,
	DRAIN_MATCH,   /* substrings of the message, one a line; */
	DRAIN_EXCLUDE, /* a client may send an array */
	DRAIN_RATE,
	DRAIN_GZIP, /* "true", "false" */
	DRAIN_CONCURRENCY,
	DRAIN_RESEND_BYTES,
	DRAIN_MARK,	   /* "true", "false" */
	DRAIN_CA,	   /* PEM; shown as its fingerprint */
	DRAIN_CLIENT_CERT, /* PEM; shown as its fingerprint */
	DRAIN_CLIENT_KEY,  /* PEM; never shown */
	DRAIN_KEYS,
};

enum drain_need { DRAIN_NOT_KNOWN, DRAIN_OPTIONAL, DRAIN_REQUIRED };

enum drain_transport { DRAIN_TCP, DRAIN_TLS, DRAIN_UDP, DRAIN_HTTP };

enum drain_framing {
	DRAIN_FRAMING_DEFAULT, /* octet counting over TLS; else the key syslog-framing */
	DRAIN_FRAMING_OCTET,
	DRAIN_FRAMING_LF,
	DRAIN_FRAMING_NUL,
	DRAIN_FRAMING_NONE, /* a datagram is a frame */
};

/* One drain's parameters, checked.  Owner: who made it; drain_conf_free. */
struct drain_conf {
	const struct drain_type *type;
	char *value[DRAIN_KEYS]; /* what was given, in canonical form; NULL: absent */
	char *url;		 /* canonical, the drain's key; secrets included */
	char *redacted;		 /* the same with every secret as ***: for logs */
	enum drain_transport transport;
	enum drain_framing framing;
	char *host; /* to resolve, connect to and verify; no brackets */
	uint16_t port;
	int64_t resend_bytes; /* -1: the gateway's own resend-bytes */
	bool mark;	      /* each line carries its number (wire/mark.h) */
	unsigned format;      /* index in the type's formats; 0: the first, also without any */
	struct drain_filter filter;
	uint32_t rate; /* lines a second; 0: no limit */

	/* DRAIN_HTTP only */
	char *target;	      /* the absolute URL that requests go to, without user info */
	bool gzip;	      /* the body is compressed */
	unsigned concurrency; /* requests at a time, 1 or more */
};

/* Which parameters are at fault, by the request's own key. */
struct drain_errors {
	struct {
		const char *key; /* static, or one of the request's own keys */
		char text[192];
	} at[DRAIN_KEYS * 2];
	size_t n;
};

void drain_error(struct drain_errors *, const char *key, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* One member of the request, in the request's spelling.  NULL or "" value: absent. */
struct drain_input {
	const char *key;
	const char *value;
};

/* What an encoder had to do to a line; the drain counts them. */
enum drain_entry {
	DRAIN_ENTRY_CUT =
	    1, /* over the receiver's limit, cut and marked as such if the format can */
	DRAIN_ENTRY_OLD =
	    2, /* too old for the receiver to take its time: the time went elsewhere */
};

struct drain_http;

struct drain_type {
	const char *name;
	const char *alias; /* another name for it in requests; NULL: none */
	enum drain_need need[DRAIN_KEYS];
	const char *const
	    *formats; /* what "format" may be, the default first, NULL last; NULL: none */

	/*
	 * All parameters passed their own checks; required ones are there.
	 * value, resend_bytes, mark, format, filter, rate, gzip and concurrency (as
	 * given, else 0), and host and port where given, are set; sets what is
	 * missing of transport, framing, host, port, target, url and redacted,
	 * and the defaults of gzip and concurrency; adds errors for what does
	 * not fit together.
	 */
	void (*finish)(struct drain_conf *, struct drain_errors *);

	/*
	 * Stream and datagram types: adds the bytes that deliver one line
	 * (frame: canonical RFC 5424, no count; with its mark if the conf asks for
	 * one), framing included; for
	 * DRAIN_UDP they are one datagram.  A line over the receiver's limit is
	 * cut.  conf->framing is never DRAIN_FRAMING_DEFAULT here.  Returns
	 * enum drain_entry flags.
	 */
	unsigned (*encode)(const struct drain_conf *, struct slice frame, struct buf *out);

	/* Whether chunk bytes (octet-counted frames) can go out as they are. */
	bool (*verbatim)(const struct drain_conf *);

	/* HTTP types, which have no encode and no verbatim; else NULL. */
	const struct drain_http *http;

	/*
	 * Types with an intake of the vendor's own: the configuration key for
	 * its URL and the vendor's own URL ("%s", once at most, is the site).
	 * use_endpoint makes host, port and target of another one, which
	 * has been checked as such a template.  NULL: the receiver is the user's.
	 */
	const char *endpoint_key;
	const char *endpoint;
	void (*use_endpoint)(struct drain_conf *, const char *endpoint);
};

/* By name or alias; NULL if there is no such type. */
const struct drain_type *drain_type_find(const char *name);
/* All types, ended by NULL. */
const struct drain_type *const *drain_type_all(void);

/* "token", "host", ... ; for docs and error texts. */
const char *drain_key_name(enum drain_key);
/* What its value is, for docs and error texts: completes "must be ...". */
const char *drain_key_text(enum drain_key);
/* The key a member of a request names, both spellings; DRAIN_KEYS: none. */
enum drain_key drain_key_find(const char *name);

/*
 * Checks a request's members and fills *conf.  false: errors says why, field
 * by field, and *conf is empty.  type was found; unknown keys are errors.
 * The values of a conf, handed in again, make the same conf.
 */
bool drain_conf_make(struct drain_conf *conf, const struct drain_type *type,
		     const struct drain_input *in, size_t n, struct drain_errors *errors)
    __attribute__((warn_unused_result));
void drain_conf_free(struct drain_conf *);

#endif
