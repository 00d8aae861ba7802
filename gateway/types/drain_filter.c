#include "types/drain_filter.h"

#include "types/drain_lines.h"
#include "wire/priority.h"
#include "wire/sd.h"

const char *const drain_severities[] = {"emerg",  "alert", "crit",  "err", "warning",
					"notice", "info",  "debug", NULL};

bool
drain_pattern_next(struct slice *lines, struct slice *pattern)
{
	const char *end;

	if (lines->p == NULL)
		return false;
	end = memchr(lines->p, '\n', lines->n);
	if (end == NULL) {
		*pattern = *lines;
		*lines = (struct slice){NULL, 0};
	} else {
		*pattern = slice_of(lines->p, (size_t)(end - lines->p));
		*lines = slice_skip(*lines, pattern->n + 1);
	}
	return true;
}

size_t
drain_pattern_count(struct slice lines)
{
	struct slice pattern;
	size_t n = 0;

	while (drain_pattern_next(&lines, &pattern))
		n++;
	return n;
}

void
drain_pattern_add(struct buf *lines, struct slice pattern)
{
	struct slice rest = buf_slice(lines), there;

	while (drain_pattern_next(&rest, &there))
		if (slice_eq(there, pattern))
			return;
	if (lines->n > 0)
		buf_add_char(lines, '\n');
	buf_add_slice(lines, pattern);
}

static size_t
set_patterns(struct slice *patterns, const char *lines)
{
	struct slice rest = lines != NULL ? slice_str(lines) : slice_of(NULL, 0), pattern;
	size_t n = 0;

	while (n < DRAIN_PATTERNS_MAX && drain_pattern_next(&rest, &pattern))
		patterns[n++] = pattern;
	return n;
}

void
drain_filter_set(struct drain_filter *f, const char *severity, const char *match,
		 const char *exclude)
{
	f->severity = DRAIN_SEVERITY_ALL;
	for (unsigned i = 0; severity != NULL && drain_severities[i] != NULL; i++)
		if (strcmp(severity, drain_severities[i]) == 0)
			f->severity = i;
	f->nmatch = set_patterns(f->match, match);
	f->nexclude = set_patterns(f->exclude, exclude);
}

bool
drain_filter_is_open(const struct drain_filter *f)
{
	return f->severity >= DRAIN_SEVERITY_ALL && f->nmatch == 0 && f->nexclude == 0;
}

/* MSG; all of what is no RFC 5424, which a stored frame always is. */
static struct slice
message_of(struct slice frame)
{
	struct slice from_sd = drain_frame_from(frame, 6);
	size_t span = from_sd.p != NULL ? sd_span(from_sd) : 0;

	if (span == 0)
		return frame;
	from_sd = slice_skip(from_sd, span);
	/* Without MSG nothing follows, not even the space. */
	return from_sd.n > 0 ? slice_skip(from_sd, 1) : from_sd;
}

static bool
has_one_of(struct slice message, const struct slice *patterns, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (memmem(message.p, message.n, patterns[i].p, patterns[i].n) != NULL)
			return true;
	return false;
}

bool
drain_filter_passes(const struct drain_filter *f, struct slice frame)
{
	struct slice message;
	unsigned pri;

	if (f->severity < DRAIN_SEVERITY_ALL && priority_scan(frame, &pri) > 0 &&
	    (pri & 7) > f->severity)
		return false;
	if (f->nmatch == 0 && f->nexclude == 0)
		return true;
	message = message_of(frame);
	return (f->nmatch == 0 || has_one_of(message, f->match, f->nmatch)) &&
	       !has_one_of(message, f->exclude, f->nexclude);
}
