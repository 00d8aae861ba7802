#include "wire/json_line.h"

#include <string.h>
#include <strings.h>

#include "base/name.h"
#include "wire/json_in.h"
#include "wire/priority.h"
#include "wire/stamp_3164.h"
#include "wire/timestamp.h"

/* RFC 5424, section 6. */
enum { HOSTNAME_MAX = 255, PROCID_MAX = 128 };
enum { STAMP_TEXT_MAX = 64 };

/* A document on its way. */
struct document {
	const struct parse_env *env;
	struct line *line;
};

static bool
is_text(struct slice value)
{
	return value.p[0] == '"';
}

static bool
is_number(struct slice value)
{
	return value.p[0] == '-' || (value.p[0] >= '0' && value.p[0] <= '9');
}

/* A string's characters, a number as it stands; p NULL for all else. */
static struct slice
text_of(const struct document *d, struct slice value)
{
	struct buf *scratch = d->env->scratch;
	size_t from = scratch->n;

	if (is_number(value))
		return value;
	if (!is_text(value))
		return slice_of(NULL, 0);
	json_in_string(value, scratch);
	return slice_of(scratch->p + from, scratch->n - from);
}

static bool
take_message(struct document *d, struct slice value)
{
	if (!is_text(value))
		return false;
	d->line->msg = text_of(d, value);
	return true;
}

static const struct {
	const char *word;
	unsigned severity;
} severity_words[] = {
    {"emerg", 0},    {"emergency", 0}, {"panic", 0}, {"alert", 1},	 {"crit", 2},
    {"critical", 2}, {"fatal", 2},     {"err", 3},   {"error", 3},	 {"warn", 4},
    {"warning", 4},  {"notice", 5},    {"info", 6},  {"information", 6}, {"informational", 6},
    {"ok", 6},	     {"debug", 7},     {"trace", 7}, {"verbose", 7},
};

static bool
take_severity_word(struct document *d, struct slice value)
{
	struct slice word;

	if (!is_text(value))
		return false;
	word = text_of(d, value);
	for (size_t i = 0; i < sizeof(severity_words) / sizeof(severity_words[0]); i++)
		if (word.n == strlen(severity_words[i].word) &&
		    strncasecmp(word.p, severity_words[i].word, word.n) == 0) {
			d->line->pri = PRIORITY_USER + severity_words[i].severity;
			return true;
		}
	return false;
}

/* A word, syslog's 0 to 7, or the tens of bunyan and pino from 10 (trace) to 60 (fatal). */
static bool
take_severity(struct document *d, struct slice value)
{
	static const char tens[] = {7, 7, 6, 4, 3, 2};
	struct slice text;

	if (take_severity_word(d, value))
		return true;
	text = text_of(d, value);
	if (text.n == 1 && text.p[0] >= '0' && text.p[0] <= '7')
		d->line->pri = PRIORITY_USER + (unsigned)(text.p[0] - '0');
	else if (text.n == 2 && text.p[0] >= '1' && text.p[0] <= '6' && text.p[1] == '0')
		d->line->pri = PRIORITY_USER + (unsigned)tens[text.p[0] - '1'];
	else
		return false;
	return true;
}

/*
 * Time since 1970 in seconds, milliseconds, microseconds or nanoseconds, told
 * apart by how many digits it has: seconds have 9 or 10 from 1973 to 2286.
 */
static bool
epoch_scan(struct slice s, int64_t *wall_us)
{
	uint64_t value = 0, part = 0, scale;
	size_t n = 0, i;

	for (; n < s.n && n < 19 && s.p[n] >= '0' && s.p[n] <= '9'; n++)
		value = value * 10 + (uint64_t)(s.p[n] - '0');
	if (n < 9 || (n - 9) % 3 == 2)
		return false;
	scale = n <= 10 ? 1000000 : n <= 13 ? 1000 : 1;
	if (n >= 18)
		value /= 1000;
	value *= scale;
	if (n == s.n) {
		*wall_us = (int64_t)value;
		return true;
	}
	if (s.p[n] != '.' || n + 1 == s.n)
		return false;
	for (i = n + 1; i < s.n && s.p[i] >= '0' && s.p[i] <= '9'; i++) {
		scale /= 10;
		part += scale * (uint64_t)(s.p[i] - '0');
	}
	*wall_us = (int64_t)(value + part);
	return i == s.n;
}

static bool
take_stamp(struct document *d, struct slice value)
{
	struct slice text = text_of(d, value);
	int64_t us;

	if (text.n == 0 || text.n > STAMP_TEXT_MAX)
		return false;
	if (is_text(value) && timestamp_valid(text)) {
		d->line->timestamp = text;
		return true;
	}
	if (!epoch_scan(text, &us) && (!is_text(value) || stamp_scan(text, d->env, &us) != text.n))
		return false;
	d->line->timestamp = timestamp_format(us, d->line->stamp);
	return true;
}

static bool
take_hostname(struct document *d, struct slice value)
{
	struct slice text = is_text(value) ? text_of(d, value) : slice_of(NULL, 0);

	if (!name_printable(text, HOSTNAME_MAX))
		return false;
	if (!d->env->hostname_always && !slice_is(text, "-"))
		d->line->hostname = text;
	return true;
}

static bool
take_procid(struct document *d, struct slice value)
{
	struct slice text = text_of(d, value);

	if (!name_printable(text, PROCID_MAX))
		return false;
	d->line->procid = text;
	return true;
}

enum place { PLACE_MSG, PLACE_SEVERITY, PLACE_STAMP, PLACE_HOSTNAME, PLACE_PROCID };

/* status: only words, since numbers are those of HTTP, of processes, of anything. */
static const struct member {
	const char *name;
	enum place place;
	bool (*take)(struct document *, struct slice value);
} members[] = {
    {"message", PLACE_MSG, take_message},
    {"msg", PLACE_MSG, take_message},
    {"log", PLACE_MSG, take_message},
    {"severity", PLACE_SEVERITY, take_severity},
    {"level", PLACE_SEVERITY, take_severity},
    {"status", PLACE_SEVERITY, take_severity_word},
    {"timestamp", PLACE_STAMP, take_stamp},
    {"@timestamp", PLACE_STAMP, take_stamp},
    {"time", PLACE_STAMP, take_stamp},
    {"date", PLACE_STAMP, take_stamp},
    {"hostname", PLACE_HOSTNAME, take_hostname},
    {"host", PLACE_HOSTNAME, take_hostname},
    {"procid", PLACE_PROCID, take_procid},
    {"proc", PLACE_PROCID, take_procid},
    {"pid", PLACE_PROCID, take_procid},
};

static const struct member *
member_find(struct slice key)
{
	struct slice name = slice_of(key.p + 1, key.n - 2);

	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++)
		if (slice_is(name, members[i].name))
			return &members[i];
	return NULL;
}

/* false: some member found no place, or none is the message. */
static bool
take_members(struct document *d, struct slice object)
{
	struct slice key, value;
	unsigned taken = 0;
	bool all = true;

	while (json_in_member(&object, &key, &value)) {
		const struct member *m = member_find(key);

		if (m != NULL && slice_is(value, "null"))
			continue;
		if (m == NULL || (taken & 1U << m->place) || !m->take(d, value))
			all = false;
		else
			taken |= 1U << m->place;
	}
	return all && (taken & 1U << PLACE_MSG);
}

/* In one line: JSON has line ends between its tokens only. */
static struct slice
whole(struct slice document, struct buf *scratch)
{
	size_t from = scratch->n;

	if (memchr(document.p, '\n', document.n) == NULL &&
	    memchr(document.p, '\r', document.n) == NULL)
		return document;
	json_in_compact(document, scratch);
	return slice_of(scratch->p + from, scratch->n - from);
}

void
json_line(struct slice document, struct slice app, const struct parse_env *env, struct line *out)
{
	struct document d = {env, out};

	/* At once, so that what points into it stays: all that is decoded is shorter than it came,
	 * and the whole of it may follow. */
	env->scratch->n = 0;
	buf_reserve(env->scratch, 3 * document.n);
	*out = (struct line){.pri = PRIORITY_INFO,
			     .timestamp = env->now_text,
			     .hostname = env->hostname,
			     .app_name = app,
			     .procid = SLICE("-"),
			     .msgid = SLICE("-"),
			     .sd = SLICE("-"),
			     .frame = document};
	if (document.p[0] == '{') {
		if (!take_members(&d, document))
			out->msg = whole(document, env->scratch);
	} else if (is_text(document)) {
		out->msg = text_of(&d, document);
	} else {
		out->msg = whole(document, env->scratch);
	}
}
