/*
 * drain_lines -- what the encoders of stream drains share.  A frame is a
 * line's canonical form: RFC 5424, without count.
 */
#ifndef DRAIN_LINES_H
#define DRAIN_LINES_H

#include "types/drain_type.h"
#include "wire/line.h"

/*
 * Cuts what was added since start to at most limit bytes, not inside a UTF-8
 * character.  Returns DRAIN_ENTRY_CUT if it did, else 0.
 */
unsigned drain_cut(struct buf *out, size_t start, size_t limit);

/*
 * Adds the line with its message cut, and marked as such in our own element,
 * so that it is limit bytes at most; escaped: as escape_controls writes it.
 * false, and nothing added: what stands before the message is too long alone.
 */
bool drain_add_cut(const struct line *, bool escaped, size_t limit, struct buf *out)
    __attribute__((warn_unused_result));

/*
 * What stands behind the first n spaces of a frame: 1 is TIMESTAMP, 6 is
 * STRUCTURED-DATA (RFC 5424, section 6).  p is NULL if there are fewer.
 */
struct slice drain_frame_from(struct slice frame, unsigned n);

/* For types whose bytes always differ from a chunk's. */
bool drain_never_verbatim(const struct drain_conf *);

/* What every type of lines over TCP, TLS or UDP may be told; for its need. */
#define DRAIN_STREAM_OPTIONS                                                   \
	[DRAIN_MIN_SEVERITY] = DRAIN_OPTIONAL, [DRAIN_MATCH] = DRAIN_OPTIONAL, \
	[DRAIN_EXCLUDE] = DRAIN_OPTIONAL, [DRAIN_RATE] = DRAIN_OPTIONAL,       \
	[DRAIN_RESEND_BYTES] = DRAIN_OPTIONAL, [DRAIN_MARK] = DRAIN_OPTIONAL,  \
	[DRAIN_CA] = DRAIN_OPTIONAL, [DRAIN_CLIENT_CERT] = DRAIN_OPTIONAL,     \
	[DRAIN_CLIENT_KEY] = DRAIN_OPTIONAL

#endif
