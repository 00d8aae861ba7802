/*
 * flood -- sends numbered lines of many apps over many connections.
 *
 *	flood --to tcp://127.0.0.1:1514 --lines 1000000 --apps 100 --connections 8
 *
 * One thread, one epoll set; every write is up to 64 KiB of lines rendered from
 * frames built beforehand (lines.h), so that the sender costs little beside
 * what it measures.  Bounded in lines and in time.  Prints one line of JSON.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lines.h"
#include "tool.h"

enum {
	WRITE_BYTES = 64 * 1024,
	DATAGRAMS = 64,	 /* by one sendmmsg */
	CLOSE_MS = 5000, /* for the receiver to take all and close, too */
	HELLO_SECONDS = 10,
};

struct options {
	struct sockaddr_in to;
	const char *ca;
	struct lines_shape shape;
	uint64_t lines;
	unsigned connections;
	uint64_t rate; /* lines a second, 0: as fast as it goes */
	int64_t seconds;
	bool tls;
	bool udp;
};

struct conn {
	int fd;
	SSL *ssl; /* NULL: plain */
	unsigned index;
	uint64_t total; /* lines that this connection sends */
	uint64_t next;	/* the line to go on with… */
	size_t offset;	/* …and how much of its frame is gone already */
	size_t retry;	/* TLS: length that a write must be repeated with */
};

struct flood {
	struct options opt;
	struct lines *lines;
	size_t frame;
	SSL_CTX *tls;
	struct conn *conns;
	int epoll;
	unsigned open; /* connections with lines left */
	uint64_t sent;
	int64_t started;
	char buf[WRITE_BYTES + 64 * 1024];
};

static struct flood flood;

static const char usage[] =
    "usage: flood --to tcp://ADDR:PORT|ADDR:PORT [--tls [--ca FILE] | --udp]\n"
    "             [--lines N] [--apps N] [--app-prefix TEXT] [--connections N]\n"
    "             [--size BYTES] [--framing octet|lf] [--format 5424|3164]\n"
    "             [--rate LINES_PER_SECOND] [--seconds MAX]\n";

/* "tcp://", "udp://" and "tls://" in front say what --udp and --tls say. */
static void
set_target(struct options *o, const char *url)
{
	if (strncmp(url, "udp://", 6) == 0)
		o->udp = true;
	else if (strncmp(url, "tls://", 6) == 0)
		o->tls = true;
	else if (strncmp(url, "tcp://", 6) != 0) {
		o->to = tool_address("to", url);
		return;
	}
	o->to = tool_address("to", url + 6);
}

static bool
one_of(const char *option, const char *value, const char *yes, const char *no)
{
	if (strcmp(value, yes) != 0 && strcmp(value, no) != 0)
		tool_die("--%s: '%s' is neither %s nor %s", option, value, yes, no);
	return strcmp(value, yes) == 0;
}

static void
set_option(struct options *o, const char *name, const char *value)
{
	if (strcmp(name, "to") == 0)
		set_target(o, value);
	else if (strcmp(name, "tls") == 0)
		o->tls = true;
	else if (strcmp(name, "udp") == 0)
		o->udp = true;
	else if (strcmp(name, "ca") == 0)
		o->ca = value;
	else if (strcmp(name, "lines") == 0)
		o->lines = (uint64_t)tool_number(name, value, 1, 1000000000);
	else if (strcmp(name, "apps") == 0)
		o->shape.apps = (unsigned)tool_number(name, value, 1, 100000);
	else if (strcmp(name, "app-prefix") == 0)
		o->shape.app_prefix = value;
	else if (strcmp(name, "connections") == 0)
		o->connections = (unsigned)tool_number(name, value, 1, 20000);
	else if (strcmp(name, "size") == 0)
		o->shape.size = (size_t)tool_number(name, value, 1, 65000);
	else if (strcmp(name, "framing") == 0)
		o->shape.octet = one_of(name, value, "octet", "lf");
	else if (strcmp(name, "format") == 0)
		o->shape.rfc3164 = one_of(name, value, "3164", "5424");
	else if (strcmp(name, "rate") == 0)
		o->rate = (uint64_t)tool_number(name, value, 0, 100000000);
	else if (strcmp(name, "seconds") == 0)
		o->seconds = tool_number(name, value, 1, 3600);
}

static struct options
read_options(int argc, char **argv)
{
	static const struct option known[] = {
	    {"to", 1, NULL, 0},		{"tls", 0, NULL, 0},	     {"udp", 0, NULL, 0},
	    {"ca", 1, NULL, 0},		{"lines", 1, NULL, 0},	     {"apps", 1, NULL, 0},
	    {"app-prefix", 1, NULL, 0}, {"connections", 1, NULL, 0}, {"size", 1, NULL, 0},
	    {"framing", 1, NULL, 0},	{"format", 1, NULL, 0},	     {"rate", 1, NULL, 0},
	    {"seconds", 1, NULL, 0},	{NULL, 0, NULL, 0}};
	struct options o = {
	    .shape = {.app_prefix = "app", .apps = 1, .size = 200, .octet = true, .framed = true},
	    .lines = 1000,
	    .connections = 1,
	    .seconds = 60,
	};
	int index = 0;
	int c;

	while ((c = getopt_long(argc, argv, "", known, &index)) == 0)
		set_option(&o, known[index].name, optarg);
	if (c != -1 || optind != argc || o.to.sin_port == 0 || (o.tls && o.udp)) {
		fputs(usage, stderr);
		exit(2);
	}
	o.shape.framed = !o.udp;
	if (o.connections > o.lines)
		o.connections = (unsigned)o.lines;
	return o;
}

static SSL_CTX *
tls_new(const char *ca)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());

	if (ctx == NULL)
		tool_die("no TLS context");
	SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	if (ca != NULL) {
		if (SSL_CTX_load_verify_locations(ctx, ca, NULL) != 1)
			tool_die("--ca: can not read %s", ca);
		SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
	}
	return ctx;
}

/* Connects, and shakes hands, while the socket still blocks. */
static void
conn_open(struct flood *f, struct conn *c)
{
	const struct timeval hello = {.tv_sec = HELLO_SECONDS};
	const int one = 1;

	c->fd = socket(AF_INET, (f->opt.udp ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC, 0);
	if (c->fd < 0)
		tool_die_errno("socket");
	setsockopt(c->fd, SOL_SOCKET, SO_RCVTIMEO, &hello, sizeof(hello));
	setsockopt(c->fd, SOL_SOCKET, SO_SNDTIMEO, &hello, sizeof(hello));
	if (connect(c->fd, (const struct sockaddr *)&f->opt.to, sizeof(f->opt.to)) != 0)
		tool_die_errno("connect");
	if (!f->opt.udp)
		setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (f->opt.tls) {
		c->ssl = SSL_new(f->tls);
		if (c->ssl == NULL || SSL_set_fd(c->ssl, c->fd) != 1 || SSL_connect(c->ssl) != 1)
			tool_die("TLS handshake: %s", ERR_reason_error_string(ERR_peek_error()));
	}
	if (fcntl(c->fd, F_SETFL, O_NONBLOCK) != 0)
		tool_die_errno("fcntl");
}

static void
open_all(struct flood *f)
{
	const unsigned n = f->opt.connections;

	f->conns = calloc(n, sizeof(*f->conns));
	f->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (f->conns == NULL || f->epoll < 0)
		tool_die("out of memory or descriptors");
	for (unsigned i = 0; i < n; i++) {
		struct conn *c = &f->conns[i];
		struct epoll_event event = {.events = EPOLLOUT, .data.ptr = c};

		c->index = i;
		c->total = f->opt.lines / n + (i < f->opt.lines % n ? 1 : 0);
		conn_open(f, c);
		if (epoll_ctl(f->epoll, EPOLL_CTL_ADD, c->fd, &event) != 0)
			tool_die_errno("epoll_ctl");
	}
	f->open = n;
}

/* How many bytes went out; 0 when the connection can take none now. */
static size_t
write_stream(struct conn *c, const char *data, size_t len)
{
	ssize_t n;

	if (c->ssl == NULL) {
		n = write(c->fd, data, len);
		if (n < 0 && errno != EAGAIN)
			tool_die_errno("connection %u: write", c->index);
		return n < 0 ? 0 : (size_t)n;
	}
	if (c->retry != 0)
		len = c->retry;
	ERR_clear_error();
	n = SSL_write(c->ssl, data, (int)len);
	if (n > 0) {
		c->retry = 0;
		return (size_t)n;
	}
	switch (SSL_get_error(c->ssl, (int)n)) {
	case SSL_ERROR_WANT_READ:
	case SSL_ERROR_WANT_WRITE:
		c->retry = len;
		return 0;
	default:
		tool_die("connection %u: TLS write failed", c->index);
	}
}

static void
send_stream(struct flood *f, struct conn *c, uint64_t quota)
{
	uint64_t left = c->total - c->next;
	uint64_t lines_before = c->next;
	size_t n;

	/* A write that TLS wants repeated must find the same bytes. */
	if (left > quota && c->retry == 0)
		left = quota;
	n = lines_render(f->lines, c->index, c->next, left, f->buf,
			 f->frame > WRITE_BYTES ? f->frame : WRITE_BYTES);
	c->offset += write_stream(c, f->buf + c->offset, n * f->frame - c->offset);
	c->next += c->offset / f->frame;
	c->offset %= f->frame;
	f->sent += c->next - lines_before;
}

static void
send_datagrams(struct flood *f, struct conn *c, uint64_t quota)
{
	struct mmsghdr messages[DATAGRAMS];
	struct iovec parts[DATAGRAMS];
	uint64_t want = c->total - c->next;
	size_t n;
	int gone;

	if (want > quota)
		want = quota;
	if (want > DATAGRAMS)
		want = DATAGRAMS;
	n = lines_render(f->lines, c->index, c->next, want, f->buf, sizeof(f->buf));
	memset(messages, 0, n * sizeof(messages[0]));
	for (size_t i = 0; i < n; i++) {
		parts[i] = (struct iovec){.iov_base = f->buf + i * f->frame, .iov_len = f->frame};
		messages[i].msg_hdr.msg_iov = &parts[i];
		messages[i].msg_hdr.msg_iovlen = 1;
	}
	gone = sendmmsg(c->fd, messages, (unsigned)n, 0);
	if (gone < 0 && errno != EAGAIN && errno != ECONNREFUSED && errno != ENOBUFS)
		tool_die_errno("connection %u: sendmmsg", c->index);
	if (gone > 0) {
		c->next += (uint64_t)gone;
		f->sent += (uint64_t)gone;
	}
}

/* Lines that may go out now. */
static uint64_t
allowance(const struct flood *f)
{
	uint64_t due;

	if (f->opt.rate == 0)
		return UINT64_MAX;
	due = (uint64_t)((double)(tool_now() - f->started) * 1e-9 * (double)f->opt.rate) + 1;
	return due > f->sent ? due - f->sent : 0;
}

static void
send_round(struct flood *f)
{
	struct epoll_event events[64];
	uint64_t quota = allowance(f);
	int n;

	if (quota == 0) {
		const struct timespec pause = {.tv_nsec = 1000000};

		nanosleep(&pause, NULL);
		return;
	}
	n = epoll_wait(f->epoll, events, 64, 100);
	for (int i = 0; i < n; i++) {
		struct conn *c = events[i].data.ptr;

		quota = allowance(f);
		if (quota == 0)
			break;
		/* Under a rate all connections get their share of it. */
		if (f->opt.rate != 0)
			quota = (quota + (uint64_t)(n - i) - 1) / (uint64_t)(n - i);
		if (f->opt.udp)
			send_datagrams(f, c, quota);
		else
			send_stream(f, c, quota);
		if (c->next == c->total) {
			epoll_ctl(f->epoll, EPOLL_CTL_DEL, c->fd, NULL);
			f->open--;
		}
	}
}

/*
 * Ends the connection and waits until the receiver has ended it, too.  What it
 * sent (TLS tickets) is read first: closing with unread bytes resets the
 * connection, and the receiver then loses lines that it had not read yet.
 */
static void
conn_close(struct flood *f, struct conn *c, int64_t deadline)
{
	char scrap[4096];
	struct pollfd p = {.fd = c->fd, .events = POLLIN};

	if (c->ssl != NULL)
		SSL_shutdown(c->ssl);
	if (!f->opt.udp) {
		shutdown(c->fd, SHUT_WR);
		while (tool_now() < deadline) {
			ssize_t n = read(c->fd, scrap, sizeof(scrap));

			if (n == 0 || (n < 0 && errno != EAGAIN))
				break;
			if (n < 0)
				poll(&p, 1, 10);
		}
	}
	close(c->fd);
	SSL_free(c->ssl);
}

int
main(int argc, char **argv)
{
	struct flood *f = &flood;
	int64_t deadline;
	double seconds;

	signal(SIGPIPE, SIG_IGN);
	tool_raise_nofile();
	f->opt = read_options(argc, argv);
	f->lines = lines_new(&f->opt.shape);
	f->frame = lines_frame_bytes(f->lines);
	if (f->opt.tls)
		f->tls = tls_new(f->opt.ca);
	open_all(f);

	f->started = tool_now();
	deadline = f->started + f->opt.seconds * INT64_C(1000000000);
	while (f->open > 0 && tool_now() < deadline)
		send_round(f);
	seconds = (double)(tool_now() - f->started) * 1e-9;

	deadline = tool_now() + CLOSE_MS * INT64_C(1000000);
	for (unsigned i = 0; i < f->opt.connections; i++)
		conn_close(f, &f->conns[i], deadline);
	printf("{\"lines\": %llu, \"bytes\": %llu, \"seconds\": %.3f, \"lines_per_s\": %.0f}\n",
	       (unsigned long long)f->sent, (unsigned long long)(f->sent * f->frame), seconds,
	       seconds > 0 ? (double)f->sent / seconds : 0);
	lines_free(f->lines);
	free(f->conns);
	SSL_CTX_free(f->tls);
	return f->sent == f->opt.lines ? 0 : 1;
}
