/*
 * floor -- the least that any router has to do, to compare others with.
 *
 *	floor --listen 127.0.0.1:1514 --sink 127.0.0.1:7000 [--copies N] [--linger MS]
 *
 * Read, split octet-counted RFC 5424 frames, look APP-NAME up, copy the frame
 * into the app's buffer, write it to the app's own connection (one for each
 * copy, on consecutive ports).  No queues, no handling of errors or of slow
 * receivers: writes block.  With --linger a buffer waits so long for more
 * lines; without, it is written after each read.
 */
#include <errno.h>
#include <getopt.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "table.h"
#include "tool.h"

enum { READ_BYTES = 256 * 1024, OUT_BYTES = 64 * 1024, COPIES_MAX = 16 };

struct app {
	struct app *after; /* in the list of those with lines */
	int64_t due;
	int fds[COPIES_MAX];
	size_t len;
	char out[OUT_BYTES];
};

struct session {
	int fd;
	size_t tail; /* bytes kept of a partial frame */
	char kept[OUT_BYTES];
};

static struct sockaddr_in sink;
static unsigned copies = 1;
static int64_t linger; /* nanoseconds */
static struct table apps;
static struct app *dirty; /* oldest first */
static struct app **dirty_end = &dirty;
static char buf[READ_BYTES + OUT_BYTES];

static int
connect_copy(unsigned copy)
{
	struct sockaddr_in to = sink;
	const int one = 1;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	to.sin_port = htons((uint16_t)(ntohs(to.sin_port) + copy));
	if (fd < 0 || connect(fd, (const struct sockaddr *)&to, sizeof(to)) != 0)
		tool_die_errno("connect");
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	return fd;
}

static struct app *
app_of(const char *name, size_t len)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);
	struct app *app;

	for (size_t i = 0; i < len; i++)
		h = (h ^ (uint8_t)name[i]) * UINT64_C(0x100000001b3);
	app = table_get(&apps, h);
	if (app == NULL) {
		app = calloc(1, sizeof(*app));
		if (app == NULL)
			tool_die("out of memory");
		for (unsigned i = 0; i < copies; i++)
			app->fds[i] = connect_copy(i);
		table_put(&apps, h, app);
	}
	return app;
}

static void
app_write(struct app *app)
{
	for (unsigned i = 0; i < copies; i++)
		for (size_t at = 0; at < app->len;) {
			ssize_t n = write(app->fds[i], app->out + at, app->len - at);

			if (n < 0)
				tool_die_errno("write");
			at += (size_t)n;
		}
	app->len = 0;
}

/* Writes what is due by now; returns when the next is, or -1: nothing waits. */
static int64_t
write_due(int64_t now)
{
	while (dirty != NULL && dirty->due <= now) {
		struct app *app = dirty;

		dirty = app->after;
		if (dirty == NULL)
			dirty_end = &dirty;
		app->due = 0;
		app_write(app);
	}
	return dirty == NULL ? -1 : dirty->due;
}

static void
route(const char *frame, size_t len, const char *message, int64_t now)
{
	const char *name = message;
	const char *end;
	struct app *app;

	/* <PRI>1 TIMESTAMP HOSTNAME APP-NAME */
	for (int i = 0; i < 3; i++)
		name = (const char *)memchr(name, ' ', (size_t)(frame + len - name)) + 1;
	end = memchr(name, ' ', (size_t)(frame + len - name));
	app = app_of(name, (size_t)(end - name));
	if (app->len + len > sizeof(app->out))
		app_write(app);
	memcpy(app->out + app->len, frame, len);
	app->len += len;
	if (app->due == 0) {
		app->due = now + linger;
		app->after = NULL;
		*dirty_end = app;
		dirty_end = &app->after;
	}
}

static void
on_readable(struct session *s, int64_t now)
{
	size_t len = s->tail;
	size_t at = 0;
	ssize_t n;

	memcpy(buf, s->kept, len);
	n = read(s->fd, buf + len, READ_BYTES);
	if (n <= 0) {
		close(s->fd);
		free(s);
		return;
	}
	len += (size_t)n;
	for (;;) {
		size_t count = 0;
		size_t i = at;

		while (i < len && buf[i] >= '0' && buf[i] <= '9')
			count = count * 10 + (size_t)(buf[i++] - '0');
		if (i == len || len - i - 1 < count)
			break;
		route(buf + at, i + 1 + count - at, buf + i + 1, now);
		at = i + 1 + count;
	}
	s->tail = len - at;
	if (s->tail > sizeof(s->kept))
		tool_die("a frame of more than %zu bytes", sizeof(s->kept));
	memcpy(s->kept, buf + at, s->tail);
	if (linger == 0)
		write_due(now);
}

static int
listen_on(struct sockaddr_in address)
{
	const int one = 1;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) != 0 ||
	    listen(fd, SOMAXCONN) != 0)
		tool_die_errno("listen");
	return fd;
}

static void
run(int listener)
{
	int epoll = epoll_create1(EPOLL_CLOEXEC);
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
	struct epoll_event events[64];
	int64_t next = -1;

	epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event);
	for (;;) {
		int64_t now = tool_now();
		int wait = next < 0 ? -1 : next <= now ? 0 : (int)((next - now) / 1000000 + 1);
		int n = epoll_wait(epoll, events, 64, wait);

		now = tool_now();
		for (int i = 0; i < n; i++) {
			struct session *s = events[i].data.ptr;

			if (s != NULL) {
				on_readable(s, now);
				continue;
			}
			s = calloc(1, sizeof(*s));
			if (s == NULL || (s->fd = accept(listener, NULL, NULL)) < 0)
				tool_die_errno("accept");
			event.data.ptr = s;
			epoll_ctl(epoll, EPOLL_CTL_ADD, s->fd, &event);
		}
		next = write_due(tool_now());
	}
}

int
main(int argc, char **argv)
{
	static const struct option known[] = {{"listen", 1, NULL, 'l'},
					      {"sink", 1, NULL, 's'},
					      {"copies", 1, NULL, 'c'},
					      {"linger", 1, NULL, 'm'},
					      {NULL, 0, NULL, 0}};
	struct sockaddr_in listener = {0};
	int c;

	while ((c = getopt_long(argc, argv, "", known, NULL)) != -1)
		if (c == 'l')
			listener = tool_address("listen", optarg);
		else if (c == 's')
			sink = tool_address("sink", optarg);
		else if (c == 'c')
			copies = (unsigned)tool_number("copies", optarg, 1, COPIES_MAX);
		else if (c == 'm')
			linger = tool_number("linger", optarg, 0, 10000) * 1000000;
	if (listener.sin_port == 0 || sink.sin_port == 0)
		tool_die(
		    "usage: floor --listen ADDR:PORT --sink ADDR:PORT [--copies N] [--linger MS]");
	signal(SIGPIPE, SIG_IGN);
	tool_raise_nofile();
	run(listen_on(listener));
}
