#include "plumb/config.h"

#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/xmalloc.h"
#include "plumb/config_table.h"

enum { WORKERS_MAX = 64 };

/* The cores that this process may run on. */
static int64_t
config_cores(void)
{
	cpu_set_t set;
	int64_t n;

	if (sched_getaffinity(0, sizeof(set), &set) == 0)
		n = CPU_COUNT(&set);
	else
		n = sysconf(_SC_NPROCESSORS_ONLN);
	if (n < 1)
		return 1;
	return n < WORKERS_MAX ? n : WORKERS_MAX;
}

/* Defaults that depend on other keys or on the machine. */
static void
config_settle(struct config *c)
{
	if (c->admin_token_file == NULL)
		c->admin_token_file = xasprintf("%s/admin-token", c->data_dir);
	if (c->workers == 0)
		c->workers = config_cores();
}

static bool
config_fill(struct config_build *b, int argc, char **argv, char *err)
{
	struct config *c = b->config;

	if (!config_set_defaults(b, err))
		return false;
	if (c->file != NULL && !config_file_read(b, c->file, err))
		return false;
	if (!config_flags_apply(b, argc, argv, err))
		return false;
	config_settle(c);
	return config_cross_check(c, err);
}

enum config_result
config_load(int argc, char **argv, struct config *out, char err[CONFIG_ERROR_BYTES])
{
	struct config_build b = {.config = out};
	enum config_result result;

	memset(out, 0, sizeof(*out));
	result = config_flags_scan(argc, argv, out, err);
	if (result == CONFIG_OK && !config_fill(&b, argc, argv, err))
		result = CONFIG_BAD;
	if (result != CONFIG_OK)
		config_free(out);
	return result;
}

static bool
config_key_is_text(const struct config_key *k)
{
	return k->kind == CONFIG_PATH || k->kind == CONFIG_APP || k->kind == CONFIG_CHECKED;
}

void
config_free(struct config *c)
{
	const struct config_key *k;
	struct listen_url *urls;
	size_t *n;

	for (size_t i = 0; i < config_nkeys; i++) {
		k = &config_keys[i];
		if (config_key_is_text(k)) {
			free(*(char **)(void *)((char *)c + k->offset));
		} else if (config_key_repeats(k)) {
			urls = config_urls(c, k, &n);
			for (size_t j = 0; j < *n; j++)
				listen_url_free(&urls[j]);
		}
	}
	free(c->file);
	memset(c, 0, sizeof(*c));
}

static bool
strings_differ(const char *a, const char *b)
{
	if (a == NULL || b == NULL)
		return a != b;
	return strcmp(a, b) != 0;
}

static bool
lists_differ(const struct listen_url *a, size_t na, const struct listen_url *b, size_t nb)
{
	if (na != nb)
		return true;
	for (size_t i = 0; i < na; i++)
		if (strcmp(a[i].text, b[i].text) != 0)
			return true;
	return false;
}

static bool
key_differs(const struct config_key *k, const struct config *was, const struct config *is)
{
	const void *a = (const char *)was + k->offset, *b = (const char *)is + k->offset;

	switch (k->kind) {
	case CONFIG_PATH:
	case CONFIG_APP:
	case CONFIG_CHECKED:
		return strings_differ(*(char *const *)a, *(char *const *)b);
	case CONFIG_DURATION:
	case CONFIG_SIZE:
	case CONFIG_COUNT:
		return *(const int64_t *)a != *(const int64_t *)b;
	case CONFIG_EITHER:
		return *(const bool *)a != *(const bool *)b;
	case CONFIG_SHAPE:
		return *(const enum list_shape *)a != *(const enum list_shape *)b;
	case CONFIG_LISTEN:
		return lists_differ(was->listen, was->nlisten, is->listen, is->nlisten);
	case CONFIG_ADMIN:
		return lists_differ(was->admin, was->nadmin, is->admin, is->nadmin);
	}
	return false;
}

const char *
config_needs_restart(const struct config *was, const struct config *is)
{
	/* A reload reads files again, never keys: so each changed key is one. */
	for (size_t i = 0; i < config_nkeys; i++)
		if (key_differs(&config_keys[i], was, is))
			return config_keys[i].name;
	return NULL;
}

uint64_t
config_spool_map(const struct config *c)
{
	return (uint64_t)(c->spool_map > 0 ? c->spool_map : 2 * c->spool_size);
}
