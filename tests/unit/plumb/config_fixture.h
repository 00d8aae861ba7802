/* config_fixture -- loads a configuration from flags and a file of its own. */
#ifndef CONFIG_FIXTURE_H
#define CONFIG_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <unistd.h>

#include "base/xmalloc.h"
#include "plumb/config.h"

enum { ARGS_MAX = 8 };

static char file[64];
static char err[CONFIG_ERROR_BYTES];

static inline int
make_file(void **state)
{
	int fd;

	(void)state;
	snprintf(file, sizeof(file), "/tmp/unit_config.XXXXXX");
	fd = mkstemp(file);
	return fd < 0 ? -1 : close(fd);
}

static inline int
remove_file(void **state)
{
	(void)state;
	return unlink(file);
}

static inline void
write_file(const char *content, size_t n)
{
	FILE *f = fopen(file, "w");

	assert_non_null(f);
	assert_int_equal(fwrite(content, 1, n, f), n);
	assert_int_equal(fclose(f), 0);
}

/* Loads with these arguments, a NULL behind the last. */
static inline enum config_result
load(struct config *c, const char *first, ...)
{
	char *argv[ARGS_MAX + 2] = {xstrdup("penstockd")};
	const char *arg = first;
	enum config_result result;
	int argc = 1;
	va_list ap;

	va_start(ap, first);
	for (; arg != NULL && argc <= ARGS_MAX; arg = va_arg(ap, const char *))
		argv[argc++] = xstrdup(arg);
	va_end(ap);
	err[0] = '\0';
	result = config_load(argc, argv, c, err);
	for (int i = 0; i < argc; i++)
		free(argv[i]);
	return result;
}

/* Loads with one argument more than none, and must succeed. */
static inline struct config
loaded(const char *arg)
{
	struct config c;

	if (load(&c, arg, NULL) != CONFIG_OK)
		fail_msg("%s", err);
	return c;
}

static inline struct config
loaded_file(const char *content)
{
	char *arg = xasprintf("--config=%s", file);
	struct config c;

	write_file(content, strlen(content));
	c = loaded(arg);
	free(arg);
	return c;
}

static inline void
assert_bad(const char *arg, const char *fault)
{
	struct config c;

	if (load(&c, arg, NULL) != CONFIG_BAD)
		fail_msg("taken: %s", arg);
	if (strstr(err, fault) == NULL)
		fail_msg("%s", err);
}

static inline void
assert_bad_file(const char *content, size_t n, const char *line, const char *fault)
{
	char *place = xasprintf("%s:%s: ", file, line);
	struct config c;

	write_file(content, n);
	assert_int_equal(load(&c, "--config", file, NULL), CONFIG_BAD);
	if (strncmp(err, place, strlen(place)) != 0 || strstr(err, fault) == NULL)
		fail_msg("%s", err);
	free(place);
}

#endif
