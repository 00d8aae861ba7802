/*
 * resolve -- host names become addresses, off the loops.
 *
 * A few threads run getaddrinfo: one look-up a name however many ask, answers
 * kept 60 s (1 s when they are doubted), the stale one served while it is
 * refreshed and when the refresh fails (failures are not kept); up to 16
 * threads, started on demand and ended when idle, at most 2 look-ups at a time
 * for one app.  Literal addresses need no thread.  The answer always comes by
 * mail, never inside resolve_ask.
 *
 * Any thread asks, each with its own mailbox; what crosses threads is under
 * one lock.
 */
#ifndef RESOLVE_H
#define RESOLVE_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "plumb/mailbox.h"

enum { RESOLVE_ADDRS_MAX = 8, RESOLVE_ERROR_BYTES = 160 };

struct resolve_answer {
	size_t n;					 /* 0: error says why */
	struct sockaddr_storage addr[RESOLVE_ADDRS_MAX]; /* port set */
	char error[RESOLVE_ERROR_BYTES];
};

struct resolver;
struct resolve_request; /* owned by the asking thread until answered or cancelled */

struct resolver *resolver_new(void);
/*
 * Does not wait for a thread that sits in getaddrinfo: it is left to end by
 * itself, silently.  Requests that still wait are not answered any more; their
 * owners cancel them, before or after this.  NULL is fine.
 */
void resolver_free(struct resolver *);

/*
 * Asks for host:port on behalf of app (any number that is the app's own).
 * answered runs on reply's thread; the answer is valid inside it only.
 */
struct resolve_request *resolve_ask(struct resolver *, struct mailbox *reply, uint64_t app,
				    const char *host, uint16_t port,
				    void (*answered)(const struct resolve_answer *, void *arg),
				    void *arg);
/*
 * What is known of a name led nowhere: it may have moved, and is looked up again
 * by who asks next, unless that was done a moment ago.
 */
void resolve_doubt(struct resolver *, const char *host);
/*
 * answered will not run any more.  reply's thread only, and only before
 * answered ran.  The request may still lie in the mailbox: have a
 * mailbox_turn before the mailbox is freed.
 */
void resolve_cancel(struct resolve_request *);

#endif
