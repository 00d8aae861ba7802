/*
 * resolve_internal -- what the two halves of the resolver share: resolve.c
 * (requests, names, cache) and resolve_threads.c (who looks up what, when).
 * Everything here is under resolver.lock, except where noted.
 */
#ifndef RESOLVE_INTERNAL_H
#define RESOLVE_INTERNAL_H

#include <pthread.h>
#include <stdbool.h>
#include <sys/queue.h>

#include "plumb/resolve.h"

enum {
	RESOLVE_THREADS_MAX = 16,
	RESOLVE_APP_MAX = 2,	   /* look-ups at a time for one app */
	RESOLVE_NAMES_MAX = 16384, /* cached, queued and running */
	RESOLVE_BUCKETS = 4096,
	RESOLVE_HOST_MAX = 255, /* RFC 1035, 2.3.4 */
	RESOLVE_FRESH_MS = 60000,
	RESOLVE_DOUBTED_MS = 1000, /* fresh for so long when it is doubted */
	RESOLVE_IDLE_MS = 3000,	   /* a thread without work ends after this */
};

union resolve_addr {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

/* What a look-up found.  Immutable once shared; refs is under the lock. */
struct resolve_result {
	unsigned refs;
	size_t n;
	union resolve_addr addr[RESOLVE_ADDRS_MAX];
	char error[RESOLVE_ERROR_BYTES];
};

struct resolve_request {
	struct mail mail; /* first */
	TAILQ_ENTRY(resolve_request) link;
	struct resolver *resolver;     /* holds a reference */
	struct resolve_name *name;     /* it waits there; NULL: it is in the mail */
	struct resolve_result *result; /* NULL while it waits */
	struct mailbox *reply;
	uint64_t app;
	void (*answered)(const struct resolve_answer *, void *arg);
	void *arg;
	uint16_t port;
	bool cancelled; /* reply's thread only */
};
TAILQ_HEAD(resolve_requests, resolve_request);

/* The state says which list it is linked in. */
enum resolve_state {
	RESOLVE_IDLE,	 /* resolver.idle: only kept for its result */
	RESOLVE_QUEUED,	 /* resolver.queue */
	RESOLVE_RUNNING, /* none */
};

struct resolve_name {
	struct resolve_name *next; /* of its bucket */
	TAILQ_ENTRY(resolve_name) link;
	enum resolve_state state;
	uint64_t asker;			 /* the app that had it queued */
	struct resolve_requests waiting; /* only while there is no result */
	struct resolve_result *result;	 /* the last good one, or NULL */
	int64_t looked_ms;		 /* when result was found */
	bool doubted;			 /* since then */
	char host[];			 /* lower case; never changes */
};
TAILQ_HEAD(resolve_names, resolve_name);

/*
 * Held by its owner, by each request and by each thread; so threads and
 * requests may outlive resolver_free.
 */
struct resolver {
	pthread_mutex_t lock;
	pthread_cond_t work; /* something may be runnable, or stopping */
	pthread_cond_t gone; /* a thread ended */
	unsigned refs;
	bool stopping;

	struct resolve_name *bucket[RESOLVE_BUCKETS];
	size_t names;
	struct resolve_names queue; /* first asked, first served */
	struct resolve_names idle;  /* longest unused first */

	size_t threads;	 /* running, of these: */
	size_t starting; /* not yet there */
	size_t sleeping; /* waiting for work */
	size_t looking;	 /* inside a look-up, each for one of apps */
	uint64_t apps[RESOLVE_THREADS_MAX];
};

/* May one more look-up run for that app? */
bool resolve_app_may(const struct resolver *, uint64_t app);
/*
 * Something runnable was queued: wakes or starts a thread, as far as there may
 * be one.  false: there is no thread at all and none could be started.
 */
bool resolve_staff(struct resolver *);
/* The look-up of a running name ended.  Takes result over. */
void resolve_finish(struct resolver *, struct resolve_name *, struct resolve_result *);

struct resolve_result *resolve_result_new(void);
void resolve_result_add(struct resolve_result *, const struct sockaddr_storage *);
/* Takes the lock itself; the caller does not hold it. */
void resolve_put(struct resolver *);

#endif
