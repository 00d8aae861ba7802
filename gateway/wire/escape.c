#include "wire/escape.h"

#include <string.h>

bool
escape_needed(struct slice s)
{
	return s.n > 0 && (memchr(s.p, '\n', s.n) != NULL || memchr(s.p, '\r', s.n) != NULL ||
			   memchr(s.p, '\0', s.n) != NULL);
}

static const char *
escape_of(char c)
{
	switch (c) {
	case '\n':
		return "#012";
	case '\r':
		return "#015";
	case '\0':
		return "#000";
	default:
		return NULL;
	}
}

void
escape_controls(struct slice s, struct buf *out)
{
	size_t from = 0;

	if (!escape_needed(s)) {
		buf_add_slice(out, s);
		return;
	}
	for (size_t i = 0; i < s.n; i++) {
		const char *code = escape_of(s.p[i]);

		if (code == NULL)
			continue;
		buf_add(out, s.p + from, i - from);
		buf_add(out, code, 4);
		from = i + 1;
	}
	buf_add(out, s.p + from, s.n - from);
}
