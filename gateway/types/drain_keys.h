/*
 * drain_keys -- the table of parameters: names, what each must be, and how
 * one value is checked by itself.  What fits together is a type's business.
 */
#ifndef DRAIN_KEYS_H
#define DRAIN_KEYS_H

#include "types/drain_type.h"

enum {
	DRAIN_TOKEN_MAX = 1024,
	DRAIN_URL_MAX = 4096,
	DRAIN_RESEND_MAX = 1 << 30,
	DRAIN_RATE_MAX = 1000000,
	DRAIN_CONCURRENCY_MAX = 32,
};

struct drain_key_row {
	const char *name;
	const char *alias; /* another spelling; NULL: none */
	const char *text;  /* completes "must be ..."; docs/drains.md has it too */

	/*
	 * Adds the canonical form of given, which is not empty.  false: it is
	 * not TEXT; *fault may then be set to a static sentence that says more.
	 */
	bool (*check)(struct slice given, struct buf *canonical, const char **fault);
};

extern const struct drain_key_row drain_key_rows[DRAIN_KEYS];

#endif
