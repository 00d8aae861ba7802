/*
 * metrics_text -- Prometheus' text format, version 0.0.4
 * (https://prometheus.io/docs/instrumenting/exposition_formats/).
 *
 * A family is begun, then gets all its samples: the format wants them in one
 * group.  Labels are made once for all samples of the same thing.
 */
#ifndef ADMIN_METRICS_TEXT_H
#define ADMIN_METRICS_TEXT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/slice.h"

enum metric_type { METRIC_COUNTER, METRIC_GAUGE };

void metric_family(struct buf *, const char *name, enum metric_type, const char *help);

/*
 * Adds name="value", with a comma in front if there is something already.  Values may be any
 * bytes: what is no UTF-8, or a control character other than a newline, becomes U+FFFD.
 */
void metric_label(struct buf *labels, const char *name, struct slice value);

/* labels and more: as metric_label made them; may be empty. */
void metric_sample(struct buf *, const char *name, struct slice labels, struct slice more,
		   uint64_t value);
/* The same in seconds, from milliseconds. */
void metric_sample_ms(struct buf *, const char *name, struct slice labels, uint64_t ms);

#endif
