/*
 * ingest -- a frame becomes a line in its app's log: parse, tag, route,
 * append here or hand to the app's home worker.
 *
 * Owner and thread: one worker.
 */
#ifndef INGEST_H
#define INGEST_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/stats.h"
#include "ends/outbox.h"
#include "ends/receipt.h"
#include "io/routes.h"
#include "log/app_log.h"
#include "plumb/config.h"
#include "plumb/tag_rule.h"
#include "wire/frame.h"
#include "wire/line.h"

/* What is known of a sender; lives as long as its session. */
struct source {
	const struct listen_url *url;
	struct tag_rule *const *rule; /* the listener's, which a reload changes */
	struct slice hostname;	      /* for lines without one */
	struct slice cert;	      /* verified certificate name; p NULL: none */
};

struct ingest {
	unsigned self; /* this worker's index */
	struct routes *routes;
	struct outbox outbox;
	struct stats *stats;
	struct slice catch_all, copy_to; /* p NULL: none */
	/* A log got a line: the worker flushes it at the turn's end. */
	void (*touch)(struct app_log *, void *arg);
	/* A line came for an app that nobody knows; name is what the rule looked at. */
	void (*unknown)(struct slice name, void *arg);
	void *arg;

	/* Set around the lines of an input that acknowledges; NULL: of one that does not. */
	struct receipt *receipt;
	struct promise
	    *promise; /* of the lines with a receipt that stayed here in this read event */
	/* The spool takes nothing now, of some worker's: what should be acknowledged would not be.
	 */
	bool failing;

	int64_t now_ms, now_us; /* of the read event */
	char now_text[LINE_STAMP_BYTES];
	struct slice now_slice;
	struct buf parse_scratch, tag_scratch;
};

/* A read event begins: takes the time once for all its lines. */
void ingest_begin(struct ingest *);
void ingest_frame(struct ingest *, const struct source *, const struct frame *);
/* A read event is over: no more of its lines come. */
void ingest_end(struct ingest *);
/*
 * A line of that app, whatever it says of itself.  That it was cut, or is not as
 * it came, is counted by who took it apart.
 */
void ingest_line(struct ingest *, struct slice app, const struct line *);
/* A bundle from another worker: its lines are appended. */
void ingest_bundle(struct ingest *, const struct bundle *);
void ingest_clear(struct ingest *);

#endif
