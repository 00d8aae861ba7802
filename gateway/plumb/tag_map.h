/*
 * tag_map -- a file of `value app` lines: which app a value stands for.
 *
 *	# the web servers
 *	web-1.example.com   shop
 *
 * Two words a line, blanks between and around them; empty lines and lines that
 * begin with # are skipped.  A value may stand there once only.
 *
 * Immutable once loaded; any thread may read it.
 */
#ifndef TAG_MAP_H
#define TAG_MAP_H

#include "base/slice.h"

struct tag_map;

/* NULL: err has a sentence with file, line, fault and remedy. */
struct tag_map *tag_map_load(const char *file, char *err, size_t errlen)
    __attribute__((warn_unused_result));
void tag_map_free(struct tag_map *); /* NULL is fine */
/* The app's name, in the map; p is NULL if the value is not there. */
struct slice tag_map_find(const struct tag_map *, struct slice value);

#endif
