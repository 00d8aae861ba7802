/*
 * priority -- PRI at the start of a message (RFC 5424, 6.2.1): "<0>" to
 * "<191>", without leading zeros.
 */
#ifndef PRIORITY_H
#define PRIORITY_H

#include <stddef.h>

#include "base/slice.h"

enum {
	PRIORITY_MAX = 191,
	PRIORITY_USER = 8,     /* facility user; a severity is added to it */
	PRIORITY_INFO = 14,    /* user.info */
	PRIORITY_DEFAULT = 13, /* user.notice, of a message without one (RFC 3164, 4.3.3) */
};

/* Bytes of the PRI at the start of s, its value in *pri; 0 if there is none. */
static inline size_t
priority_scan(struct slice s, unsigned *pri)
{
	unsigned value = 0;
	size_t i;

	if (s.n < 3 || s.p[0] != '<')
		return 0;
	for (i = 1; i < s.n && i < 4; i++) {
		unsigned digit = (unsigned)(unsigned char)s.p[i] - '0';

		if (digit > 9)
			break;
		value = value * 10 + digit;
	}
	if (i == 1 || i == s.n || s.p[i] != '>' || value > PRIORITY_MAX || (s.p[1] == '0' && i > 2))
		return 0;
	*pri = value;
	return i + 1;
}

#endif
