/*
 * name -- what may be an app's name: 1 to 48 printable ASCII characters
 * without space, which is what RFC 5424 allows as APP-NAME.
 */
#ifndef NAME_H
#define NAME_H

#include "base/slice.h"

enum { NAME_APP_MAX = 48 };

/* Whether all n bytes are printable ASCII without space, and 1 <= n <= max. */
static inline bool
name_printable(struct slice s, size_t max)
{
	if (s.n == 0 || s.n > max)
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] < '!' || s.p[i] > '~')
			return false;
	return true;
}

static inline bool
name_is_app(struct slice s)
{
	return name_printable(s, NAME_APP_MAX);
}

#endif
