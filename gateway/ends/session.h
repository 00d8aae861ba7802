/*
 * session -- one sender's connection.
 *
 * It reads into the worker's buffer and owns only the partial frame between
 * two reads, so that an idle connection costs its stream and little else.
 *
 * Owner: the worker's intake.  Thread: the worker.  Frees itself when the
 * sender closes, fails, or is over a deadline.
 */
#ifndef SESSION_H
#define SESSION_H

#include <openssl/ssl.h>
#include <sys/socket.h>

#include "ends/intake.h"

/*
 * fd: accepted, non-blocking; owned from here on.  peer: whom it came from,
 * also when a proxy said so.  ctx NULL: plain.
 */
void session_new(struct intake *, struct listener_share *, int fd, const struct sockaddr *peer,
		 SSL_CTX *ctx);
/*
 * Closes at once.  What is left of a last line without its end is taken as a
 * line, unless lines are acknowledged: then the sender still has it.
 */
void session_close(struct session *, const char *why);
/*
 * At stop: closes; if lines are acknowledged, only when those that were taken
 * are.  now: without waiting for that.
 */
void session_end(struct session *, bool now);
/* Reads, or not, as intake and session are by now. */
void session_read_wanted(struct session *);
/* Reads what has come by now, also when paused. */
void session_read_rest(struct session *);
/* Closes it if it is over a deadline. */
void session_sweep(struct session *, int64_t now_ms);
struct session *session_next(struct session *);
/* Its handshake is done. */
bool session_is_open(const struct session *);
/* It has told the sender that it closes, so long ago; -1: it has not. */
int64_t session_shut_for(const struct session *, int64_t now_ms);

#endif
