#include "wire/sd.h"

#include <stdbool.h>
#include <stdint.h>

#include "wire/ascii.h"

/* One element, or one parameter, of the structured data that is walked. */
struct element {
	struct slice whole; /* brackets included */
	struct slice id;
	struct slice params; /* what lies between the SD-ID and the bracket */
};

static size_t
name_span(struct slice s)
{
	size_t i = 0;

	while (i < s.n && ascii_is(s.p[i], ASCII_SD_NAME))
		i++;
	return i;
}

/* Bytes of the PARAM-VALUE before its closing quote; SIZE_MAX: it is not well-formed. */
static size_t
value_span(struct slice s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (ascii_is(s.p[i], ASCII_LETTER | ASCII_DIGIT))
			continue;
		if (s.p[i] == '"')
			return i;
		if (s.p[i] == ']')
			return SIZE_MAX;
		/* Before anything else a backslash is just a backslash. */
		if (s.p[i] == '\\' && i + 1 < s.n &&
		    (s.p[i + 1] == '"' || s.p[i + 1] == '\\' || s.p[i + 1] == ']'))
			i++;
	}
	return SIZE_MAX;
}

/* Takes SP NAME="VALUE" off the front of *s; false, *s as it was, if it is not there. */
static bool
param_next(struct slice *s, struct slice *name, struct slice *value)
{
	struct slice rest = *s;
	size_t n;

	if (rest.n == 0 || rest.p[0] != ' ')
		return false;
	rest = slice_skip(rest, 1);
	n = name_span(rest);
	if (n == 0 || rest.n - n < 2 || rest.p[n] != '=' || rest.p[n + 1] != '"')
		return false;
	*name = slice_of(rest.p, n);
	rest = slice_skip(rest, n + 2);
	n = value_span(rest);
	if (n == SIZE_MAX)
		return false;
	*value = slice_of(rest.p, n);
	*s = slice_skip(rest, n + 1);
	return true;
}

/* Takes [ID params] off the front of *s; false, *s as it was, if it is not there. */
static bool
element_next(struct slice *s, struct element *e)
{
	struct slice rest = *s, name, value;
	size_t n;

	if (rest.n == 0 || rest.p[0] != '[')
		return false;
	rest = slice_skip(rest, 1);
	n = name_span(rest);
	if (n == 0)
		return false;
	e->id = slice_of(rest.p, n);
	rest = slice_skip(rest, n);
	e->params.p = rest.p;
	while (param_next(&rest, &name, &value))
		;
	if (rest.n == 0 || rest.p[0] != ']')
		return false;
	e->params.n = (size_t)(rest.p - e->params.p);
	rest = slice_skip(rest, 1);
	e->whole = slice_of(s->p, (size_t)(rest.p - s->p));
	*s = rest;
	return true;
}

size_t
sd_span(struct slice s)
{
	struct slice rest = s;
	struct element e;

	if (s.n > 0 && s.p[0] == '-')
		return 1;
	while (element_next(&rest, &e))
		;
	return s.n - rest.n;
}

struct slice
sd_find(struct slice sd, struct slice id, struct slice name)
{
	struct slice at, value;
	struct element e;

	while (element_next(&sd, &e)) {
		if (!slice_eq(e.id, id))
			continue;
		while (param_next(&e.params, &at, &value)) {
			if (slice_eq(at, name))
				return value;
		}
	}
	return slice_of(NULL, 0);
}

size_t
sd_list(struct slice sd, struct sd_param *list, size_t room)
{
	struct element e;
	size_t n = 0;

	while (element_next(&sd, &e)) {
		struct sd_param at = {e.id, {NULL, 0}, {NULL, 0}};
		bool more = param_next(&e.params, &at.name, &at.value);

		do {
			if (n < room)
				list[n] = at;
			n++;
			more = more && param_next(&e.params, &at.name, &at.value);
		} while (more);
	}
	return n;
}

void
sd_unescape(struct slice value, struct buf *out)
{
	char *dst;
	size_t n = 0;

	if (value.n == 0)
		return;
	dst = buf_reserve(out, value.n);
	for (size_t i = 0; i < value.n; i++) {
		if (value.p[i] == '\\' && i + 1 < value.n &&
		    (value.p[i + 1] == '"' || value.p[i + 1] == '\\' || value.p[i + 1] == ']'))
			i++;
		dst[n++] = value.p[i];
	}
	out->n += n;
}

void
sd_escape(struct slice text, struct buf *out)
{
	char *dst;
	size_t n = 0;

	if (text.n == 0)
		return;
	dst = buf_reserve(out, 2 * text.n);
	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] == '"' || text.p[i] == '\\' || text.p[i] == ']')
			dst[n++] = '\\';
		dst[n++] = text.p[i];
	}
	out->n += n;
}

size_t
sd_before(struct slice sd, struct slice id)
{
	struct slice rest = sd;
	struct element e;

	while (element_next(&rest, &e)) {
		if (slice_eq(e.id, id))
			return (size_t)(e.whole.p - sd.p);
	}
	return sd.n;
}

bool
sd_has(struct slice sd, struct slice id)
{
	return sd_before(sd, id) < sd.n;
}

void
sd_without(struct slice sd, struct slice id, struct buf *out)
{
	size_t before = out->n;
	struct element e;

	while (element_next(&sd, &e)) {
		if (!slice_eq(e.id, id))
			buf_add_slice(out, e.whole);
	}
	if (out->n == before)
		buf_add_char(out, '-');
}
