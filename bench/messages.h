/*
 * messages -- texts like those that services log, of different lengths.
 *
 * Made up from templates by a generator with a fixed seed: text n is the same
 * in every run.  Behind flood's head, most lines have 150 to 350 bytes, some
 * list values (up to 1 KiB), and about one in fifty is a stack trace of more
 * than that.  Printable ASCII that needs no escapes in JSON, and without
 * flood's own marks.
 */
#ifndef MESSAGES_H
#define MESSAGES_H

#include <stddef.h>

enum { MESSAGE_MAX = 4096 };

/* Writes text n, without a NUL; returns its bytes, less than MESSAGE_MAX. */
size_t message_make(unsigned n, char out[MESSAGE_MAX]);

#endif
