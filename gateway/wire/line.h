/*
 * line -- one message, taken apart (RFC 5424, section 6).
 *
 * The slices point into the frame, into `stamp`, or into what the parser was
 * given (struct parse_env): a line lives as long as those, and is not copied
 * by assignment.  An absent field is "-".
 */
#ifndef LINE_H
#define LINE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/slice.h"

enum { LINE_STAMP_BYTES = 40 };

/* Our own SD-ID; 32473 is the enterprise number for documentation (RFC 5612). */
#define LINE_OWN_SD_ID "penstock@32473"

struct line {
	unsigned pri;		/* facility * 8 + severity, 0 to 191 */
	struct slice timestamp; /* RFC 3339 as RFC 5424 has it, or "-" */
	struct slice hostname;
	struct slice app_name;
	struct slice procid;
	struct slice msgid;
	struct slice sd;    /* "-" or "[...]..." without our own element */
	struct slice msg;   /* any bytes, may be empty, may start with a BOM */
	uint64_t cut;	    /* bytes that were cut off; 0: whole */
	bool verbatim;	    /* the frame is this line's canonical form, byte for byte */
	struct slice frame; /* what was parsed; the canonical form if verbatim */
	char stamp[LINE_STAMP_BYTES];
};

static inline unsigned
line_severity(const struct line *l)
{
	return l->pri & 7;
}

static inline unsigned
line_facility(const struct line *l)
{
	return l->pri >> 3;
}

/* Bytes of the canonical form: an RFC 5424 message without its count. */
size_t line_size(const struct line *);

/* Writes exactly line_size bytes. */
void line_write(const struct line *, char *dst);

#endif
