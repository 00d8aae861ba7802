/*
 * listen_url -- one `listen` or `admin` value, taken apart and checked.
 *
 *	syslog+tcp://ADDR:PORT  syslog+tls://  syslog+udp://
 *	syslog+unix:///PATH (stream)  syslog+unixgram:///PATH
 *	relp://ADDR:PORT  relps://  http://  https://
 *	http://ADDR:PORT  https://ADDR:PORT  unix:///PATH   (admin)
 *	?app=RULE&auth=none|optional|required&framing=auto|octet-counting|lf|nul
 *	&proxy=CIDR,...&hostname=keep|peer|NAME&tz=UTC|local|+HH:MM
 *
 * PATH and the options' values are percent-decoded ('+' stays '+').  ADDR is a
 * literal, IPv6 in brackets, or `*` for [::] taking IPv4 too.  Port 0 lets the
 * kernel choose.  app=cert asks for certificates (auth=required) by itself.
 */
#ifndef LISTEN_URL_H
#define LISTEN_URL_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

#include "plumb/tls.h"
#include "wire/frame.h"

enum listen_kind {
	LISTEN_TCP,
	LISTEN_TLS,
	LISTEN_UDP,
	LISTEN_UNIX,
	LISTEN_UNIXGRAM,
	LISTEN_RELP,
	LISTEN_RELPS,
	LISTEN_INGEST, /* http and https for lines */
	LISTEN_INGESTS,
	LISTEN_HTTP, /* admin */
	LISTEN_HTTPS,
	LISTEN_HTTP_UNIX,
};

enum hostname_policy { HOSTNAME_KEEP, HOSTNAME_PEER, HOSTNAME_FIXED };

struct listen_url {
	char *text; /* as configured: for logs and errors */
	enum listen_kind kind;
	struct sockaddr_storage addr; /* not for Unix sockets */
	bool both_families;	      /* `*`: takes IPv4 too; any other [::] is IPv6 only */
	char *path;		      /* Unix sockets */
	char *app;		      /* the tag rule's text; "app-name" by default; NULL: none */
	enum tls_client_auth auth;
	enum framing framing;
	enum hostname_policy hostname;
	char *hostname_fixed;
	char *proxy;	/* CIDRs that may send a PROXY header; NULL: none */
	bool tz_local;	/* stamps without a zone: the process's (default) ... */
	int tz_minutes; /* ... else this many minutes east of UTC */
};

/* false: err has a sentence with the key, the value, the fault and the remedy. */
bool listen_url_parse(const char *text, bool admin, struct listen_url *out, char *err,
		      size_t errlen) __attribute__((warn_unused_result));
void listen_url_free(struct listen_url *);
bool listen_url_is_unix(const struct listen_url *);
bool listen_url_is_tls(const struct listen_url *);
/* Whether both cannot be bound: the same transport, address (or a wildcard) and port. */
bool listen_url_conflicts(const struct listen_url *, const struct listen_url *);
/* The socket address to bind, also of a Unix path; returns its length. */
socklen_t listen_url_sockaddr(const struct listen_url *, struct sockaddr_storage *);

#endif
