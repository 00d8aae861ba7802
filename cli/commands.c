#include "cli/commands.h"

#include <string.h>

#include "cli/listen.h"
#include "cli/usage.h"

static int help_run(int argc, char **argv);

static const struct command commands[] = {
    {"listen", LISTEN_ARGUMENTS, "print the syslog messages that arrive, one a line", listen_run},
    {"help", "[COMMAND]", "print this, or one command's usage", help_run},
};

enum { NCOMMANDS = sizeof(commands) / sizeof(commands[0]) };

const struct command *
command_find(const char *name)
{
	for (size_t i = 0; i < NCOMMANDS; i++)
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	return NULL;
}

void
commands_print(FILE *out)
{
	fprintf(out, "usage: penstock COMMAND [ARGUMENT...]\n\n");
	for (size_t i = 0; i < NCOMMANDS; i++)
		fprintf(out, "  %s %s\n      %s\n", commands[i].name, commands[i].arguments,
			commands[i].text);
	fprintf(out, "  --version\n      print the version\n");
}

static int
help_run(int argc, char **argv)
{
	const struct command *command;

	if (argc < 2) {
		commands_print(stdout);
		return 0;
	}
	command = command_find(argv[1]);
	if (command == NULL) {
		fprintf(stderr, "penstock: there is no command '%s'; see `penstock help`\n",
			argv[1]);
		return EXIT_USAGE;
	}
	printf("usage: penstock %s %s\n%s\n", command->name, command->arguments, command->text);
	return 0;
}
