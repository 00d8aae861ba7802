#include <string.h>

#include "base/xmalloc.h"
#include "plumb/config_table.h"

/* Flags that are no keys. */
static const char *const own_flags[] = {"config", "check", "check-spool", "help", "version", NULL};

enum { FLAG_NAME_MAX = 64 };

struct flag {
	char name[FLAG_NAME_MAX + 1];
	const char *value; /* NULL: none was given */
};

enum flag_result { FLAG_NONE, FLAG_TAKEN, FLAG_BAD };

static bool
takes_value(const char *name)
{
	return strcmp(name, "check") != 0 && strcmp(name, "check-spool") != 0 &&
	       strcmp(name, "help") != 0 && strcmp(name, "version") != 0;
}

static bool
flag_known(const char *name, char *err)
{
	for (const char *const *own = own_flags; *own != NULL; own++)
		if (strcmp(name, *own) == 0)
			return true;
	return config_key_find(name, own_flags, err) != NULL;
}

/* The next of `--name`, `--name value`, `--name=value`; *i moves behind it. */
static enum flag_result
flag_next(int argc, char **argv, int *i, struct flag *flag, char *err)
{
	const char *arg, *eq;
	size_t n;

	if (*i >= argc)
		return FLAG_NONE;
	arg = argv[(*i)++];
	if (strncmp(arg, "--", 2) != 0 || arg[2] == '\0') {
		snprintf(err, CONFIG_ERROR_BYTES,
			 "unexpected argument \"%.100s\"; write --KEY VALUE, see penstockd --help",
			 arg);
		return FLAG_BAD;
	}
	arg += 2;
	eq = strchr(arg, '=');
	n = eq == NULL ? strlen(arg) : (size_t)(eq - arg);
	snprintf(flag->name, sizeof(flag->name), "%.*s",
		 (int)(n < FLAG_NAME_MAX ? n : FLAG_NAME_MAX), arg);
	flag->value = eq == NULL ? NULL : eq + 1;
	if (!flag_known(flag->name, err))
		return FLAG_BAD;
	if (!takes_value(flag->name)) {
		if (flag->value == NULL)
			return FLAG_TAKEN;
		snprintf(err, CONFIG_ERROR_BYTES, "--%s takes no value; write --%s", flag->name,
			 flag->name);
		return FLAG_BAD;
	}
	if (flag->value == NULL && *i < argc && strncmp(argv[*i], "--", 2) != 0)
		flag->value = argv[(*i)++];
	if (flag->value != NULL)
		return FLAG_TAKEN;
	snprintf(err, CONFIG_ERROR_BYTES, "%s: no value; write --%s VALUE or --%s=VALUE",
		 flag->name, flag->name, flag->name);
	return FLAG_BAD;
}

static enum config_result
flag_own(const struct flag *flag, struct config *c, char *err)
{
	if (strcmp(flag->name, "help") == 0) {
		config_help(stdout);
		return CONFIG_EXIT_OK;
	}
	if (strcmp(flag->name, "version") == 0) {
		puts("penstockd " PENSTOCK_VERSION);
		return CONFIG_EXIT_OK;
	}
	if (strcmp(flag->name, "check") == 0)
		c->check_only = true;
	if (strcmp(flag->name, "check-spool") == 0)
		c->check_spool = true;
	if (strcmp(flag->name, "config") != 0)
		return CONFIG_OK;
	if (c->file != NULL || flag->value[0] == '\0') {
		snprintf(err, CONFIG_ERROR_BYTES,
			 "config: \"%.200s\": %s; write --config FILE once", flag->value,
			 c->file != NULL ? "a second file" : "no file");
		return CONFIG_BAD;
	}
	c->file = xstrdup(flag->value);
	return CONFIG_OK;
}

enum config_result
config_flags_scan(int argc, char **argv, struct config *c, char *err)
{
	enum config_result result;
	enum flag_result next;
	struct flag flag;
	int i = 1;

	while ((next = flag_next(argc, argv, &i, &flag, err)) == FLAG_TAKEN) {
		result = flag_own(&flag, c, err);
		if (result != CONFIG_OK)
			return result;
	}
	return next == FLAG_BAD ? CONFIG_BAD : CONFIG_OK;
}

bool
config_flags_apply(struct config_build *b, int argc, char **argv, char *err)
{
	char unused[CONFIG_ERROR_BYTES];
	const struct config_key *k;
	enum flag_result next;
	struct flag flag;
	int i = 1;

	while ((next = flag_next(argc, argv, &i, &flag, err)) == FLAG_TAKEN) {
		k = config_key_find(flag.name, NULL, unused);
		if (k != NULL && !config_set(b, k, flag.value, CONFIG_FLAG, 0, err))
			return false;
	}
	return next == FLAG_NONE;
}
