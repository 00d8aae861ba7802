/*
 * tcp_info -- what the kernel knows of a TCP connection.  A file of its own
 * because <linux/tcp.h>, which alone has tcpi_snd_wnd, and <netinet/tcp.h>
 * cannot be included together.
 *
 * Works on a socket that was reset, too, until it is closed.
 */
#ifndef TCP_INFO_H
#define TCP_INFO_H

#include <stdbool.h>
#include <stdint.h>

struct tcp_facts {
	uint64_t queued; /* bytes (a FIN counts as one) that were not acknowledged: SIOCOUTQ */
	uint32_t window; /* advertised by the peer, now */
	/* Nothing is in flight only because the peer has no room, and it answers
	 * to the probes of its window: it is alive. */
	bool held_by_peer;
};

/* false: not TCP, or the kernel (before 5.4) does not say. */
bool tcp_facts_read(int fd, struct tcp_facts *);

/*
 * What a connected or accepted TCP socket gets: no delay, keep-alive, and the
 * given TCP_USER_TIMEOUT.  Errors are of no consequence.
 */
void tcp_set_options(int fd, unsigned user_timeout_ms);
/* TCP_USER_TIMEOUT alone; 0: the kernel's own limit (about 15 minutes). */
void tcp_set_user_timeout(int fd, unsigned ms);

#endif
