#include "types/drain_doc.h"

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
	/* A message that stands in it twice may have room after all. */
	return doc.message.n < whole || doc.bare ? DRAIN_ENTRY_CUT : 0;
}

void
drain_doc_cut(struct buf *out, const char *key, const struct drain_doc *doc)
{
	if (doc->cut > 0)
		json_out_number(out, key, (int64_t)doc->cut);
}

void
drain_doc_mark(struct buf *out, const struct drain_doc *doc)
{
	const struct line_mark *mark = &doc->line->mark;

	if (!doc->line->marked)
		return;
	json_out_key(out, "penstock");
	buf_add_char(out, '{');
	json_out_number(out, "log", (int64_t)mark->log);
	json_out_number(out, "start", (int64_t)mark->start);
	json_out_number(out, "seq", (int64_t)mark->seq);
	buf_add_char(out, '}');
}

static bool
same_param(const struct sd_param *a, const struct sd_param *b)
{
	return slice_eq(a->id, b->id) && slice_eq(a->name, b->name);
}

/* Where list[i] belongs: behind the last of its name, else of its SD-ID, else where it is. */
static size_t
place_of(const struct sd_param *list, size_t i)
{
	for (size_t k = i; k > 0; k--)
		if (same_param(&list[k - 1], &list[i]))
			return k;
	for (size_t k = i; k > 0; k--)
		if (slice_eq(list[k - 1].id, list[i].id))
			return k;
	return i;
}

int
drain_doc_params(const struct drain_doc *doc, struct drain_param list[DRAIN_DOC_PARAMS])
{
	struct sd_param params[DRAIN_DOC_PARAMS];
	size_t n;

	if (doc->bare || drain_is_nil(doc->line->sd))
		return 0;
	n = sd_list(doc->line->sd, params, DRAIN_DOC_PARAMS);
	if (n > DRAIN_DOC_PARAMS)
		return -1;
	for (size_t i = 1; i < n; i++) {
		size_t place = place_of(params, i);
		struct sd_param moved = params[i];

		memmove(&params[place + 1], &params[place], (i - place) * sizeof(moved));
		params[place] = moved;
	}
	for (size_t i = 0; i < n; i++) {
		const struct sd_param *p = &params[i];

		list[i] = (struct drain_param){
		    .sd = *p,
		    .first_of_id = i == 0 || !slice_eq(p->id, p[-1].id),
		    .last_of_id = i + 1 == n || !slice_eq(p->id, p[1].id),
		    .first_of_name = i == 0 || !same_param(p, p - 1),
		    .last_of_name = i + 1 == n || !same_param(p, p + 1),
		};
	}
	return (int)n;
}

void
drain_param_value(struct buf *out, const struct drain_param *param)
{
	struct buf text = {0};

	sd_unescape(param->sd.value, &text);
	json_out_string(out, buf_slice(&text));
	buf_free(&text);
}

static void
add_key(struct buf *out, struct slice name)
{
	if (out->p[out->n - 1] != '{')
		buf_add_char(out, ',');
	json_out_string(out, name);
	buf_add_char(out, ':');
}

static void
add_param(struct buf *out, const struct drain_param *param)
{
	if (param->first_of_id) {
		add_key(out, param->sd.id);
		buf_add_char(out, '{');
	}
	if (param->sd.name.n > 0) {
		if (!param->first_of_name)
			buf_add_char(out, ',');
		else
			add_key(out, param->sd.name);
		if (param->first_of_name && !param->last_of_name)
			buf_add_char(out, '[');
		drain_param_value(out, param);
		if (param->last_of_name && !param->first_of_name)
			buf_add_char(out, ']');
	}
	if (param->last_of_id)
		buf_add_char(out, '}');
}

void
drain_doc_sd(struct buf *out, const struct drain_doc *doc)
{
	struct drain_param list[DRAIN_DOC_PARAMS];
	int n = drain_doc_params(doc, list);

	if (n < 0)
		json_out_member(out, "sd_text", doc->line->sd);
	if (n <= 0)
		return;
	json_out_key(out, "sd");
	buf_add_char(out, '{');
	for (int i = 0; i < n; i++)
		add_param(out, &list[i]);
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
