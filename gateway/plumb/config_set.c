#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/name.h"
#include "base/units.h"
#include "base/xmalloc.h"
#include "plumb/config_table.h"

static bool __attribute__((format(printf, 4, 5)))
config_fault(char *err, const struct config_key *k, const char *value, const char *fmt, ...)
{
	va_list ap;
	int n = snprintf(err, CONFIG_ERROR_BYTES, "%s: \"%.200s\": ", k->name,
			 k->secret ? "***" : value);

	va_start(ap, fmt);
	vsnprintf(err + n, CONFIG_ERROR_BYTES - (size_t)n, fmt, ap);
	va_end(ap);
	return false;
}

static void *
config_member(struct config *c, const struct config_key *k)
{
	return (char *)c + k->offset;
}

static bool
set_number(struct config *c, const struct config_key *k, const char *value, char *err)
{
	char bounds[CONFIG_BOUNDS_BYTES];
	const char *fault;
	int64_t v;
	bool ok;

	if (k->kind == CONFIG_DURATION)
		ok = units_parse_duration(value, &v, &fault);
	else if (k->kind == CONFIG_SIZE)
		ok = units_parse_size(value, &v, &fault);
	else
		ok = units_parse_count(value, &v, &fault);
	if (!ok)
		return config_fault(err, k, value, "%s", fault);
	if (v < k->min || v > k->max)
		return config_fault(err, k, value, "too %s; write %s",
				    v < k->min ? "small" : "large", config_key_bounds(k, bounds));
	*(int64_t *)config_member(c, k) = v;
	return true;
}

/* The index among the key's words; -1: none of them. */
static int
word_index(const struct config_key *k, const char *value)
{
	for (int i = 0; k->words[i] != NULL; i++)
		if (strcmp(value, k->words[i]) == 0)
			return i;
	return -1;
}

static bool
set_word(struct config *c, const struct config_key *k, const char *value, char *err)
{
	char bounds[CONFIG_BOUNDS_BYTES];
	int i = word_index(k, value);

	if (i < 0)
		return config_fault(err, k, value, "unknown; use %s", config_key_bounds(k, bounds));
	if (k->kind == CONFIG_EITHER)
		*(bool *)config_member(c, k) = i == 1;
	else
		*(enum list_shape *)config_member(c, k) = (enum list_shape)i;
	return true;
}

static bool
set_string(struct config *c, const struct config_key *k, const char *value, char *err)
{
	char **member = config_member(c, k);
	char fault[CONFIG_ERROR_BYTES];

	if (k->kind == CONFIG_CHECKED && !k->check(value, fault, sizeof(fault)))
		return config_fault(err, k, value, "%s", fault);
	if (k->kind == CONFIG_APP && !name_is_app(slice_str(value)))
		return config_fault(
		    err, k, value,
		    "not an app's name; write 1 to 48 printable ASCII characters without space");
	free(*member);
	*member = xstrdup(value);
	return true;
}

struct listen_url *
config_urls(struct config *c, const struct config_key *k, size_t **n)
{
	*n = k->kind == CONFIG_LISTEN ? &c->nlisten : &c->nadmin;
	return k->kind == CONFIG_LISTEN ? c->listen : c->admin;
}

static bool
add_url(struct config *c, const struct config_key *k, const char *value, char *err)
{
	size_t *n;
	struct listen_url *urls = config_urls(c, k, &n);

	if (*n == CONFIG_LISTENERS_MAX)
		return config_fault(err, k, value, "too many; give %d at most",
				    CONFIG_LISTENERS_MAX);
	if (!listen_url_parse(value, k->kind == CONFIG_ADMIN, &urls[*n], err, CONFIG_ERROR_BYTES))
		return false;
	(*n)++;
	return true;
}

static void
clear_urls(struct config *c, const struct config_key *k)
{
	size_t *n;
	struct listen_url *urls = config_urls(c, k, &n);

	for (; *n > 0; (*n)--)
		listen_url_free(&urls[*n - 1]);
}

static bool
set_value(struct config *c, const struct config_key *k, const char *value, char *err)
{
	switch (k->kind) {
	case CONFIG_PATH:
	case CONFIG_APP:
	case CONFIG_CHECKED:
		return set_string(c, k, value, err);
	case CONFIG_DURATION:
	case CONFIG_SIZE:
	case CONFIG_COUNT:
		return set_number(c, k, value, err);
	case CONFIG_EITHER:
	case CONFIG_SHAPE:
		return set_word(c, k, value, err);
	case CONFIG_LISTEN:
	case CONFIG_ADMIN:
		return add_url(c, k, value, err);
	}
	return false;
}

bool
config_set(struct config_build *b, const struct config_key *k, const char *value,
	   enum config_source source, unsigned line, char *err)
{
	size_t i = (size_t)(k - config_keys);

	if (value[0] == '\0') {
		snprintf(err, CONFIG_ERROR_BYTES,
			 "%s: no value; give one, or remove the key for the default (%s)", k->name,
			 config_key_default(k));
		return false;
	}
	if (config_key_repeats(k)) {
		if (b->source[i] != source)
			clear_urls(b->config, k);
	} else if (source == CONFIG_FILE && b->source[i] == CONFIG_FILE) {
		return config_fault(err, k, value,
				    "already given at line %u; remove one of the two", b->line[i]);
	}
	if (!set_value(b->config, k, value, err))
		return false;
	b->source[i] = source;
	b->line[i] = line;
	return true;
}

bool
config_set_defaults(struct config_build *b, char *err)
{
	char *words, *word, *rest;
	bool ok = true;

	for (size_t i = 0; ok && i < config_nkeys; i++) {
		if (config_keys[i].def == NULL)
			continue;
		words = xstrdup(config_keys[i].def);
		for (word = strtok_r(words, " ", &rest); ok && word != NULL;
		     word = strtok_r(NULL, " ", &rest))
			ok = config_set(b, &config_keys[i], word, CONFIG_DEFAULT, 0, err);
		free(words);
	}
	return ok;
}
