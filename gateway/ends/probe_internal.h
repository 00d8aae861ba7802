/*
 * probe_internal -- what the probe's own files share: probe.c (its steps and
 * its end), probe_stream.c (TCP and TLS), probe_datagram.c (UDP), probe_http.c.
 */
#ifndef PROBE_INTERNAL_H
#define PROBE_INTERNAL_H

#include "ends/probe.h"
#include "io/datagram.h"
#include "io/stream.h"

struct event;

enum { PROBE_PEER_BYTES = 64, PROBE_HEARD_BYTES = 160 };

/* So long a probe takes at most: its answer is promised within 5 s. */
enum { PROBE_MS = 4500 };

struct probe {
	struct probe_env env;
	struct drain_conf conf;
	uint64_t app;
	struct buf line; /* the test line: RFC 5424, no count */
	probe_done *done;
	void *arg;

	struct probe_report report;
	enum probe_step step; /* under way */
	int64_t began_ms;     /* the probe */
	int64_t step_ms;      /* its step */
	struct event *deadline;
	struct event *tick; /* looks whether the receiver stays */

	struct resolve_request *resolving;
	struct resolve_answer addresses; /* tried in turn */
	size_t tried;
	char peer[PROBE_PEER_BYTES]; /* connected to, or tried last */

	struct stream *stream;
	struct datagram *datagram;
	struct http_call *call;
	struct tls_own own;
	struct buf out; /* encoded */
	size_t out_at;
	char heard[PROBE_HEARD_BYTES]; /* what the receiver said, printable */
	size_t nheard;
};

/* probe.c */
void probe_begin(struct probe *, enum probe_step, int64_t now_ms);
/* The step under way worked; ms: how long it took. */
void probe_worked(struct probe *, int64_t ms, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* It failed.  The probe is told of and gone when this returns. */
void probe_failed(struct probe *, int64_t ms, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* All steps worked.  The same. */
void probe_finish(struct probe *);
/* The next address to try, and its text in peer; NULL: there is no other. */
const struct sockaddr *probe_next_address(struct probe *, socklen_t *len);
void probe_tick_after(struct probe *, int64_t ms);
/* Control characters become spaces: it is shown on one line. */
void probe_make_printable(char *text, size_t n);

/* probe_stream.c */
void probe_stream_start(struct probe *);
void probe_stream_tick(struct probe *);
/* Time is up. */
void probe_stream_late(struct probe *, int64_t now_ms);

/* probe_datagram.c */
void probe_datagram_start(struct probe *);
void probe_datagram_tick(struct probe *);

/* probe_http.c */
void probe_http_start(struct probe *);

#endif
