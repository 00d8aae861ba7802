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

enum {
	LINE_STAMP_BYTES = 40,
	LINE_OWN_BYTES = 160, /* of our own element: SD-ID, four names and four numbers, a NUL */
};

/* Our own SD-ID; 32473 is the enterprise number for documentation (RFC 5612). */
#define LINE_OWN_SD_ID "penstock@32473"

/*
 * A line's number: the seq-th of that log since that start of the gateway.  Two
 * numbers for what is one inside, since JSON's readers hold no 64 bits.
 */
struct line_mark {
	uint64_t log; /* its app's serial: never used again, not even by an app of the same name */
	uint64_t start; /* raised at each start of the gateway; 24 bits */
	uint64_t seq;	/* from 0 on; 40 bits */
};

struct line {
	unsigned pri;		/* facility * 8 + severity, 0 to 191 */
	struct slice timestamp; /* RFC 3339 as RFC 5424 has it, or "-" */
	struct slice hostname;
	struct slice app_name;
	struct slice procid;
	struct slice msgid;
	struct slice sd;  /* "-" or "[...]..." without our own element */
	struct slice msg; /* any bytes, may be empty, may start with a BOM */
	uint64_t cut;	  /* bytes that were cut off; 0: whole */
	bool marked;	  /* mark is there; never as stored, see mark.h */
	struct line_mark mark;
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

/*
 * Our own element, which is the last of the structured data: what was cut off,
 * and the mark.  Returns its bytes; 0: there is nothing to say.
 */
size_t line_own_element(const struct line *, char dst[LINE_OWN_BYTES]);

/* Bytes of the canonical form: an RFC 5424 message without its count. */
size_t line_size(const struct line *);

/* Writes exactly line_size bytes. */
void line_write(const struct line *, char *dst);

#endif
