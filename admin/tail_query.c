#include "admin/tail_query.h"

#include <stdio.h>
#include <strings.h>

#include "admin/query.h"
#include "admin/reply.h"
#include "base/percent.h"
#include "types/drain_type.h"

/* Patterns as they are gathered: the text they lie in still moves. */
struct patterns {
	size_t at[DRAIN_PATTERNS_MAX], n[DRAIN_PATTERNS_MAX];
	size_t count;
};

struct gathering {
	struct tail_query *out;
	struct buf text;
	struct patterns match, exclude;
	json_t *errors;
};

static const char *const format_names[] = {
    [TAIL_TEXT] = "text", [TAIL_SSE] = "sse", [TAIL_RFC5424] = "rfc5424"};

static const char *const severity_names[] = {"emerg",	"alert",  "crit", "err",
					     "warning", "notice", "info", "debug"};

/* The word's place in the list; n: it is not there. */
static size_t
find_word(struct slice word, const char *const words[], size_t n)
{
	size_t i = 0;

	while (i < n && !slice_is(word, words[i]))
		i++;
	return i;
}

static void
take_format(struct gathering *g, struct slice value)
{
	size_t i = find_word(value, format_names, TAIL_FORMATS);

	if (i < TAIL_FORMATS)
		g->out->format = (enum tail_format)i;
	else
		errors_add(g->errors, "format", "must be text, sse or rfc5424");
}

static void
take_severity(struct gathering *g, struct slice value)
{
	size_t i = find_word(value, severity_names, 8);
	char text[128];

	if (i < 8) {
		g->out->filter.lines.severity = (unsigned)i;
		return;
	}
	snprintf(text, sizeof(text), "must be %s", drain_key_text(DRAIN_MIN_SEVERITY));
	errors_add(g->errors, drain_key_name(DRAIN_MIN_SEVERITY), text);
}

/* The value is what was added to the text from `at` on. */
static void
take_pattern(struct gathering *g, struct patterns *to, const char *key, size_t at)
{
	size_t n = g->text.n - at;

	if (n > DRAIN_PATTERN_BYTES) {
		errors_add(g->errors, key, "must be up to 256 bytes");
	} else if (to->count == DRAIN_PATTERNS_MAX) {
		errors_add(g->errors, key, "may be given 16 times at most");
	} else {
		to->at[to->count] = at;
		to->n[to->count++] = n;
	}
}

static void
take_value(struct gathering *g, struct slice name, size_t at)
{
	struct slice value = slice_of(g->text.p + at, g->text.n - at);

	if (slice_is(name, "format"))
		take_format(g, value);
	else if (slice_is(name, "min_severity"))
		take_severity(g, value);
	else if (slice_is(name, "match"))
		take_pattern(g, &g->match, "match", at);
	else
		take_pattern(g, &g->exclude, "exclude", at);
}

static void
add_named_error(json_t *errors, struct slice name, const char *text)
{
	struct buf key = {0};

	buf_add_slice(&key, name);
	errors_add(errors, buf_cstr(&key), text);
	buf_free(&key);
}

static void
take_parameter(struct gathering *g, struct slice name, struct slice raw)
{
	size_t at = g->text.n;

	if (!slice_is(name, "format") && !slice_is(name, "min_severity") &&
	    !slice_is(name, "match") && !slice_is(name, "exclude"))
		add_named_error(g->errors, name,
				"is not a parameter of a tail; it takes format, min_severity, "
				"match and exclude");
	else if (!percent_decode(raw, PERCENT_PLUS_IS_SPACE, &g->text))
		add_named_error(g->errors, name, "has a '%' without two hex digits behind it");
	else if (g->text.n > at)
		take_value(g, name, at);
}

static size_t
place_patterns(const struct patterns *from, const char *text, struct slice *to)
{
	for (size_t i = 0; i < from->count; i++)
		to[i] = slice_of(text + from->at[i], from->n[i]);
	return from->count;
}

/* Whether a browser's EventSource asks, or somebody like it. */
static bool
accepts_events(struct slice accept)
{
	static const char type[] = "text/event-stream";

	for (; accept.n >= sizeof(type) - 1; accept = slice_skip(accept, 1))
		if (strncasecmp(accept.p, type, sizeof(type) - 1) == 0)
			return true;
	return false;
}

json_t *
tail_query_parse(struct slice query, struct slice accept, struct tail_query *out)
{
	struct gathering g = {.out = out, .errors = json_object()};
	struct drain_filter *lines = &out->filter.lines;
	struct slice name, value;

	*out = (struct tail_query){.format = accepts_events(accept) ? TAIL_SSE : TAIL_TEXT};
	lines->severity = 7;
	while (query_each(&query, &name, &value))
		take_parameter(&g, name, value);
	if (json_object_size(g.errors) > 0) {
		buf_free(&g.text);
		*out = (struct tail_query){.format = TAIL_TEXT};
		return g.errors;
	}
	json_decref(g.errors);
	out->filter.text = g.text.p;
	lines->nmatch = place_patterns(&g.match, g.text.p, lines->match);
	lines->nexclude = place_patterns(&g.exclude, g.text.p, lines->exclude);
	return NULL;
}
