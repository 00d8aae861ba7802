/*
 * sink -- takes the lines that flood sent and checks them.
 *
 *	sink --listen 127.0.0.1:7000 --expect 1000000
 *
 * Big reads into one buffer; between reads a connection keeps its partial frame
 * only.  Prints one line of JSON, when all expected lines have come, or none
 * came for --quiet-ms after the first, or --seconds are over.
 */
#include "sink.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tool.h"

enum {
	BUF_BYTES = 1024 * 1024,
	GRACE_MS = 100, /* for duplicates, after everything has come */
	TICK_MS = 1000,
	SLOW_TICK_MS = 20,
	EVENTS = 256,
};

static struct sink sink;
static volatile sig_atomic_t stopped;

static void
on_stop(int sig)
{
	(void)sig;
	stopped = 1;
}

struct side *
sink_side(struct sink *s, unsigned port)
{
	return &s->sides[(int64_t)port == s->opt.victim ? VICTIM : SERVED];
}

bool
sink_is_bad(const struct sink *s, unsigned port)
{
	return s->opt.victim < 0 || (int64_t)port == s->opt.victim;
}

unsigned
sink_tag(const struct sink *s, unsigned port)
{
	return s->opt.ports == s->opt.copies ? port : 0;
}

void
sink_noticed(struct sink *s, const struct side *side, uint64_t before)
{
	if (side->check.counts.lines == before || side != &s->sides[SERVED])
		return;
	s->last = s->now;
	if (s->first == 0)
		s->first = s->last;
}

int64_t
sink_left(const struct sink *s)
{
	const struct side *side = &s->sides[SERVED];
	int64_t now = tool_now() / 1000000;
	int64_t end = s->started / 1000000 + s->opt.seconds * 1000;
	bool all = side->expected != 0 && side->check.counts.wanted >= side->expected;

	if (stopped)
		return 0;
	if (s->last != 0) {
		int64_t quiet = s->last / 1000000 + (all ? GRACE_MS : s->opt.quiet_ms);

		end = quiet < end ? quiet : end;
	}
	return end > now ? end - now : 0;
}

/*
 * The lines are spread evenly over ports that are not copies: so flood does it
 * if each connection sends a multiple of --apps.
 */
static void
share_out(struct sink *s)
{
	const struct options *o = &s->opt;
	const int64_t all = o->expect * o->copies;
	const int64_t victims = o->victim < 0 ? 0 : all / o->ports;

	s->sides[VICTIM].expected = (uint64_t)victims;
	s->sides[SERVED].expected = (uint64_t)(all - victims);
	for (int i = 0; i < SIDES; i++) {
		s->sides[i].check.copies = o->ports == o->copies ? 1 : (unsigned)o->copies;
		s->sides[i].check.size = (size_t)o->size;
	}
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
run(struct sink *s)
{
	struct epoll_event events[EVENTS];
	int64_t ms;

	while ((ms = sink_left(s)) > 0) {
		int64_t tick = LIST_EMPTY(&s->slow) ? TICK_MS : SLOW_TICK_MS;
		int n = epoll_wait(s->epoll, events, EVENTS, (int)(ms > tick ? tick : ms));

		for (int i = 0; i < n; i++) {
			int *listener = events[i].data.ptr;

			if (listener >= s->listeners && listener < s->listeners + PORTS_MAX)
				conn_accept(s, (unsigned)(listener - s->listeners));
			else
				conn_readable(s, events[i].data.ptr);
		}
		conn_read_slow(s);
	}
}

static void
clear(struct sink *s)
{
	while (!LIST_EMPTY(&s->conns))
		conn_close(LIST_FIRST(&s->conns));
	for (int i = 0; i < SIDES; i++)
		check_clear(&s->sides[i].check);
	SSL_CTX_free(s->tls);
	close(s->epoll);
	free(s->buf);
}

int
main(int argc, char **argv)
{
	struct sink *s = &sink;

	signal(SIGPIPE, SIG_IGN);
	signal(SIGTERM, on_stop);
	signal(SIGINT, on_stop);
	tool_raise_nofile();
	s->opt = sink_options(argc, argv);
	share_out(s);
	if (s->opt.tls)
		s->tls = conn_tls_new(&s->opt);
	LIST_INIT(&s->conns);
	LIST_INIT(&s->slow);
	s->buf_bytes = BUF_BYTES;
	s->buf = malloc(s->buf_bytes);
	if (s->buf == NULL)
		tool_die("out of memory");
	s->started = tool_now();
	listen_all(s);
	if (s->opt.http)
		sink_http(s);
	else
		run(s);
	sink_report(s);
	clear(s);
	return 0;
}
