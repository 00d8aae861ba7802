/*
 * probe -- one test line to a drain's receiver, through a connection of its
 * own: which step works, which one fails, and why.
 *
 *	stream:    resolve  connect  tls  send  answer
 *	datagram:  resolve                send  answer
 *	HTTP:      resolve  connect  tls        answer
 *
 * The drain itself, its connection and its lines are not touched.
 *
 * Owner: who made it.  Thread: the event_base's.
 */
#ifndef PROBE_H
#define PROBE_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stdint.h>

#include "io/http_client.h"
#include "plumb/address_policy.h"
#include "plumb/config.h"
#include "plumb/gzip.h"
#include "plumb/mailbox.h"
#include "plumb/resolve.h"
#include "types/drain_type.h"

/* What a probe goes out with; all of it but tls outlives the probe. */
struct probe_env {
	struct event_base *base;
	struct mailbox *mailbox; /* of this thread */
	struct resolver *resolver;
	const struct address_policy *policy;
	SSL_CTX *tls;
	struct http_client *http;
	struct gzip *gzip;
	const struct config *config;
	struct slice host; /* this machine's name, for the line */
};

enum probe_step {
	PROBE_RESOLVE,
	PROBE_CONNECT,
	PROBE_TLS,
	PROBE_SEND,
	PROBE_ANSWER, /* what the receiver does with it, as far as that shows */
	PROBE_STEPS,
};

enum { PROBE_DETAIL_BYTES = 512 };

struct probe_result {
	enum probe_step step;
	bool ok;
	int64_t ms; /* that it took */
	char detail[PROBE_DETAIL_BYTES];
};

/* Steps in order, up to the one that failed. */
struct probe_report {
	bool ok; /* all of them */
	struct probe_result result[PROBE_STEPS];
	size_t n;
};

/* "resolve", "connect", ... */
const char *probe_step_name(enum probe_step);

struct probe;
typedef void probe_done(const struct probe_report *, void *arg);

/*
 * Takes conf over.  app: on whose behalf the name is looked up; app_name: the
 * line's.  done runs once, at a later turn of the loop and less than 5 s from
 * now, unless the probe is cancelled; the report is valid inside it, and the
 * probe is gone after it.
 */
struct probe *probe_new(const struct probe_env *, uint64_t app, const char *app_name,
			struct drain_conf *conf, probe_done *, void *arg);
/* Only before done ran. */
void probe_cancel(struct probe *);

#endif
