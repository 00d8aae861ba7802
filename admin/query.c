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
query_next(struct slice *rest, const char *name, struct slice *value)
{
	*value = query_get(*rest, name);
	if (value->p == NULL)
		return false;
	*rest = slice_skip(*rest, (size_t)(value->p - rest->p) + value->n);
	/* What follows is the end, or a '&'. */
	if (rest->n > 0)
		*rest = slice_skip(*rest, 1);
	return true;
}

bool
query_each(struct slice *query, struct slice *name, struct slice *value)
{
	const char *end, *equals;

	/* `a=1&&b=2`, and the bare `?` that clients send. */
	while (query->n > 0 && query->p[0] == '&')
		*query = slice_skip(*query, 1);
	if (query->n == 0)
		return false;
	end = memchr(query->p, '&', query->n);
	*name = slice_of(query->p, end != NULL ? (size_t)(end - query->p) : query->n);
	*query = slice_skip(*query, name->n);
	*value = slice_of(NULL, 0);
	equals = memchr(name->p, '=', name->n);
	if (equals != NULL) {
		size_t n = (size_t)(equals - name->p);

		*value = slice_skip(*name, n + 1);
		name->n = n;
	}
	return true;
}

bool
query_is_true(struct slice query, const char *name)
{
	struct slice value = query_get(query, name);

	return slice_is(value, "true") || slice_is(value, "1");
}
