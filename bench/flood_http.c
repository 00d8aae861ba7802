/*
 * flood_http -- lines in the bodies of POSTs to /v1/apps/APP/logs (docs/api.md).
 *
 * Connections are kept alive, and each has one request under way: the next one
 * goes when it was answered.  What is refused is counted, not sent again.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "flood.h"
#include "tool.h"

enum { APP_MAX = 256, HEAD_BYTES = 512 };

static uint64_t
room(const struct flood *f, const struct conn *c)
{
	return c->unanswered == 0 ? (uint64_t)f->opt.batch : 0;
}

/* The length has a fixed width: it is known only behind the body. */
static size_t
write_head(const struct flood *f, const struct conn *c, size_t body, char out[HEAD_BYTES])
{
	char app[APP_MAX];
	int n;

	lines_app(f->lines, c->next, app, sizeof(app));
	n = snprintf(out, HEAD_BYTES,
		     "POST /v1/apps/%s/logs HTTP/1.1\r\nHost: localhost\r\n"
		     "Content-Type: text/plain\r\nContent-Length: %010zu\r\n\r\n",
		     app, body);
	if (n < 0 || n >= HEAD_BYTES)
		tool_die("--app-prefix is too long");
	return (size_t)n;
}

static size_t
fill(struct flood *f, const struct conn *c, uint64_t quota, uint64_t *lines)
{
	char head[HEAD_BYTES];
	const size_t start = write_head(f, c, 0, head);
	size_t len = start;

	for (uint64_t n = 0; n < quota; n++)
		len += lines_render(f->lines, c->index, c->next + n, f->buf + len);
	write_head(f, c, len - start, head);
	memcpy(f->buf, head, start);
	f->bytes += len;
	*lines = quota;
	return len;
}

/* The length of the body behind the head, which ends at end. */
static size_t
body_bytes(const char *head, const char *end, long status)
{
	static const char name[] = "\r\ncontent-length:";

	for (const char *p = head; p < end; p++)
		if (*p == '\r' && strncasecmp(p, name, sizeof(name) - 1) == 0)
			return strtoul(p + sizeof(name) - 1, NULL, 10);
	if (status != 204)
		tool_die("an answer without a length: %.*s", (int)(end - head), head);
	return 0;
}

static size_t
answer(struct flood *f, struct conn *c, const char *data, size_t len)
{
	static const char version[] = "HTTP/1.1 ";
	const char *end = memmem(data, len, "\r\n\r\n", 4);
	size_t bytes;
	long status;

	if (end == NULL)
		return 0;
	if (strncmp(data, version, sizeof(version) - 1) != 0)
		tool_die("no answer of HTTP/1.1: %.*s", (int)(end - data), data);
	status = strtol(data + sizeof(version) - 1, NULL, 10);
	bytes = (size_t)(end + 4 - data) + body_bytes(data, end, status);
	if (bytes > len)
		return 0;
	/* penstock answers 204; some of its peers 200, 201 or 202. */
	conn_answered(f, c, c->unanswered, status >= 200 && status < 300, data, bytes);
	return bytes;
}

const struct protocol flood_http = {
    .requests = true,
    .room = room,
    .fill = fill,
    .answer = answer,
};
