/*
 * data_dir -- the folder that one penstockd has for itself.
 * Thread: main.
 */
#ifndef DATA_DIR_H
#define DATA_DIR_H

#include "plumb/config.h"

/*
 * Creates it if need be (0700, logged with its absolute path) and takes the
 * lock in it.  Returns the lock's descriptor, to be kept open as long as the
 * folder is used; -1: err has a sentence naming key and remedy.
 */
int data_dir_take(const char *path, char err[CONFIG_ERROR_BYTES])
    __attribute__((warn_unused_result));

#endif
