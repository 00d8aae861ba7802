#include "types/drain_doc.h"

#include <stdio.h>

#include "wire/json_out.h"
#include "wire/sd.h"

bool
drain_is_nil(struct slice field)
{
	return field.n == 1 && field.p[0] == '-';
}

struct slice
drain_doc_field(struct slice field)
{
	if (field.n > DRAIN_DOC_FIELD)
		field.n = DRAIN_DOC_FIELD;
	return field;
}

void
drain_doc_member(struct buf *out, const char *key, struct slice field)
{
	if (!drain_is_nil(field))
		json_out_member(out, key, drain_doc_field(field));
}

/* The mark says that the text is UTF-8 (RFC 5424, section 6.4), which JSON always is. */
static struct slice
message_of(const struct line *line)
{
	if (line->msg.n >= 3 && memcmp(line->msg.p, "\xef\xbb\xbf", 3) == 0)
		return slice_skip(line->msg, 3);
	return line->msg;
}

/* The size of all but the message. */
static size_t
overhead(drain_doc_write *write, struct drain_doc doc, struct buf *out)
{
	size_t start = out->n, n;

	/* No number has more digits. */
	doc.cut = INT64_MAX;
	doc.message.n = 0;
	write(&doc, out);
	n = out->n - start;
	out->n = start;
	return n;
}

unsigned
drain_doc_add(drain_doc_write *write, const struct drain_conf *conf,
	      const struct drain_batch *batch, const struct line *line, size_t limit,
	      struct buf *out)
{
	struct drain_doc doc = {line, message_of(line), line->cut, false, conf, batch};
	size_t start = out->n, whole = doc.message.n, rest;

	write(&doc, out);
	if (out->n - start <= limit)
		return 0;
	out->n = start;
	rest = overhead(write, doc, out);
	if (rest > limit) {
		doc.bare = true;
		rest = overhead(write, doc, out);
	}
	doc.message.n = json_out_fit(doc.message, limit - rest);
	doc.cut += whole - doc.message.n;
	write(&doc, out);
	return DRAIN_ENTRY_CUT;
}

void
drain_doc_cut(struct buf *out, const char *key, const struct drain_doc *doc)
{
	if (doc->cut > 0)
		json_out_number(out, key, (int64_t)doc->cut);
}

static void
add_value(struct buf *out, struct slice value)
{
	struct buf text = {0};

	sd_unescape(value, &text);
	json_out_string(out, buf_slice(&text));
	buf_free(&text);
}

static bool
same_param(const struct sd_param *a, const struct sd_param *b)
{
	return slice_eq(a->id, b->id) && slice_eq(a->name, b->name);
}

static void
add_key(struct buf *out, struct slice name)
{
	if (out->p[out->n - 1] != '{')
		buf_add_char(out, ',');
	json_out_string(out, name);
	buf_add_char(out, ':');
}

/* The parameter at list[i], with all that are called the same. */
static void
add_param(struct buf *out, const struct sd_param *list, size_t n, size_t i)
{
	size_t same = 0;

	for (size_t k = 0; k < i; k++)
		if (same_param(&list[k], &list[i]))
			return;
	for (size_t k = i; k < n; k++)
		same += same_param(&list[k], &list[i]);
	add_key(out, list[i].name);
	if (same == 1) {
		add_value(out, list[i].value);
		return;
	}
	buf_add_char(out, '[');
	for (size_t k = i; k < n; k++) {
		if (!same_param(&list[k], &list[i]))
			continue;
		if (k > i)
			buf_add_char(out, ',');
		add_value(out, list[k].value);
	}
	buf_add_char(out, ']');
}

/* Elements of one SD-ID, which should be one, are one object. */
static void
add_element(struct buf *out, const struct sd_param *list, size_t n, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (slice_eq(list[k].id, list[i].id))
			return;
	add_key(out, list[i].id);
	buf_add_char(out, '{');
	for (size_t k = i; k < n; k++)
		if (slice_eq(list[k].id, list[i].id) && list[k].name.n > 0)
			add_param(out, list, n, k);
	buf_add_char(out, '}');
}

void
drain_doc_sd(struct buf *out, const char *key, const struct drain_doc *doc)
{
	struct sd_param list[DRAIN_DOC_PARAMS];
	struct slice sd = doc->line->sd;
	size_t n;

	if (doc->bare || drain_is_nil(sd))
		return;
	n = sd_list(sd, list, DRAIN_DOC_PARAMS);
	if (n > DRAIN_DOC_PARAMS) {
		/* Finding those of one name would take too long. */
		char text_key[32];

		snprintf(text_key, sizeof(text_key), "%s_text", key);
		json_out_member(out, text_key, sd);
		return;
	}
	json_out_key(out, key);
	buf_add_char(out, '{');
	for (size_t i = 0; i < n; i++)
		add_element(out, list, n, i);
	buf_add_char(out, '}');
}

struct slice
drain_severity_word(const struct line *line)
{
	static const struct slice words[] = {
	    SLICE_INIT("emergency"), SLICE_INIT("alert"),   SLICE_INIT("critical"),
	    SLICE_INIT("error"),     SLICE_INIT("warning"), SLICE_INIT("notice"),
	    SLICE_INIT("info"),	     SLICE_INIT("debug"),
	};

	return words[line_severity(line)];
}

struct slice
drain_facility_word(const struct line *line)
{
	static const struct slice words[] = {
	    SLICE_INIT("kern"),	  SLICE_INIT("user"),	  SLICE_INIT("mail"),
	    SLICE_INIT("daemon"), SLICE_INIT("auth"),	  SLICE_INIT("syslog"),
	    SLICE_INIT("lpr"),	  SLICE_INIT("news"),	  SLICE_INIT("uucp"),
	    SLICE_INIT("cron"),	  SLICE_INIT("authpriv"), SLICE_INIT("ftp"),
	    SLICE_INIT("ntp"),	  SLICE_INIT("audit"),	  SLICE_INIT("alert"),
	    SLICE_INIT("clock"),  SLICE_INIT("local0"),	  SLICE_INIT("local1"),
	    SLICE_INIT("local2"), SLICE_INIT("local3"),	  SLICE_INIT("local4"),
	    SLICE_INIT("local5"), SLICE_INIT("local6"),	  SLICE_INIT("local7"),
	};

	return words[line_facility(line)];
}

void
drain_array_open(const struct drain_conf *conf, struct drain_batch *batch, struct buf *body)
{
	(void)conf;
	(void)batch;
	buf_add_char(body, '[');
}

void
drain_array_next(const struct drain_batch *batch, struct buf *body)
{
	if (batch->entries > 0)
		buf_add_char(body, ',');
}

void
drain_array_close(const struct drain_conf *conf, struct drain_batch *batch, struct buf *body)
{
	(void)conf;
	(void)batch;
	buf_add_char(body, ']');
}
