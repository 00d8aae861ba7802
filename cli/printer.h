/*
 * printer -- one received message as one line of text.
 *
 * A message may hold any byte.  Control characters but TAB are written as #012
 * (their number in octal), so that one message stays one line and a sender
 * cannot drive the reader's terminal.
 */
#ifndef PRINTER_H
#define PRINTER_H

#include <stdio.h>

#include "base/slice.h"

/* Writes the line and flushes.  false: out takes no more (its reader has gone). */
bool printer_message(FILE *out, struct slice message) __attribute__((warn_unused_result));
/* Writes the bytes as they are and flushes. */
bool printer_raw(FILE *out, struct slice bytes) __attribute__((warn_unused_result));

#endif
