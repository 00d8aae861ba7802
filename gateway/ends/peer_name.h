/*
 * peer_name -- what a line without HOSTNAME gets: the sender's address in
 * text; a local sender (Unix socket) is this machine.
 */
#ifndef PEER_NAME_H
#define PEER_NAME_H

#include <netinet/in.h>
#include <sys/socket.h>

#include "base/slice.h"

enum { PEER_NAME_BYTES = INET6_ADDRSTRLEN };

/* The result points into text, or is host. */
struct slice peer_name(const struct sockaddr *, struct slice host, char text[PEER_NAME_BYTES]);

#endif
