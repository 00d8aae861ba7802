/*
 * jwt -- the short-lived tokens that tokens/exchange hands out: JWS compact
 * form (RFC 7515) with HS256 and the claims iss, sub, iat, exp (RFC 7519).
 *
 * Only tokens with exactly the header that jwt_issue writes are taken, so the
 * algorithm is never the sender's choice.
 */
#ifndef ADMIN_JWT_H
#define ADMIN_JWT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/slice.h"

enum {
	JWT_KEY_BYTES = 32,
	JWT_SUBJECT_MAX = 64,
	/* The clients renew a token that has less than 5 minutes left. */
	JWT_LIFE_S = 3600,
};

/* Adds the token to out.  subject: plain ASCII, JWT_SUBJECT_MAX at most.  now_s: wall clock. */
void jwt_issue(const unsigned char key[JWT_KEY_BYTES], const char *subject, int64_t now_s,
	       struct buf *out);

/* false: not ours, altered or expired.  Only the claims sub and exp count. */
bool jwt_verify(const unsigned char key[JWT_KEY_BYTES], struct slice token, int64_t now_s,
		char subject[JWT_SUBJECT_MAX + 1]) __attribute__((warn_unused_result));

/* Whether it has a JWT's looks: three parts. */
bool jwt_looks_like(struct slice token);

#endif
