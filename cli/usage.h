/* usage -- the exit status of a command that was called wrongly (0: done, 1: failed). */
#ifndef USAGE_H
#define USAGE_H

enum { EXIT_USAGE = 2 };

#endif
