/*
 * drain_pem -- certificates and keys that a drain is given: PEM texts (RFC
 * 7468), read, checked and written again by OpenSSL, so that one certificate
 * has one text.
 *
 * Any thread.  Leaves OpenSSL's error queue empty.
 */
#ifndef DRAIN_PEM_H
#define DRAIN_PEM_H

#include "types/drain_type.h"

enum { DRAIN_PEM_MAX = 64 * 1024 };

/*
 * Checks of drain_keys.c.  Certificates are not asked for their dates, nor a
 * CA whether it is one: what is trusted and accepted is for those who verify.
 */
bool drain_pem_check_ca(struct slice given, struct buf *canonical, const char **fault);
bool drain_pem_check_cert(struct slice given, struct buf *canonical, const char **fault);
bool drain_pem_check_key(struct slice given, struct buf *canonical, const char **fault);

/*
 * What is wrong with these two together for a TLS connection; NULL: nothing.
 * *key says which of them it is about.
 */
const char *drain_pem_pair_fault(const char *cert_pem, const char *key_pem, enum drain_key *key);

/*
 * Adds "sha256:" and 64 lower-case hex digits: of a client certificate the
 * leaf's, as `openssl x509 -fingerprint -sha256` has it; of CAs one over all
 * of them (DER, one behind the other).
 */
void drain_pem_fingerprint(enum drain_key, const char *pem, struct buf *out);

/*
 * Adds an error for each of ca, client_cert and client_key that is given: without
 * TLS a key must not be ignored without a word.
 */
void drain_pem_refuse(const struct drain_conf *, struct drain_errors *, const char *why);

#endif
