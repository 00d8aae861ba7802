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

#endif
