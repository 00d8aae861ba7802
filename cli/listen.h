/* listen -- `penstock listen`: a receiver to look at what a drain sends. */
#ifndef CLI_LISTEN_H
#define CLI_LISTEN_H

#define LISTEN_ARGUMENTS "[--tcp] [--udp] [--raw] [ADDR:]PORT"

/* Until SIGINT or SIGTERM (0), or until stdout takes no more (1). */
int listen_run(int argc, char **argv);

#endif
