/*
 * drain_replace -- one drain takes another's place in their app's log.
 */
#ifndef DRAIN_REPLACE_H
#define DRAIN_REPLACE_H

#include "ends/drain.h"

/*
 * Makes a drain as drain_new does, which goes on where `old` stood: it gets all
 * that the old one's receiver has not taken for sure, then what waits.  `old` is
 * gone as after drain_remove, but nothing of its backlog is lost; a frame that it
 * had begun may reach both receivers.
 */
struct drain *drain_replace(struct drain *old, uint64_t id, struct drain_conf *conf);

#endif
