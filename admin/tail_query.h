/*
 * tail_query -- what a tail is asked for: the parameters behind '?'.
 */
#ifndef ADMIN_TAIL_QUERY_H
#define ADMIN_TAIL_QUERY_H

#include <jansson.h>

#include "admin/tail_text.h"
#include "ends/tap.h"

struct tail_query {
	enum tail_format format;
	struct tap_filter filter; /* the caller frees its text, or hands it on */
};

/*
 * accept: the request's header, which chooses the format unless a parameter
 * does.  Returns NULL, or what is wrong, by parameter: an object of arrays, and
 * *out is then empty.
 */
json_t *tail_query_parse(struct slice query, struct slice accept, struct tail_query *out)
    __attribute__((warn_unused_result));

#endif
