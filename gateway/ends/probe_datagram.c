/*
 * probe_datagram -- a test line as a datagram.  UDP says nothing of one that
 * arrived; of one that nobody waited for an ICMP message may come back.
 */
#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "ends/probe_internal.h"
#include "plumb/net_error.h"

/* So long ICMP is waited for. */
enum { ICMP_MS = 300, LOOK_MS = 20 };

static void
on_writable(void *arg)
{
	(void)arg;
}

void
probe_datagram_start(struct probe *p)
{
	int64_t now_ms = clock_mono_ms();
	const struct sockaddr *sa;
	struct iovec iov;
	socklen_t len;
	int err;

	/* As the drain does it: the first address. */
	sa = probe_next_address(p, &len);
	probe_begin(p, PROBE_SEND, now_ms);
	p->datagram = datagram_new(p->env.base, sa, len, on_writable, p);
	if (p->datagram == NULL) {
		probe_failed(p, 0, "%s: %s", p->peer, net_error(errno));
		return;
	}
	(void)p->conf.type->encode(&p->conf, buf_slice(&p->line), &p->out);
	iov = (struct iovec){p->out.p, p->out.n};
	if (datagram_send(p->datagram, &iov, 1, &err) != 1) {
		probe_failed(p, 0, "%s: %s", p->peer, net_error(err));
		return;
	}
	probe_worked(p, clock_mono_ms() - now_ms, "%zu bytes to %s", p->out.n, p->peer);
	probe_begin(p, PROBE_ANSWER, now_ms);
	probe_tick_after(p, LOOK_MS);
}

void
probe_datagram_tick(struct probe *p)
{
	int64_t ms = clock_mono_ms() - p->step_ms;
	int err = datagram_take_error(p->datagram);

	if (err == ECONNREFUSED) {
		probe_failed(p, ms, "refused by ICMP: nobody listens on that UDP port");
		return;
	}
	if (err != 0) {
		probe_failed(p, ms, "%s", net_error(err));
		return;
	}
	if (ms < ICMP_MS) {
		probe_tick_after(p, LOOK_MS);
		return;
	}
	probe_worked(p, ms,
		     "sent, and not refused within %d ms; UDP has no acknowledgement, so "
		     "nothing can be concluded",
		     ICMP_MS);
	probe_finish(p);
}
