/*
 * stream -- one connected byte stream, plain or TLS, over a raw libevent
 * event: what sessions, drains and the HTTP server have in common.
 *
 * It owns the descriptor and the SSL, has no buffers of its own, and tells its
 * user through one callback, always from the loop, never from inside a call.
 * Reading and writing never block.  With TLS the process must ignore SIGPIPE.
 *
 * Owner: who made it.  Thread: the event_base's.  Never freed inside the
 * callback by the stream itself; the user may call stream_free or stream_abort
 * inside the callback as its last act.
 */
#ifndef STREAM_H
#define STREAM_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/uio.h>

struct event_base;
struct stream;

enum stream_event {
	STREAM_OPEN,	 /* connected, and the handshake is done */
	STREAM_READABLE, /* read; what is left unread brings it again while read is wanted */
	STREAM_WRITABLE, /* asked for by a write that came back short */
	STREAM_FAILED,	 /* connect or handshake failed or took too long: stream_error */
};

typedef void stream_cb(struct stream *, enum stream_event, void *arg);

enum { STREAM_EOF = 0, STREAM_AGAIN = -1, STREAM_ERROR = -2, STREAM_ERROR_BYTES = 256 };

/*
 * An accepted socket (non-blocking; owned from here on).  ctx NULL: plain, and
 * STREAM_OPEN comes at the next turn of the loop.  With a ctx the handshake
 * has handshake_ms.  Reading is off until stream_want_read.
 */
struct stream *stream_accepted(struct event_base *, int fd, SSL_CTX *ctx, int64_t handshake_ms,
			       stream_cb *, void *arg);

/*
 * Connects; connect_ms for TCP, then handshake_ms for TLS (ctx NULL: plain).
 * host: for SNI and the certificate's name.  Sets TCP_NODELAY, keep-alive,
 * TCP_USER_TIMEOUT 30 s and a bounded send buffer.  Failures, also immediate
 * ones, come as STREAM_FAILED at a later turn; NULL is never returned.
 */
struct stream *stream_connect(struct event_base *, const struct sockaddr *, socklen_t, SSL_CTX *ctx,
			      const char *host, int64_t connect_ms, int64_t handshake_ms,
			      stream_cb *, void *arg);

/*
 * Closes; TLS sends close_notify if it can without waiting.  Received bytes
 * that nobody read are thrown away first (up to 1 MiB): closing over them
 * would send a reset, which destroys what the peer has not read yet.  More may
 * be on its way, so a user who needs all of it delivered calls stream_shutdown
 * and reads to STREAM_EOF before this.  NULL is fine.
 */
void stream_free(struct stream *);
/* As stream_free, but the peer gets a reset: nothing half-sent is delivered. */
void stream_abort(struct stream *);
/*
 * Says that no more will be written (close_notify with TLS, then FIN); reading
 * goes on.  Call it when the last write was taken whole: what was not is
 * abandoned.  Before STREAM_OPEN it does nothing.
 */
void stream_shutdown(struct stream *);

/*
 * > 0: bytes (of many TLS records, if len has room); else STREAM_EOF,
 * STREAM_AGAIN, STREAM_ERROR.  EOF and ERROR end reading, ERROR writing too:
 * no event follows.
 */
ssize_t stream_read(struct stream *, void *buf, size_t len) __attribute__((warn_unused_result));
/*
 * > 0: bytes taken, maybe fewer than offered (STREAM_WRITABLE follows then);
 * else STREAM_AGAIN (STREAM_WRITABLE follows), STREAM_ERROR.  After a short
 * write the bytes that were not taken must be offered again first, at any
 * address, and not fewer of them.  TLS: small pieces are copied together into
 * records of 16 KiB, large ones are encrypted where they lie.  At least one
 * byte must be offered.
 */
ssize_t stream_writev(struct stream *, const struct iovec *, int n)
    __attribute__((warn_unused_result));

void stream_want_read(struct stream *, bool on);

/* Words for the last STREAM_ERROR or STREAM_FAILED, naming the cause. */
const char *stream_error(const struct stream *);
/*
 * The connection ended by a TLS alert: a peer that refuses us, our certificate
 * say, does so after the handshake has ended here (TLS 1.3), and has read none
 * of what its TCP acknowledged.
 */
bool stream_refused(const struct stream *);
int stream_fd(const struct stream *);
SSL *stream_ssl(const struct stream *); /* NULL: plain */
/*
 * When stream_connect's TCP connection stood, by clock_mono_ms; 0: it never did,
 * so what failed was not the handshake.
 */
int64_t stream_connected_ms(const struct stream *);

/*
 * Bytes given to TCP since the connection was made (with TLS, records and
 * handshake included): the scale on which acknowledgements are counted.
 */
uint64_t stream_tcp_written(const struct stream *);

/* What TCP knows of the other side; also readable after a reset. */
struct stream_tcp {
	uint64_t acked; /* of stream_tcp_written */
	uint64_t unacked;
	uint32_t window;     /* advertised by the receiver, now */
	uint32_t window_max; /* the largest seen by these calls */
};
/*
 * false: not a TCP socket, or the kernel does not say.
 *
 * Who has bytes unacknowledged calls it every 10 s at least: it lifts
 * TCP_USER_TIMEOUT while the receiver keeps its window closed but answers, else
 * that would cut off a slow reader after 30 s.
 */
bool stream_tcp_state(struct stream *, struct stream_tcp *);
/*
 * The peer has ended its side, or reset the connection: what a stream that is not read does
 * not learn by itself.  Bytes may still be there to be read.  false also if it is not TCP.
 */
bool stream_peer_ended(const struct stream *);

#endif
