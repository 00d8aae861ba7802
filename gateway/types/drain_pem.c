#include "types/drain_pem.h"

#include <limits.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

static const char too_long[] = "must not be longer than 64 KiB";
static const char not_pem[] = "must be PEM text: -----BEGIN ...-----, base64, -----END ...-----";

static BIO *
bio_of(struct slice text)
{
	return text.n <= INT_MAX ? BIO_new_mem_buf(text.p, (int)text.n) : NULL;
}

static bool
take_bio(BIO *bio, struct buf *out)
{
	char *p;
	long n = BIO_get_mem_data(bio, &p);

	if (n > 0)
		buf_add(out, p, (size_t)n);
	return n > 0;
}

/* Tries the next block of PEM; *fault when it is not a certificate.  NULL: none. */
static X509 *
next_cert(BIO *bio, const char **fault)
{
	char *name = NULL, *header = NULL;
	unsigned char *der = NULL;
	const unsigned char *p;
	X509 *cert = NULL;
	long n;

	if (PEM_read_bio(bio, &name, &header, &der, &n) != 1) {
		if (ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE)
			*fault = not_pem;
		return NULL;
	}
	p = der;
	if (strstr(name, "PRIVATE KEY") != NULL)
		*fault = "must hold certificates only; a private key goes into client_key";
	else if (strcmp(name, PEM_STRING_X509) != 0 && strcmp(name, PEM_STRING_X509_OLD) != 0)
		*fault = "must hold certificates only (-----BEGIN CERTIFICATE-----)";
	else if ((cert = d2i_X509(NULL, &p, n)) == NULL || p != der + n ||
		 X509_get0_pubkey(cert) == NULL)
		*fault = "has a certificate that cannot be read";
	if (*fault != NULL) {
		X509_free(cert);
		cert = NULL;
	}
	OPENSSL_free(name);
	OPENSSL_free(header);
	/* It may have been a key. */
	OPENSSL_clear_free(der, (size_t)n);
	return cert;
}

static bool
check_certs(struct slice given, struct buf *canonical, const char **fault)
{
	BIO *in, *out;
	X509 *cert;
	int n = 0;

	if (given.n > DRAIN_PEM_MAX) {
		*fault = too_long;
		return false;
	}
	in = bio_of(given);
	out = BIO_new(BIO_s_mem());
	while (in != NULL && out != NULL && (cert = next_cert(in, fault)) != NULL) {
		if (PEM_write_bio_X509(out, cert) != 1)
			*fault = "has a certificate that cannot be read";
		X509_free(cert);
		n++;
	}
	if (*fault == NULL && n == 0)
		*fault = not_pem;
	if (*fault == NULL && !take_bio(out, canonical))
		*fault = not_pem;
	/* Longer than what was given: a stored one must be taken again. */
	if (*fault == NULL && canonical->n > DRAIN_PEM_MAX)
		*fault = too_long;
	BIO_free(in);
	BIO_free(out);
	ERR_clear_error();
	return *fault == NULL;
}

bool
drain_pem_check_ca(struct slice given, struct buf *canonical, const char **fault)
{
	return check_certs(given, canonical, fault);
}

bool
drain_pem_check_cert(struct slice given, struct buf *canonical, const char **fault)
{
	return check_certs(given, canonical, fault);
}

/* OpenSSL asks for a passphrase: nobody is there to ask. */
static int
on_passphrase(char *buf, int size, int writing, void *arg)
{
	bool *asked = arg;

	(void)buf;
	(void)size;
	(void)writing;
	*asked = true;
	return -1;
}

static EVP_PKEY *
read_key(struct slice pem, bool *encrypted)
{
	BIO *bio = bio_of(pem);
	EVP_PKEY *key = NULL;

	*encrypted = false;
	if (bio != NULL)
		key = PEM_read_bio_PrivateKey(bio, NULL, on_passphrase, encrypted);
	BIO_free(bio);
	return key;
}

static bool
write_key(EVP_PKEY *key, struct buf *out)
{
	BIO *bio = BIO_new(BIO_s_secmem());
	bool ok = bio != NULL &&
		  PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) == 1 &&
		  take_bio(bio, out);

	BIO_free(bio);
	return ok;
}

bool
drain_pem_check_key(struct slice given, struct buf *canonical, const char **fault)
{
	EVP_PKEY *key;
	bool encrypted;

	if (given.n > DRAIN_PEM_MAX) {
		*fault = too_long;
		return false;
	}
	key = read_key(given, &encrypted);
	if (key == NULL && encrypted)
		*fault = "is encrypted; remove its passphrase (openssl pkey -in FILE)";
	else if (key == NULL && memmem(given.p, given.n, "PRIVATE KEY-----", 16) == NULL)
		*fault = "has no private key (-----BEGIN PRIVATE KEY-----)";
	else if (key == NULL || !write_key(key, canonical))
		*fault = "has a private key that cannot be read";
	EVP_PKEY_free(key);
	ERR_clear_error();
	return *fault == NULL;
}

static const char *
cert_fault(void)
{
	switch (ERR_GET_REASON(ERR_peek_last_error())) {
	case SSL_R_EE_KEY_TOO_SMALL:
	case SSL_R_CA_KEY_TOO_SMALL:
		return "has a key that is too small for TLS today";
	case SSL_R_CA_MD_TOO_WEAK:
		return "has a signature that is too weak for TLS today";
	default:
		return "cannot be used for TLS";
	}
}

const char *
drain_pem_pair_fault(const char *cert_pem, const char *key_pem, enum drain_key *about)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	BIO *bio = bio_of(slice_str(cert_pem));
	const char *fault = NULL;
	bool encrypted, leaf = true;
	EVP_PKEY *key = read_key(slice_str(key_pem), &encrypted);
	X509 *cert;

	*about = DRAIN_CLIENT_CERT;
	while (fault == NULL && ctx != NULL && (cert = next_cert(bio, &fault)) != NULL) {
		if ((leaf ? SSL_CTX_use_certificate(ctx, cert)
			  : SSL_CTX_add1_chain_cert(ctx, cert)) != 1)
			fault = cert_fault();
		else if (leaf && X509_check_private_key(cert, key) != 1) {
			*about = DRAIN_CLIENT_KEY;
			fault = "is not the key of client_cert's first certificate";
		}
		X509_free(cert);
		leaf = false;
	}
	EVP_PKEY_free(key);
	BIO_free(bio);
	SSL_CTX_free(ctx);
	ERR_clear_error();
	return fault;
}

void
drain_pem_fingerprint(enum drain_key which, const char *pem, struct buf *out)
{
	BIO *bio = bio_of(slice_str(pem));
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned n = 0;
	X509 *cert;

	EVP_DigestInit_ex(md, EVP_sha256(), NULL);
	while ((cert = PEM_read_bio_X509(bio, NULL, NULL, NULL)) != NULL) {
		unsigned char *der = NULL;
		int size = i2d_X509(cert, &der);

		if (size > 0)
			EVP_DigestUpdate(md, der, (size_t)size);
		OPENSSL_free(der);
		X509_free(cert);
		if (which == DRAIN_CLIENT_CERT)
			break;
	}
	EVP_DigestFinal_ex(md, digest, &n);
	buf_add_str(out, "sha256:");
	for (unsigned i = 0; i < n; i++)
		buf_addf(out, "%02x", digest[i]);
	EVP_MD_CTX_free(md);
	BIO_free(bio);
	ERR_clear_error();
}

void
drain_pem_refuse(const struct drain_conf *conf, struct drain_errors *errors, const char *why)
{
	static const enum drain_key keys[] = {DRAIN_CA, DRAIN_CLIENT_CERT, DRAIN_CLIENT_KEY};

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (conf->value[keys[i]] != NULL)
			drain_error(errors, drain_key_name(keys[i]), "%s", why);
}
