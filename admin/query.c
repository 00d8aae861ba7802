#include "admin/query.h"

struct slice
query_get_rest(struct slice query, const char *name)
{
	size_t n = strlen(name);

	while (query.n > n) {
		const char *next;

		if (memcmp(query.p, name, n) == 0 && query.p[n] == '=')
			return slice_skip(query, n + 1);
		next = memchr(query.p, '&', query.n);
		if (next == NULL)
			break;
		query = slice_skip(query, (size_t)(next - query.p) + 1);
	}
	return (struct slice){NULL, 0};
}

struct slice
query_get(struct slice query, const char *name)
{
	struct slice value = query_get_rest(query, name);
	const char *end = value.n > 0 ? memchr(value.p, '&', value.n) : NULL;

	if (end != NULL)
		value.n = (size_t)(end - value.p);
	return value;
}

bool
query_is_true(struct slice query, const char *name)
{
	struct slice value = query_get(query, name);

	return slice_is(value, "true") || slice_is(value, "1");
}
