/*
 * base64 -- RFC 4648, just what Basic credentials and JWTs need.
 */
#ifndef ADMIN_BASE64_H
#define ADMIN_BASE64_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/slice.h"

enum base64_alphabet {
	BASE64_STANDARD, /* '+' and '/' (section 4) */
	BASE64_URL,	 /* '-' and '_' (section 5), never padded */
};

/* Adds in's base64url form to out. */
void base64url_add(struct buf *out, const void *in, size_t n);

/*
 * Adds the decoded bytes to out.  false: in is not base64 of that alphabet;
 * out may then hold a part.  Padding may be missing, but not be wrong; unused
 * bits must be zero, so that every byte string has one encoding.
 */
bool base64_decode(enum base64_alphabet, struct slice in, struct buf *out)
    __attribute__((warn_unused_result));

#endif
