/*
 * tails -- tails that are open (tail.c), for who must end them.
 */
#ifndef ADMIN_TAILS_H
#define ADMIN_TAILS_H

#include "admin/api_call.h"

/* The token was removed: what was opened with it, or with a JWT of it, ends. */
void tails_end_of_token(struct admin *, const char *token_id);

#endif
