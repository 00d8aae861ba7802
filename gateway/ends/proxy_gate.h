/*
 * proxy_gate -- reads the PROXY header that a load balancer puts in front of a
 * connection (before TLS), then makes a session for whom it names.
 *
 * Nothing behind the header is read: it is looked at in the socket and taken
 * out alone.  A listed peer that sends no header speaks for itself.
 *
 * Owner: itself; ends in a session or in a closed connection.  Thread: the worker.
 */
#ifndef PROXY_GATE_H
#define PROXY_GATE_H

#include <openssl/ssl.h>
#include <sys/socket.h>

#include "ends/intake.h"

void proxy_gate_new(struct intake *, struct listener_share *, int fd, const struct sockaddr *peer,
		    SSL_CTX *ctx);
/* Closes all gates of an intake (at stop). */
void proxy_gate_clear(struct intake *);

#endif
