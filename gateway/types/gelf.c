/*
 * gelf -- Graylog's GELF 1.1 over TCP or TLS: JSON, each message ended by a NUL.
 *
 * go2docs.graylog.org, "GELF Format": payload specification, GELF via TCP.
 * Over UDP messages would have to be cut into chunks: not here.
 */
#include "types/drain_doc.h"
#include "types/drain_lines.h"
#include "types/drain_pem.h"
#include "types/drain_url.h"
#include "wire/json_out.h"
#include "wire/parse.h"
#include "wire/sd.h"
#include "wire/timestamp.h"

enum {
	GELF_PORT = 12201,
	GELF_ENTRY = 1000000, /* a message may stand in it twice; the input takes 2 MiB */
};

static void
finish(struct drain_conf *conf, struct drain_errors *errors)
{
	const char *protocol = conf->value[DRAIN_PROTOCOL];
	struct drain_url url = {0};

	conf->transport = DRAIN_TCP;
	conf->framing = DRAIN_FRAMING_NUL;
	if (conf->port == 0)
		conf->port = GELF_PORT;
	if (protocol != NULL && strcmp(protocol, "tcp") == 0)
		protocol = NULL;
	if (protocol != NULL && strcmp(protocol, "tls") == 0)
		conf->transport = DRAIN_TLS;
	else if (protocol != NULL)
		drain_error(errors, drain_key_name(DRAIN_PROTOCOL), "must be tcp or tls");
	if (conf->transport != DRAIN_TLS)
		drain_pem_refuse(conf, errors, "needs protocol=tls");
	drain_url_add(&url, "gelf://");
	drain_url_add_address(&url, conf);
	drain_url_add_option(&url, "protocol", protocol);
	drain_url_add_options(&url, conf);
	drain_url_finish(&url, conf);
}

static bool
is_blank(struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] > ' ')
			return false;
	return true;
}

/* The first line that says something; Graylog refuses a message without one. */
static struct slice
summary_of(struct slice message)
{
	while (message.n > 0) {
		const char *lf = memchr(message.p, '\n', message.n);
		size_t n = lf != NULL ? (size_t)(lf - message.p) : message.n;
		struct slice line = slice_of(message.p, n);

		if (!is_blank(line)) {
			if (line.p[line.n - 1] == '\r')
				line.n--;
			return line;
		}
		message = slice_skip(message, n + (lf != NULL));
	}
	return SLICE("(empty)");
}

/* Seconds since 1970 with decimals. */
static void
add_time(struct buf *out, struct slice stamp)
{
	int64_t us;
	uint64_t size;

	if (!timestamp_parse(stamp, &us))
		return;
	size = us < 0 ? 0 - (uint64_t)us : (uint64_t)us;
	json_out_key(out, "timestamp");
	buf_addf(out, "%s%llu.%06llu", us < 0 ? "-" : "", (unsigned long long)(size / 1000000),
		 (unsigned long long)(size % 1000000));
}

/* A field's name may have letters, digits, '_', '.' and '-'. */
static void
add_name(struct buf *key, struct slice name)
{
	char *to = buf_reserve(key, name.n);

	for (size_t i = 0; i < name.n; i++) {
		char c = name.p[i];
		bool fine = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
			    (c >= '0' && c <= '9') || c == '.' || c == '-';

		to[i] = fine ? c : '_';
	}
	key->n += name.n;
}

/* _sd_ID_NAME and a NUL; of an element without parameters _sd_ID */
static void
add_key(struct buf *keys, const struct sd_param *param)
{
	buf_add_str(keys, "_sd_");
	add_name(keys, param->id);
	if (param->name.n > 0)
		buf_add_char(keys, '_');
	add_name(keys, param->name);
	buf_add_char(keys, '\0');
}

/*
 * A field is text or a number, so values of one name stand behind each other.
 * Different names may become the same key; seen: it is there already.
 */
static void
add_param(struct buf *out, const struct drain_param *list, const char *const *keys, int n, int i,
	  bool *seen)
{
	struct buf value = {0};

	sd_unescape(list[i].sd.value, &value);
	for (int k = i + 1; k < n; k++) {
		if (strcmp(keys[k], keys[i]) != 0)
			continue;
		seen[k] = true;
		buf_add_str(&value, ", ");
		sd_unescape(list[k].sd.value, &value);
	}
	json_out_member(out, keys[i], buf_slice(&value));
	buf_free(&value);
}

static void
add_sd(struct buf *out, const struct drain_doc *doc)
{
	struct drain_param list[DRAIN_DOC_PARAMS];
	const char *keys[DRAIN_DOC_PARAMS], *key;
	bool seen[DRAIN_DOC_PARAMS] = {false};
	int n = drain_doc_params(doc, list);
	struct buf text = {0};

	if (n < 0)
		json_out_member(out, "_sd_text", doc->line->sd);
	/* Once each: a name may be nearly as long as the line. */
	for (int i = 0; i < n; i++)
		add_key(&text, &list[i].sd);
	key = text.p;
	for (int i = 0; i < n; i++) {
		keys[i] = key;
		key += strlen(key) + 1;
	}
	for (int i = 0; i < n; i++)
		if (!seen[i])
			add_param(out, list, keys, n, i, seen);
	buf_free(&text);
}

static void
write_message(const struct drain_doc *doc, struct buf *out)
{
	const struct line *line = doc->line;
	struct slice summary = summary_of(doc->message);

	buf_add_char(out, '{');
	json_out_member(out, "version", SLICE("1.1"));
	/* It must be there: "-" if nobody knows. */
	json_out_member(out, "host", drain_doc_field(line->hostname));
	json_out_member(out, "short_message", summary);
	if (doc->message.n > 0 && summary.n != doc->message.n)
		json_out_member(out, "full_message", doc->message);
	add_time(out, line->timestamp);
	json_out_number(out, "level", line_severity(line));
	drain_doc_member(out, "_app", line->app_name);
	drain_doc_member(out, "_procid", line->procid);
	drain_doc_member(out, "_msgid", line->msgid);
	json_out_member(out, "_facility", drain_facility_word(line));
	add_sd(out, doc);
	drain_doc_cut(out, "_cut", doc);
	if (line->marked) {
		json_out_number(out, "_penstock_log", (int64_t)line->mark.log);
		json_out_number(out, "_penstock_start", (int64_t)line->mark.start);
		json_out_number(out, "_penstock_seq", (int64_t)line->mark.seq);
	}
	buf_add_char(out, '}');
}

static unsigned
encode(const struct drain_conf *conf, struct slice frame, struct buf *out)
{
	struct line line;
	unsigned flags;

	parse_stored(frame, &line);
	flags = drain_doc_add(write_message, conf, NULL, &line, GELF_ENTRY, out);
	buf_add_char(out, '\0');
	return flags;
}

const struct drain_type drain_type_gelf = {
    .name = "gelf",
    .need =
	{
	    [DRAIN_HOST] = DRAIN_REQUIRED,
	    [DRAIN_PORT] = DRAIN_OPTIONAL,
	    [DRAIN_PROTOCOL] = DRAIN_OPTIONAL,
	    DRAIN_STREAM_OPTIONS,
	},
    .finish = finish,
    .encode = encode,
    .verbatim = drain_never_verbatim,
};
