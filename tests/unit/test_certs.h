/*
 * test_certs -- makes CAs and certificates for a test, as PEM files
 * DIR/NAME.pem and DIR/NAME.key.  P-256, signed with SHA-256.
 */
#ifndef TEST_CERTS_H
#define TEST_CERTS_H

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct test_cert {
	X509 *cert;
	EVP_PKEY *key;
};

struct test_cert_spec {
	const char *name;    /* of the files */
	const char *cn;	     /* NULL: none */
	const char *san;     /* as in openssl.cnf: "DNS:a.example,IP:127.0.0.1"; NULL: none */
	const char *nul_dns; /* a DNS SAN in which every '@' becomes a NUL */
	long from_s, to_s;   /* validity from now; to_s 0: an hour */
	bool ca;
	const char *passphrase; /* of the key file; NULL: not encrypted */
};

static inline void
test_cert_must(bool ok, const char *what)
{
	if (!ok) {
		fprintf(stderr, "test_certs: %s failed\n", what);
		abort();
	}
}

static inline const char *
test_path(const char *dir, const char *name, const char *suffix)
{
	static char paths[8][256];
	static unsigned next;
	char *p = paths[next++ % 8];

	snprintf(p, 256, "%s/%s%s", dir, name, suffix);
	return p;
}

static inline void
test_cert_extension(X509 *cert, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX ctx;
	X509_EXTENSION *ext;

	X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
	ext = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	test_cert_must(ext != NULL && X509_add_ext(cert, ext, -1) == 1, value);
	X509_EXTENSION_free(ext);
}

static inline void
test_cert_nul_dns(X509 *cert, const char *text)
{
	GENERAL_NAMES *names = GENERAL_NAMES_new();
	GENERAL_NAME *name = GENERAL_NAME_new();
	ASN1_IA5STRING *s = ASN1_IA5STRING_new();
	char *copy = strdup(text);
	size_t n = strlen(text);

	for (char *p = copy; *p != '\0'; p++)
		if (*p == '@')
			*p = '\0';
	ASN1_STRING_set(s, copy, (int)n);
	free(copy);
	GENERAL_NAME_set0_value(name, GEN_DNS, s);
	sk_GENERAL_NAME_push(names, name);
	test_cert_must(X509_add1_ext_i2d(cert, NID_subject_alt_name, names, 0, 0) == 1, "NUL SAN");
	GENERAL_NAMES_free(names);
}

static inline void
test_cert_write(const char *dir, const struct test_cert_spec *spec, const struct test_cert *c)
{
	FILE *f = fopen(test_path(dir, spec->name, ".pem"), "w");
	const EVP_CIPHER *cipher = spec->passphrase != NULL ? EVP_aes_256_cbc() : NULL;

	test_cert_must(f != NULL && PEM_write_X509(f, c->cert) == 1, "writing a certificate");
	fclose(f);
	f = fopen(test_path(dir, spec->name, ".key"), "w");
	test_cert_must(f != NULL && PEM_write_PrivateKey(f, c->key, cipher, NULL, 0, NULL,
							 (void *)(uintptr_t)spec->passphrase) == 1,
		       "writing a key");
	fclose(f);
}

/* issuer NULL: self-signed. */
static inline struct test_cert
test_cert_make(const char *dir, const struct test_cert *issuer, const struct test_cert_spec *spec)
{
	static long serial = 1;
	struct test_cert c = {X509_new(), EVP_EC_gen("P-256")};
	const struct test_cert *by = issuer != NULL ? issuer : &c;
	X509_NAME *subject = X509_get_subject_name(c.cert);

	test_cert_must(c.cert != NULL && c.key != NULL, "making a key");
	X509_set_version(c.cert, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(c.cert), serial++);
	X509_gmtime_adj(X509_getm_notBefore(c.cert), spec->from_s);
	X509_gmtime_adj(X509_getm_notAfter(c.cert), spec->to_s != 0 ? spec->to_s : 3600);
	X509_set_pubkey(c.cert, c.key);
	if (spec->cn != NULL)
		X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8,
					   (const unsigned char *)spec->cn, -1, -1, 0);
	X509_set_issuer_name(c.cert, X509_get_subject_name(by->cert));
	test_cert_extension(c.cert, by->cert, NID_basic_constraints,
			    spec->ca ? "critical,CA:TRUE" : "critical,CA:FALSE");
	if (spec->san != NULL)
		test_cert_extension(c.cert, by->cert, NID_subject_alt_name, spec->san);
	if (spec->nul_dns != NULL)
		test_cert_nul_dns(c.cert, spec->nul_dns);
	test_cert_must(X509_sign(c.cert, by->key, EVP_sha256()) > 0, "signing");
	test_cert_write(dir, spec, &c);
	return c;
}

static inline void
test_cert_free(struct test_cert *c)
{
	X509_free(c->cert);
	EVP_PKEY_free(c->key);
}

static inline void
test_cert_add(const char *dir, const struct test_cert *issuer, struct test_cert_spec spec)
{
	struct test_cert c = test_cert_make(dir, issuer, &spec);

	test_cert_free(&c);
}

/* A new folder; test_dir_remove deletes it with the files in it. */
static inline char *
test_dir_make(void)
{
	char *dir = strdup("/tmp/penstock-test-XXXXXX");

	test_cert_must(mkdtemp(dir) != NULL, "mkdtemp");
	return dir;
}

static inline void
test_dir_remove(char *dir)
{
	char command[300];

	snprintf(command, sizeof(command), "rm -rf '%s'", dir);
	test_cert_must(system(command) == 0, "rm");
	free(dir);
}

#endif
