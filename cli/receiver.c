#include "cli/receiver.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/xmalloc.h"
#include "cli/bind.h"
#include "cli/connection.h"
#include "cli/printer.h"

/* The largest UDP payload is 65,507 bytes. */
enum { DATAGRAM_BYTES = 65536, DATAGRAMS_A_TURN = 64, RETRY_MS = 1000 };

struct receiver {
	struct bound bound;
	bool raw;
	bool out_of_files; /* no accept(2) until a connection ends, or a quiet second */
	FILE *out;
	size_t n;
	struct connection connections[RECEIVER_CONNECTIONS];
	char datagram[DATAGRAM_BYTES];
};

struct receiver *
receiver_open(const struct listen_options *o, FILE *out, char err[LISTEN_ERROR_BYTES])
{
	struct receiver *r = xcalloc(1, sizeof(*r));

	if (!bind_options(o, &r->bound, err)) {
		free(r);
		return NULL;
	}
	r->raw = o->raw;
	r->out = out;
	return r;
}

const char *
receiver_address(const struct receiver *r)
{
	return r->bound.address;
}

void
receiver_close(struct receiver *r)
{
	if (r == NULL)
		return;
	for (size_t i = 0; i < r->n; i++)
		connection_end(&r->connections[i], r->out);
	if (r->bound.tcp >= 0)
		close(r->bound.tcp);
	if (r->bound.udp >= 0)
		close(r->bound.udp);
	free(r);
}

static void
receiver_accept(struct receiver *r)
{
	while (r->n < RECEIVER_CONNECTIONS) {
		int fd = accept4(r->bound.tcp, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd >= 0) {
			connection_begin(&r->connections[r->n++], fd, r->raw);
		} else if (errno == EMFILE || errno == ENFILE) {
			fprintf(stderr, "penstock: cannot accept more connections: %s\n",
				strerror(errno));
			r->out_of_files = true;
			return;
		} else if (errno != ECONNABORTED && errno != EINTR) {
			return;
		}
	}
}

static bool
is_end(char c)
{
	return c == '\r' || c == '\n' || c == '\0';
}

/* One datagram is one message (RFC 5426, 3.1); senders add a line's end all the same. */
static bool
datagram_print(struct receiver *r, size_t n)
{
	while (n > 0 && !r->raw && is_end(r->datagram[n - 1]))
		n--;
	if (r->raw)
		return printer_raw(r->out, slice_of(r->datagram, n));
	return n == 0 || printer_message(r->out, slice_of(r->datagram, n));
}

static bool
receiver_datagrams(struct receiver *r)
{
	for (int i = 0; i < DATAGRAMS_A_TURN; i++) {
		ssize_t n = recv(r->bound.udp, r->datagram, sizeof(r->datagram), 0);

		if (n < 0)
			break;
		if (!datagram_print(r, (size_t)n))
			return false;
	}
	return true;
}

static bool
receiver_read(struct receiver *r, const struct pollfd *polls, size_t n)
{
	/* Backwards: the last connection moves to the place of one that ended. */
	for (size_t i = n; i-- > 0;) {
		enum connection_result result;

		if (polls[i].revents == 0)
			continue;
		result = connection_read(&r->connections[i], r->out);
		if (result == CONNECTION_OUT)
			return false;
		if (result == CONNECTION_GONE) {
			if (!connection_end(&r->connections[i], r->out))
				result = CONNECTION_OUT;
			r->connections[i] = r->connections[--r->n];
			r->out_of_files = false;
			if (result == CONNECTION_OUT)
				return false;
		}
	}
	return true;
}

enum receiver_result
receiver_turn(struct receiver *r, int timeout_ms, const sigset_t *allowed)
{
	/* 0: TCP listener, 1: UDP, then the connections; poll(2) skips a negative fd. */
	struct pollfd polls[2 + RECEIVER_CONNECTIONS];
	bool full = r->n == RECEIVER_CONNECTIONS || r->out_of_files;
	size_t n = r->n;
	struct timespec timeout;
	int ready;

	polls[0] = (struct pollfd){full ? -1 : r->bound.tcp, POLLIN, 0};
	polls[1] = (struct pollfd){r->bound.udp, POLLIN, 0};
	for (size_t i = 0; i < n; i++)
		polls[2 + i] = (struct pollfd){r->connections[i].fd, POLLIN, 0};

	if (r->out_of_files && (timeout_ms < 0 || timeout_ms > RETRY_MS))
		timeout_ms = RETRY_MS;
	timeout = (struct timespec){timeout_ms / 1000, timeout_ms % 1000 * 1000000L};
	ready = ppoll(polls, 2 + n, timeout_ms < 0 ? NULL : &timeout, allowed);
	if (ready < 0)
		return errno == EINTR ? RECEIVER_SIGNAL : RECEIVER_FAILED;
	if (ready == 0)
		r->out_of_files = false;
	if (polls[1].revents != 0 && !receiver_datagrams(r))
		return RECEIVER_OUT;
	if (!receiver_read(r, polls + 2, n))
		return RECEIVER_OUT;
	if (polls[0].revents != 0)
		receiver_accept(r);
	return RECEIVER_OK;
}
