/*
 * gateway_probe -- test lines to drains' receivers, from main's own loop: no
 * worker has anything to do with them.
 *
 * All functions run on main.
 */
#ifndef GATEWAY_PROBE_H
#define GATEWAY_PROBE_H

#include "ends/probe.h"
#include "whole/gateway.h"

/* A connection each, and a few seconds of somebody's time. */
enum { GATEWAY_PROBES_MAX = 16, GATEWAY_PROBES_APP_MAX = 4 };

struct gateway_probe;

/*
 * Sends a test line to the receiver of a drain of app.  GATEWAY_OK: done runs
 * once, later, within 5 s, unless the probe is cancelled, and *out is gone
 * after it.  GATEWAY_BUSY: as many as allowed are under way.  GATEWAY_NOT_FOUND:
 * this version does not understand the record.
 */
enum gateway_code gateway_probe_start(struct gateway *, const struct app_record *app,
				      const struct drain_record *, probe_done *done, void *arg,
				      struct gateway_probe **out)
    __attribute__((warn_unused_result));
/* Only before done ran. */
void gateway_probe_cancel(struct gateway_probe *);

#endif
