/*
 * tls_ctx -- what the makers of contexts share.  For tls.c and tls_own.c only.
 */
#ifndef TLS_CTX_H
#define TLS_CTX_H

#include "plumb/tls.h"

/* What holds for both ends; NULL: err says why. */
SSL_CTX *tls_common_ctx(const SSL_METHOD *, char err[TLS_ERROR_BYTES]);
/*
 * pem_password_cb.  No terminal to ask on: an encrypted key is an error, and
 * remembered as that in the bool *asked.
 */
int tls_on_passphrase(char *buf, int size, int rwflag, void *asked);

#endif
