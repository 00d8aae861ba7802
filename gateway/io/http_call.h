/*
 * http_call -- what the parts of the HTTP client share: http_client.c (the
 * client), http_call.c (the way of a call), http_call_setup.c (libcurl's
 * options), http_answer.c (what comes back), http_call_error.c (words for what
 * went wrong).
 *
 *	resolving -> sending -> (next address: sending) -> told, gone
 */
#ifndef HTTP_CALL_H
#define HTTP_CALL_H

#include <curl/curl.h>
#include <event2/event_struct.h>
#include <sys/queue.h>

#include "base/buf.h"
#include "io/http_client.h"
#include "io/http_multi.h"
#include "io/http_turns.h"
#include "plumb/proxy_url.h"
#include "plumb/tls_guard.h"

enum {
	HTTP_CONNECT_MS = 10 * 1000, /* TLS and the way through a proxy included */
	HTTP_HEAD_BYTES = 64 * 1024,
	HTTP_BODY_BYTES = 64 * 1024
};

LIST_HEAD(http_calls, http_call);

struct http_client {
	struct http_client_env env;
	SSL_CTX *tls;
	struct http_multi *multi;
	struct http_turns *turns;
	struct proxy_url proxy; /* host NULL: none */
	struct http_calls calls;
};

struct http_call {
	LIST_ENTRY(http_call) entry;
	struct http_client *client;
	http_answered *answered;
	void *arg;

	/* the post */
	const char *host;
	uint16_t port;
	char *url;
	bool tls; /* https */
	struct slice body;
	struct curl_slist *headers;
	const struct tls_own *own;
	char *identity; /* own's certificate and key in one text; NULL: none */
	bool fresh;
	int64_t timeout_ms;

	/* under way */
	struct event timer;
	int64_t start_ms, sent_ms;	 /* of the call; of the attempt */
	struct resolve_request *request; /* NULL: not resolving */
	struct sockaddr_storage addr[RESOLVE_ADDRS_MAX];
	size_t naddr, at, tried;
	CURL *easy; /* NULL: not sending */
	struct curl_slist *connect_to;
	struct tls_fault *fault; /* https */
	char curl_error[CURL_ERROR_SIZE];
	int64_t handshake_ms; /* since the start; -1: none began */
	bool strayed;	      /* libcurl wanted another address */

	/* what came */
	size_t head_bytes, body_bytes;
	bool head_whole; /* an empty line ended the headers: libcurl does not insist on it */
	char got[HTTP_ANSWER_BYTES];
	char error[TLS_ERROR_BYTES + 64];
	struct http_answer answer;
};

static inline const struct sockaddr *
http_call_address(const struct http_call *c)
{
	return (const struct sockaddr *)(const void *)&c->addr[c->at];
}

/* http_call.c: for http_multi. */
void http_call_done(CURL *, CURLcode);

/* http_call_setup.c: headers become a list; all options of an attempt at that address. */
struct curl_slist *http_call_headers(const struct http_post *);
void http_call_setup(struct http_call *);

/* http_answer.c: before an attempt; libcurl's callbacks; times and status after it. */
void http_answer_reset(struct http_call *);
size_t http_on_head(char *, size_t, size_t, void *call);
size_t http_on_body(char *, size_t, size_t, void *call);
void http_answer_facts(struct http_call *);
void http_address_text(const struct sockaddr *, char text[64]);

/* http_call_error.c: sets answer.error, by how far it got. */
void http_call_fault(struct http_call *, CURLcode);
void http_call_late(struct http_call *);
void http_call_fail(struct http_call *, const char *words);

#endif
