/*
 * commands -- the table of penstock's sub-commands: one line and one file
 * each.  Constant; there is one thread.
 */
#ifndef COMMANDS_H
#define COMMANDS_H

#include <stdio.h>

struct command {
	const char *name;
	const char *arguments; /* as the usage line shows them */
	const char *text;      /* one line for `penstock help` */
	/* argv[0] is the command's name.  Returns the exit status: 0, 1 (failed), EXIT_USAGE. */
	int (*run)(int argc, char **argv);
};

/* NULL: there is none of that name. */
const struct command *command_find(const char *name);
void commands_print(FILE *);

#endif
