/*
 * check_spool -- penstockd --check-spool: says on stdout what is in the spool
 * and in those that were put aside, and brings the lines of the latter back.
 *
 * Thread: main, with no gateway; takes the data-dir's lock.
 */
#ifndef CHECK_SPOOL_H
#define CHECK_SPOOL_H

#include "plumb/config.h"

/*
 * The exit status: EXIT_SUCCESS when all is sound, or was brought back; else
 * EXIT_FAILURE, with the words on stdout or, when nothing could be done, on stderr.
 */
int check_spool(const struct config *);

#endif
