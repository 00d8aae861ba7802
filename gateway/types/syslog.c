/*
 * syslog -- any receiver of RFC 5424 or RFC 3164 over TCP, TLS (RFC 5425) or
 * UDP (RFC 5426).
 */
#include "types/drain_lines.h"
#include "types/drain_pem.h"
#include "types/drain_type.h"
#include "types/drain_url.h"
#include "wire/escape.h"
#include "wire/format_3164.h"
#include "wire/parse.h"

enum {
	SYSLOG_TLS_PORT = 6514,	 /* RFC 5425, section 4.1 */
	SYSLOG_DATAGRAM = 65507, /* what UDP carries over IPv4: 65535 - 20 - 8 */
};

enum { SYSLOG_5424, SYSLOG_3164 };

static const char *const formats[] = {"rfc5424", "rfc3164", NULL};

static enum drain_transport
usual_transport(const struct drain_conf *conf)
{
	/* A token is a secret: it is sent in the clear only when told to. */
	if (conf->port == SYSLOG_TLS_PORT || conf->value[DRAIN_TOKEN] != NULL)
		return DRAIN_TLS;
	return DRAIN_TCP;
}

static enum drain_transport
transport_named(const char *protocol)
{
	if (strcmp(protocol, "udp") == 0)
		return DRAIN_UDP;
	return strcmp(protocol, "tls") == 0 ? DRAIN_TLS : DRAIN_TCP;
}

static enum drain_framing
framing_named(const char *framing)
{
	if (strcmp(framing, "lf") == 0)
		return DRAIN_FRAMING_LF;
	return strcmp(framing, "nul") == 0 ? DRAIN_FRAMING_NUL : DRAIN_FRAMING_OCTET;
}

static void
choose_framing(struct drain_conf *conf, struct drain_errors *errors)
{
	const char *framing = conf->value[DRAIN_FRAMING];

	if (conf->transport != DRAIN_UDP) {
		if (framing != NULL)
			conf->framing = framing_named(framing);
		else if (conf->transport == DRAIN_TLS)
			conf->framing = DRAIN_FRAMING_OCTET;
		else
			conf->framing = DRAIN_FRAMING_DEFAULT;
		return;
	}
	conf->framing = DRAIN_FRAMING_NONE;
	if (framing != NULL)
		drain_error(errors, drain_key_name(DRAIN_FRAMING),
			    "does not apply to udp: a datagram is a frame");
	if (conf->value[DRAIN_RESEND_BYTES] != NULL)
		drain_error(errors, drain_key_name(DRAIN_RESEND_BYTES),
			    "does not apply to udp: nothing is sent again");
}

static void
finish(struct drain_conf *conf, struct drain_errors *errors)
{
	const char *protocol = conf->value[DRAIN_PROTOCOL];
	const char *framing = conf->value[DRAIN_FRAMING];
	struct drain_url url = {0};

	conf->transport = usual_transport(conf);
	if (protocol != NULL)
		conf->transport = transport_named(protocol);
	choose_framing(conf, errors);
	if (conf->transport != DRAIN_TLS)
		drain_pem_refuse(conf, errors, "needs protocol=tls");
	if (conf->mark && conf->format == SYSLOG_3164)
		drain_error(errors, drain_key_name(DRAIN_MARK),
			    "needs format=rfc5424: RFC 3164 has no structured data to put it into");

	/*
	 * What goes without saying stays out of the URL.  Over TCP the framing
	 * does not: its default is the operator's choice and may change.
	 */
	if (conf->transport == usual_transport(conf))
		protocol = NULL;
	if (conf->transport == DRAIN_TLS && conf->framing == DRAIN_FRAMING_OCTET)
		framing = NULL;

	drain_url_add(&url, "syslog://");
	if (conf->value[DRAIN_TOKEN] != NULL) {
		drain_url_add(&url, ":");
		drain_url_add_secret(&url, conf->value[DRAIN_TOKEN]);
		drain_url_add(&url, "@");
	}
	drain_url_add_address(&url, conf);
	drain_url_add_option(&url, "protocol", protocol);
	drain_url_add_option(&url, "framing", framing);
	drain_url_add_options(&url, conf);
	drain_url_finish(&url, conf);
}

static void
add_token(const char *token, struct buf *out)
{
	if (token == NULL)
		return;
	buf_add_str(out, token);
	buf_add_char(out, ' ');
}

/* What is sent of a line, in two parts: a head that was written for it, and bytes of its frame. */
struct text {
	struct slice head, tail;
	char room[FORMAT_3164_HEADER];
};

static void
text_of(const struct drain_conf *conf, struct slice frame, struct text *t)
{
	struct line line;

	t->head = SLICE("");
	t->tail = frame;
	if (conf->format == SYSLOG_3164 && parse_canonical(frame, &line)) {
		t->head = format_3164_header(&line, t->room);
		t->tail = format_3164_message(&line);
	}
}

static void
add_counted(const char *token, const struct text *t, struct buf *out)
{
	size_t size = t->head.n + t->tail.n + (token != NULL ? strlen(token) + 1 : 0);

	buf_addf(out, "%zu ", size);
	add_token(token, out);
	buf_add_slice(out, t->head);
	buf_add_slice(out, t->tail);
}

static unsigned
add_datagram(const struct drain_conf *conf, struct slice frame, const struct text *t,
	     struct buf *out)
{
	size_t start = out->n, room;
	struct line line;

	add_token(conf->value[DRAIN_TOKEN], out);
	room = SYSLOG_DATAGRAM - (out->n - start);
	if (t->head.n + t->tail.n > room && conf->format == SYSLOG_5424 &&
	    parse_canonical(frame, &line) && drain_add_cut(&line, false, room, out))
		return DRAIN_ENTRY_CUT;
	buf_add_slice(out, t->head);
	buf_add_slice(out, t->tail);
	return drain_cut(out, start, SYSLOG_DATAGRAM);
}

static unsigned
encode(const struct drain_conf *conf, struct slice frame, struct buf *out)
{
	const char *token = conf->value[DRAIN_TOKEN];
	struct text text;

	text_of(conf, frame, &text);
	switch (conf->framing) {
	case DRAIN_FRAMING_OCTET:
		add_counted(token, &text, out);
		break;
	case DRAIN_FRAMING_NONE:
		return add_datagram(conf, frame, &text, out);
	case DRAIN_FRAMING_NUL:
	case DRAIN_FRAMING_LF:
	case DRAIN_FRAMING_DEFAULT:
		add_token(token, out);
		buf_add_slice(out, text.head);
		escape_controls(text.tail, out);
		buf_add_char(out, conf->framing == DRAIN_FRAMING_NUL ? '\0' : '\n');
		break;
	}
	return 0;
}

static bool
verbatim(const struct drain_conf *conf)
{
	return conf->framing == DRAIN_FRAMING_OCTET && conf->value[DRAIN_TOKEN] == NULL &&
	       conf->format == SYSLOG_5424 && !conf->mark;
}

const struct drain_type drain_type_syslog = {
    .name = "syslog",
    .need =
	{
	    [DRAIN_TOKEN] = DRAIN_OPTIONAL,
	    [DRAIN_HOST] = DRAIN_REQUIRED,
	    [DRAIN_PORT] = DRAIN_REQUIRED,
	    [DRAIN_PROTOCOL] = DRAIN_OPTIONAL,
	    [DRAIN_FRAMING] = DRAIN_OPTIONAL,
	    [DRAIN_FORMAT] = DRAIN_OPTIONAL,
	    DRAIN_STREAM_OPTIONS,
	},
    .formats = formats,
    .finish = finish,
    .encode = encode,
    .verbatim = verbatim,
};
