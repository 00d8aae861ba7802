#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "io/http_call.h"
#include "plumb/net_error.h"

void
http_call_fail(struct http_call *c, const char *words)
{
	/* The caller asks status whether there is an answer: half of one is none. */
	c->answer.status = 0;
	c->answer.body = SLICE("");
	c->answer.retry_after_ms = -1;
	c->answer.answered_ms = -1;
	snprintf(c->error, sizeof(c->error), "%s", words);
	c->answer.error = c->error;
	/* By now the name may lead to where there is one. */
	resolve_doubt(c->client->env.resolver,
		      c->client->proxy.host != NULL ? c->client->proxy.host : c->host);
}

static void
fail_after(struct http_call *c, const char *what, int64_t ms)
{
	char words[160];
	bool whole = ms % 1000 == 0;

	snprintf(words, sizeof(words), "%s %lld %s", what, (long long)(whole ? ms / 1000 : ms),
		 whole ? "s" : "ms");
	http_call_fail(c, words);
}

void
http_call_late(struct http_call *c)
{
	static const char *const words[] = {
	    [HTTP_RESOLVE] = "host name not looked up within",
	    [HTTP_CONNECT] = "connection timed out after",
	    [HTTP_TLS] = "TLS handshake timed out after",
	    [HTTP_ANSWER] = "no answer within",
	};
	bool begun = c->answer.step == HTTP_ANSWER && c->head_bytes > 0;

	fail_after(c, begun ? "no whole answer within" : words[c->answer.step], c->timeout_ms);
}

/* libcurl keeps errno for connects only; of reads and writes it has the words. */
static const char *
socket_words(const struct http_call *c)
{
	static const int known[] = {ECONNRESET, EPIPE, ETIMEDOUT, EHOSTUNREACH, ENETUNREACH};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strstr(c->curl_error, strerror(known[i])) != NULL)
			return net_error(known[i]);
	return net_error(0);
}

static const char *
connect_words(const struct http_call *c)
{
	long err = 0;

	if (c->strayed)
		return "libcurl wanted to connect to an address that was not checked";
	curl_easy_getinfo(c->easy, CURLINFO_OS_ERRNO, &err);
	if (err == ETIMEDOUT)
		return "connection timed out";
	return err != 0 ? net_error((int)err) : c->curl_error;
}

static const char no_http[] = "the answer is not HTTP";
static const char cut_off[] = "connection closed in the middle of the answer";

/* "": libcurl's own words have to do. */
static const char *
code_words(const struct http_call *c, CURLcode code)
{
	switch (code) {
	case CURLE_OK:
		return c->answer.status >= 200 ? cut_off : no_http;
	case CURLE_COULDNT_CONNECT:
		return connect_words(c);
	case CURLE_GOT_NOTHING:
		return "connection closed without an answer";
	case CURLE_PARTIAL_FILE:
		return cut_off;
	case CURLE_SEND_ERROR:
	case CURLE_RECV_ERROR:
		return socket_words(c);
	case CURLE_UNSUPPORTED_PROTOCOL: /* no status line: HTTP/0.9, which is off */
	case CURLE_WEIRD_SERVER_REPLY:
	case CURLE_BAD_CONTENT_ENCODING:
		return no_http;
	case CURLE_WRITE_ERROR:
		return c->head_bytes > HTTP_HEAD_BYTES ? "the answer's headers are over 64 KiB"
						       : no_http;
	case CURLE_OUT_OF_MEMORY: /* libcurl's word for a header line over its limit */
		return "the answer's headers are over 64 KiB";
	case CURLE_SSL_CERTPROBLEM:
		return "the drain's client certificate or key cannot be used";
	case CURLE_SSL_CACERT_BADFILE:
		return "the drain's own CA cannot be used";
	default:
		return "";
	}
}

/*
 * A peer that refuses our certificate does so after the handshake has ended here
 * (TLS 1.3); libcurl has OpenSSL's text: "...::tlsv13 alert certificate required, errno 0".
 */
static bool
alert_words(const struct http_call *c, char *text, size_t len)
{
	const char *alert = strstr(c->curl_error, " alert ");

	if (!c->tls || alert == NULL)
		return false;
	alert += strlen(" alert ");
	snprintf(text, len, "peer sent alert: %.*s", (int)strcspn(alert, ","), alert);
	return true;
}

void
http_call_fault(struct http_call *c, CURLcode code)
{
	const char *words = tls_fault_words(c->fault);
	long proxy_status = 0;
	char text[sizeof(c->error)];

	curl_easy_getinfo(c->easy, CURLINFO_HTTP_CONNECTCODE, &proxy_status);
	if (code == CURLE_OPERATION_TIMEDOUT && c->answer.step < HTTP_ANSWER) {
		fail_after(c,
			   c->answer.step == HTTP_TLS ? "TLS handshake timed out after"
						      : "connection timed out after",
			   HTTP_CONNECT_MS);
		return;
	}
	if (c->answer.step < HTTP_ANSWER && proxy_status >= 300) {
		snprintf(text, sizeof(text), "the proxy refuses the connection with status %ld",
			 proxy_status);
		http_call_fail(c, text);
		return;
	}
	/* Of an attempt at this address: a fault of TLS comes before all that it leads to. */
	if (words[0] == '\0')
		words = alert_words(c, text, sizeof(text)) ? text : code_words(c, code);
	if (words[0] == '\0')
		words = c->curl_error[0] != '\0' ? c->curl_error : curl_easy_strerror(code);
	http_call_fail(c, words);
}
