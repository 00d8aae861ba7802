/* flood_datagram -- a datagram a line: RFC 5426. */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "flood.h"
#include "tool.h"

enum { DATAGRAMS = 64 }; /* by one sendmmsg */

void
conn_send_datagrams(struct flood *f, struct conn *c, uint64_t quota)
{
	struct mmsghdr messages[DATAGRAMS] = {{.msg_len = 0}};
	struct iovec parts[DATAGRAMS] = {{.iov_base = NULL}};
	const size_t max = lines_max_bytes(f->lines);
	size_t len = 0;
	unsigned n = 0;
	int gone;

	lines_stamp(f->lines, tool_now());
	while (n < quota && n < DATAGRAMS && f->buf_bytes - len >= max) {
		char *out = f->buf + len;

		parts[n] = (struct iovec){
		    .iov_base = out, .iov_len = lines_render(f->lines, c->index, c->next + n, out)};
		messages[n].msg_hdr.msg_iov = &parts[n];
		messages[n].msg_hdr.msg_iovlen = 1;
		len += parts[n].iov_len;
		n++;
	}
	gone = sendmmsg(c->fd, messages, n, 0);
	if (gone < 0 && errno != EAGAIN && errno != ECONNREFUSED && errno != ENOBUFS)
		tool_die_errno("connection %u: sendmmsg", c->index);
	c->blocked = gone < 0 && errno == EAGAIN;
	for (int i = 0; i < gone; i++)
		f->bytes += parts[i].iov_len;
	if (gone > 0) {
		c->next += (uint64_t)gone;
		f->rendered += (uint64_t)gone;
		f->sent += (uint64_t)gone;
	}
}

static uint64_t
room(const struct flood *f, const struct conn *c)
{
	(void)f;
	(void)c;
	return UINT64_MAX;
}

const struct protocol flood_datagrams = {
    .datagrams = true,
    .room = room,
};
