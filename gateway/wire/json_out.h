/*
 * json_out -- JSON text that is always valid UTF-8 (RFC 8259), whatever bytes
 * go in: ill-formed UTF-8 becomes U+FFFD (one for each maximal subpart, as the
 * Unicode Standard's section 3.9 recommends), control characters are escaped.
 */
#ifndef JSON_OUT_H
#define JSON_OUT_H

#include <stdint.h>

#include "base/buf.h"
#include "base/slice.h"

/* text in quotes. */
void json_out_string(struct buf *, struct slice text);
/* "key":, with a comma in front unless the object was just opened; a value must follow. */
void json_out_key(struct buf *, const char *key);
/* "key":"text" */
void json_out_member(struct buf *, const char *key, struct slice text);
/* The same with a number. */
void json_out_number(struct buf *, const char *key, int64_t value);

/*
 * Bytes at the start of text that fit into room bytes between quotes; never
 * a part of a character.
 */
size_t json_out_fit(struct slice text, size_t room);

#endif
