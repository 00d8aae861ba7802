/*
 * sockets -- the descriptors behind `listen` and `admin` values.
 * Thread: main, at start.
 */
#ifndef SOCKETS_H
#define SOCKETS_H

#include <stdbool.h>

#include "plumb/config.h"
#include "plumb/listen_url.h"

/*
 * Opens, binds and (for streams) listens; non-blocking.  Port 0 becomes the
 * port the kernel chose, in url->addr too.  A Unix socket file that nobody
 * listens on any more is replaced.
 * -1: err has a sentence naming key and remedy.
 */
int socket_open_alone(struct listen_url *, const char *key, char err[CONFIG_ERROR_BYTES])
    __attribute__((warn_unused_result));

/*
 * Opens n sockets that share one address (SO_REUSEPORT), after having had it
 * alone: a second process that shares it would silently take half of the
 * traffic.  A Unix socket cannot be shared: one is opened.  Returns how many;
 * 0: as above, and none is open.
 */
unsigned socket_open_shared(struct listen_url *, const char *key, int *fds, unsigned n,
			    char err[CONFIG_ERROR_BYTES]) __attribute__((warn_unused_result));

/* "127.0.0.1:514" or the path, for logs. */
void socket_name(const struct listen_url *, char *name, size_t len);

#endif
