/*
 * tls -- contexts and checks for OpenSSL 3.0, used directly (no bufferevents).
 *
 * A context is shared by all threads and lives as long as its references
 * (SSL_CTX_up_ref / SSL_CTX_free); sessions belong to one thread.
 *
 * OpenSSL writes to sockets with write(2): the process must ignore SIGPIPE
 * (main does, before it starts threads).
 */
#ifndef TLS_H
#define TLS_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>

enum tls_client_auth { TLS_CLIENT_NONE, TLS_CLIENT_OPTIONAL, TLS_CLIENT_REQUIRED };

enum { TLS_ERROR_BYTES = 256 };

/*
 * For listeners: TLS 1.2 or newer, no session tickets (a peer that never reads
 * would be reset by the unread ticket), no renegotiation, read-ahead, released
 * idle buffers.  client_ca may be NULL when auth is NONE.
 * NULL: err has a sentence with the file, the fault and the remedy.
 */
SSL_CTX *tls_server_ctx(const char *cert, const char *key, const char *client_ca,
			enum tls_client_auth auth, char err[TLS_ERROR_BYTES])
    __attribute__((warn_unused_result));

/* For drains: verifies the chain against ca_file (NULL: the system's). */
SSL_CTX *tls_client_ctx(const char *ca_file, char err[TLS_ERROR_BYTES])
    __attribute__((warn_unused_result));

/* A drain's own CA and certificate, PEM texts; NULL where it has none. */
struct tls_own {
	const char *ca;	  /* in place of the shared CAs */
	const char *cert; /* chain, leaf first */
	const char *key;
};

/*
 * A client context of its own: the CAs of shared unless own has some.  NULL:
 * err has the fault (the texts were checked when they came, so it is unlikely).
 */
SSL_CTX *tls_own_ctx(SSL_CTX *shared, const struct tls_own *own, char err[TLS_ERROR_BYTES])
    __attribute__((warn_unused_result));

/*
 * A server session of that context on a connected, non-blocking socket; fd is
 * not owned.  NULL: OpenSSL has no memory left.
 */
SSL *tls_accept_session(SSL_CTX *, int fd);
/*
 * A client session: SNI (names only, without a last dot), and host must match
 * the certificate (name, or IP address without brackets).  NULL: host cannot
 * be verified (NULL, empty, over 255 bytes), or no memory.
 */
SSL *tls_connect_session(SSL_CTX *, int fd, const char *host);

/*
 * Why the last call on ssl failed, in words that name the cause: "certificate
 * expired on 2026-01-02T00:00:00Z", "certificate is not for host NAME",
 * "certificate signed by an unknown CA", "peer closed during the handshake",
 * "peer does not speak TLS", "peer sent alert: ...", ...; "client certificate"
 * on a server.  ret: what the SSL_ function returned (errno still its own).
 * Empties the error queue.
 */
void tls_error(SSL *ssl, int ret, char err[TLS_ERROR_BYTES]);

/*
 * Who the peer's verified certificate says it is: its first DNS name, else URI
 * or e-mail SAN, else its CN if it has just one; false: no certificate, or
 * that name holds a NUL, is empty or does not fit.
 */
bool tls_peer_name(SSL *ssl, char *name, size_t len);

#endif
