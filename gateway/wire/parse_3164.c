#include "wire/parse_3164.h"

#include <string.h>

#include "wire/ascii.h"
#include "wire/stamp_3164.h"
#include "wire/timestamp.h"

enum {
	TAG_MAX = 48,	  /* APP-NAME, RFC 5424, 6.2.5 */
	PROCID_MAX = 128, /* RFC 5424, 6.2.6 */
	HOST_MAX = 255,	  /* RFC 5424, 6.2.4 */
};

static bool
starts_with(struct slice s, const char *text)
{
	size_t n = strlen(text);

	return s.n >= n && memcmp(s.p, text, n) == 0;
}

static struct slice
skip_spaces(struct slice s)
{
	while (s.n > 0 && s.p[0] == ' ')
		s = slice_skip(s, 1);
	return s;
}

/* Bytes of "[PID]" at the start of s, the PID in *pid; 0 if it is not there. */
static size_t
pid_span(struct slice s, struct slice *pid)
{
	size_t i;

	if (s.n < 2 || s.p[0] != '[')
		return 0;
	for (i = 1; i < s.n && i <= PROCID_MAX + 1 && s.p[i] != ']'; i++) {
		if (!ascii_printable(s.p[i]) || s.p[i] == '[')
			return 0;
	}
	if (i == s.n || s.p[i] != ']')
		return 0;
	*pid = slice_of(s.p + 1, i - 1);
	return i + 1;
}

static bool
all_digits(struct slice s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (!ascii_is(s.p[i], ASCII_DIGIT))
			return false;
	}
	return s.n > 0;
}

/* The TAG's own characters; *letters says whether there is one that is no sign or digit. */
static size_t
tag_span(struct slice s, bool *letters)
{
	size_t i;

	*letters = false;
	for (i = 0; i < s.n && ascii_is(s.p[i], ASCII_TAG); i++)
		*letters = *letters || ascii_is(s.p[i], ASCII_LETTER);
	return i;
}

/*
 * Takes "TAG[PID]: ", "TAG: " or, where `bare`, "TAG[PID] " off the front.
 * A colon without a blank ends no TAG ("http://", "CEF:0|"): it would cost the
 * text its start.
 */
static bool
take_tag(struct slice *s, bool bare, struct line *out)
{
	struct slice pid = slice_of(NULL, 0), rest;
	bool letters;
	size_t n = tag_span(*s, &letters), bracket;

	if (n == 0 || n > TAG_MAX)
		return false;
	rest = slice_skip(*s, n);
	bracket = pid_span(rest, &pid);
	rest = slice_skip(rest, bracket);
	if (rest.n > 0 && rest.p[0] == ':') {
		rest = slice_skip(rest, 1);
		if (bracket == 0 &&
		    (!letters || (rest.n > 0 && rest.p[0] != ' ' && rest.p[0] != '\t')))
			return false;
	} else if (!bare || !all_digits(pid) || (rest.n > 0 && rest.p[0] != ' ')) {
		return false;
	}
	/* "-" alone would read as no name. */
	if (n == 1 && s->p[0] == '-')
		return false;
	out->app_name = slice_of(s->p, n);
	if (pid.n > 0)
		out->procid = pid;
	if (rest.n > 0 && rest.p[0] == ' ')
		rest = slice_skip(rest, 1);
	*s = rest;
	return true;
}

/* F5 writes the severity, which PRI says already, between host and TAG. */
static bool
take_level_and_tag(struct slice *s, struct line *out)
{
	static const char *const levels[] = {
	    "emerg ", "alert ", "crit ", "err ", "warning ", "notice ", "info ", "debug ",
	};
	const char *level = levels[line_severity(out)];
	struct slice rest;

	if (!starts_with(*s, level))
		return false;
	rest = slice_skip(*s, strlen(level));
	if (!take_tag(&rest, true, out))
		return false;
	*s = rest;
	return true;
}

/* Two colons and nothing but an IPv6 address's characters. */
static bool
is_ipv6(struct slice s)
{
	unsigned colons = 0;

	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == ':')
			colons++;
		else if (!ascii_is(s.p[i], ASCII_DIGIT) && s.p[i] != '.' &&
			 !(s.p[i] >= 'a' && s.p[i] <= 'f') && !(s.p[i] >= 'A' && s.p[i] <= 'F'))
			return false;
	}
	return colons >= 2 && (s.p[s.n - 1] != ':' || s.p[s.n - 2] == ':');
}

static bool
is_host(struct slice s)
{
	if (s.n == 0 || s.n > HOST_MAX)
		return false;
	if (is_ipv6(s))
		return true;
	if (!ascii_is(s.p[0], ASCII_LETTER | ASCII_DIGIT))
		return false;
	for (size_t i = 0; i < s.n; i++) {
		if (!ascii_is(s.p[i], ASCII_HOST))
			return false;
	}
	return true;
}

/* Takes "HOST " off the front, if text follows. */
static bool
take_host(struct slice *s, struct line *out)
{
	struct slice rest = skip_spaces(*s);
	const char *space = rest.n > 0 ? memchr(rest.p, ' ', rest.n) : NULL;
	struct slice host;

	if (space == NULL)
		return false;
	host = slice_of(rest.p, (size_t)(space - rest.p));
	rest = slice_skip(rest, host.n + 1);
	/* syslogd says so of its own, with no name before it. */
	if (!is_host(host) || rest.n == 0 || starts_with(skip_spaces(*s), "last message repeated "))
		return false;
	out->hostname = host;
	*s = rest;
	return true;
}

/* Cisco: "1234: ", with a number of the sender's and one of the service. */
static bool
skip_sequence(struct slice *s)
{
	size_t i = 0;

	while (i < s->n && ascii_is(s->p[i], ASCII_DIGIT))
		i++;
	if (i == 0 || !starts_with(slice_skip(*s, i), ": "))
		return false;
	*s = slice_skip(*s, i + 2);
	return true;
}

/* Cisco: the clock was never set, or has lost its source. */
static struct slice
skip_clock_mark(struct slice s)
{
	return s.n > 0 && (s.p[0] == '*' || s.p[0] == '.') ? slice_skip(s, 1) : s;
}

static bool
scan_at(struct slice *s, const struct parse_env *env, struct line *out)
{
	struct slice rest = skip_clock_mark(*s);
	int64_t us;
	size_t n = stamp_scan(rest, env, &us);

	if (n == 0)
		return false;
	out->timestamp = timestamp_format(us, out->stamp);
	*s = slice_skip(rest, n);
	return true;
}

/* Takes the time stamp off the front, and what Cisco puts before it. */
static bool
take_stamp(struct slice *s, const struct parse_env *env, struct line *out)
{
	struct slice rest = skip_spaces(*s);
	const char *colon;
	bool numbered;

	if (rest.n > 0 && rest.p[0] == ':') /* NX-OS, ASA's EMBLEM form */
		rest = skip_spaces(slice_skip(rest, 1));
	numbered = skip_sequence(&rest);
	while (numbered && skip_sequence(&rest))
		;
	if (scan_at(&rest, env, out)) {
		*s = rest;
		return true;
	}
	/* "462: router1: *Mar  1 ...": logging origin-id hostname */
	colon = numbered && rest.n > 0 ? memchr(rest.p, ':', rest.n) : NULL;
	if (colon != NULL) {
		struct slice host = slice_of(rest.p, (size_t)(colon - rest.p));

		rest = skip_spaces(slice_skip(rest, host.n + 1));
		if (is_host(host) && scan_at(&rest, env, out)) {
			out->hostname = host;
			*s = rest;
			return true;
		}
	}
	return false;
}

/* Meraki: "1 1563249630.774247460 HOST text" */
static bool
take_epoch(struct slice *s, struct line *out)
{
	struct slice rest = starts_with(*s, "1 ") ? slice_skip(*s, 2) : *s;
	int64_t us;
	size_t n = stamp_scan_epoch(rest, &us);

	if (n == 0)
		return false;
	out->timestamp = timestamp_format(us, out->stamp);
	*s = slice_skip(rest, n);
	return true;
}

void
parse_free_text(struct slice s, const struct parse_env *env, struct line *out)
{
	out->timestamp = env->now_text;
	out->hostname = env->hostname;
	out->app_name = out->procid = out->msgid = out->sd = SLICE("-");
	out->msg = s;
}

void
parse_3164(struct slice s, bool has_pri, const struct parse_env *env, struct line *out)
{
	parse_free_text(s, env, out);
	if (!take_stamp(&s, env, out) && !(has_pri && take_epoch(&s, out))) {
		if (has_pri)
			take_tag(&s, false, out);
		out->msg = s;
		return;
	}
	if (s.n > 0 && s.p[0] == ':') {
		s = slice_skip(s, 1);
		if (s.n > 0 && s.p[0] == ' ')
			s = slice_skip(s, 1);
	} else if (s.n > 0) {
		s = slice_skip(s, 1);
		if (take_host(&s, out) && starts_with(s, ": "))
			s = slice_skip(s, 2); /* ASA: "HOST : %ASA-6-..." */
	}
	if (!take_tag(&s, true, out))
		take_level_and_tag(&s, out);
	out->msg = s;
}
