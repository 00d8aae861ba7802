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
/* Closes; what is left of a last line without its end is taken as a line. */
void session_close(struct session *, const char *why);
void session_pause(struct session *, bool paused);
/* Reads what has come by now, also when paused. */
void session_read_rest(struct session *);
/* Why it must be closed now; NULL: it need not. */
const char *session_overdue(struct session *, int64_t now_ms);
/* Closes one that is overdue, and counts it. */
void session_time_out(struct session *, const char *why);
struct session *session_next(struct session *);
/* Its handshake is done. */
bool session_is_open(const struct session *);

#endif
