/*
 * escape -- a message on an LF-framed stream must not hold the frame's end:
 * LF, CR and NUL become #012, #015, #000, as rsyslog and syslogd write them.
 */
#ifndef ESCAPE_H
#define ESCAPE_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/slice.h"

bool escape_needed(struct slice s);
/* Adds s, with those three escaped where they occur. */
void escape_controls(struct slice s, struct buf *out);

/*
 * Adds s with every control character as #ooo (three octal digits a byte), so
 * that a terminal that shows it cannot be driven by it: C0 but for the tab, DEL,
 * and C1, both as a byte of its own and as UTF-8 (U+0080 to U+009F).  All else
 * stays as it is, also what is not UTF-8.
 */
void escape_terminal(struct slice s, struct buf *out);

/*
 * Adds JSON text, which is UTF-8 and has no other controls, with DEL and C1 as
 * \u00xx: JSON lets them stand, a terminal that shows it would obey them.
 */
void escape_json(struct slice json, struct buf *out);

#endif
