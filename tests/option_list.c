/*
 * option_list -- what option_docs.py compares docs/configuration.md to.
 *
 * Without arguments: a line a key, `name TAB default TAB bounds`.  With
 * arguments: those of penstockd, which must load; says why if not.
 */
#include <stdio.h>

#include "plumb/config.h"
#include "plumb/config_table.h"

static void
print_keys(void)
{
	char bounds[CONFIG_BOUNDS_BYTES];
	const struct config_key *k;

	for (size_t i = 0; i < config_nkeys; i++) {
		k = &config_keys[i];
		printf("%s\t%s\t%s\n", k->name, config_key_default(k),
		       config_key_bounds(k, bounds));
	}
}

int
main(int argc, char **argv)
{
	char err[CONFIG_ERROR_BYTES];
	struct config config;

	if (argc == 1) {
		print_keys();
		return 0;
	}
	if (config_load(argc, argv, &config, err) == CONFIG_OK) {
		config_free(&config);
		return 0;
	}
	fprintf(stderr, "%s\n", err);
	return 1;
}
