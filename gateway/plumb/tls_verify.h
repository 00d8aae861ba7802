/*
 * tls_verify -- keeps, with the session, why a peer's certificate was refused.
 * OpenSSL forgets the certificate after a failed handshake, so the words are
 * made while it is at hand.  For the files tls*.c only.
 */
#ifndef TLS_VERIFY_H
#define TLS_VERIFY_H

#include <openssl/ssl.h>

/* For SSL_CTX_set_verify. */
int tls_on_verify(int ok, X509_STORE_CTX *);
/* NULL: no certificate was refused.  Valid as long as ssl. */
const char *tls_verify_fault(const SSL *);

#endif
