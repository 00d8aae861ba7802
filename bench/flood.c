/*
 * flood -- sends numbered lines of many apps over many connections.
 *
 *	flood --to tcp://127.0.0.1:1514 --lines 1000000 --apps 100 --connections 8
 *
 * Every write is up to 64 KiB of lines rendered from parts built beforehand
 * (lines.h), so that the sender costs little beside what it measures.  Bounded
 * in lines and in time.  Prints one line of JSON.
 */
#include "flood.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "tool.h"

enum {
	WRITE_BYTES = 64 * 1024,
	WAITING_BYTES = 64 * 1024 * 1024, /* of all connections' rests */
	CLOSE_MS = 5000,		  /* for the receivers to take all and close, too */
	IDLE_MS = 100,			  /* the longest sleep */
	EVENTS = 256,
	OPEN_RATE = 5000, /* connections a second */
	REQUEST_HEAD = 1024,
};

static struct flood flood;

/* Puts a connection where it belongs after anything has happened to it. */
static void
settle(struct flood *f, struct conn *c)
{
	const bool left = c->next < c->total;
	const bool can = !c->blocked && !c->done &&
			 (c->rest_len > 0 || (left && f->opt.protocol->room(f, c) > 0));

	if (!c->done && !left && c->rest_len == 0 && c->unanswered == 0) {
		c->done = true;
		f->open--;
	}
	if (can && !c->ready)
		TAILQ_INSERT_TAIL(&f->ready, c, link);
	else if (!can && c->ready)
		TAILQ_REMOVE(&f->ready, c, link);
	c->ready = can;
}

/* Connections are opened one at a time, and not too many a second. */
static void
keep_pace(const struct flood *f, unsigned opened)
{
	int64_t ns = f->started + opened * INT64_C(1000000000) / OPEN_RATE - tool_now();
	struct timespec pause = {.tv_nsec = ns};

	if (ns > 0)
		nanosleep(&pause, NULL);
}

static void
open_all(struct flood *f)
{
	const uint64_t n = (uint64_t)f->opt.connections;
	const uint64_t lines = (uint64_t)f->opt.lines;

	f->conns = calloc(n, sizeof(*f->conns));
	f->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (f->conns == NULL || f->epoll < 0)
		tool_die("out of memory or descriptors");
	f->open = f->opt.connections;
	f->started = tool_now();
	for (unsigned i = 0; i < n; i++) {
		struct conn *c = &f->conns[i];
		/* Edges: nothing is woken that does not wait. */
		struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = c};

		c->index = i;
		c->total = lines / n + (i < lines % n ? 1 : 0);
		keep_pace(f, i);
		conn_open(f, c);
		if (epoll_ctl(f->epoll, EPOLL_CTL_ADD, c->fd, &event) != 0)
			tool_die_errno("epoll_ctl");
		settle(f, c);
	}
}

/* Sleeps until something happens on a socket, or the time has come. */
static void
wait_until(struct flood *f, int64_t time)
{
	struct epoll_event events[EVENTS];
	int64_t now = time == 0 ? 0 : tool_now();
	int64_t ns = time > now ? time - now : 0;
	struct timespec timeout = {.tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000};
	int n = epoll_pwait2(f->epoll, events, EVENTS, &timeout, NULL);

	for (int i = 0; i < n; i++) {
		struct conn *c = events[i].data.ptr;

		if ((events[i].events & ~(unsigned)EPOLLOUT) != 0)
			conn_read(f, c);
		c->blocked = false;
		settle(f, c);
	}
}

/* Without a rate: each connection that can sends what it can. */
static void
turn_unpaced(struct flood *f)
{
	const bool any = !TAILQ_EMPTY(&f->ready);
	struct conn *c;
	struct conn *next;

	wait_until(f, any ? 0 : tool_now() + IDLE_MS * INT64_C(1000000));
	for (c = TAILQ_FIRST(&f->ready); c != NULL; c = next) {
		next = TAILQ_NEXT(c, link);
		conn_send(f, c, UINT64_MAX);
		settle(f, c);
	}
}

/* Lines that must be due before any goes: a request is not sent in parts. */
static uint64_t
least_due(const struct flood *f, const struct conn *c)
{
	uint64_t left = c->total - c->next;
	uint64_t batch = f->opt.protocol->requests ? (uint64_t)f->opt.batch : 1;

	return left < batch ? left : batch;
}

/* At a rate: what is due goes over the connection whose turn it is. */
static void
turn_paced(struct flood *f)
{
	struct conn *c = TAILQ_FIRST(&f->ready);
	int64_t now = tool_now();
	int64_t wake = now + IDLE_MS * INT64_C(1000000);
	int64_t next = now;

	if (c != NULL && c->rest_len == 0)
		next = pace_next(&f->pace, f->rendered, least_due(f, c));
	if (c == NULL || next > now) {
		wait_until(f, c == NULL || next > wake ? wake : next);
		return;
	}
	/* Who has to catch up does not sleep, but answers and full sockets count all the same. */
	wait_until(f, 0);
	conn_send(f, c, pace_due(&f->pace, f->rendered, now));
	if (c->ready) {
		TAILQ_REMOVE(&f->ready, c, link);
		c->ready = false;
	}
	settle(f, c);
	if (pace_due(&f->pace, f->rendered, now) == 0)
		pace_stepped(&f->pace, now);
}

/* Many connections get smaller writes: each may have to keep one of them. */
static void
make_buffer(struct flood *f)
{
	int64_t bytes = WAITING_BYTES / f->opt.connections;

	f->buf_bytes = (size_t)(bytes < WRITE_BYTES ? bytes : WRITE_BYTES);
	if (f->opt.protocol->requests)
		f->buf_bytes = REQUEST_HEAD + (size_t)f->opt.batch * lines_max_bytes(f->lines);
	f->buf_bytes += lines_max_bytes(f->lines);
	f->buf = malloc(f->buf_bytes);
	if (f->buf == NULL)
		tool_die("out of memory");
}

static void
send_all(struct flood *f)
{
	const int64_t deadline = tool_now() + f->opt.seconds * INT64_C(1000000000);

	pace_start(&f->pace, f->opt.rate, tool_now());
	while (f->open > 0 && tool_now() < deadline) {
		if (f->opt.rate > 0)
			turn_paced(f);
		else
			turn_unpaced(f);
	}
}

/* All connections stay open and idle; who closes one is counted. */
static void
hold_all(struct flood *f)
{
	const int64_t end = tool_now() + f->opt.hold * INT64_C(1000000000);

	fprintf(stderr, "flood: holding %lld connections for %lld s\n",
		(long long)f->opt.connections, (long long)f->opt.hold);
	while (tool_now() < end)
		wait_until(f, end);
}

static void
close_all(struct flood *f)
{
	const int64_t deadline = tool_now() + CLOSE_MS * INT64_C(1000000);

	for (int64_t i = 0; i < f->opt.connections; i++)
		conn_shutdown(f, &f->conns[i]);
	for (int64_t i = 0; i < f->opt.connections; i++)
		conn_close(f, &f->conns[i], deadline);
}

static void
print(const struct flood *f, double seconds)
{
	printf("{\"lines\": %llu, \"bytes\": %llu, ", (unsigned long long)f->sent,
	       (unsigned long long)f->bytes);
	if (f->opt.protocol->answer != NULL)
		printf("\"acknowledged\": %llu, \"refused\": %llu, ",
		       (unsigned long long)f->acknowledged, (unsigned long long)f->refused);
	if (f->opt.hold > 0)
		printf("\"connections\": %lld, \"closed_by_receiver\": %llu, ",
		       (long long)f->opt.connections, (unsigned long long)f->lost);
	printf("\"seconds\": %.3f, \"lines_per_s\": %.0f}\n", seconds,
	       seconds > 0 ? (double)f->sent / seconds : 0);
}

int
main(int argc, char **argv)
{
	struct flood *f = &flood;
	double seconds;

	signal(SIGPIPE, SIG_IGN);
	tool_raise_nofile();
	/* Sleeps of less than a millisecond have to be kept. */
	prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);
	TAILQ_INIT(&f->ready);
	f->opt = flood_options(argc, argv);
	f->lines = lines_new(&f->opt.shape);
	make_buffer(f);
	if (f->opt.tls)
		f->tls = conn_tls_new(f->opt.ca);
	open_all(f);
	send_all(f);
	seconds = (double)(tool_now() - f->pace.started) * 1e-9;
	if (f->opt.hold > 0)
		hold_all(f);
	close_all(f);
	print(f, seconds);

	lines_free(f->lines);
	free(f->conns);
	free(f->buf);
	SSL_CTX_free(f->tls);
	if (f->opt.protocol->answer != NULL && f->acknowledged < f->sent)
		return 1;
	return f->sent == (uint64_t)f->opt.lines ? 0 : 1;
}
