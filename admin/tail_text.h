/*
 * tail_text -- how a tail shows lines, and what it says itself:
 *
 *	text	2020-05-14T09:12:44.123456Z web-1 my-app[web-1]: hello world
 *	rfc5424	<14>1 2020-05-14T09:12:44.123456Z web-1 my-app web-1 - - hello world
 *	sse	server-sent events, JSON in each (html.spec.whatwg.org, 9.2)
 *
 * Control characters are escaped (wire/escape.h): a line is one line, and no
 * terminal obeys it.
 */
#ifndef ADMIN_TAIL_TEXT_H
#define ADMIN_TAIL_TEXT_H

#include <stdint.h>

#include "base/buf.h"
#include "base/slice.h"

enum tail_format { TAIL_TEXT, TAIL_SSE, TAIL_RFC5424, TAIL_FORMATS };

const char *tail_content_type(enum tail_format);

/* frame: canonical RFC 5424, without count. */
void tail_add_line(enum tail_format, struct slice frame, struct buf *out);
/* Lines that the reader was too slow for, where they are missing. */
void tail_add_dropped(enum tail_format, uint64_t lines, struct buf *out);
/* The last that is said; why is fit to stand in JSON. */
void tail_add_end(enum tail_format, const char *why, struct buf *out);

#endif
