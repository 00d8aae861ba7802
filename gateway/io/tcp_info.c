#include "io/tcp_info.h"

#include <linux/sockios.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

/*
 * Keep-alive finds senders that vanished while idle: a minute of silence, then
 * three probes.  UNANSWERED: probes of a closed window are this often lost on
 * the way at most; after that the peer counts as gone.
 */
enum { IDLE_S = 60, INTERVAL_S = 10, PROBES = 3, UNANSWERED = 3 };

/* Of tcpi_state: TCP_ESTABLISHED of the header that cannot be included here. */
enum { ESTABLISHED = 1 };

static void
set_int(int fd, int level, int name, int value)
{
	(void)setsockopt(fd, level, name, &value, sizeof(value));
}

void
tcp_set_user_timeout(int fd, unsigned ms)
{
	set_int(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, (int)ms);
}

void
tcp_set_options(int fd, unsigned user_timeout_ms)
{
	set_int(fd, IPPROTO_TCP, TCP_NODELAY, 1);
	set_int(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
	set_int(fd, IPPROTO_TCP, TCP_KEEPIDLE, IDLE_S);
	set_int(fd, IPPROTO_TCP, TCP_KEEPINTVL, INTERVAL_S);
	set_int(fd, IPPROTO_TCP, TCP_KEEPCNT, PROBES);
	tcp_set_user_timeout(fd, user_timeout_ms);
}

bool
tcp_facts_read(int fd, struct tcp_facts *facts)
{
	struct tcp_info info = {0};
	socklen_t len = sizeof(info);
	int queued = 0;

	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) != 0 ||
	    len < offsetof(struct tcp_info, tcpi_snd_wnd) + sizeof(info.tcpi_snd_wnd))
		return false;
	/*
	 * Without packets in flight and bytes behind them there is nothing to ask for.  A
	 * connection that was reset or given up has none either, whatever was not acknowledged.
	 */
	if ((info.tcpi_state != ESTABLISHED || info.tcpi_unacked > 0 ||
	     info.tcpi_notsent_bytes > 0) &&
	    ioctl(fd, SIOCOUTQ, &queued) != 0)
		return false;
	facts->queued = queued > 0 ? (uint64_t)queued : 0;
	facts->window = info.tcpi_snd_wnd;
	facts->held_by_peer = (info.tcpi_snd_wnd == 0 || info.tcpi_unacked == 0) &&
			      info.tcpi_notsent_bytes > 0 && info.tcpi_probes < UNANSWERED;
	return true;
}
