#include "admin/reply.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/xmalloc.h"
#include "wire/escape.h"
#include "wire/timestamp.h"

static int
on_json_bytes(const char *p, size_t n, void *arg)
{
	buf_add(arg, p, n);
	return 0;
}

void
reply_json(struct http_response *resp, int status, json_t *body)
{
	struct buf text = {0};

	resp->status = status;
	json_dump_callback(body, on_json_bytes, &text, JSON_COMPACT);
	json_decref(body);
	/* Lines and what receivers said may hold anything, and people look at it. */
	escape_json(buf_slice(&text), &resp->body);
	buf_free(&text);
}

void
reply_empty(struct http_response *resp)
{
	resp->status = 204;
}

void
reply_error(struct http_response *resp, int status, const char *fmt, ...)
{
	json_t *body = json_object();
	char *text = NULL;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		abort(); /* out of memory, as in xmalloc */
	va_end(ap);
	json_set_text(body, "error", text);
	free(text);
	reply_json(resp, status, body);
}

void
reply_forbidden(struct http_response *resp, const char *text)
{
	json_t *body = json_object();

	json_set_text(body, "error", text);
	json_set_text(body, "code", "forbidden");
	reply_json(resp, 403, body);
}

void
reply_not_found(struct http_response *resp, const char *resource)
{
	json_t *body = json_object();

	json_set_text(body, "resource", resource);
	json_set_text(body, "error", "not found");
	reply_json(resp, 404, body);
}

void
reply_errors(struct http_response *resp, json_t *errors)
{
	json_t *body = json_object();

	json_object_set_new(body, "errors", errors);
	reply_json(resp, 422, body);
}

void
reply_field_error(struct http_response *resp, const char *key, const char *text)
{
	json_t *errors = json_object();

	errors_add(errors, key, text);
	reply_errors(resp, errors);
}

/* The length of the UTF-8 sequence at p, as RFC 3629 has it; 0: there is none within room bytes. */
static size_t
utf8_length(const unsigned char *p, size_t room)
{
	size_t n = p[0] < 0x80 ? 1 : p[0] < 0xc2 ? 0 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;

	if (p[0] > 0xf4 || n > room)
		return 0;
	for (size_t i = 1; i < n; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	}
	if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) ||
	    (p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f))
		return 0;
	return n;
}

void
utf8_add(struct slice text, struct buf *out)
{
	while (text.n > 0) {
		size_t n = utf8_length((const unsigned char *)text.p, text.n);

		if (n > 0)
			buf_add(out, text.p, n);
		else
			buf_add_str(out, "\xef\xbf\xbd");
		text = slice_skip(text, n > 0 ? n : 1);
	}
}

static json_t *
json_bytes(struct slice bytes)
{
	struct buf clean = {0};
	json_t *string = json_stringn(bytes.n > 0 ? bytes.p : "", bytes.n);

	if (string != NULL)
		return string;
	utf8_add(bytes, &clean);
	string = json_stringn(clean.p, clean.n);
	buf_free(&clean);
	return string;
}

static json_t *
json_text(const char *text)
{
	return json_bytes(slice_str(text));
}

void
errors_add(json_t *errors, const char *key, const char *text)
{
	json_t *texts = json_object_get(errors, key);

	if (texts == NULL) {
		texts = json_array();
		json_object_set_new(errors, key, texts);
	}
	json_array_append_new(texts, json_text(text));
}

void
json_set_text(json_t *object, const char *key, const char *text)
{
	json_object_set_new(object, key, json_text(text));
}

void
json_set_bytes(json_t *object, const char *key, struct slice bytes)
{
	json_object_set_new(object, key, json_bytes(bytes));
}

void
json_set_time(json_t *object, const char *key, int64_t wall_us)
{
	char stamp[LINE_STAMP_BYTES];

	if (wall_us == 0) {
		json_object_set_new(object, key, json_null());
		return;
	}
	timestamp_format(wall_us, stamp);
	json_set_text(object, key, stamp);
}

void
json_set_u64(json_t *object, const char *key, uint64_t value)
{
	json_object_set_new(object, key, json_integer((json_int_t)(value & INT64_MAX)));
}
