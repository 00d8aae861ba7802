#include "cli/connection.h"

#include <errno.h>
#include <inttypes.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cli/printer.h"

enum {
	READ_BYTES = 64 * 1024,
	/* Far above what any syslog sender writes; bounds what one connection can hold. */
	MAX_LINE_BYTES = 1024 * 1024,
};

void
connection_begin(struct connection *c, int fd, bool raw)
{
	*c = (struct connection){.fd = fd, .raw = raw};
	framer_init(&c->framer, FRAMING_AUTO, MAX_LINE_BYTES);
}

static bool
frame_print(const struct frame *f, FILE *out)
{
	if (f->cut > 0)
		fprintf(stderr, "penstock: the next message lacks its last %" PRIu64 " bytes\n",
			f->cut);
	return f->bytes.n == 0 || printer_message(out, f->bytes);
}

/* Prints the whole frames of c->unread and keeps the rest of it. */
static bool
frames_print(struct connection *c, bool eof, FILE *out)
{
	size_t at = 0;
	struct frame f;

	while (frame_next(&c->framer, slice_skip(buf_slice(&c->unread), at), eof, &f) ==
	       FRAME_LINE) {
		at += f.used;
		if (!frame_print(&f, out))
			return false;
	}
	buf_drain(&c->unread, at);
	c->unread.n = f.keep;
	return true;
}

enum connection_result
connection_read(struct connection *c, FILE *out)
{
	ssize_t n;
	bool printed;

	n = recv(c->fd, buf_reserve(&c->unread, READ_BYTES), READ_BYTES, 0);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return CONNECTION_OK;
	if (n <= 0)
		return CONNECTION_GONE;
	c->unread.n += (size_t)n;
	if (c->raw) {
		printed = printer_raw(out, buf_slice(&c->unread));
		c->unread.n = 0;
	} else {
		printed = frames_print(c, false, out);
	}
	return printed ? CONNECTION_OK : CONNECTION_OUT;
}

bool
connection_end(struct connection *c, FILE *out)
{
	bool printed = c->raw || frames_print(c, true, out);

	close(c->fd);
	buf_free(&c->unread);
	return printed;
}
