#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <string.h>

#include "plumb/tls.h"
#include "plumb/tls_ctx.h"
#include "plumb/tls_verify.h"

static BIO *
bio_of(const char *text)
{
	size_t n = strlen(text);

	return n <= INT_MAX ? BIO_new_mem_buf(text, (int)n) : NULL;
}

/* The PEM text ended, and nothing else was wrong with it. */
static bool
at_end(void)
{
	unsigned long e = ERR_peek_last_error();
	bool end = ERR_GET_LIB(e) == ERR_LIB_PEM && ERR_GET_REASON(e) == PEM_R_NO_START_LINE;

	ERR_clear_error();
	return end;
}

static bool
use_ca(SSL_CTX *ctx, const char *text, char err[TLS_ERROR_BYTES])
{
	X509_STORE *store = SSL_CTX_get_cert_store(ctx);
	BIO *bio = bio_of(text);
	bool ok = bio != NULL;
	X509 *cert;
	int n = 0;

	while (ok && (cert = PEM_read_bio_X509(bio, NULL, NULL, NULL)) != NULL) {
		ok = X509_STORE_add_cert(store, cert) == 1;
		X509_free(cert);
		n++;
	}
	ok = ok && at_end() && n > 0;
	BIO_free(bio);
	/* Whatever it holds is trusted for itself, an intermediate CA or a receiver's own. */
	X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN);
	if (!ok)
		snprintf(err, TLS_ERROR_BYTES,
			 "the drain's own CA holds no usable certificate; give it in PEM");
	return ok;
}

static bool
use_cert(SSL_CTX *ctx, const char *text, char err[TLS_ERROR_BYTES])
{
	BIO *bio = bio_of(text);
	X509 *cert = bio != NULL ? PEM_read_bio_X509_AUX(bio, NULL, NULL, NULL) : NULL;
	bool ok = cert != NULL && SSL_CTX_use_certificate(ctx, cert) == 1;

	X509_free(cert);
	while (ok && (cert = PEM_read_bio_X509(bio, NULL, NULL, NULL)) != NULL) {
		ok = SSL_CTX_add1_chain_cert(ctx, cert) == 1;
		X509_free(cert);
	}
	ok = ok && at_end();
	BIO_free(bio);
	if (!ok)
		snprintf(err, TLS_ERROR_BYTES,
			 "the drain's client certificate cannot be used; give it in PEM, the "
			 "certificate first, then its chain");
	return ok;
}

static bool
use_key(SSL_CTX *ctx, const char *text, char err[TLS_ERROR_BYTES])
{
	bool encrypted = false, ok;
	BIO *bio = bio_of(text);
	EVP_PKEY *key =
	    bio != NULL ? PEM_read_bio_PrivateKey(bio, NULL, tls_on_passphrase, &encrypted) : NULL;

	ok = key != NULL && SSL_CTX_use_PrivateKey(ctx, key) == 1 &&
	     SSL_CTX_check_private_key(ctx) == 1;
	EVP_PKEY_free(key);
	BIO_free(bio);
	if (!ok && encrypted)
		snprintf(err, TLS_ERROR_BYTES,
			 "the drain's client key is encrypted; remove its passphrase");
	else if (!ok)
		snprintf(err, TLS_ERROR_BYTES,
			 "the drain's client key does not belong to its certificate, or cannot be "
			 "used; give the key that it was made with, in PEM");
	return ok;
}

SSL_CTX *
tls_own_ctx(SSL_CTX *shared, const struct tls_own *own, char err[TLS_ERROR_BYTES])
{
	SSL_CTX *ctx = tls_common_ctx(TLS_client_method(), err);
	bool ok = true;

	if (ctx == NULL)
		return NULL;
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, tls_on_verify);
	if (own->ca != NULL)
		ok = use_ca(ctx, own->ca, err);
	else
		SSL_CTX_set1_cert_store(ctx, SSL_CTX_get_cert_store(shared));
	if (ok && own->cert != NULL && own->key != NULL)
		ok = use_cert(ctx, own->cert, err) && use_key(ctx, own->key, err);
	ERR_clear_error();
	if (ok)
		return ctx;
	SSL_CTX_free(ctx);
	return NULL;
}
