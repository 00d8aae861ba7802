#include <stdio.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/usage.h"

int
main(int argc, char **argv)
{
	const struct command *command;

	if (argc < 2) {
		commands_print(stderr);
		return EXIT_USAGE;
	}
	if (strcmp(argv[1], "--version") == 0) {
		puts("penstock " PENSTOCK_VERSION);
		return 0;
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
		commands_print(stdout);
		return 0;
	}
	command = command_find(argv[1]);
	if (command == NULL) {
		fprintf(stderr, "penstock: there is no command '%s'; see `penstock help`\n",
			argv[1]);
		return EXIT_USAGE;
	}
	return command->run(argc - 1, argv + 1);
}
