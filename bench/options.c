#include "options.h"

#include <getopt.h>
#include <string.h>

#include "tool.h"

enum { OPTIONS_MAX = 32 };

static void
set(const struct option_spec *spec, const char *value)
{
	switch (spec->kind) {
	case OPTION_FLAG:
		*(bool *)spec->target = true;
		break;
	case OPTION_NUMBER:
		*(int64_t *)spec->target = tool_number(spec->name, value, spec->min, spec->max);
		break;
	case OPTION_TEXT:
		*(const char **)spec->target = value;
		break;
	}
}

bool
options_read(const struct option_spec *specs, size_t n, int argc, char **argv)
{
	struct option known[OPTIONS_MAX] = {{.name = NULL}};
	int index = 0;
	int c;

	if (n >= OPTIONS_MAX)
		tool_die("more than %d options", OPTIONS_MAX - 1);
	for (size_t i = 0; i < n; i++)
		known[i] =
		    (struct option){.name = specs[i].name, .has_arg = specs[i].kind != OPTION_FLAG};
	while ((c = getopt_long(argc, argv, "", known, &index)) == 0)
		set(&specs[index], optarg);
	return c == -1 && optind == argc;
}

bool
options_one_of(const char *option, const char *value, const char *yes, const char *no)
{
	if (strcmp(value, yes) != 0 && strcmp(value, no) != 0)
		tool_die("--%s: '%s' is neither %s nor %s", option, value, yes, no);
	return strcmp(value, yes) == 0;
}
