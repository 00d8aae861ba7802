#include "plumb/tag_rule.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/name.h"
#include "base/nearest.h"
#include "base/xmalloc.h"
#include "plumb/tag_map.h"
#include "wire/sd.h"

enum { SD_NAME_MAX = 32 }; /* RFC 5424, section 6.3.2 */

enum tag_kind { TAG_APP_NAME, TAG_HOSTNAME, TAG_SD, TAG_CERT, TAG_FIXED };

struct tag_rule {
	enum tag_kind kind;
	char *spec;	    /* what the slices point into */
	struct slice id;    /* TAG_SD */
	struct slice param; /* TAG_SD */
	struct slice fixed;
	const char *file; /* NULL: no map */
	struct tag_map *map;
};

static const char *const tag_words[] = {"app-name", "hostname", "cert"};
static const enum tag_kind tag_kinds[] = {TAG_APP_NAME, TAG_HOSTNAME, TAG_CERT};

static bool
sd_name_valid(struct slice s)
{
	if (!name_printable(s, SD_NAME_MAX))
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (strchr("=]\"", s.p[i]) != NULL)
			return false;
	return true;
}

/* ID may hold colons, PARAM may not.  NULL, or the fault. */
static const char *
tag_rule_sd(struct tag_rule *r, struct slice s)
{
	const char *colon = memrchr(s.p, ':', s.n);

	if (colon == NULL)
		return "no parameter; write sd:ID:PARAM, for example sd:origin:software";
	r->kind = TAG_SD;
	r->id = slice_of(s.p, (size_t)(colon - s.p));
	r->param = slice_skip(s, r->id.n + 1);
	if (!sd_name_valid(r->id) || !sd_name_valid(r->param))
		return "ID and PARAM have 1 to 32 printable ASCII characters without space, =, ] "
		       "and \"";
	return NULL;
}

static const char *
tag_rule_fixed(struct tag_rule *r, struct slice s)
{
	r->kind = TAG_FIXED;
	r->fixed = s;
	if (!name_is_app(s))
		return "no app's name; write fixed: and 1 to 48 printable ASCII characters without "
		       "space";
	if (r->file != NULL)
		return "a fixed app needs no map; remove ,map:FILE";
	return NULL;
}

/* NULL, or the fault.  word is NUL-terminated. */
static const char *
tag_rule_kind(struct tag_rule *r, const char *word, char *room, size_t n)
{
	struct nearest near = {0};

	if (strncmp(word, "sd:", 3) == 0)
		return tag_rule_sd(r, slice_str(word + 3));
	if (strncmp(word, "fixed:", 6) == 0)
		return tag_rule_fixed(r, slice_str(word + 6));
	for (size_t i = 0; i < sizeof(tag_words) / sizeof(tag_words[0]); i++) {
		if (strcmp(word, tag_words[i]) == 0) {
			r->kind = tag_kinds[i];
			return NULL;
		}
		nearest_try(&near, word, tag_words[i]);
	}
	if (near.best != NULL) {
		snprintf(room, n, "unknown rule; did you mean %s?", near.best);
		return room;
	}
	return "unknown rule; use app-name, hostname, sd:ID:PARAM, cert or fixed:NAME, each but "
	       "the "
	       "last with ,map:FILE if you like";
}

static struct tag_rule *
tag_rule_parse(const char *spec, char *err, size_t errlen)
{
	struct tag_rule *r = xcalloc(1, sizeof(*r));
	const char *fault;
	char room[80], *comma;

	r->spec = xstrdup(spec);
	comma = strstr(r->spec, ",map:");
	if (comma != NULL) {
		*comma = '\0';
		r->file = comma + strlen(",map:");
	}
	fault = tag_rule_kind(r, r->spec, room, sizeof(room));
	if (fault == NULL && r->file != NULL && r->file[0] == '\0')
		fault = "no file; write ,map:FILE";
	if (fault == NULL)
		return r;
	snprintf(err, errlen, "app=%.200s: %s", spec, fault);
	tag_rule_free(r);
	return NULL;
}

bool
tag_rule_check(const char *spec, char *err, size_t errlen)
{
	struct tag_rule *r = tag_rule_parse(spec, err, errlen);
	bool ok = r != NULL;

	tag_rule_free(r);
	return ok;
}

struct tag_rule *
tag_rule_new(const char *spec, char *err, size_t errlen)
{
	struct tag_rule *r = tag_rule_parse(spec, err, errlen);

	if (r == NULL || r->file == NULL)
		return r;
	r->map = tag_map_load(r->file, err, errlen);
	if (r->map != NULL)
		return r;
	tag_rule_free(r);
	return NULL;
}

void
tag_rule_free(struct tag_rule *r)
{
	if (r == NULL)
		return;
	tag_map_free(r->map);
	free(r->spec);
	free(r);
}

/* "-" says that there is none (RFC 5424, section 6: NILVALUE). */
static struct slice
not_nil(struct slice field)
{
	if (field.n == 0 || (field.n == 1 && field.p[0] == '-'))
		return slice_of(NULL, 0);
	return field;
}

static struct slice
tag_rule_sd_value(const struct tag_rule *r, const struct line *l, struct buf *scratch)
{
	struct slice value = sd_find(l->sd, r->id, r->param);

	if (value.n == 0)
		return slice_of(NULL, 0);
	if (memchr(value.p, '\\', value.n) == NULL)
		return value;
	scratch->n = 0;
	sd_unescape(value, scratch);
	return buf_slice(scratch);
}

struct slice
tag_rule_app(const struct tag_rule *r, const struct line *l, struct slice cert, struct buf *scratch,
	     struct slice *key)
{
	switch (r->kind) {
	case TAG_APP_NAME:
		*key = not_nil(l->app_name);
		break;
	case TAG_HOSTNAME:
		*key = not_nil(l->hostname);
		break;
	case TAG_SD:
		*key = tag_rule_sd_value(r, l, scratch);
		break;
	case TAG_CERT:
		*key = cert;
		break;
	case TAG_FIXED:
		*key = r->fixed;
		break;
	}
	if (r->map == NULL || key->p == NULL)
		return *key;
	return tag_map_find(r->map, *key);
}
