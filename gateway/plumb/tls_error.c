#include "plumb/tls.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/xmalloc.h"
#include "plumb/net_error.h"
#include "plumb/tls_verify.h"

static pthread_once_t index_once = PTHREAD_ONCE_INIT;
static int fault_index;

static void
on_free_fault(void *parent, void *fault, CRYPTO_EX_DATA *ad, int idx, long argl, void *argp)
{
	(void)parent, (void)ad, (void)idx, (void)argl, (void)argp;
	free(fault);
}

static void
make_index(void)
{
	fault_index = SSL_get_ex_new_index(0, NULL, NULL, NULL, on_free_fault);
}

const char *
tls_verify_fault(const SSL *ssl)
{
	pthread_once(&index_once, make_index);
	return SSL_get_ex_data(ssl, fault_index);
}

static void
format_date(const ASN1_TIME *t, char out[static 32])
{
	struct tm tm;

	if (t == NULL || ASN1_TIME_to_tm(t, &tm) != 1 ||
	    strftime(out, 32, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
		snprintf(out, 32, "an unreadable date");
}

/* The name that was asked for: OpenSSL keeps it with the session. */
static char *
expected_name(SSL *ssl)
{
	X509_VERIFY_PARAM *param = SSL_get0_param(ssl);
	const char *host = X509_VERIFY_PARAM_get0_host(param, 0);
	char *ip, *name;

	if (host != NULL)
		return xstrdup(host);
	ip = X509_VERIFY_PARAM_get1_ip_asc(param);
	name = xstrdup(ip != NULL ? ip : "?");
	OPENSSL_free(ip);
	return name;
}

static char *
fault_words(SSL *ssl, int err, int depth, const X509 *cert)
{
	const char *whose = SSL_is_server(ssl) ? "client certificate" : "certificate";
	const char *part = depth > 0 ? " (one of its chain)" : "";
	char date[32], *name, *words;

	switch (err) {
	case X509_V_ERR_CERT_HAS_EXPIRED:
		format_date(cert != NULL ? X509_get0_notAfter(cert) : NULL, date);
		return xasprintf("%s%s expired on %s", whose, part, date);
	case X509_V_ERR_CERT_NOT_YET_VALID:
		format_date(cert != NULL ? X509_get0_notBefore(cert) : NULL, date);
		return xasprintf("%s%s is not valid before %s", whose, part, date);
	case X509_V_ERR_HOSTNAME_MISMATCH:
	case X509_V_ERR_IP_ADDRESS_MISMATCH:
		name = expected_name(ssl);
		words = xasprintf("%s is not for host %s", whose, name);
		free(name);
		return words;
	case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
		return xasprintf("%s is self-signed and not among the trusted ones", whose);
	case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
	case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
		return xasprintf("%s signed by an unknown CA", whose);
	case X509_V_ERR_CERT_REVOKED:
		return xasprintf("%s%s was revoked", whose, part);
	default:
		return xasprintf("%s%s refused: %s", whose, part,
				 X509_verify_cert_error_string(err));
	}
}

int
tls_on_verify(int ok, X509_STORE_CTX *store)
{
	SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
	char *words;

	if (ok || tls_verify_fault(ssl) != NULL)
		return ok;
	words =
	    fault_words(ssl, X509_STORE_CTX_get_error(store), X509_STORE_CTX_get_error_depth(store),
			X509_STORE_CTX_get_current_cert(store));
	if (SSL_set_ex_data(ssl, fault_index, words) != 1)
		free(words);
	return ok;
}

/* The oldest error of the TLS layer, else the oldest of all: later ones are its echo. */
static unsigned long
root_error(void)
{
	unsigned long e, first = 0, tls = 0;

	while ((e = ERR_get_error()) != 0) {
		if (first == 0)
			first = e;
		if (tls == 0 && ERR_GET_LIB(e) == ERR_LIB_SSL)
			tls = e;
	}
	return tls != 0 ? tls : first;
}

static void
describe_alert(unsigned long e, char err[TLS_ERROR_BYTES])
{
	const char *words = SSL_alert_desc_string_long(ERR_GET_REASON(e) - SSL_AD_REASON_OFFSET);
	const char *text, *behind;

	/* OpenSSL 3.0 knows those that came with TLS 1.3 only as "tlsv13 alert WORDS". */
	if (strcmp(words, "unknown") == 0 && (text = ERR_reason_error_string(e)) != NULL) {
		behind = strstr(text, " alert ");
		words = behind != NULL ? behind + strlen(" alert ") : text;
	}
	snprintf(err, TLS_ERROR_BYTES, "peer sent alert: %s", words);
}

static void
describe_reason(const SSL *ssl, unsigned long e, char err[TLS_ERROR_BYTES])
{
	int reason = ERR_GET_REASON(e);
	const char *words = ERR_reason_error_string(e);

	if (ERR_GET_LIB(e) == ERR_LIB_SSL && reason > SSL_AD_REASON_OFFSET) {
		describe_alert(e, err);
		return;
	}
	if (ERR_GET_LIB(e) == ERR_LIB_SSL) {
		switch (reason) {
		case SSL_R_WRONG_VERSION_NUMBER:
		case SSL_R_HTTP_REQUEST:
		case SSL_R_HTTPS_PROXY_REQUEST:
			words = SSL_is_init_finished(ssl) ? "peer sent what is not TLS"
							  : "peer does not speak TLS";
			break;
		case SSL_R_UNSUPPORTED_PROTOCOL:
		case SSL_R_VERSION_TOO_LOW:
		case SSL_R_WRONG_SSL_VERSION:
			words = "peer's protocol version is too old: TLS 1.2 or newer is needed";
			break;
		case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE:
			words = "client sent no certificate, and one is required";
			break;
		case SSL_R_NO_SHARED_CIPHER:
			words = "no cipher in common with the peer";
			break;
		default:
			break;
		}
	}
	snprintf(err, TLS_ERROR_BYTES, "%s", words != NULL ? words : "TLS failed");
}

void
tls_error(SSL *ssl, int ret, char err[TLS_ERROR_BYTES])
{
	int saved = errno;
	int code = SSL_get_error(ssl, ret);
	const char *during = SSL_is_init_finished(ssl) ? "" : " during the handshake";
	const char *fault = tls_verify_fault(ssl);
	unsigned long e = root_error();

	if (code == SSL_ERROR_ZERO_RETURN || (code == SSL_ERROR_SYSCALL && saved == 0))
		snprintf(err, TLS_ERROR_BYTES, "peer closed%s",
			 *during != '\0' ? during : " the connection");
	else if (code == SSL_ERROR_SYSCALL)
		snprintf(err, TLS_ERROR_BYTES, "%s%s", net_error(saved), during);
	else if (fault != NULL && ERR_GET_REASON(e) == SSL_R_CERTIFICATE_VERIFY_FAILED)
		snprintf(err, TLS_ERROR_BYTES, "%s", fault);
	else if (e != 0)
		describe_reason(ssl, e, err);
	else
		snprintf(err, TLS_ERROR_BYTES, "TLS failed%s", during);
}
