/* bind -- the sockets that `penstock listen` asks for, on one address and port. */
#ifndef BIND_H
#define BIND_H

#include "cli/listen_options.h"

struct bound {
	int tcp, udp;			      /* non-blocking; -1: not asked for */
	char address[LISTEN_HOST_BYTES + 32]; /* "127.0.0.1:5514 (tcp, udp)" */
};

/* false: err has a sentence, and nothing is open.  The caller closes the sockets. */
bool bind_options(const struct listen_options *, struct bound *out, char err[LISTEN_ERROR_BYTES])
    __attribute__((warn_unused_result));

#endif
