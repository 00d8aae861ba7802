/*
 * listener -- one worker's share of one `listen` address: accepts and makes
 * sessions, or reads datagrams.
 *
 * Owner: the worker's intake.  Thread: the worker.
 */
#ifndef LISTENER_H
#define LISTENER_H

#include <openssl/ssl.h>

#include "ends/intake.h"

/*
 * fd: bound (and listening), non-blocking; owned from here on.  ctx: for TLS,
 * a reference of its own is taken.  rule: read at each line, the caller's.
 */
void listener_new(struct intake *, const struct listen_url *, int fd, SSL_CTX *ctx,
		  struct tag_rule *rule);
/*
 * Takes what is queued, then closes the socket; sessions stay, and with them
 * the rule that they ask, so the rest is freed by listener_free_closed.
 */
void listener_close(struct listener *);
/* No session and no gate is left. */
void listener_free_closed(struct intake *);
void listener_pause(struct listener *, bool paused);
void listener_read_rest(struct listener *);
struct listener *listener_next(struct listener *);

/*
 * A connection whose peer is known (non-blocking; owned from here on) becomes a
 * session, or one of the HTTP server's.
 */
void listener_admit(struct intake *, struct listener_share *, int fd, const struct sockaddr *peer,
		    SSL_CTX *);
/* A reload's new context (own reference; NULL: unchanged) and rule, for that configured listener.
 */
void listener_renew(struct listener *, SSL_CTX *ctx, struct tag_rule *rule);
const struct listen_url *listener_url(const struct listener *);
const struct listener_counts *listener_counts(const struct listener *);

#endif
