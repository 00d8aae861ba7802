#include "ends/datagram_input.h"

#include <event2/event.h>
#include <linux/sock_diag.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/xmalloc.h"
#include "ends/peer_name.h"

/* Datagrams taken with one system call; the buffer has room for so many of UDP's largest. */
enum { BATCH = 64, DATAGRAM_BYTES = 64 * 1024 };

/* CR, LF and NUL behind a message are read, and are no part of it. */
enum { END_BYTES = 3 };

/* Rounds in one event before others get their turn; rounds at stop. */
enum { TURN_ROUNDS = 8, REST_ROUNDS = 4096 };

/* What the kernel drops is logged so often at most. */
enum { SAY_AGAIN_MS = 60 * 1000 };

struct datagram_input {
	struct intake *intake;
	struct listener_counts *counts; /* its listener's */
	struct source source;
	int fd;
	struct event *event;
	size_t room;	/* for one datagram: the longest line that is kept, and its end */
	unsigned batch; /* Unix datagrams may be longer than UDP's: then fewer at once */
	char *buffer;	/* batch * room; pages are touched as far as datagrams reach */
	struct mmsghdr msgs[BATCH];
	struct iovec iov[BATCH];
	struct sockaddr_storage from[BATCH];
	struct sockaddr_storage last; /* whose name stands in hostname */
	char hostname[PEER_NAME_BYTES];
	uint32_t dropped; /* the socket's own count when it was last asked; it wraps */
	uint64_t unsaid;  /* of those, not logged yet */
	int64_t said_ms;  /* when it was last logged; 0: never */
};

static void
prepare(struct datagram_input *in)
{
	for (unsigned i = 0; i < in->batch; i++) {
		in->msgs[i].msg_hdr = (struct msghdr){.msg_iov = &in->iov[i],
						      .msg_iovlen = 1,
						      .msg_name = &in->from[i],
						      .msg_namelen = sizeof(in->from[i])};
		in->iov[i] = (struct iovec){in->buffer + (size_t)i * in->room, in->room};
	}
}

static void
name_sender(struct datagram_input *in, const struct sockaddr_storage *from, socklen_t len)
{
	/* Unix datagrams come without an address. */
	if (len == 0 || from->ss_family == AF_UNIX) {
		in->source.hostname = in->intake->host;
		return;
	}
	if (len <= sizeof(in->last) && memcmp(&in->last, from, len) == 0)
		return;
	memset(&in->last, 0, sizeof(in->last));
	memcpy(&in->last, from, len);
	in->source.hostname =
	    peer_name((const struct sockaddr *)from, in->intake->host, in->hostname);
}

/* Of senders that end the message as on a stream: LF or CRLF, and C strings' NUL. */
static struct slice
without_end(struct slice bytes)
{
	size_t n = bytes.n;

	if (n > 0 && bytes.p[n - 1] == '\0')
		n--;
	if (n > 0 && bytes.p[n - 1] == '\n')
		n--;
	if (n > 0 && n < bytes.n && bytes.p[n - 1] == '\r')
		n--;
	return slice_of(bytes.p, n);
}

static void
take_datagram(struct datagram_input *in, struct slice bytes, size_t lost)
{
	size_t max_line = (size_t)in->intake->config->max_line;
	struct frame f = {.bytes = bytes, .cut = lost, .used = bytes.n};

	if (lost == 0)
		f.bytes = without_end(bytes);
	if (f.bytes.n > max_line) {
		f.cut += f.bytes.n - max_line;
		f.bytes.n = max_line;
	}
	if (f.bytes.n == 0)
		return;
	ingest_frame(in->intake->ingest, &in->source, &f);
	in->counts->lines++;
	in->counts->lines_cut += f.cut > 0;
}

/* false: there is nothing more. */
static bool
read_round(struct datagram_input *in)
{
	size_t size, fits;
	int got;

	prepare(in);
	got = recvmmsg(in->fd, in->msgs, in->batch, MSG_DONTWAIT | MSG_TRUNC, NULL);
	if (got <= 0)
		return false;
	ingest_begin(in->intake->ingest);
	for (int i = 0; i < got; i++) {
		name_sender(in, &in->from[i], in->msgs[i].msg_hdr.msg_namelen);
		size = in->msgs[i].msg_len;
		stats_add(&in->intake->stats->bytes_in, size);
		in->counts->bytes += size;
		/* MSG_TRUNC: the size is the datagram's own, also when less fitted. */
		fits = size < in->room ? size : in->room;
		take_datagram(in, slice_of(in->iov[i].iov_base, fits), size - fits);
	}
	in->intake->read_done(in->intake->arg);
	return got == (int)in->batch;
}

static void
say_dropped(struct datagram_input *in, uint32_t buffer)
{
	const char *remedy = "raise net.core.rmem_max, so that more of them can wait here";
	int64_t now_ms = clock_mono_ms();

	if (in->said_ms != 0 && now_ms - in->said_ms < SAY_AGAIN_MS)
		return;
	/* The kernel doubles what it grants (socket(7), SO_RCVBUF). */
	if (buffer / 2 >= DATAGRAM_RECEIVE_BYTES)
		remedy = "spread the senders over more workers, or let them send over TCP";
	log_warn("the kernel dropped datagrams: they come faster than they are read", "listener",
		 in->source.url->text, "datagrams", log_u64(in->unsaid), "buffer",
		 log_u64(buffer / 2), "remedy", remedy, NULL);
	in->said_ms = now_ms;
	in->unsaid = 0;
}

/*
 * Counts what the kernel dropped since the last time.  SO_MEMINFO tells it now; SO_RXQ_OVFL,
 * the same number beside each datagram, tells it as of when that one was queued, so the end
 * of a flood would go uncounted.  A Unix socket drops nothing: its senders wait.
 */
static void
count_dropped(struct datagram_input *in)
{
	uint32_t memory[SK_MEMINFO_VARS] = {0}, fresh;
	socklen_t len = sizeof(memory);

	if (in->source.url->kind != LISTEN_UDP)
		return;
	if (getsockopt(in->fd, SOL_SOCKET, SO_MEMINFO, memory, &len) < 0)
		return;
	fresh = memory[SK_MEMINFO_DROPS] - in->dropped;
	in->dropped = memory[SK_MEMINFO_DROPS];
	if (fresh == 0)
		return;
	stats_add(&in->intake->stats->datagrams_dropped, fresh);
	in->counts->datagrams_dropped += fresh;
	in->unsaid += fresh;
	say_dropped(in, memory[SK_MEMINFO_RCVBUF]);
}

static void
on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct datagram_input *in = arg;

	(void)fd;
	(void)what;
	for (int i = 0; i < TURN_ROUNDS && !in->intake->paused; i++)
		if (!read_round(in))
			break;
	count_dropped(in);
}

static void
make_room(struct datagram_input *in)
{
	size_t max_line = (size_t)in->intake->config->max_line;
	size_t longest = DATAGRAM_BYTES;

	if (in->source.url->kind == LISTEN_UNIXGRAM && max_line > longest)
		longest = max_line;
	in->room = longest + END_BYTES;
	in->batch = (unsigned)(BATCH * (size_t)DATAGRAM_BYTES / longest);
	in->buffer = xmalloc(in->batch * in->room);
}

struct datagram_input *
datagram_input_new(struct intake *intake, struct listener_share *from, int fd)
{
	struct datagram_input *in = xcalloc(1, sizeof(*in));

	in->intake = intake;
	in->counts = &from->counts;
	in->source.url = from->url;
	in->source.rule = &from->rule;
	in->source.hostname = intake->host;
	in->fd = fd;
	make_room(in);
	in->event = event_new(intake->base, fd, EV_READ | EV_PERSIST, on_readable, in);
	if (in->event == NULL || event_add(in->event, NULL) < 0)
		abort();
	return in;
}

void
datagram_input_free(struct datagram_input *in)
{
	event_free(in->event);
	close(in->fd);
	free(in->buffer);
	free(in);
}

void
datagram_input_pause(struct datagram_input *in, bool paused)
{
	if (paused)
		event_del(in->event);
	else
		event_add(in->event, NULL);
}

void
datagram_input_read_rest(struct datagram_input *in)
{
	for (int i = 0; i < REST_ROUNDS; i++)
		if (!read_round(in))
			break;
	count_dropped(in);
}
