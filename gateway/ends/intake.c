#include "ends/intake.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/xmalloc.h"
#include "ends/http_intake.h"
#include "ends/listener.h"
#include "ends/proxy_gate.h"
#include "ends/session.h"

/* What many senders have queued may be more than a stop has time, or memory, for. */
enum { REST_MS = 1000 };
/* A sender that listens ends its side at once; one that does not need not hold up a stop. */
enum { SHUT_AT_STOP_MS = 200 };

void
intake_init(struct intake *in)
{
	in->buffer_size = INTAKE_READ_BYTES + (size_t)in->config->max_line + INTAKE_KEEP_EXTRA;
	in->buffer = xmalloc(in->buffer_size);
	TAILQ_INIT(&in->sessions);
	TAILQ_INIT(&in->listeners);
	TAILQ_INIT(&in->closed);
	TAILQ_INIT(&in->gates);
}

void
intake_clear(struct intake *in)
{
	struct session *s;
	struct listener *l;

	while ((l = TAILQ_FIRST(&in->listeners)) != NULL)
		listener_close(l);
	proxy_gate_clear(in);
	while ((s = TAILQ_FIRST(&in->sessions)) != NULL)
		session_close(s, NULL);
	http_intake_free(in->http);
	in->http = NULL;
	listener_free_closed(in);
	free(in->buffer);
	in->buffer = NULL;
}

void
intake_pause(struct intake *in, bool paused)
{
	struct session *s;
	struct listener *l;

	if (in->paused == paused)
		return;
	in->paused = paused;
	for (l = TAILQ_FIRST(&in->listeners); l != NULL; l = listener_next(l))
		listener_pause(l, paused);
	/* Sessions stop by themselves when they next have something to read. */
	if (!paused)
		for (s = TAILQ_FIRST(&in->sessions); s != NULL; s = session_next(s))
			session_read_wanted(s);
}

bool
intake_is_opening(const struct intake *in)
{
	struct session *s;

	for (s = TAILQ_FIRST(&in->sessions); s != NULL; s = session_next(s))
		if (!session_is_open(s))
			return true;
	return !TAILQ_EMPTY(&in->gates);
}

void
intake_sweep(struct intake *in, int64_t now_ms)
{
	struct session *s, *next;

	for (s = TAILQ_FIRST(&in->sessions); s != NULL; s = next) {
		next = session_next(s);
		session_sweep(s, now_ms);
	}
	if (in->http != NULL)
		http_intake_sweep(in->http, now_ms);
}

void
intake_read_rest(struct intake *in)
{
	int64_t until = clock_mono_ms() + REST_MS;
	struct session *s, *next;

	for (s = TAILQ_FIRST(&in->sessions); s != NULL && clock_mono_ms() < until; s = next) {
		next = session_next(s);
		session_read_rest(s);
	}
}

void
intake_end_reading(struct intake *in)
{
	struct session *s, *next;

	proxy_gate_clear(in);
	for (s = TAILQ_FIRST(&in->sessions); s != NULL; s = next) {
		next = session_next(s);
		session_end(s, false);
	}
	if (in->http != NULL)
		http_intake_stop(in->http);
}

size_t
intake_acks_waiting(struct intake *in)
{
	int64_t now_ms = clock_mono_ms();
	struct session *s, *next;
	size_t n = in->http != NULL ? http_intake_busy(in->http) : 0;

	for (s = TAILQ_FIRST(&in->sessions); s != NULL; s = next) {
		next = session_next(s);
		if (session_shut_for(s, now_ms) >= SHUT_AT_STOP_MS)
			session_close(s, NULL);
		else
			n++;
	}
	return n;
}

void
intake_close_acknowledging(struct intake *in)
{
	struct session *s;

	while ((s = TAILQ_FIRST(&in->sessions)) != NULL)
		session_end(s, true);
	http_intake_free(in->http);
	in->http = NULL;
}
