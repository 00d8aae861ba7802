/*
 * What a log asks of its worker when it has a spool: tests only note it.
 */
#ifndef SPOOL_CALLS_H
#define SPOOL_CALLS_H

#include "log/app_log.h"

static inline void
note_stir(struct app_log *log, void *arg)
{
	(void)arg;
	log->dirty = true;
}

static inline void
note_await(struct app_log *log, void *arg)
{
	(void)arg;
	log->urgent = true;
}

#endif
