/*
 * papertrail -- SolarWinds Papertrail: RFC 5424 lines over TLS, ended by LF,
 * timestamps in UTC.
 *
 * 100,000 bytes a line over TCP: papertrail.com, "Troubleshooting remote
 * syslog reachability", Message Length.
 */
#include "types/drain_lines.h"
#include "types/drain_type.h"
#include "types/drain_url.h"
#include "wire/escape.h"
#include "wire/parse.h"
#include "wire/timestamp.h"

enum {
	PAPERTRAIL_LINE = 100000, /* the LF included, to be on the safe side */
	STAMP_SECONDS = 19,	  /* bytes of 2020-05-14T09:12:44 */
	STAMP_OFFSET = 6,	  /* bytes of +02:00 */
};

static void
finish(struct drain_conf *conf, struct drain_errors *errors)
{
	struct drain_url url = {0};

	(void)errors;
	conf->transport = DRAIN_TLS;
	conf->framing = DRAIN_FRAMING_LF;
	drain_url_add(&url, "tcp+tls://");
	drain_url_add_address(&url, conf);
	drain_url_add_options(&url, conf);
	drain_url_finish(&url, conf);
}

/*
 * Adds a stamp that has an offset, in UTC.  An offset is whole minutes, so
 * the fraction is copied: no digits are made up or lost.  false: it cannot be
 * said in UTC (the year would leave 0000 to 9999).
 */
static bool
add_in_utc(struct slice stamp, struct buf *out)
{
	char text[LINE_STAMP_BYTES];
	int64_t wall_us, said_us;
	struct slice utc;

	if (!timestamp_parse(stamp, &wall_us))
		return false;
	utc = timestamp_format(wall_us, text);
	if (!timestamp_parse(utc, &said_us) || said_us != wall_us)
		return false;
	buf_add(out, utc.p, STAMP_SECONDS);
	buf_add(out, stamp.p + STAMP_SECONDS, stamp.n - STAMP_SECONDS - STAMP_OFFSET);
	buf_add_char(out, 'Z');
	return true;
}

static bool
has_offset(struct slice stamp)
{
	return stamp.n > 0 && stamp.p[stamp.n - 1] >= '0' && stamp.p[stamp.n - 1] <= '9';
}

/* Adds the frame as it is, but for its stamp. */
static void
add_whole(struct slice frame, struct buf *out)
{
	struct slice from_stamp = drain_frame_from(frame, 1);
	struct slice behind = drain_frame_from(frame, 2);
	size_t start = out->n;

	if (behind.p != NULL) {
		struct slice stamp = slice_of(from_stamp.p, (size_t)(behind.p - from_stamp.p) - 1);

		if (has_offset(stamp)) {
			escape_controls(slice_of(frame.p, frame.n - from_stamp.n), out);
			if (add_in_utc(stamp, out))
				frame = slice_of(behind.p - 1, behind.n + 1);
			else
				out->n = start;
		}
	}
	escape_controls(frame, out);
}

/* The same of a frame that is too long; false: it cannot be marked. */
static bool
add_cut(struct slice frame, struct buf *out)
{
	struct buf stamp = {0};
	struct line line;
	bool added;

	if (!parse_canonical(frame, &line))
		return false;
	if (has_offset(line.timestamp) && add_in_utc(line.timestamp, &stamp))
		line.timestamp = buf_slice(&stamp);
	added = drain_add_cut(&line, true, PAPERTRAIL_LINE - 1, out);
	buf_free(&stamp);
	return added;
}

static unsigned
encode(const struct drain_conf *conf, struct slice frame, struct buf *out)
{
	size_t start = out->n;
	unsigned flags = 0;

	(void)conf;
	add_whole(frame, out);
	if (out->n - start > PAPERTRAIL_LINE - 1) {
		size_t whole = out->n;

		out->n = start;
		flags = DRAIN_ENTRY_CUT;
		if (!add_cut(frame, out)) {
			out->n = whole;
			drain_cut(out, start, PAPERTRAIL_LINE - 1);
		}
	}
	buf_add_char(out, '\n');
	return flags;
}

const struct drain_type drain_type_papertrail = {
    .name = "papertrail",
    .need =
	{
	    [DRAIN_HOST] = DRAIN_REQUIRED,
	    [DRAIN_PORT] = DRAIN_REQUIRED,
	    DRAIN_STREAM_OPTIONS,
	},
    .finish = finish,
    .encode = encode,
    .verbatim = drain_never_verbatim,
};
