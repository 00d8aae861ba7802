#include "whole/sockets.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "ends/datagram_input.h"

enum { BACKLOG = 1024 };

/* Any local program may log; only the operator administers. */
enum { MODE_SYSLOG = 0666, MODE_ADMIN = 0600 };

static bool
is_datagram(const struct listen_url *url)
{
	return url->kind == LISTEN_UDP || url->kind == LISTEN_UNIXGRAM;
}

static bool
is_socket_file(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0 && S_ISSOCK(st.st_mode);
}

static const char *
in_use_remedy(const struct listen_url *url)
{
	if (!listen_url_is_unix(url))
		return "another program uses that address; stop it or choose another port";
	if (!is_socket_file(url->path))
		return "what is there is not a socket; move it away or choose another path";
	return "another program listens there; stop it or choose another path";
}

static void
describe(const struct listen_url *url, const char *key, char *err)
{
	const char *remedy = "check address and permissions";
	int why = errno;

	if (why == EADDRINUSE)
		remedy = in_use_remedy(url);
	else if (why == EACCES && listen_url_is_unix(url))
		remedy = "this user may not make a socket there; grant it, or choose another path";
	else if (why == EACCES)
		remedy = "no permission; use a port above 1023, or grant CAP_NET_BIND_SERVICE";
	else if (why == EADDRNOTAVAIL)
		remedy = "this machine has no such address; use one of its own, or *";
	snprintf(err, CONFIG_ERROR_BYTES, "%s: \"%s\": %s; %s", key, url->text, strerror(why),
		 remedy);
}

/* A socket without a listener is what a killed process left behind; any other file is not ours. */
static void
unlink_stale(const struct sockaddr_storage *addr, socklen_t len, int type, const char *path)
{
	int fd;

	if (!is_socket_file(path))
		return;
	fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return;
	if (connect(fd, (const struct sockaddr *)addr, len) < 0 && errno == ECONNREFUSED)
		unlink(path);
	close(fd);
}

static void
set_options(int fd, const struct listen_url *url, bool shared)
{
	int on = 1, off = 0, bytes = DATAGRAM_RECEIVE_BYTES;

	if (url->kind == LISTEN_UDP)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
	if (listen_url_is_unix(url))
		return;
	/* A UDP address may be shared by SO_REUSEADDR alone, which is what must not happen unseen.
	 */
	if (!is_datagram(url))
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (shared)
		setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on));
	if (url->addr.ss_family != AF_INET6)
		return;
	setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, url->both_families ? &off : &on, sizeof(on));
}

static int
open_one(const struct listen_url *url, const char *key, bool shared, char err[CONFIG_ERROR_BYTES])
{
	struct sockaddr_storage addr;
	socklen_t len = listen_url_sockaddr(url, &addr);
	int type = is_datagram(url) ? SOCK_DGRAM : SOCK_STREAM;
	int fd = socket(addr.ss_family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	mode_t mode = url->kind == LISTEN_HTTP_UNIX ? MODE_ADMIN : MODE_SYSLOG;

	if (fd < 0) {
		describe(url, key, err);
		return -1;
	}
	set_options(fd, url, shared);
	if (listen_url_is_unix(url))
		unlink_stale(&addr, len, type, url->path);
	if (bind(fd, (struct sockaddr *)&addr, len) < 0 ||
	    (listen_url_is_unix(url) && chmod(url->path, mode) < 0) ||
	    (type == SOCK_STREAM && listen(fd, BACKLOG) < 0)) {
		describe(url, key, err);
		close(fd);
		return -1;
	}
	return fd;
}

static void
close_all(const int *fds, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		close(fds[i]);
}

int
socket_open_alone(struct listen_url *url, const char *key, char err[CONFIG_ERROR_BYTES])
{
	int fd = open_one(url, key, false, err);
	socklen_t len = sizeof(url->addr);

	if (fd >= 0 && !listen_url_is_unix(url))
		getsockname(fd, (struct sockaddr *)&url->addr, &len);
	return fd;
}

unsigned
socket_open_shared(struct listen_url *url, const char *key, int *fds, unsigned n,
		   char err[CONFIG_ERROR_BYTES])
{
	int alone = socket_open_alone(url, key, err);

	if (alone < 0)
		return 0;
	if (listen_url_is_unix(url)) {
		fds[0] = alone;
		return 1;
	}
	close(alone);
	for (unsigned i = 0; i < n; i++) {
		fds[i] = open_one(url, key, true, err);
		if (fds[i] < 0) {
			close_all(fds, i);
			return 0;
		}
	}
	return n;
}

void
socket_name(const struct listen_url *url, char *name, size_t len)
{
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)&url->addr;
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)&url->addr;
	char text[INET6_ADDRSTRLEN];

	if (listen_url_is_unix(url)) {
		snprintf(name, len, "%s", url->path);
	} else if (url->addr.ss_family == AF_INET6) {
		inet_ntop(AF_INET6, &v6->sin6_addr, text, sizeof(text));
		snprintf(name, len, "[%s]:%u", text, ntohs(v6->sin6_port));
	} else {
		inet_ntop(AF_INET, &v4->sin_addr, text, sizeof(text));
		snprintf(name, len, "%s:%u", text, ntohs(v4->sin_port));
	}
}
