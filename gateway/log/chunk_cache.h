/*
 * chunk_cache -- bytes that are on disk and still, or again, in memory: let go
 * in the order they came when there is too much of them.
 *
 * Owner: the worker's log_pool.  Thread: the worker.
 */
#ifndef CHUNK_CACHE_H
#define CHUNK_CACHE_H

#include "log/app_log.h"

/* The chunk is on disk and awake. */
void chunk_cache_add(struct log_pool *, struct chunk *);
/* It is about to be freed or written over.  Also right for one that is not there. */
void chunk_cache_forget(struct log_pool *, struct chunk *);
/*
 * Lets go of what is over the limit and not pinned: chunks fall asleep, or
 * leave their log if nobody stands in them.  Not while somebody looks at one.
 */
void chunk_cache_trim(struct log_pool *);

#endif
