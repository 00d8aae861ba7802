/*
 * percent -- percent-encoding of URL parts (RFC 3986, section 2.1).
 */
#ifndef PERCENT_H
#define PERCENT_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/slice.h"

/* What '+' stands for: itself in a path, a space in a form's query. */
enum percent_plus { PERCENT_PLUS_KEPT, PERCENT_PLUS_IS_SPACE };

/*
 * Adds s with all bytes but the unreserved ones (letters, digits, "-._~") as
 * %XX in upper case, so that one text has one encoding.
 */
void percent_encode(struct slice s, struct buf *out);

/*
 * Adds s with its escapes undone; the result may hold any byte, NUL too.
 * false, and nothing added: a '%' without two hex digits behind it.
 */
bool percent_decode(struct slice s, enum percent_plus plus, struct buf *out)
    __attribute__((warn_unused_result));

#endif
