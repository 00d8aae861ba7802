/*
 * parse -- a frame becomes a line.  Nothing is rejected: RFC 5424 is taken as
 * it is; RFC 3164, in the forms real devices send it, is taken apart; of all
 * else the whole frame is MSG of a line with receive time and sender.
 *
 * RFC 5424 section 6, RFC 3164 section 4.
 */
#ifndef PARSE_H
#define PARSE_H

#include "wire/line.h"

/* What the receiver knows and a line may not say. */
struct parse_env {
	struct slice hostname; /* for a line without one; printable ASCII, never empty */
	bool hostname_always;  /* for every line, whatever it says */
	int64_t now_us;	       /* wall clock, microseconds since 1970 */
	struct slice now_text; /* the same as an RFC 5424 TIMESTAMP */
	bool tz_local;	       /* RFC 3164 stamps are in the process's time zone ... */
	int tz_minutes;	       /* ... else this many minutes east of UTC */
	struct buf *scratch;   /* emptied by each parse_line; the line may point into it */
};

/* cut: bytes that framing cut off this frame (struct frame). */
void parse_line(struct slice frame, uint64_t cut, const struct parse_env *, struct line *out);

/*
 * The same where a line is something else unless it says that it is RFC 5424,
 * or nearly is.  false: it does not, and *out holds anything.
 */
bool parse_line_5424(struct slice frame, uint64_t cut, const struct parse_env *, struct line *out)
    __attribute__((warn_unused_result));

/*
 * The same for application/logplex-1: RFC 5424 whose MSG comes right behind MSGID
 * (devcenter.heroku.com/articles/log-drains#https-drains).
 */
bool parse_line_logplex(struct slice frame, uint64_t cut, const struct parse_env *,
			struct line *out) __attribute__((warn_unused_result));

/*
 * Takes a canonical frame (as stored in a chunk, without its count) apart.
 * false: it is not RFC 5424, which a stored frame always is.
 */
bool parse_canonical(struct slice frame, struct line *out) __attribute__((warn_unused_result));

/*
 * The same for encoders, which cannot refuse: a frame that is not RFC 5424
 * after all becomes the message of a line of which nothing else is known.
 */
void parse_stored(struct slice frame, struct line *out);

#endif
