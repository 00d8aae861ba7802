/*
 * sink -- what the receiver's files share: options, connections, what was counted.
 *
 * One thread.  Connections to one port, the victim's, may be treated badly;
 * what they bring is counted apart.
 */
#ifndef SINK_H
#define SINK_H

#include <netinet/in.h>
#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "check.h"

enum { PORTS_MAX = 1024 };

struct options {
	struct sockaddr_in listen;
	const char *cert;
	const char *key;
	int64_t expect;
	int64_t ports;
	int64_t copies;
	int64_t size;
	int64_t quiet_ms;
	int64_t seconds;
	int64_t close_after; /* lines, then the connection is closed; 0: never */
	int64_t slow;	     /* bytes a second that are read of a connection; 0: all */
	int64_t victim;	     /* the port that these are about; -1: all */
	bool tls;
	bool http;
	bool stall; /* accept, and never read */
};

/* The victim's port, or the others. */
struct side {
	struct check check;
	uint64_t expected; /* lines, copies included; 0: nobody said */
	uint64_t accepted;
	uint64_t closed; /* by us: --close-after */
};

enum { SERVED, VICTIM, SIDES };

struct conn {
	LIST_ENTRY(conn) link;
	LIST_ENTRY(conn) slow_link; /* in sink.slow, if --slow is for it */
	int fd;
	SSL *ssl; /* NULL: plain */
	struct side *side;
	char *tail; /* the partial frame; NULL: none */
	size_t tail_len;
	int64_t lines;
	bool bad;      /* --stall, --slow and --close-after are for it */
	double credit; /* --slow: bytes that may be read, since slow_at */
	int64_t slow_at;
	struct check_conn check;
};

struct sink {
	struct options opt;
	SSL_CTX *tls;
	int epoll;
	int listeners[PORTS_MAX];
	struct side sides[SIDES];
	LIST_HEAD(, conn) conns;
	LIST_HEAD(, conn) slow;
	int64_t started;
	int64_t
	    first; /* when the first and the last line came that was not the victim's; 0: none */
	int64_t last;
	int64_t now; /* when what is being looked at was read */
	char *buf;
	size_t buf_bytes;
};

/* sink_options.c: exits with a message if they are wrong. */
struct options sink_options(int argc, char **argv);

/* Which side a port's lines are on, and whether they are treated badly. */
struct side *sink_side(struct sink *, unsigned port);
bool sink_is_bad(const struct sink *, unsigned port);
/* What tells the lines of a port from those of others: ports that are not copies are all the same.
 */
unsigned sink_tag(const struct sink *, unsigned port);
/* The side has lines more than `before` now: that is when the last one came. */
void sink_noticed(struct sink *, const struct side *, uint64_t before);
/* Milliseconds that may still be waited; 0: it is over. */
int64_t sink_left(const struct sink *);

/* sink_conn.c: connections of frames. */
SSL_CTX *conn_tls_new(const struct options *);
/* Takes a port's new connections. */
void conn_accept(struct sink *, unsigned port);
void conn_readable(struct sink *, struct conn *);
/* Reads what --slow lets through by now. */
void conn_read_slow(struct sink *);
void conn_close(struct conn *);

/* sink_http.c: takes requests until it is over. */
void sink_http(struct sink *);

/* sink_report.c: one line of JSON. */
void sink_report(const struct sink *);

#endif
