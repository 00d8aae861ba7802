/*
 * listen_options -- the query of a listener's URL (listen_url.h).
 */
#ifndef LISTEN_OPTIONS_H
#define LISTEN_OPTIONS_H

#include <stddef.h>

#include "base/slice.h"
#include "plumb/listen_url.h"

/*
 * Fills the options of *out, whose kind is set; has defaults for those that
 * are not given.  false: fault has what is wrong and the remedy.
 */
bool listen_options_parse(struct slice query, struct listen_url *out, char *fault, size_t n)
    __attribute__((warn_unused_result));

#endif
