#include "io/stream.h"

#include <netinet/in.h>
#include <netinet/tcp.h>

#include "io/stream_impl.h"
#include "io/tcp_info.h"

uint64_t
stream_tcp_written(const struct stream *s)
{
	/* The BIO counts what the socket took; the handshake goes through it, too. */
	return s->ssl != NULL ? BIO_number_written(SSL_get_wbio(s->ssl)) : s->written;
}

/*
 * TCP_USER_TIMEOUT also ends connections whose receiver just keeps its window
 * closed that long, however promptly it answers: a slow reader would be cut
 * off, and resent to, every 30 s.  As long as that is the case the kernel's
 * own limit takes its place.
 */
static void
stream_be_patient(struct stream *s, bool on)
{
	if (on == s->patient)
		return;
	s->patient = on;
	tcp_set_user_timeout(s->fd, on ? 0 : STREAM_USER_TIMEOUT_MS);
}

bool
stream_tcp_state(struct stream *s, struct stream_tcp *out)
{
	struct tcp_facts facts;
	uint64_t written;

	if (!s->tcp || s->fd < 0 || !tcp_facts_read(s->fd, &facts))
		return false;
	if (s->fin && facts.queued > 0)
		facts.queued--; /* the FIN */
	written = stream_tcp_written(s);
	out->unacked = facts.queued < written ? facts.queued : written;
	out->acked = written - out->unacked;
	out->window = facts.window;
	if (facts.window > s->window_max)
		s->window_max = facts.window;
	out->window_max = s->window_max;
	stream_be_patient(s, facts.held_by_peer);
	return true;
}

bool
stream_peer_ended(const struct stream *s)
{
	struct tcp_info info = {0};
	socklen_t len = sizeof(info);

	if (!s->tcp || s->fd < 0 || getsockopt(s->fd, IPPROTO_TCP, TCP_INFO, &info, &len) != 0)
		return false;
	return info.tcpi_state == TCP_CLOSE_WAIT || info.tcpi_state == TCP_LAST_ACK ||
	       info.tcpi_state == TCP_CLOSE;
}
