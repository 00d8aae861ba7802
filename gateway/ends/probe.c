#include "ends/probe.h"

#include <event2/event.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/xmalloc.h"
#include "ends/drain_settle.h"
#include "ends/peer_name.h"
#include "ends/probe_internal.h"
#include "wire/timestamp.h"

/* facility 1 (user), severity 6 (informational) */
enum { LINE_PRI = 14 };

/* What a call over HTTP may be late. */
enum { GRACE_MS = 250 };

const char *
probe_step_name(enum probe_step step)
{
	static const char *const names[PROBE_STEPS] = {"resolve", "connect", "tls", "send",
						       "answer"};

	return names[step];
}

static struct timeval
after(int64_t ms)
{
	return (struct timeval){.tv_sec = (time_t)(ms / 1000),
				.tv_usec = (suseconds_t)(ms % 1000 * 1000)};
}

static void
probe_free(struct probe *p)
{
	if (p->resolving != NULL)
		resolve_cancel(p->resolving);
	if (p->call != NULL)
		http_call_cancel(p->call);
	stream_free(p->stream);
	datagram_free(p->datagram);
	event_free(p->deadline);
	event_free(p->tick);
	buf_free(&p->line);
	buf_free(&p->out);
	SSL_CTX_free(p->env.tls);
	drain_conf_free(&p->conf);
	free(p);
}

void
probe_cancel(struct probe *p)
{
	probe_free(p);
}

void
probe_begin(struct probe *p, enum probe_step step, int64_t now_ms)
{
	p->step = step;
	p->step_ms = now_ms;
}

static void __attribute__((format(printf, 4, 0)))
add_result(struct probe *p, bool ok, int64_t ms, const char *fmt, va_list ap)
{
	struct probe_result *r = &p->report.result[p->report.n++];

	*r = (struct probe_result){.step = p->step, .ok = ok, .ms = ms > 0 ? ms : 0};
	vsnprintf(r->detail, sizeof(r->detail), fmt, ap);
}

void
probe_worked(struct probe *p, int64_t ms, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add_result(p, true, ms, fmt, ap);
	va_end(ap);
}

void
probe_failed(struct probe *p, int64_t ms, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add_result(p, false, ms, fmt, ap);
	va_end(ap);
	p->done(&p->report, p->arg);
	probe_free(p);
}

void
probe_finish(struct probe *p)
{
	p->report.ok = true;
	p->done(&p->report, p->arg);
	probe_free(p);
}

void
probe_make_printable(char *text, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)text[i] < ' ' || text[i] == 0x7f)
			text[i] = ' ';
}

void
probe_tick_after(struct probe *p, int64_t ms)
{
	struct timeval tv = after(ms);

	evtimer_add(p->tick, &tv);
}

static void
on_tick(int fd, short what, void *arg)
{
	struct probe *p = arg;

	(void)fd;
	(void)what;
	if (p->datagram != NULL)
		probe_datagram_tick(p);
	else
		probe_stream_tick(p);
}

static void
on_deadline(int fd, short what, void *arg)
{
	struct probe *p = arg;
	int64_t now_ms = clock_mono_ms();

	(void)fd;
	(void)what;
	if (p->resolving != NULL)
		probe_failed(p, now_ms - p->step_ms, "no answer for %s within %lld ms",
			     p->conf.host, (long long)(now_ms - p->step_ms));
	else if (p->stream != NULL)
		probe_stream_late(p, now_ms);
	else
		probe_failed(p, now_ms - p->step_ms, "no answer within %lld ms",
			     (long long)(now_ms - p->step_ms));
}

static void
peer_text(const struct sockaddr *sa, char text[PROBE_PEER_BYTES])
{
	char name[PEER_NAME_BYTES];
	struct slice host = peer_name(sa, SLICE("?"), name);
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)(const void *)sa;
	bool brackets = memchr(host.p, ':', host.n) != NULL;

	/* The port lies at the same place in both families. */
	snprintf(text, PROBE_PEER_BYTES, "%s%.*s%s:%u", brackets ? "[" : "", (int)host.n, host.p,
		 brackets ? "]" : "", ntohs(v6->sin6_port));
}

/* "192.0.2.7, 192.0.2.8" */
static void
addresses_text(const struct resolve_answer *a, char *text, size_t size)
{
	size_t n = 0;

	for (size_t i = 0; i < a->n && n < size; i++) {
		char name[PEER_NAME_BYTES];
		struct slice host =
		    peer_name((const struct sockaddr *)&a->addr[i], SLICE("?"), name);

		n += (size_t)snprintf(text + n, size - n, "%s%.*s", i > 0 ? ", " : "", (int)host.n,
				      host.p);
	}
}

static void
on_resolved(const struct resolve_answer *answer, void *arg)
{
	struct probe *p = arg;
	int64_t now_ms = clock_mono_ms();
	char text[PROBE_DETAIL_BYTES];

	p->resolving = NULL;
	p->addresses = *answer;
	if (answer->n > 0)
		address_policy_filter(p->env.policy, &p->addresses, p->conf.transport == DRAIN_UDP);
	if (p->addresses.n == 0) {
		probe_failed(p, now_ms - p->step_ms, "%s", p->addresses.error);
		return;
	}
	addresses_text(&p->addresses, text, sizeof(text));
	probe_worked(p, now_ms - p->step_ms, "%s", text);
	if (p->conf.transport == DRAIN_UDP)
		probe_datagram_start(p);
	else
		probe_stream_start(p);
}

const struct sockaddr *
probe_next_address(struct probe *p, socklen_t *len)
{
	const struct sockaddr *sa;

	if (p->tried == p->addresses.n)
		return NULL;
	sa = (const struct sockaddr *)&p->addresses.addr[p->tried++];
	*len = sa->sa_family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
	peer_text(sa, p->peer);
	return sa;
}

static void
make_line(struct probe *p, const char *app_name)
{
	char now[LINE_STAMP_BYTES];

	timestamp_format(clock_wall_us(), now);
	buf_addf(&p->line,
		 "<%d>1 %s %.*s %s penstock test - penstock test line: somebody asked whether "
		 "this drain works",
		 LINE_PRI, now, (int)p->env.host.n, p->env.host.p, app_name);
}

struct probe *
probe_new(const struct probe_env *env, uint64_t app, const char *app_name, struct drain_conf *conf,
	  probe_done *done, void *arg)
{
	struct probe *p = xcalloc(1, sizeof(*p));
	struct timeval tv = after(PROBE_MS);

	p->env = *env;
	/* A reload may let go of it meanwhile. */
	if (SSL_CTX_up_ref(env->tls) != 1)
		abort();
	p->app = app;
	p->conf = *conf;
	*conf = (struct drain_conf){0};
	drain_settle(&p->conf, env->config);
	p->own = drain_tls_own(&p->conf);
	p->done = done;
	p->arg = arg;
	p->deadline = evtimer_new(env->base, on_deadline, p);
	p->tick = evtimer_new(env->base, on_tick, p);
	if (p->deadline == NULL || p->tick == NULL)
		abort();
	make_line(p, app_name);
	p->began_ms = clock_mono_ms();
	probe_begin(p, PROBE_RESOLVE, p->began_ms);
	if (p->conf.transport == DRAIN_HTTP) {
		/* The call keeps time by itself, and knows how far it got. */
		tv = after(PROBE_MS + GRACE_MS);
		evtimer_add(p->deadline, &tv);
		probe_http_start(p);
		return p;
	}
	evtimer_add(p->deadline, &tv);
	p->resolving = resolve_ask(env->resolver, env->mailbox, app, p->conf.host, p->conf.port,
				   on_resolved, p);
	return p;
}
