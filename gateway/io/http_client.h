/*
 * http_client -- POSTs of HTTP drains: libcurl's multi interface on one event_base.
 *
 * libcurl never resolves: the resolver's answer is checked by the address
 * policy, and a connection is made to one of the addresses that passed, or to
 * none.  Connections are kept alive and shared by all calls with the same
 * address, host, port and certificates.  No redirects, no cookies, no proxy but
 * the configured one, HTTP/1.1.  TLS: verified against the shared context's CAs,
 * or the call's own.
 *
 * Owner: a worker (or main, for test lines).  Thread: the event_base's.
 */
#ifndef HTTP_CLIENT_H
#define HTTP_CLIENT_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/slice.h"
#include "plumb/address_policy.h"
#include "plumb/config.h"
#include "plumb/mailbox.h"
#include "plumb/resolve.h"
#include "plumb/tls.h"

struct event_base;
struct http_client;
struct http_call;

struct http_client_env {
	struct event_base *base;
	struct mailbox *mailbox; /* of this thread: the resolver answers there */
	struct resolver *resolver;
	const struct address_policy *policy;
	const struct config *config; /* http-proxy, http-timeout */
	SSL_CTX *tls; /* from tls_client_ctx: its CAs; a reference of its own is taken */
};

/* Once a process, on main, before threads are made; and at the end. */
void http_client_global_init(void);
void http_client_global_end(void);

struct http_client *http_client_new(const struct http_client_env *);
/* Every call was answered or cancelled.  NULL is fine. */
void http_client_free(struct http_client *);
/* After a reload: new connections verify against these CAs. */
void http_client_set_tls(struct http_client *, SSL_CTX *);

/* All of it is copied but body, own and host's strings, which stay valid until the call ends. */
struct http_post {
	uint64_t app;	  /* on whose behalf the name is looked up */
	const char *host; /* no brackets */
	uint16_t port;
	const char *url;      /* absolute; its host and port are those */
	struct slice headers; /* each "Name: value" and a NUL */
	struct slice body;
	bool gzip;		   /* the body is gzip: says so in Content-Encoding */
	const struct tls_own *own; /* NULL: the shared CAs, no certificate */
	bool fresh;		   /* a new connection, closed afterwards */
	int64_t timeout_ms;	   /* for all of it, connecting too; 0: http-timeout */
};

/* How far a call got. */
enum http_step { HTTP_RESOLVE, HTTP_CONNECT, HTTP_TLS, HTTP_ANSWER };

enum { HTTP_ANSWER_BYTES = 1024 };

struct http_answer {
	int status;		/* 0: none came, and error says why */
	struct slice body;	/* its first HTTP_ANSWER_BYTES at most */
	int64_t retry_after_ms; /* -1: not said; at most an hour */
	enum http_step step;	/* where it failed; HTTP_ANSWER with a status */
	const char *error;	/* words that name the cause; "" with a status */
	char address[64];	/* connected to, or tried last, as ADDR:PORT; "" if none */
	int64_t resolved_ms, connected_ms, tls_ms,
	    answered_ms; /* since the start; -1: not reached */
};

typedef void http_answered(const struct http_answer *, void *arg);

/*
 * answered runs once, at a later turn of the loop, unless the call is
 * cancelled; the answer is valid inside it, and the call is gone after it.
 * From inside it new calls may be made and others cancelled.  Connect
 * 10 s, all of it http-timeout, header and body bounded: a receiver that
 * trickles or never ends fails like one that hangs.
 */
struct http_call *http_client_post(struct http_client *, const struct http_post *, http_answered *,
				   void *arg);
void http_call_cancel(struct http_call *);

#endif
