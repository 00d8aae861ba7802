#include "admin/tail_text.h"

#include <inttypes.h>

#include "base/clock.h"
#include "wire/escape.h"
#include "wire/json_out.h"
#include "wire/parse.h"
#include "wire/timestamp.h"

const char *
tail_content_type(enum tail_format format)
{
	return format == TAIL_SSE ? "text/event-stream" : "text/plain; charset=utf-8";
}

/* MSG may begin with a byte order mark, which says that it is UTF-8 (RFC 5424, 6.4). */
static struct slice
message_of(const struct line *line)
{
	bool bom = line->msg.n >= 3 && memcmp(line->msg.p, "\xef\xbb\xbf", 3) == 0;

	return bom ? slice_skip(line->msg, 3) : line->msg;
}

static void
add_text(const struct line *line, struct buf *out)
{
	escape_terminal(line->timestamp, out);
	buf_add_char(out, ' ');
	escape_terminal(line->hostname, out);
	buf_add_char(out, ' ');
	escape_terminal(line->app_name, out);
	if (!slice_is(line->procid, "-")) {
		buf_add_char(out, '[');
		escape_terminal(line->procid, out);
		buf_add_char(out, ']');
	}
	buf_add_str(out, ": ");
	escape_terminal(message_of(line), out);
	buf_add_char(out, '\n');
}

/* null for what a line does not say. */
static void
add_member(struct buf *out, const char *key, struct slice value)
{
	if (!slice_is(value, "-")) {
		json_out_member(out, key, value);
		return;
	}
	json_out_key(out, key);
	buf_add_str(out, "null");
}

static void
add_event(const struct line *line, struct buf *out)
{
	struct buf json = {0};

	buf_add_char(&json, '{');
	add_member(&json, "timestamp", line->timestamp);
	add_member(&json, "hostname", line->hostname);
	add_member(&json, "app", line->app_name);
	add_member(&json, "procid", line->procid);
	add_member(&json, "msgid", line->msgid);
	json_out_number(&json, "severity", line_severity(line));
	json_out_number(&json, "facility", line_facility(line));
	json_out_member(&json, "message", message_of(line));
	buf_add_char(&json, '}');
	buf_add_str(out, "data: ");
	escape_json(buf_slice(&json), out);
	buf_add_str(out, "\n\n");
	buf_free(&json);
}

void
tail_add_line(enum tail_format format, struct slice frame, struct buf *out)
{
	struct line line;

	if (format == TAIL_RFC5424) {
		escape_terminal(frame, out);
		buf_add_char(out, '\n');
		return;
	}
	/* What is stored always is; then nothing is hidden either. */
	if (!parse_canonical(frame, &line))
		return;
	if (format == TAIL_SSE)
		add_event(&line, out);
	else
		add_text(&line, out);
}

/* The gateway speaks, as in a drain's notice of dropped lines: facility local5. */
static void
add_notice(struct buf *out, const char *pri)
{
	char stamp[LINE_STAMP_BYTES];

	buf_addf(out, "<%s>1 ", pri);
	buf_add_slice(out, timestamp_format(clock_wall_us(), stamp));
	buf_add_str(out, " - penstock tail - - ");
}

void
tail_add_dropped(enum tail_format format, uint64_t lines, struct buf *out)
{
	if (format == TAIL_SSE) {
		buf_addf(out, "event: dropped\ndata: {\"lines\":%" PRIu64 "}\n\n", lines);
		return;
	}
	if (format == TAIL_RFC5424)
		add_notice(out, "172");
	buf_addf(out, "%s%" PRIu64 " line%s dropped: this reader is too slow%s\n",
		 format == TAIL_TEXT ? "-- " : "", lines, lines == 1 ? "" : "s",
		 format == TAIL_TEXT ? " --" : "");
}

void
tail_add_end(enum tail_format format, const char *why, struct buf *out)
{
	if (format == TAIL_SSE) {
		buf_addf(out, "event: end\ndata: {\"reason\":\"%s\"}\n\n", why);
		return;
	}
	if (format == TAIL_RFC5424)
		add_notice(out, "173");
	buf_addf(out, "%s%s%s\n", format == TAIL_TEXT ? "-- " : "", why,
		 format == TAIL_TEXT ? " --" : "");
}
