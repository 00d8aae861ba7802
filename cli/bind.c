#include "cli/bind.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* A port that the system chose for TCP may be taken for UDP: then another one is asked for. */
enum { PORT_TRIES = 10, BACKLOG = 128 };

static void
port_set(struct sockaddr *sa, uint16_t port)
{
	if (sa->sa_family == AF_INET6)
		((struct sockaddr_in6 *)(void *)sa)->sin6_port = htons(port);
	else
		((struct sockaddr_in *)(void *)sa)->sin_port = htons(port);
}

/* -1: errno says why. */
static int
socket_bind(const struct addrinfo *ai, int type)
{
	int on = 1;
	int fd = socket(ai->ai_family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int saved;

	if (fd < 0)
		return -1;
	/* For TCP only: on UDP it would let two receivers share a port unnoticed. */
	if (type == SOCK_STREAM)
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, ai->ai_addr, ai->ai_addrlen) == 0 &&
	    (type != SOCK_STREAM || listen(fd, BACKLOG) == 0))
		return fd;
	saved = errno;
	close(fd);
	errno = saved;
	return -1;
}

static bool
bind_both(const struct listen_options *o, const struct addrinfo *ai, struct bound *out)
{
	socklen_t n = ai->ai_addrlen;
	int saved;

	port_set(ai->ai_addr, o->port);
	out->tcp = out->udp = -1;
	if (o->tcp) {
		out->tcp = socket_bind(ai, SOCK_STREAM);
		if (out->tcp < 0)
			return false;
		/* UDP goes to the port that TCP got. */
		getsockname(out->tcp, ai->ai_addr, &n);
	}
	if (o->udp) {
		out->udp = socket_bind(ai, SOCK_DGRAM);
		if (out->udp < 0) {
			saved = errno;
			if (out->tcp >= 0)
				close(out->tcp);
			errno = saved;
			return false;
		}
	}
	return true;
}

static void
address_print(const struct listen_options *o, const struct addrinfo *ai, struct bound *out)
{
	char host[NI_MAXHOST] = "?", port[NI_MAXSERV] = "?";
	socklen_t n = ai->ai_addrlen;

	getsockname(out->tcp >= 0 ? out->tcp : out->udp, ai->ai_addr, &n);
	getnameinfo(ai->ai_addr, n, host, sizeof(host), port, sizeof(port),
		    NI_NUMERICHOST | NI_NUMERICSERV);
	snprintf(out->address, sizeof(out->address),
		 ai->ai_family == AF_INET6 ? "[%.64s]:%.8s (%s%s%s)" : "%.64s:%.8s (%s%s%s)", host,
		 port, o->tcp ? "tcp" : "", o->tcp && o->udp ? ", " : "", o->udp ? "udp" : "");
}

static void
bind_error(const struct listen_options *o, char err[LISTEN_ERROR_BYTES])
{
	const char *remedy = "";

	if (errno == EADDRINUSE)
		remedy = "; choose another port, or 0 for any free one";
	else if (errno == EACCES)
		remedy = "; ports below 1024 need root";
	else if (errno == EADDRNOTAVAIL)
		remedy = "; the address must be one of this machine";
	snprintf(err, LISTEN_ERROR_BYTES, "cannot listen on %.100s port %u: %s%s",
		 o->host[0] != '\0' ? o->host : "*", o->port, strerror(errno), remedy);
}

bool
bind_options(const struct listen_options *o, struct bound *out, char err[LISTEN_ERROR_BYTES])
{
	struct addrinfo hints = {.ai_flags = AI_PASSIVE, .ai_socktype = SOCK_STREAM};
	struct addrinfo *ai;
	bool bound = false;
	int rc;

	*out = (struct bound){.tcp = -1, .udp = -1};
	rc = getaddrinfo(o->host[0] != '\0' ? o->host : NULL, "0", &hints, &ai);
	if (rc != 0) {
		snprintf(err, LISTEN_ERROR_BYTES, "cannot look up '%.100s': %s", o->host,
			 gai_strerror(rc));
		return false;
	}
	for (int i = 0; i < PORT_TRIES && !bound; i++) {
		bound = bind_both(o, ai, out);
		if (o->port != 0 || (!bound && errno != EADDRINUSE))
			break;
	}
	if (bound)
		address_print(o, ai, out);
	else
		bind_error(o, err);
	freeaddrinfo(ai);
	return bound;
}
