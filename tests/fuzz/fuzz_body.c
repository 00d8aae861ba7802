/*
 * Bodies of requests for lines: whatever comes, each line has a canonical form
 * that says the same, the body is used up or refused, and what is JSON is so for
 * jansson too.
 *
 * The input's first three bytes choose the type, max_line and the listener's
 * options; the rest is the body.
 */
#include <jansson.h>

#include "wire/body.h"
#include "wire/canonical.h"
#include "wire/json_in.h"

enum { KNOBS = 3 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* As must_be_canonical, but for a message that was decoded: it is no part of what came. */
static void
must_be_kept(const struct line *line)
{
	size_t n = line_size(line);
	char *text = malloc(n);
	struct line again;

	MUST(text != NULL);
	line_write(line, text);
	MUST(parse_canonical(slice_of(text, n), &again));
	must_be_same(line, &again);
	free(text);
}

/* What is put into {"error":"..."} as it is. */
static void
must_be_quotable(const char *text)
{
	MUST(text[0] != '\0');
	for (; *text != '\0'; text++)
		MUST(*text >= ' ' && *text < 127 && *text != '"' && *text != '\\');
}

static void
take_all(enum body_kind kind, struct slice bytes, const struct body_env *env)
{
	enum body_result result;
	struct line line;
	struct body b;
	size_t lines = 0;

	body_init(&b, kind, bytes);
	while ((result = body_next(&b, env, &line)) == BODY_LINE) {
		MUST(b.count == ++lines && lines <= bytes.n);
		MUST(b.rest.p > bytes.p && b.rest.p + b.rest.n == bytes.p + bytes.n);
		MUST(line.msg.n <= env->max_line);
		if (kind == BODY_TEXT || kind == BODY_LOGPLEX)
			must_be_canonical(line.frame, &line);
		else
			must_be_kept(&line);
		MUST(!env->parse.hostname_always || slice_eq(line.hostname, env->parse.hostname));
	}
	if (result == BODY_END)
		MUST(b.rest.n == 0);
	else
		must_be_quotable(b.fault);
	MUST(kind != BODY_TEXT || result == BODY_END);
}

/* What jansson refuses and JSON does not: what it cannot hold. */
static bool
is_limit(const json_error_t *error, struct slice text)
{
	enum json_error_code code = json_error_code(error);

	return code == json_error_invalid_utf8 || code == json_error_numeric_overflow ||
	       code == json_error_stack_overflow || code == json_error_null_byte_in_key ||
	       memmem(text.p, text.n, "\\u", 2) != NULL;
}

static void
must_agree_with_jansson(struct slice text)
{
	const size_t flags = JSON_DECODE_ANY | JSON_DISABLE_EOF_CHECK | JSON_ALLOW_NUL;
	json_error_t error;
	struct json_fault fault = {NULL, 0};
	struct buf decoded = {0};
	json_t *json;
	size_t n;

	/* It takes a NUL behind a number, and numbers and words with more behind them. */
	if (text.n == 0 || memchr("{[\"", text.p[0], 3) == NULL ||
	    memchr(text.p, '\0', text.n) != NULL)
		return;
	n = json_in_value(text, &fault);
	json = json_loadb(text.p, text.n, flags, &error);
	if (json != NULL) {
		MUST(n == (size_t)error.position || strstr(fault.what, "256") != NULL);
	} else {
		MUST(n == 0 || is_limit(&error, text));
	}
	if (json_is_string(json)) {
		json_in_string(slice_of(text.p, n), &decoded);
		MUST(slice_eq(buf_slice(&decoded),
			      slice_of(json_string_value(json), json_string_length(json))));
	}
	buf_free(&decoded);
	json_decref(json);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct buf scratch;
	struct body_env env = {.parse = {.hostname = SLICE("peer.example"),
					 .now_us = INT64_C(1768478400000000),
					 .now_text = SLICE("2026-01-15T12:00:00.000000Z"),
					 .scratch = &scratch},
			       .app = SLICE("shop")};
	struct slice bytes;

	if (size < KNOBS || size > 1 << 16)
		return 0;
	env.max_line = data[1] < 250 ? (size_t)data[1] + 1 : 1 << 16;
	env.parse.hostname_always = (data[2] & 1) != 0;
	env.parse.tz_local = (data[2] & 2) != 0;
	bytes = slice_of((const char *)data + KNOBS, size - KNOBS);
	take_all((enum body_kind)(data[0] % 4), bytes, &env);
	must_agree_with_jansson(bytes);
	return 0;
}
