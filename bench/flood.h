/*
 * flood -- what the sender's files share: options, connections, protocols.
 *
 * One thread and one epoll set.  A connection that can send stands in the list
 * `ready`; the others wait for their socket, for answers, or are done.
 */
#ifndef FLOOD_H
#define FLOOD_H

#include <netinet/in.h>
#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>
#include <sys/types.h>

#include "lines.h"
#include "pace.h"

enum { INPUT_BYTES = 8192 }; /* the longest answer */

struct flood;
struct conn;

/* How lines travel.  Members may be NULL where that is said. */
struct protocol {
	bool datagrams;
	bool requests; /* up to --batch lines go together, all for one app */

	/* The socket is connected and still blocks; NULL: there is nothing to say. */
	void (*open)(struct flood *, struct conn *);
	/* Lines that it may send now, of those that are left and due. */
	uint64_t (*room)(const struct flood *, const struct conn *);
	/*
	 * Renders the next lines, `quota` at most, into flood.buf; returns the
	 * bytes and says how many lines they are.  NULL: datagrams.
	 */
	size_t (*fill)(struct flood *, const struct conn *, uint64_t quota, uint64_t *lines);
	/*
	 * Counts the first answer in data, by conn_answered; returns its bytes, 0
	 * if it is not all there.  NULL: lines are not answered.
	 */
	size_t (*answer)(struct flood *, struct conn *, const char *data, size_t len);
	/* The last bytes before the end; NULL: none. */
	void (*bye)(struct conn *);
};

extern const struct protocol flood_stream;
extern const struct protocol flood_datagrams;
extern const struct protocol flood_relp;
extern const struct protocol flood_http;

struct options {
	struct sockaddr_in to;
	const struct protocol *protocol;
	const char *ca;
	struct lines_shape shape;
	int64_t lines;
	int64_t connections;
	int64_t batch; /* lines of a request */
	int64_t rate;  /* lines a second, 0: as fast as it goes */
	int64_t seconds;
	int64_t hold; /* seconds that connections stay open, idle, when all lines have gone */
	bool tls;
};

struct conn {
	TAILQ_ENTRY(conn) link; /* in flood.ready, if `ready` */
	int fd;
	SSL *ssl; /* NULL: plain */
	unsigned index;
	uint64_t total; /* lines that this connection sends */
	uint64_t next;	/* of these, the first that was not rendered */
	char *rest;	/* rendered, and not gone: the socket is full; NULL: nothing */
	size_t rest_len;
	uint64_t rest_lines; /* that count as sent when the rest has gone */
	uint64_t unanswered; /* lines */
	char *in;	     /* INPUT_BYTES, of them in_len of an answer that is not all there */
	size_t in_len;
	bool ready;
	bool blocked; /* until EPOLLOUT */
	bool done;
	bool gone; /* closed by the receiver, which is counted while they are held */
};

struct flood {
	struct options opt;
	struct lines *lines;
	SSL_CTX *tls;
	struct conn *conns;
	int epoll;
	TAILQ_HEAD(, conn) ready;
	int64_t started;
	int64_t open; /* connections that are not done */
	struct pace pace;
	uint64_t rendered;
	uint64_t sent;
	uint64_t bytes;
	uint64_t lost;	       /* held connections that the receiver closed */
	uint64_t acknowledged; /* lines that were answered: well, */
	uint64_t refused;      /* and otherwise */
	char *buf;	       /* what was rendered last */
	size_t buf_bytes;
};

/* flood_options.c: exits with a message if they are wrong. */
struct options flood_options(int argc, char **argv);

/*
 * flood_conn.c.  Whatever fails ends the program: a connection that breaks
 * would make every figure wrong.
 */
SSL_CTX *conn_tls_new(const char *ca);
/* Connects and shakes hands; returns when that is done: so it is one at a time. */
void conn_open(struct flood *, struct conn *);
/* Sends up to quota lines, or what is left of those before. */
void conn_send(struct flood *, struct conn *, uint64_t quota);
/* The n oldest unanswered lines were taken, or refused: `why` is shown once. */
void conn_answered(struct flood *, struct conn *, uint64_t n, bool taken, const char *why,
		   size_t why_len);
/* All that the socket takes of data; returns the bytes. */
size_t conn_write(struct conn *, const char *data, size_t len);
/* As read(2), also for TLS: -1 with EAGAIN if there is nothing now, else it is over. */
ssize_t conn_read_some(struct conn *, char *out, size_t cap);
/* Reads all that came. */
void conn_read(struct flood *, struct conn *);
/* Says that nothing more comes. */
void conn_shutdown(struct flood *, struct conn *);
/* Waits for the receiver's end, up to the deadline, and frees all. */
void conn_close(struct flood *, struct conn *, int64_t deadline);

/* flood_datagram.c: one round of datagrams. */
void conn_send_datagrams(struct flood *, struct conn *, uint64_t quota);

#endif
