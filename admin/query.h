/*
 * query -- the part of a request behind '?'.  Values come as they were sent:
 * base/percent.h undoes their escapes.
 */
#ifndef ADMIN_QUERY_H
#define ADMIN_QUERY_H

#include <stdbool.h>

#include "base/slice.h"

/*
 * The first parameter of that name: its raw value up to the next '&'.  p NULL
 * if absent.  Names are not decoded.
 */
struct slice query_get(struct slice query, const char *name);

/* The same, but up to the end of the query: of a value with '&' left unencoded. */
struct slice query_get_rest(struct slice query, const char *name);

/*
 * Each parameter of that name in turn: takes what was looked at off *rest, which
 * begins as the query.  false: there is none any more.
 */
bool query_next(struct slice *rest, const char *name, struct slice *value)
    __attribute__((warn_unused_result));

/*
 * Each parameter in turn, whatever its name: cuts it off the front of *query.
 * false: there is none any more.  value.p NULL: it has no "=".
 */
bool query_each(struct slice *query, struct slice *name, struct slice *value)
    __attribute__((warn_unused_result));

/* Whether the parameter is there and says `true` or `1`. */
bool query_is_true(struct slice query, const char *name);

#endif
