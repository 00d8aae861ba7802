#include "base/xmalloc.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *
must(void *p, const char *what)
{
	if (p == NULL) {
		fprintf(stderr, "level=fatal msg=\"out of memory\" in=%s\n", what);
		abort();
	}
	return p;
}

void *
xmalloc(size_t size)
{
	return must(malloc(size > 0 ? size : 1), "malloc");
}

void *
xcalloc(size_t count, size_t size)
{
	return must(calloc(count > 0 ? count : 1, size > 0 ? size : 1), "calloc");
}

void *
xrealloc(void *p, size_t size)
{
	return must(realloc(p, size > 0 ? size : 1), "realloc");
}

char *
xstrdup(const char *s)
{
	return must(strdup(s), "strdup");
}

char *
xstrndup(const char *s, size_t n)
{
	return must(strndup(s, n), "strndup");
}

char *
xasprintf(const char *fmt, ...)
{
	char *s = NULL;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&s, fmt, ap);
	va_end(ap);
	return must(n < 0 ? NULL : s, "asprintf");
}
