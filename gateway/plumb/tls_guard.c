#include "plumb/tls_guard.h"

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/xmalloc.h"
#include "plumb/tls.h"
#include "plumb/tls_verify.h"

struct tls_fault {
	unsigned refs;
	char words[TLS_ERROR_BYTES];
};

static pthread_once_t index_once = PTHREAD_ONCE_INIT;
static int fault_index;

static void
on_free_fault(void *parent, void *fault, CRYPTO_EX_DATA *ad, int idx, long argl, void *argp)
{
	(void)parent, (void)ad, (void)idx, (void)argl, (void)argp;
	tls_fault_free(fault);
}

static void
make_index(void)
{
	fault_index = SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, on_free_fault);
}

struct tls_fault *
tls_fault_new(void)
{
	struct tls_fault *f = xcalloc(1, sizeof(*f));

	f->refs = 1;
	return f;
}

void
tls_fault_free(struct tls_fault *f)
{
	if (f != NULL && --f->refs == 0)
		free(f);
}

const char *
tls_fault_words(const struct tls_fault *f)
{
	return f != NULL ? f->words : "";
}

/*
 * At the end of each step of a handshake.  The one who made the session finds
 * an empty error queue then, which is a failure to him all the same.
 */
static void
on_info(const SSL *session, int where, int ret)
{
	struct tls_fault *f = SSL_CTX_get_ex_data(SSL_get_SSL_CTX(session), fault_index);
	SSL *ssl = (SSL *)(uintptr_t)session; /* tls_error's; it changes nothing that counts */
	int code;

	if (where != SSL_CB_CONNECT_EXIT || ret > 0 || f->words[0] != '\0')
		return;
	code = SSL_get_error(ssl, ret);
	if (code != SSL_ERROR_SSL && code != SSL_ERROR_SYSCALL && code != SSL_ERROR_ZERO_RETURN)
		return;
	/* Of an older call, when the peer just closed. */
	if (errno == EAGAIN || errno == EINPROGRESS || errno == EINTR)
		errno = 0;
	tls_error(ssl, ret, f->words);
}

static bool
expect(X509_VERIFY_PARAM *param, const char *host)
{
	unsigned char addr[sizeof(struct in6_addr)];
	size_t n = strlen(host);

	if (inet_pton(AF_INET, host, addr) == 1 || inet_pton(AF_INET6, host, addr) == 1)
		return X509_VERIFY_PARAM_set1_ip_asc(param, host) == 1;
	if (n > 0 && host[n - 1] == '.')
		n--;
	/* For OpenSSL an empty name means that every certificate will do. */
	if (n == 0)
		return false;
	X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	return X509_VERIFY_PARAM_set1_host(param, host, n) == 1;
}

bool
tls_guard(SSL_CTX *ctx, SSL_CTX *cas, const char *host, struct tls_fault *fault)
{
	pthread_once(&index_once, make_index);
	if (!expect(SSL_CTX_get0_param(ctx), host) ||
	    SSL_CTX_set_ex_data(ctx, fault_index, fault) != 1)
		return false;
	fault->refs++;
	SSL_CTX_set_info_callback(ctx, on_info);
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, tls_on_verify);
	SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
	/*
	 * The store for verifying, and not the context's own: libcurl adds to that
	 * one, in some versions after the handshake has begun.
	 */
	return SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) == 1 &&
	       (cas == NULL ||
		SSL_CTX_set1_verify_cert_store(ctx, SSL_CTX_get_cert_store(cas)) == 1);
}
