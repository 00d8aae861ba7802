/*
 * mark -- a line's number, put into its frame for receivers that look for gaps
 * and repeats:
 *
 *	[penstock@32473 log="7" start="17" seq="4711"]
 *
 * It stands in our own element (RFC 5424, section 6.3), behind the cut mark of
 * a line that was cut.  Frames are kept without it; a drain that is told to
 * puts it in as it sends.
 */
#ifndef MARK_H
#define MARK_H

#include "wire/line.h"

/*
 * Adds the canonical frame with the mark in it; all other bytes are as they
 * were.  What is not RFC 5424, which a stored frame always is, stays without.
 */
void mark_add(struct slice frame, const struct line_mark *, struct buf *out);

#endif
