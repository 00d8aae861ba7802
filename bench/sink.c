/*
 * sink -- takes the lines that flood sent and checks them.
 *
 *	sink --listen 127.0.0.1:7000 --expect 1000000
 *
 * One epoll thread, big reads into one buffer; between reads a connection keeps
 * its partial frame only.  Frames are octet-counted or end with LF, told apart
 * at each frame's start.  Prints one line of JSON, when all expected lines have
 * come, or none came for --quiet-ms after the first, or --seconds are over.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#include "check.h"
#include "tool.h"

enum {
	BUF_BYTES = 1024 * 1024,
	FRAME_MAX = 512 * 1024,
	COUNT_DIGITS = 7,
	PORTS_MAX = 64,
	GRACE_MS = 100, /* for duplicates, after everything has come */
};

struct options {
	struct sockaddr_in listen;
	const char *cert;
	const char *key;
	uint64_t expect;
	unsigned ports;
	unsigned copies;
	size_t size;
	int64_t quiet_ms;
	int64_t seconds;
	uint64_t close_after; /* lines, then the connection is closed; 0: never */
	bool tls;
	bool stall; /* accept, and never read */
};

struct conn {
	LIST_ENTRY(conn) link;
	int fd;
	SSL *ssl;
	char *tail; /* the partial frame; NULL: none */
	size_t tail_len;
	uint64_t lines;
	struct check_conn check;
};

struct sink {
	struct options opt;
	SSL_CTX *tls;
	int epoll;
	int listeners[PORTS_MAX];
	struct check check;
	LIST_HEAD(, conn) conns;
	uint64_t accepted;
	uint64_t closed; /* by us, --close-after */
	int64_t first;	 /* when the first and the last line came; 0: none yet */
	int64_t last;
	int64_t now; /* when what is being looked at was read */
	char buf[BUF_BYTES];
};

static struct sink sink;
static volatile sig_atomic_t stopped;

static const char usage[] =
    "usage: sink --listen ADDR:PORT [--ports N] [--tls --cert FILE --key FILE]\n"
    "            [--expect LINES] [--copies N] [--size BYTES] [--quiet-ms MS]\n"
    "            [--seconds MAX] [--close-after LINES] [--stall]\n"
    "--ports     listens on so many consecutive ports\n"
    "--copies    every line is expected so often; with as many --ports: once on each\n"
    "--size      a message of any other length counts as misparsed\n";

static void
on_stop(int sig)
{
	(void)sig;
	stopped = 1;
}

static void
set_option(struct options *o, const char *name, const char *value)
{
	if (strcmp(name, "listen") == 0)
		o->listen = tool_address(name, value);
	else if (strcmp(name, "ports") == 0)
		o->ports = (unsigned)tool_number(name, value, 1, PORTS_MAX);
	else if (strcmp(name, "copies") == 0)
		o->copies = (unsigned)tool_number(name, value, 1, 100);
	else if (strcmp(name, "size") == 0)
		o->size = (size_t)tool_number(name, value, 0, FRAME_MAX);
	else if (strcmp(name, "expect") == 0)
		o->expect = (uint64_t)tool_number(name, value, 1, 1000000000);
	else if (strcmp(name, "quiet-ms") == 0)
		o->quiet_ms = tool_number(name, value, 1, 3600000);
	else if (strcmp(name, "seconds") == 0)
		o->seconds = tool_number(name, value, 1, 3600);
	else if (strcmp(name, "close-after") == 0)
		o->close_after = (uint64_t)tool_number(name, value, 0, 1000000000);
	else if (strcmp(name, "cert") == 0)
		o->cert = value;
	else if (strcmp(name, "key") == 0)
		o->key = value;
	else if (strcmp(name, "tls") == 0)
		o->tls = true;
	else if (strcmp(name, "stall") == 0)
		o->stall = true;
}

static struct options
read_options(int argc, char **argv)
{
	static const struct option known[] = {
	    {"listen", 1, NULL, 0},  {"ports", 1, NULL, 0},	  {"copies", 1, NULL, 0},
	    {"size", 1, NULL, 0},    {"expect", 1, NULL, 0},	  {"quiet-ms", 1, NULL, 0},
	    {"seconds", 1, NULL, 0}, {"close-after", 1, NULL, 0}, {"cert", 1, NULL, 0},
	    {"key", 1, NULL, 0},     {"tls", 0, NULL, 0},	  {"stall", 0, NULL, 0},
	    {NULL, 0, NULL, 0}};
	struct options o = {.ports = 1, .copies = 1, .quiet_ms = 2000, .seconds = 60};
	int index = 0;
	int c;

	while ((c = getopt_long(argc, argv, "", known, &index)) == 0)
		set_option(&o, known[index].name, optarg);
	if (c != -1 || optind != argc || o.listen.sin_port == 0 ||
	    o.tls != (o.cert != NULL && o.key != NULL)) {
		fputs(usage, stderr);
		exit(2);
	}
	return o;
}

static SSL_CTX *
tls_new(const struct options *o)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());

	if (ctx == NULL || SSL_CTX_use_certificate_chain_file(ctx, o->cert) != 1 ||
	    SSL_CTX_use_PrivateKey_file(ctx, o->key, SSL_FILETYPE_PEM) != 1)
		tool_die("--cert, --key: %s", ERR_reason_error_string(ERR_peek_error()));
	SSL_CTX_set_num_tickets(ctx, 0);
	SSL_CTX_set_read_ahead(ctx, 1);
	return ctx;
}

static void
listen_all(struct sink *s)
{
	const int one = 1;

	s->epoll = epoll_create1(EPOLL_CLOEXEC);
	for (unsigned i = 0; i < s->opt.ports; i++) {
		struct sockaddr_in address = s->opt.listen;
		struct epoll_event event = {.events = EPOLLIN, .data.ptr = &s->listeners[i]};
		int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

		address.sin_port = htons((uint16_t)(ntohs(address.sin_port) + i));
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
		if (bind(fd, (const struct sockaddr *)&address, sizeof(address)) != 0 ||
		    listen(fd, SOMAXCONN) != 0)
			tool_die_errno("port %d", ntohs(address.sin_port));
		s->listeners[i] = fd;
		epoll_ctl(s->epoll, EPOLL_CTL_ADD, fd, &event);
	}
}

static void
on_accept(struct sink *s, const int *listener)
{
	int fd;

	while ((fd = accept4(*listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
		struct conn *c = calloc(1, sizeof(*c));
		struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};

		if (c == NULL)
			tool_die("out of memory");
		c->fd = fd;
		/* Ports that are not copies are all the same to the check. */
		if (s->opt.ports == s->opt.copies)
			c->check.tag = (unsigned)(listener - s->listeners);
		if (s->opt.tls) {
			c->ssl = SSL_new(s->tls);
			SSL_set_fd(c->ssl, fd);
			SSL_set_accept_state(c->ssl);
		}
		LIST_INSERT_HEAD(&s->conns, c, link);
		s->accepted++;
		if (!s->opt.stall)
			epoll_ctl(s->epoll, EPOLL_CTL_ADD, fd, &event);
	}
	if (errno != EAGAIN && errno != ECONNABORTED)
		tool_die_errno("accept");
}

static void
conn_close(struct conn *c)
{
	LIST_REMOVE(c, link);
	check_conn_clear(&c->check);
	SSL_free(c->ssl);
	close(c->fd);
	free(c->tail);
	free(c);
}

/*
 * One frame at text: how many bytes it takes, or 0 if it is not all there.  The
 * message is cut out of it.  RFC 6587: octet counting 3.4.1, LF 3.4.2.
 */
static size_t
frame(const char *text, size_t len, const char **message, size_t *message_len)
{
	const char *lf;
	size_t count = 0;
	size_t i = 0;

	while (i < len && i < COUNT_DIGITS && text[i] >= '0' && text[i] <= '9')
		count = count * 10 + (size_t)(text[i++] - '0');
	if (i > 0 && i == len && i < COUNT_DIGITS)
		return 0;
	if (i > 0 && i < len && text[i] == ' ') {
		i++;
		if (len - i < count)
			return 0;
		*message = text + i;
		/* Some put a LF inside the counted frame, too. */
		*message_len = count - (count > 0 && text[i + count - 1] == '\n');
		return i + count;
	}
	lf = memchr(text, '\n', len);
	if (lf == NULL)
		return 0;
	*message = text;
	*message_len = (size_t)(lf - text);
	return *message_len + 1;
}

/* false: the connection has had the lines after which it is to be closed. */
static bool
take_frames(struct sink *s, struct conn *c, size_t len)
{
	const char *message;
	size_t message_len;
	size_t at = 0;
	size_t n;

	while (at < len && (n = frame(s->buf + at, len - at, &message, &message_len)) > 0) {
		check_line(&s->check, &c->check, message, message_len, s->now);
		at += n;
		if (++c->lines == s->opt.close_after)
			return false;
	}
	if (len - at > FRAME_MAX)
		tool_die("a frame of more than %d bytes", FRAME_MAX);
	if (at == len)
		return true;
	c->tail_len = len - at;
	c->tail = malloc(c->tail_len);
	if (c->tail == NULL)
		tool_die("out of memory");
	memcpy(c->tail, s->buf + at, c->tail_len);
	return true;
}

/* As read(2), also for TLS: -1 with EAGAIN if there is nothing now. */
static ssize_t
conn_read(struct conn *c, char *out, size_t cap)
{
	size_t len = 0;
	int n = 1;

	if (c->ssl == NULL)
		return read(c->fd, out, cap);
	ERR_clear_error();
	while (len < cap && (n = SSL_read(c->ssl, out + len, (int)(cap - len))) > 0)
		len += (size_t)n;
	if (len > 0)
		return (ssize_t)len;
	n = SSL_get_error(c->ssl, n);
	errno = n == SSL_ERROR_WANT_READ || n == SSL_ERROR_WANT_WRITE ? EAGAIN : EPROTO;
	return n == SSL_ERROR_ZERO_RETURN ? 0 : -1;
}

static void
on_readable(struct sink *s, struct conn *c)
{
	uint64_t before = s->check.counts.lines;
	ssize_t n;

	do {
		size_t kept = c->tail_len;

		if (kept > 0)
			memcpy(s->buf, c->tail, kept);
		n = conn_read(c, s->buf + kept, sizeof(s->buf) - kept);
		if (n < 0 && errno == EAGAIN)
			break;
		if (n <= 0) {
			if (kept > 0)
				s->check.counts.misparsed++; /* a frame cut short */
			conn_close(c);
			return;
		}
		s->now = tool_now();
		free(c->tail);
		c->tail = NULL;
		c->tail_len = 0;
		if (!take_frames(s, c, kept + (size_t)n)) {
			s->closed++;
			conn_close(c);
			break;
		}
	} while (c->ssl != NULL); /* what OpenSSL holds does not wake epoll */
	if (s->check.counts.lines > before) {
		s->last = s->now;
		if (s->first == 0)
			s->first = s->last;
	}
}

/* Milliseconds that may still be waited; 0: it is over. */
static int64_t
left(const struct sink *s, int64_t started)
{
	int64_t now = tool_now() / 1000000;
	int64_t end = started / 1000000 + s->opt.seconds * 1000;
	bool all = s->opt.expect != 0 && s->check.counts.wanted >= s->opt.expect * s->opt.copies;

	if (stopped)
		return 0;
	if (s->last != 0) {
		int64_t quiet = s->last / 1000000 + (all ? GRACE_MS : s->opt.quiet_ms);

		end = quiet < end ? quiet : end;
	}
	return end > now ? end - now : 0;
}

static void
run(struct sink *s)
{
	const int64_t started = tool_now();
	struct epoll_event events[256];
	int64_t ms;

	while ((ms = left(s, started)) > 0) {
		int n = epoll_wait(s->epoll, events, 256, ms > 1000 ? 1000 : (int)ms);

		for (int i = 0; i < n; i++) {
			int *listener = events[i].data.ptr;

			if (listener >= s->listeners && listener < s->listeners + PORTS_MAX)
				on_accept(s, listener);
			else
				on_readable(s, events[i].data.ptr);
		}
	}
}

static void
print_latency(const struct histogram *h)
{
	printf("\"latency_ms\": {\"p50\": %.3f, \"p99\": %.3f, \"max\": %.3f, \"n\": %llu}, ",
	       (double)histogram_at(h, 0.5) * 1e-6, (double)histogram_at(h, 0.99) * 1e-6,
	       (double)h->max * 1e-6, (unsigned long long)h->n);
}

static void
print(const struct sink *s)
{
	const struct check_counts *counts = &s->check.counts;
	const uint64_t expected = s->opt.expect * s->opt.copies;
	const uint64_t missing = expected > counts->wanted ? expected - counts->wanted : 0;
	double seconds = (double)(s->last - s->first) * 1e-9;

#define FIELD(name, value) printf("\"" name "\": %llu, ", (unsigned long long)(value))
	putchar('{');
	FIELD("lines", counts->lines);
	FIELD("bytes", counts->bytes);
	FIELD("expected", expected);
	FIELD("delivered", counts->wanted);
	FIELD("missing", missing);
	FIELD("duplicated", counts->duplicated);
	FIELD("reordered", counts->reordered);
	FIELD("misrouted", counts->misrouted);
	FIELD("misparsed", counts->misparsed);
	FIELD("connections", s->accepted);
	FIELD("closed", s->closed);
	if (s->check.latency.n > 0)
		print_latency(&s->check.latency);
	printf("\"seconds\": %.3f, \"lines_per_s\": %.0f}\n", seconds,
	       seconds > 0 ? (double)counts->lines / seconds : 0);
#undef FIELD
}

int
main(int argc, char **argv)
{
	struct sink *s = &sink;

	signal(SIGPIPE, SIG_IGN);
	signal(SIGTERM, on_stop);
	signal(SIGINT, on_stop);
	tool_raise_nofile();
	s->opt = read_options(argc, argv);
	s->check.copies = s->opt.ports == s->opt.copies ? 1 : s->opt.copies;
	s->check.size = s->opt.size;
	if (s->opt.tls)
		s->tls = tls_new(&s->opt);
	LIST_INIT(&s->conns);
	listen_all(s);
	run(s);
	print(s);

	while (!LIST_EMPTY(&s->conns))
		conn_close(LIST_FIRST(&s->conns));
	check_clear(&s->check);
	SSL_CTX_free(s->tls);
	close(s->epoll);
	return 0;
}
