#include "wire/body.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "wire/json_in.h"
#include "wire/json_line.h"
#include "wire/priority.h"

/* Of a count; a longer one is none (frame.c). */
enum { COUNT_DIGITS = 7 };

static const struct {
	const char *type;
	enum body_kind kind;
} types[] = {
    {"application/x-ndjson", BODY_NDJSON}, {"application/ndjson", BODY_NDJSON},
    {"application/jsonl", BODY_NDJSON},	   {"application/x-jsonlines", BODY_NDJSON},
    {"application/json", BODY_JSON},	   {"application/logplex-1", BODY_LOGPLEX},
};

bool
body_kind_of(struct slice content_type, enum body_kind *kind)
{
	static const struct slice text = SLICE_INIT("text/");
	struct slice type = content_type;
	const char *end = type.n > 0 ? memchr(type.p, ';', type.n) : NULL;

	if (end != NULL)
		type.n = (size_t)(end - type.p);
	while (type.n > 0 && (type.p[type.n - 1] == ' ' || type.p[type.n - 1] == '\t'))
		type.n--;
	*kind = BODY_TEXT;
	if (type.n == 0 || (type.n > text.n && strncasecmp(type.p, text.p, text.n) == 0))
		return true;
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (type.n == strlen(types[i].type) &&
		    strncasecmp(type.p, types[i].type, type.n) == 0) {
			*kind = types[i].kind;
			return true;
		}
	return false;
}

void
body_init(struct body *b, enum body_kind kind, struct slice bytes)
{
	*b = (struct body){.kind = kind, .rest = bytes};
}

static enum body_result __attribute__((format(printf, 3, 4)))
body_fault(struct body *b, enum body_result result, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(b->fault, sizeof(b->fault), fmt, ap);
	va_end(ap);
	return result;
}

/* Cuts what is not kept off; returns its bytes. */
static uint64_t
cut_off(struct slice *s, size_t max_line)
{
	uint64_t over = s->n > max_line ? s->n - max_line : 0;

	s->n -= over;
	return over;
}

/* Up to LF or CRLF, which is taken off *rest too. */
static struct slice
take_row(struct slice *rest)
{
	const char *end = memchr(rest->p, '\n', rest->n);
	struct slice row = slice_of(rest->p, end != NULL ? (size_t)(end - rest->p) : rest->n);

	*rest = slice_skip(*rest, row.n + (end != NULL));
	if (end != NULL && row.n > 0 && row.p[row.n - 1] == '\r')
		row.n--;
	return row;
}

static enum body_result
next_text(struct body *b, const struct body_env *env, struct line *out)
{
	struct slice row = {NULL, 0};
	uint64_t over;

	while (row.n == 0) {
		if (b->rest.n == 0)
			return BODY_END;
		row = take_row(&b->rest);
	}
	b->count++;
	over = cut_off(&row, env->max_line);
	if (row.p[0] == '<' && parse_line_5424(row, over, &env->parse, out))
		return BODY_LINE;
	*out = (struct line){.pri = PRIORITY_INFO,
			     .timestamp = env->parse.now_text,
			     .hostname = env->parse.hostname,
			     .app_name = env->app,
			     .procid = SLICE("-"),
			     .msgid = SLICE("-"),
			     .sd = SLICE("-"),
			     .msg = row,
			     .cut = over,
			     .frame = row};
	return BODY_LINE;
}

/* The rest is behind its first n bytes. */
static void
json_skip(struct body *b, size_t n)
{
	const char *p = b->rest.p, *end = p + n;

	while (p < end && (p = memchr(p, '\n', (size_t)(end - p))) != NULL) {
		b->row++;
		p++;
	}
	b->rest = slice_skip(b->rest, n);
}

static enum body_result
json_fault(struct body *b, const struct json_fault *fault)
{
	return body_fault(b, BODY_BAD,
			  "document %zu, in line %zu: not JSON: %s, %zu bytes from where it begins",
			  b->count + 1, b->row + 1, fault->what, fault->at);
}

/* Up to where a document begins; BODY_LINE: there is one. */
static enum body_result
json_find(struct body *b)
{
	struct json_fault fault = {"no comma and no ] behind an element", 0};

	for (;;) {
		json_skip(b, json_in_space(b->rest));
		if (b->rest.n == 0)
			return b->in_array ? body_fault(b, BODY_BAD,
							"the array of documents does not end; send "
							"all of it, with its ]")
					   : BODY_END;
		if (!b->in_array) {
			if (b->kind != BODY_JSON || b->rest.p[0] != '[')
				return BODY_LINE;
			b->in_array = true;
			json_skip(b, 1);
			json_skip(b, json_in_space(b->rest));
			if (b->rest.n == 0 || b->rest.p[0] != ']')
				return BODY_LINE;
		}
		if (b->rest.p[0] == ']') {
			b->in_array = false;
			json_skip(b, 1);
		} else if (b->rest.p[0] == ',') {
			json_skip(b, 1);
			json_skip(b, json_in_space(b->rest));
			return BODY_LINE;
		} else {
			return json_fault(b, &fault);
		}
	}
}

static enum body_result
next_json(struct body *b, const struct body_env *env, struct line *out)
{
	enum body_result found = json_find(b);
	struct json_fault fault;
	struct slice look;
	size_t n;

	if (found != BODY_LINE)
		return found;
	look = b->rest;
	if (look.n > BODY_DOCUMENT_BYTES + 1)
		look.n = BODY_DOCUMENT_BYTES + 1;
	n = json_in_value(look, &fault);
	if (n > BODY_DOCUMENT_BYTES || (n == 0 && look.n < b->rest.n && fault.at == look.n))
		return body_fault(b, BODY_BIG,
				  "document %zu, in line %zu, is over %d bytes; send shorter ones",
				  b->count + 1, b->row + 1, (int)BODY_DOCUMENT_BYTES);
	if (n == 0)
		return json_fault(b, &fault);
	b->count++;
	json_line(slice_of(b->rest.p, n), env->app, &env->parse, out);
	out->cut = cut_off(&out->msg, env->max_line);
	json_skip(b, n);
	return BODY_LINE;
}

/* RFC 6587, section 3.4.1: MSG-LEN SP.  0: there is none. */
static size_t
count_scan(struct slice s, size_t *count)
{
	size_t n = 0;

	*count = 0;
	if (s.p[0] == '0')
		return 0;
	for (; n < s.n && n < COUNT_DIGITS && s.p[n] >= '0' && s.p[n] <= '9'; n++)
		*count = *count * 10 + (size_t)(s.p[n] - '0');
	return n > 0 && n < s.n && s.p[n] == ' ' ? n + 1 : 0;
}

static enum body_result
next_logplex(struct body *b, const struct body_env *env, struct line *out)
{
	struct slice frame;
	size_t count, n;
	uint64_t over;

	if (b->rest.n == 0)
		return BODY_END;
	n = count_scan(b->rest, &count);
	if (n == 0)
		return body_fault(b, BODY_BAD,
				  "frame %zu: no count; begin each with its length in bytes and a "
				  "space (RFC 6587, 3.4.1)",
				  b->count + 1);
	if (count > b->rest.n - n)
		return body_fault(b, BODY_BAD,
				  "frame %zu: %zu bytes by its count, and only %zu are left; count "
				  "bytes, not characters",
				  b->count + 1, count, b->rest.n - n);
	frame = slice_of(b->rest.p + n, count);
	if (frame.p[frame.n - 1] == '\n')
		frame.n -= frame.n > 1 && frame.p[frame.n - 2] == '\r' ? 2 : 1;
	over = cut_off(&frame, env->max_line);
	if (!parse_line_logplex(frame, over, &env->parse, out))
		return body_fault(b, BODY_BAD,
				  "frame %zu: not <PRI>1 TIMESTAMP HOSTNAME APP-NAME PROCID MSGID "
				  "MSG; send text/plain for lines of other forms",
				  b->count + 1);
	b->count++;
	b->rest = slice_skip(b->rest, n + count);
	return BODY_LINE;
}

enum body_result
body_next(struct body *b, const struct body_env *env, struct line *out)
{
	switch (b->kind) {
	case BODY_TEXT:
		return next_text(b, env, out);
	case BODY_NDJSON:
	case BODY_JSON:
		return next_json(b, env, out);
	case BODY_LOGPLEX:
		break;
	}
	return next_logplex(b, env, out);
}
