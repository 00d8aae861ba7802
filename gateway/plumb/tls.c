#include "plumb/tls.h"

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "plumb/tls_ctx.h"
#include "plumb/tls_verify.h"

/* A read buffer of four full records: one recv instead of two for each record. */
enum { READ_BUFFER_BYTES = 64 * 1024 };

static const char *
reason(void)
{
	unsigned long e = ERR_peek_last_error();
	const char *words = e != 0 ? ERR_reason_error_string(e) : NULL;

	return words != NULL ? words : "not understood";
}

static bool
file_is_readable(const char *what, const char *path, char err[TLS_ERROR_BYTES])
{
	FILE *f;

	if (path == NULL) {
		snprintf(err, TLS_ERROR_BYTES, "no %s is given; name a PEM file", what);
		return false;
	}
	f = fopen(path, "re");
	if (f == NULL) {
		snprintf(err, TLS_ERROR_BYTES,
			 "%s %s cannot be opened: %s; give a PEM file that this user may read",
			 what, path, strerror(errno));
		return false;
	}
	fclose(f);
	return true;
}

int
tls_on_passphrase(char *buf, int size, int rwflag, void *asked)
{
	(void)buf, (void)size, (void)rwflag;
	*(bool *)asked = true;
	return -1;
}

static bool
load_key(SSL_CTX *ctx, const char *cert, const char *key, char err[TLS_ERROR_BYTES])
{
	bool encrypted = false, loaded;
	unsigned long e;

	if (!file_is_readable("key", key, err))
		return false;
	SSL_CTX_set_default_passwd_cb(ctx, tls_on_passphrase);
	SSL_CTX_set_default_passwd_cb_userdata(ctx, &encrypted);
	loaded = SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM) == 1;
	SSL_CTX_set_default_passwd_cb_userdata(ctx, NULL);
	SSL_CTX_set_default_passwd_cb(ctx, NULL);
	if (loaded && SSL_CTX_check_private_key(ctx) == 1)
		return true;

	e = ERR_peek_last_error();
	if (encrypted)
		snprintf(
		    err, TLS_ERROR_BYTES,
		    "key %s is encrypted; remove its passphrase (openssl pkey) and protect the "
		    "file by its mode",
		    key);
	else if (loaded || (ERR_GET_LIB(e) == ERR_LIB_X509 &&
			    ERR_GET_REASON(e) == X509_R_KEY_VALUES_MISMATCH))
		snprintf(
		    err, TLS_ERROR_BYTES,
		    "key %s does not belong to certificate %s; give the key that it was made with",
		    key, cert);
	else
		snprintf(err, TLS_ERROR_BYTES,
			 "key %s holds no usable private key (%s); give an unencrypted PEM file",
			 key, reason());
	return false;
}

static bool
load_certificate(SSL_CTX *ctx, const char *cert, char err[TLS_ERROR_BYTES])
{
	if (!file_is_readable("certificate", cert, err))
		return false;
	if (SSL_CTX_use_certificate_chain_file(ctx, cert) == 1)
		return true;
	snprintf(
	    err, TLS_ERROR_BYTES,
	    "certificate %s cannot be used (%s); give a PEM file with the certificate first, then "
	    "its chain",
	    cert, reason());
	return false;
}

/* OpenSSL takes a certificate's extensions apart when it is first used, which all workers would do
 * at once with their first handshakes. */
static void
prepare_ca(SSL_CTX *ctx)
{
	STACK_OF(X509_OBJECT) *all = X509_STORE_get0_objects(SSL_CTX_get_cert_store(ctx));

	for (int i = 0; i < sk_X509_OBJECT_num(all); i++) {
		X509 *cert = X509_OBJECT_get0_X509(sk_X509_OBJECT_value(all, i));

		if (cert != NULL)
			(void)X509_check_purpose(cert, -1, 0);
	}
	ERR_clear_error();
}

static bool
load_ca(SSL_CTX *ctx, const char *what, const char *path, char err[TLS_ERROR_BYTES])
{
	if (!file_is_readable(what, path, err))
		return false;
	if (SSL_CTX_load_verify_file(ctx, path) == 1) {
		prepare_ca(ctx);
		return true;
	}
	snprintf(err, TLS_ERROR_BYTES,
		 "%s %s holds no usable certificate (%s); give a PEM file with CA certificates",
		 what, path, reason());
	return false;
}

static bool
load_client_ca(SSL_CTX *ctx, const char *path, enum tls_client_auth auth, char err[TLS_ERROR_BYTES])
{
	STACK_OF(X509_NAME) * names;
	int mode = SSL_VERIFY_PEER;

	if (auth == TLS_CLIENT_NONE)
		return true;
	if (!load_ca(ctx, "client CA", path, err))
		return false;
	names = SSL_load_client_CA_file(path);
	if (names != NULL)
		SSL_CTX_set_client_CA_list(ctx, names);
	if (auth == TLS_CLIENT_REQUIRED)
		mode |= SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
	SSL_CTX_set_verify(ctx, mode, tls_on_verify);
	return true;
}

SSL_CTX *
tls_common_ctx(const SSL_METHOD *method, char err[TLS_ERROR_BYTES])
{
	SSL_CTX *ctx;

	ERR_clear_error();
	ctx = SSL_CTX_new(method);
	if (ctx == NULL) {
		snprintf(err, TLS_ERROR_BYTES, "TLS cannot be set up: %s", reason());
		return NULL;
	}
	SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
	/* Many peers close without close_notify; our framing shows a truncated line anyway. */
	SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_IGNORE_UNEXPECTED_EOF |
				     SSL_OP_NO_COMPRESSION | SSL_OP_NO_TICKET);
	SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
				  SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	return ctx;
}

SSL_CTX *
tls_server_ctx(const char *cert, const char *key, const char *client_ca, enum tls_client_auth auth,
	       char err[TLS_ERROR_BYTES])
{
	SSL_CTX *ctx = tls_common_ctx(TLS_server_method(), err);

	if (ctx == NULL)
		return NULL;
	/* TLS 1.3 tickets go out unasked; a sender that never reads is reset by them. */
	SSL_CTX_set_num_tickets(ctx, 0);
	SSL_CTX_set_options(ctx, SSL_OP_CIPHER_SERVER_PREFERENCE);
	SSL_CTX_set_read_ahead(ctx, 1);
	SSL_CTX_set_default_read_buffer_len(ctx, READ_BUFFER_BYTES);
	if (load_certificate(ctx, cert, err) && load_key(ctx, cert, key, err) &&
	    load_client_ca(ctx, client_ca, auth, err))
		return ctx;
	ERR_clear_error();
	SSL_CTX_free(ctx);
	return NULL;
}

SSL_CTX *
tls_client_ctx(const char *ca_file, char err[TLS_ERROR_BYTES])
{
	SSL_CTX *ctx = tls_common_ctx(TLS_client_method(), err);

	if (ctx == NULL)
		return NULL;
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, tls_on_verify);
	if (ca_file == NULL) {
		if (SSL_CTX_set_default_verify_paths(ctx) == 1)
			return ctx;
		snprintf(
		    err, TLS_ERROR_BYTES,
		    "the system's CA certificates cannot be found (%s); install ca-certificates "
		    "or set ca-file",
		    reason());
	} else if (load_ca(ctx, "ca-file", ca_file, err)) {
		return ctx;
	}
	ERR_clear_error();
	SSL_CTX_free(ctx);
	return NULL;
}

static SSL *
session_on(SSL_CTX *ctx, int fd)
{
	SSL *ssl;

	ERR_clear_error();
	ssl = SSL_new(ctx);
	if (ssl != NULL && SSL_set_fd(ssl, fd) == 1)
		return ssl;
	ERR_clear_error();
	SSL_free(ssl);
	return NULL;
}

SSL *
tls_accept_session(SSL_CTX *ctx, int fd)
{
	SSL *ssl = session_on(ctx, fd);

	if (ssl != NULL)
		SSL_set_accept_state(ssl);
	return ssl;
}

/* The name to be verified, and for SNI if it is one (RFC 6066 section 3: no literals, no last dot).
 */
static bool
expect_host(SSL *ssl, const char *host)
{
	X509_VERIFY_PARAM *param = SSL_get0_param(ssl);
	unsigned char addr[sizeof(struct in6_addr)];
	char name[256];
	size_t len;

	/* For OpenSSL an empty name means that every certificate will do. */
	len = host != NULL ? strlen(host) : 0;
	if (len == 0 || len >= sizeof(name))
		return false;
	if (inet_pton(AF_INET, host, addr) == 1 || inet_pton(AF_INET6, host, addr) == 1)
		return X509_VERIFY_PARAM_set1_ip_asc(param, host) == 1;
	memcpy(name, host, len + 1);
	if (name[len - 1] == '.')
		name[--len] = '\0';
	if (len == 0)
		return false;
	SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	return SSL_set1_host(ssl, name) == 1 && SSL_set_tlsext_host_name(ssl, name) == 1;
}

SSL *
tls_connect_session(SSL_CTX *ctx, int fd, const char *host)
{
	SSL *ssl = session_on(ctx, fd);

	if (ssl == NULL)
		return NULL;
	if (!expect_host(ssl, host)) {
		ERR_clear_error();
		SSL_free(ssl);
		return NULL;
	}
	SSL_set_connect_state(ssl);
	return ssl;
}

/* An embedded NUL is an attempt to be read as two names. */
static bool
copy_name(const ASN1_STRING *s, char *name, size_t len)
{
	size_t n = (size_t)ASN1_STRING_length(s);
	const unsigned char *p = ASN1_STRING_get0_data(s);

	if (n == 0 || n >= len || memchr(p, '\0', n) != NULL)
		return false;
	memcpy(name, p, n);
	name[n] = '\0';
	return true;
}

static bool
common_name(const X509 *cert, char *name, size_t len)
{
	const X509_NAME *subject = X509_get_subject_name(cert);
	int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
	unsigned char *p = NULL;
	bool ok = false;
	int n;

	/* Two of them: nobody can say which was meant. */
	if (at < 0 || X509_NAME_get_index_by_NID(subject, NID_commonName, at) >= 0)
		return false;
	n = ASN1_STRING_to_UTF8(&p, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
	if (n > 0 && (size_t)n < len && memchr(p, '\0', (size_t)n) == NULL) {
		memcpy(name, p, (size_t)n);
		name[n] = '\0';
		ok = true;
	}
	OPENSSL_free(p);
	return ok;
}

/* The first name of the wanted kinds; *bad: there is one, but it will not do. */
static bool
alternative_name(const GENERAL_NAMES *names, bool dns, char *name, size_t len, bool *bad)
{
	for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
		const GENERAL_NAME *g = sk_GENERAL_NAME_value(names, i);

		if (dns ? g->type != GEN_DNS : g->type != GEN_URI && g->type != GEN_EMAIL)
			continue;
		if (copy_name(g->d.ia5, name, len))
			return true;
		*bad = true;
		return false;
	}
	return false;
}

static bool
certificate_name(const X509 *cert, char *name, size_t len)
{
	GENERAL_NAMES *names = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
	bool bad = false, found = false;

	if (names != NULL)
		found = alternative_name(names, true, name, len, &bad) ||
			(!bad && alternative_name(names, false, name, len, &bad));
	GENERAL_NAMES_free(names);
	return found || (!bad && common_name(cert, name, len));
}

bool
tls_peer_name(SSL *ssl, char *name, size_t len)
{
	X509 *cert = SSL_get1_peer_certificate(ssl);
	bool found = false;

	if (cert != NULL && SSL_get_verify_result(ssl) == X509_V_OK)
		found = certificate_name(cert, name, len);
	X509_free(cert);
	ERR_clear_error();
	return found;
}
