/*
 * tls_guard -- makes a client context that somebody else made (libcurl) as
 * strict as our own, and keeps the words for a handshake that fails on it.
 *
 * One thread's, that of the context.
 */
#ifndef TLS_GUARD_H
#define TLS_GUARD_H

#include <openssl/ssl.h>
#include <stdbool.h>

/* Why a handshake failed.  Shared by the context, which may live longer, and whoever asks. */
struct tls_fault;

struct tls_fault *tls_fault_new(void);
/* NULL is fine. */
void tls_fault_free(struct tls_fault *);
/* As tls_error says it; "": no handshake failed, or NULL. */
const char *tls_fault_words(const struct tls_fault *);

/*
 * Before sessions are made of it: TLS 1.2 or newer, no renegotiation, the
 * chain verified against the CAs of cas (NULL: those that the context has), and
 * for host.  false: no memory, or a host that cannot be verified.
 */
bool tls_guard(SSL_CTX *, SSL_CTX *cas, const char *host, struct tls_fault *)
    __attribute__((warn_unused_result));

#endif
