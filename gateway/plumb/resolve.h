/*
 * resolve -- host names become addresses, off the loops.
 *
 * A few threads run getaddrinfo: one look-up a name however many ask, answers
 * kept 60 s, the stale one served while it is refreshed; up to 16 threads, at
 * most 2 for one app.  Literal addresses need no thread.  The answer always
 * comes by mail, never inside resolve_ask.
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
	size_t n; /* 0: error says why */
	struct sockaddr_storage addr[RESOLVE_ADDRS_MAX]; /* port set */
	char error[RESOLVE_ERROR_BYTES];
};

struct resolver;
struct resolve_request; /* owned by the asking thread until answered or cancelled */

struct resolver *resolver_new(void);
/* Waits for running look-ups at most as long as getaddrinfo takes... see .c. */
void resolver_free(struct resolver *);

/*
 * Asks for host:port on behalf of app (any number that is the app's own).
 * answered runs on reply's thread; the answer is valid inside it only.
 */
struct resolve_request *resolve_ask(struct resolver *, struct mailbox *reply, uint64_t app,
    const char *host, uint16_t port,
    void (*answered)(const struct resolve_answer *, void *arg), void *arg);
/* answered will not run; reply's thread only. */
void resolve_cancel(struct resolve_request *);

#endif
