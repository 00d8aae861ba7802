/* Which certificates and keys a drain takes, and what is shown of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <unistd.h>

#include <openssl/err.h>

#include "base/xmalloc.h"
#include "test_certs.h"
#include "types/drain_pem.h"

#define NOT_PEM "must be PEM text: -----BEGIN ...-----, base64, -----END ...-----"
#define TOO_LONG "must not be longer than 64 KiB"

static char dir[] = "/tmp/penstock-pem-XXXXXX";
static char *ca, *cert, *key, *other_key, *chain, *old_cert, *old_key, *locked_key;

static char *
read_file(const char *name, const char *suffix)
{
	char text[8192];
	FILE *f = fopen(test_path(dir, name, suffix), "r");
	size_t n;

	assert_non_null(f);
	n = fread(text, 1, sizeof(text) - 1, f);
	fclose(f);
	text[n] = '\0';
	unlink(test_path(dir, name, suffix));
	return xstrdup(text);
}

static int
make_certs(void **state)
{
	struct test_cert root;

	(void)state;
	assert_non_null(mkdtemp(dir));
	root = test_cert_make(dir, NULL,
			      &(struct test_cert_spec){.name = "ca", .cn = "ca", .ca = true});
	test_cert_add(dir, &root, (struct test_cert_spec){.name = "client", .cn = "client"});
	test_cert_add(
	    dir, &root,
	    (struct test_cert_spec){.name = "old", .cn = "old", .from_s = -7200, .to_s = -3600});
	test_cert_add(dir, &root,
		      (struct test_cert_spec){.name = "locked", .cn = "l", .passphrase = "secret"});
	test_cert_free(&root);
	ca = read_file("ca", ".pem");
	cert = read_file("client", ".pem");
	key = read_file("client", ".key");
	other_key = read_file("ca", ".key");
	old_cert = read_file("old", ".pem");
	old_key = read_file("old", ".key");
	locked_key = read_file("locked", ".key");
	free(read_file("locked", ".pem"));
	chain = xasprintf("%s%s", cert, ca);
	return rmdir(dir);
}

static int
free_certs(void **state)
{
	char *all[] = {ca, cert, key, other_key, chain, old_cert, old_key, locked_key};

	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		free(all[i]);
	return 0;
}

/* A papertrail drain with these; NULL: absent. */
static bool
make(const char *own_ca, const char *own_cert, const char *own_key, struct drain_conf *conf,
     struct drain_errors *errors)
{
	const struct drain_input in[] = {{"host", "h"},
					 {"port", "1"},
					 {"ca", own_ca},
					 {"client_cert", own_cert},
					 {"client_key", own_key}};

	return drain_conf_make(conf, drain_type_find("papertrail"), in, 5, errors);
}

static void
refused(const char *own_ca, const char *own_cert, const char *own_key, const char *about,
	const char *text)
{
	struct drain_errors errors;
	struct drain_conf conf;

	if (make(own_ca, own_cert, own_key, &conf, &errors))
		fail_msg("taken; want: %s %s", about, text);
	assert_int_equal(errors.n, 1);
	assert_string_equal(errors.at[0].key, about);
	assert_string_equal(errors.at[0].text, text);
	/* A worker's next TLS error must not be told of this. */
	assert_int_equal(ERR_peek_error(), 0);
}

static struct drain_conf
taken(const char *own_ca, const char *own_cert, const char *own_key)
{
	struct drain_errors errors;
	struct drain_conf conf;

	if (!make(own_ca, own_cert, own_key, &conf, &errors))
		fail_msg("%s %s", errors.at[0].key, errors.at[0].text);
	assert_int_equal(ERR_peek_error(), 0);
	return conf;
}

/* Of a certificate's DER, by another way than the one under test. */
static void
add_der(const char *pem, struct buf *der)
{
	const char *start = strstr(pem, "-----\n") + 6;
	const char *end = strstr(start, "\n-----END");
	EVP_ENCODE_CTX *ctx = EVP_ENCODE_CTX_new();
	unsigned char out[8192];
	int n = 0, last = 0;

	EVP_DecodeInit(ctx);
	assert_true(
	    EVP_DecodeUpdate(ctx, out, &n, (const unsigned char *)start, (int)(end - start)) >= 0);
	assert_int_equal(EVP_DecodeFinal(ctx, out + n, &last), 1);
	EVP_ENCODE_CTX_free(ctx);
	buf_add(der, out, (size_t)(n + last));
}

static void
check_url(const char *url, const char *pem, const char *second_pem, const char *format)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	struct buf der = {0}, hex = {0};
	unsigned n;
	char *want;

	add_der(pem, &der);
	if (second_pem != NULL)
		add_der(second_pem, &der);
	assert_int_equal(EVP_Digest(der.p, der.n, digest, &n, EVP_sha256(), NULL), 1);
	for (unsigned i = 0; i < n; i++)
		buf_addf(&hex, "%02x", digest[i]);
	want = xasprintf("%s%s", format, buf_cstr(&hex));
	assert_string_equal(url, want);
	free(want);
	buf_free(&der);
	buf_free(&hex);
}

static void
a_url_shows_the_leafs_fingerprint_and_never_the_key(void **state)
{
	struct drain_conf conf = taken(NULL, chain, key);

	(void)state;
	check_url(conf.url, cert, NULL, "tcp+tls://h:1?client_cert=sha256:");
	assert_string_equal(conf.url, conf.redacted);
	drain_conf_free(&conf);
}

static void
cas_have_one_fingerprint_together(void **state)
{
	char *two = xasprintf("%s%s", ca, old_cert);
	struct drain_conf conf = taken(ca, NULL, NULL);

	(void)state;
	check_url(conf.url, ca, NULL, "tcp+tls://h:1?ca=sha256:");
	drain_conf_free(&conf);
	conf = taken(two, NULL, NULL);
	check_url(conf.url, ca, old_cert, "tcp+tls://h:1?ca=sha256:");
	drain_conf_free(&conf);
	free(two);
}

static void
what_stands_around_a_certificate_is_left_out(void **state)
{
	char *crlf = xcalloc(1, 16384), *to;
	char *wrapped = xasprintf("subject=CN = x\n\n%s\n# behind\n", ca);
	struct drain_conf conf = taken(wrapped, NULL, NULL);

	(void)state;
	assert_string_equal(conf.value[DRAIN_CA], ca);
	drain_conf_free(&conf);
	to = crlf;
	for (const char *p = ca; *p != '\0'; p++) {
		if (*p == '\n')
			*to++ = '\r';
		*to++ = *p;
	}
	conf = taken(crlf, NULL, NULL);
	assert_string_equal(conf.value[DRAIN_CA], ca);
	drain_conf_free(&conf);
	free(crlf);
	free(wrapped);
}

static void
stored_values_make_the_same_conf(void **state)
{
	struct drain_conf conf = taken(ca, chain, key), again;

	(void)state;
	again = taken(conf.value[DRAIN_CA], conf.value[DRAIN_CLIENT_CERT],
		      conf.value[DRAIN_CLIENT_KEY]);
	assert_string_equal(again.url, conf.url);
	for (int k = DRAIN_CA; k < DRAIN_KEYS; k++)
		assert_string_equal(again.value[k], conf.value[k]);
	drain_conf_free(&conf);
	drain_conf_free(&again);
}

static void
an_expired_certificate_is_for_the_receiver_to_refuse(void **state)
{
	struct drain_conf conf = taken(old_cert, old_cert, old_key);

	(void)state;
	drain_conf_free(&conf);
}

static void
certificate_and_key_need_each_other(void **state)
{
	(void)state;
	refused(NULL, cert, NULL, "client_key", "is required with client_cert");
	refused(NULL, NULL, key, "client_cert", "is required with client_key");
	refused(NULL, cert, other_key, "client_key",
		"is not the key of client_cert's first certificate");
	/* The chain the wrong way round. */
	char *turned = xasprintf("%s%s", ca, cert);
	refused(NULL, turned, key, "client_key",
		"is not the key of client_cert's first certificate");
	free(turned);
}

static void
what_is_no_pem_is_told_so(void **state)
{
	char *cut = xstrndup(ca, strlen(ca) / 2);
	char *bad = xstrdup(ca);

	(void)state;
	refused("x", NULL, NULL, "ca", NOT_PEM);
	refused("-----BEGIN CERTIFICATE-----", NULL, NULL, "ca", NOT_PEM);
	refused("-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n", NULL, NULL, "ca",
		NOT_PEM);
	refused("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", NULL, NULL, "ca",
		"has a certificate that cannot be read");
	refused(cut, NULL, NULL, "ca", NOT_PEM);
	bad[40] = '!';
	refused(bad, NULL, NULL, "ca", NOT_PEM);
	refused(NULL, "x", key, "client_cert", NOT_PEM);
	free(cut);
	free(bad);
}

static void
a_bad_certificate_behind_a_good_one_is_not_overlooked(void **state)
{
	char *half = xasprintf("%s-----BEGIN CERTIFICATE-----\nMIIB", ca);
	char *junk =
	    xasprintf("%s-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", ca);

	(void)state;
	refused(half, NULL, NULL, "ca", NOT_PEM);
	refused(junk, NULL, NULL, "ca", "has a certificate that cannot be read");
	free(half);
	free(junk);
}

static void
a_key_among_the_certificates_is_refused(void **state)
{
	char *both = xasprintf("%s%s", cert, key);

	(void)state;
	refused(NULL, both, key, "client_cert",
		"must hold certificates only; a private key goes into client_key");
	refused(both, NULL, NULL, "ca",
		"must hold certificates only; a private key goes into client_key");
	free(both);
}

static void
other_pem_is_no_certificate(void **state)
{
	(void)state;
	refused("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n", NULL, NULL, "ca",
		"must hold certificates only (-----BEGIN CERTIFICATE-----)");
}

static void
keys_that_cannot_be_used_are_refused(void **state)
{
	(void)state;
	refused(NULL, cert, locked_key, "client_key",
		"is encrypted; remove its passphrase (openssl pkey -in FILE)");
	refused(NULL, cert, "x", "client_key", "has no private key (-----BEGIN PRIVATE KEY-----)");
	refused(NULL, cert, cert, "client_key", "has no private key (-----BEGIN PRIVATE KEY-----)");
	refused(NULL, cert, "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
		"client_key", "has a private key that cannot be read");
}

/* As `openssl ecparam -genkey` and `openssl req -newkey rsa` of old write them. */
static void
keys_of_old_forms_become_pkcs8(void **state)
{
	EVP_PKEY *pkey = NULL;
	BIO *in = BIO_new_mem_buf(key, -1), *out = BIO_new(BIO_s_mem());
	struct drain_conf conf;
	char *text, *p;
	long n;

	(void)state;
	pkey = PEM_read_bio_PrivateKey(in, NULL, NULL, NULL);
	assert_int_equal(PEM_write_bio_PrivateKey_traditional(out, pkey, NULL, NULL, 0, NULL, NULL),
			 1);
	n = BIO_get_mem_data(out, &p);
	text = xasprintf("-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n"
			 "-----END EC PARAMETERS-----\n%.*s",
			 (int)n, p);
	assert_non_null(strstr(text, "BEGIN EC PRIVATE KEY"));
	conf = taken(NULL, cert, text);
	assert_string_equal(conf.value[DRAIN_CLIENT_KEY], key);
	drain_conf_free(&conf);
	free(text);
	EVP_PKEY_free(pkey);
	BIO_free(in);
	BIO_free(out);
}

/* OpenSSL would refuse it when the drain connects: it is said when it is added. */
static void
a_key_too_small_for_tls_is_refused(void **state)
{
	EVP_PKEY *small = EVP_RSA_gen(1024);
	X509 *x = X509_new();
	BIO *c = BIO_new(BIO_s_mem()), *k = BIO_new(BIO_s_mem());

	(void)state;
	X509_set_version(x, X509_VERSION_3);
	X509_gmtime_adj(X509_getm_notBefore(x), 0);
	X509_gmtime_adj(X509_getm_notAfter(x), 3600);
	X509_set_pubkey(x, small);
	assert_true(X509_sign(x, small, EVP_sha256()) > 0);
	PEM_write_bio_X509(c, x);
	PEM_write_bio_PrivateKey(k, small, NULL, NULL, 0, NULL, NULL);
	BIO_write(c, "", 1);
	BIO_write(k, "", 1);
	char *pem, *pkey;
	BIO_get_mem_data(c, &pem);
	BIO_get_mem_data(k, &pkey);
	refused(NULL, pem, pkey, "client_cert", "has a key that is too small for TLS today");
	BIO_free(c);
	BIO_free(k);
	X509_free(x);
	EVP_PKEY_free(small);
}

static void
texts_are_64_kib_at_most(void **state)
{
	struct buf many = {0};
	struct drain_conf conf;

	(void)state;
	while (many.n + strlen(ca) <= DRAIN_PEM_MAX)
		buf_add_str(&many, ca);
	conf = taken(buf_cstr(&many), NULL, NULL);
	drain_conf_free(&conf);
	buf_add_str(&many, ca);
	refused(buf_cstr(&many), NULL, NULL, "ca", TOO_LONG);
	refused(NULL, cert, buf_cstr(&many), "client_key", TOO_LONG);
	buf_free(&many);
}

static void
without_tls_they_are_refused(void **state)
{
	static const char *const protocols[] = {"tcp", "udp"};
	struct drain_errors errors;
	struct drain_conf conf;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		const struct drain_input in[] = {{"host", "h"},	      {"port", "6514"},
						 {"ca", ca},	      {"client_cert", cert},
						 {"client_key", key}, {"protocol", protocols[i]}};

		assert_false(drain_conf_make(&conf, drain_type_find("syslog"), in, 6, &errors));
		assert_int_equal(errors.n, 3);
		assert_string_equal(errors.at[0].key, "ca");
		assert_string_equal(errors.at[0].text, "needs protocol=tls");
		assert_true(drain_conf_make(&conf, drain_type_find("syslog"), in, 5, &errors));
		drain_conf_free(&conf);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_url_shows_the_leafs_fingerprint_and_never_the_key),
	    cmocka_unit_test(cas_have_one_fingerprint_together),
	    cmocka_unit_test(what_stands_around_a_certificate_is_left_out),
	    cmocka_unit_test(stored_values_make_the_same_conf),
	    cmocka_unit_test(an_expired_certificate_is_for_the_receiver_to_refuse),
	    cmocka_unit_test(certificate_and_key_need_each_other),
	    cmocka_unit_test(what_is_no_pem_is_told_so),
	    cmocka_unit_test(a_bad_certificate_behind_a_good_one_is_not_overlooked),
	    cmocka_unit_test(a_key_among_the_certificates_is_refused),
	    cmocka_unit_test(other_pem_is_no_certificate),
	    cmocka_unit_test(keys_that_cannot_be_used_are_refused),
	    cmocka_unit_test(keys_of_old_forms_become_pkcs8),
	    cmocka_unit_test(a_key_too_small_for_tls_is_refused),
	    cmocka_unit_test(texts_are_64_kib_at_most),
	    cmocka_unit_test(without_tls_they_are_refused),
	};

	return cmocka_run_group_tests(tests, make_certs, free_certs);
}
