/*
 * drain -- delivers one app's lines to one receiver.
 *
 * It connects at the first line, reads the log through its cursor, sends,
 * watches what the receiver acknowledges, and after a lost connection goes
 * back as far as the resend rule says and tries again for as long as it takes.
 *
 * Over TCP, TLS and UDP:
 *
 *	            line            answer           open
 *	   IDLE ----------> RESOLVING ----> CONNECTING ----> OPEN
 *	    ^  ^               ^   | failed     | failed       | lost
 *	    |  |  10 min idle  |   v            v              |
 *	    |  +---------------|-- WAITING <------------------+
 *	    |                  +----+ time
 *	    +-- lost, and nothing waits
 *
 * Over HTTP (drain_post.h) a request takes the place of a connection: CONNECTING
 * until the first is answered, OPEN as long as answers are good, WAITING after
 * one that was not.
 *
 * Owner and thread: the home worker of its app.
 */
#ifndef DRAIN_H
#define DRAIN_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "base/stats.h"
#include "ends/drain_status.h"
#include "io/http_client.h"
#include "log/cursor.h"
#include "plumb/address_policy.h"
#include "plumb/config.h"
#include "plumb/gzip.h"
#include "plumb/mailbox.h"
#include "plumb/resolve.h"
#include "types/drain_type.h"

struct drain;
struct spool_place;
TAILQ_HEAD(drain_list, drain);

/* What all drains of one worker share; the worker's. */
struct drain_env {
	struct event_base *base;
	struct mailbox *mailbox;
	struct resolver *resolver;
	const struct address_policy *policy;
	SSL_CTX *tls; /* for drains over TLS */
	struct http_client *http;
	struct gzip *gzip;
	const struct config *config;
	struct stats *stats;
	struct slice host; /* this machine's name, for notices */
	struct buf scratch;
	struct buf marked;	   /* one line with its mark */
	struct drain_list holding; /* drains with something in flight or held */
	struct drain_list closing; /* removed ones that finish a frame */
	bool pressed;		   /* the worker is over worker-memory */
	unsigned posting;	   /* drains with a request under way */
	unsigned owing;		   /* drains with a batch that is not done with */
	size_t encoded;		   /* bytes made into requests in this turn of the loop, about */
	bool hurried;		   /* the worker stops: batches do not wait for company */
	bool over;		   /* it has stopped: nobody connects any more */
	/* The log has more to send than one turn should carry. */
	void (*more)(struct app_log *, void *arg);
	/* A drain lost its connection and has nothing left to send: the log may be idle now. */
	void (*rests)(struct app_log *, void *arg);
	void *arg;
};

/* Takes conf over.  Sees lines appended from now on. */
struct drain *drain_new(struct drain_env *, struct app_log *, uint64_t id, struct drain_conf *conf);

/* At start: it goes on there, in what the spool has of the log and came at that time or later
 * (clock_age_us). */
void drain_place(struct drain *, const struct spool_place *, int64_t came_us);

/*
 * The drain was removed: discards its backlog (counted), finishes the frame in
 * flight within a second, and frees itself.  The log does not know it any more
 * when this returns.
 */
void drain_remove(struct drain *);
/* At the end of the process: frees at once; what was not taken is counted as abandoned. */
void drain_abandon(struct drain *);
/* The same for one that drain_remove left to finish a frame. */
void drain_free_closing(struct drain *);

uint64_t drain_id(const struct drain *);
void drain_set_id(struct drain *, uint64_t id);
/* The spool knows its place by that, and not by its id. */
void drain_set_mark(struct drain *, uint64_t mark);
struct app_log *drain_log(const struct drain *);
const char *drain_url(const struct drain *);
/* The next in env->holding. */
struct drain *drain_next_holding(const struct drain *);
struct drain *drain_of(struct cursor *);
/* Everything sent and acknowledged, or nothing to do. */
bool drain_is_done(struct drain *);
void drain_status(struct drain *, struct drain_status *out);
/* Its state alone: for looking over all drains. */
enum drain_state drain_state(const struct drain *);
/* Valid while the drain is. */
const struct drain_conf *drain_conf_of(const struct drain *);

/* Asks the kernel what was acknowledged and lets go of what is done with; the worker's tick. */
void drain_poll(struct drain *);

#endif
