/*
 * flood_relp -- lines over RELP, as librelp's clients send them.
 *
 * A frame is "NUMBER COMMAND LENGTH[ DATA]" and LF (rsyslog.com/doc/relp.html).
 * Number 1 is the open; line i of a connection has the number i + 2.  Up to
 * WINDOW lines may be unanswered, which is librelp's default.
 */
#include <stdio.h>
#include <string.h>

#include "flood.h"
#include "tool.h"

enum {
	WINDOW = 128,
	HEAD_MAX = 40,
	NUMBER_MAX = 999999999,
};

static const char offers[] = "relp_version=0\nrelp_software=flood\ncommands=syslog";

/* A number and the space behind it at p; false: it is not there. */
static bool
number(const char **p, const char *end, unsigned long *n)
{
	const char *s = *p;

	*n = 0;
	for (; *p < end && **p >= '0' && **p <= '9' && *n < NUMBER_MAX; (*p)++)
		*n = *n * 10 + (unsigned long)(**p - '0');
	return *p > s;
}

/*
 * The first frame of data, an answer; returns its bytes, 0 if it is not all
 * there.  *text is what it says, to the end of its first line.
 */
static size_t
answer_frame(const char *data, size_t len, const char **text, size_t *text_len)
{
	const char *const end = data + len;
	const char *p = data;
	unsigned long txnr;
	unsigned long bytes;
	const char *lf;

	if (memchr(data, '\n', len) == NULL)
		return 0;
	if (!number(&p, end, &txnr) || end - p < 5 || memcmp(p, " rsp ", 5) != 0)
		tool_die("no RELP answer: %.*s", (int)(len < 80 ? len : 80), data);
	p += 5;
	if (!number(&p, end, &bytes))
		tool_die("a RELP answer without a length");
	p += bytes > 0; /* the space before the data */
	if ((size_t)(end - p) < bytes + 1)
		return 0;
	lf = memchr(p, '\n', bytes + 1);
	*text = p;
	*text_len = lf == NULL ? bytes : (size_t)(lf - p);
	return (size_t)(p - data) + bytes + 1;
}

static bool
is_ok(const char *text, size_t len)
{
	return len >= 3 && memcmp(text, "200", 3) == 0;
}

static void
say_hello(struct flood *f, struct conn *c)
{
	char hello[sizeof(offers) + HEAD_MAX];
	const char *text;
	size_t text_len;
	ssize_t n;
	int len = snprintf(hello, sizeof(hello), "1 open %zu %s\n", sizeof(offers) - 1, offers);

	(void)f;
	if (conn_write(c, hello, (size_t)len) != (size_t)len)
		tool_die("connection %u: no RELP open", c->index);
	do {
		n = conn_read_some(c, c->in + c->in_len, INPUT_BYTES - c->in_len);
		if (n <= 0)
			tool_die("connection %u: RELP open was not answered", c->index);
		c->in_len += (size_t)n;
	} while (answer_frame(c->in, c->in_len, &text, &text_len) == 0);
	if (!is_ok(text, text_len))
		tool_die("RELP open: %.*s", (int)text_len, text);
	c->in_len = 0;
}

static uint64_t
room(const struct flood *f, const struct conn *c)
{
	(void)f;
	return WINDOW - c->unanswered;
}

static size_t
fill(struct flood *f, const struct conn *c, uint64_t quota, uint64_t *lines)
{
	const size_t max = lines_max_bytes(f->lines) + HEAD_MAX + 1;
	size_t len = 0;
	uint64_t n = 0;

	for (; n < quota && f->buf_bytes - len >= max; n++) {
		char *out = f->buf + len;
		const uint64_t line = c->next + n;
		/* The head tells the length, so it is written behind the line, and before it. */
		size_t bytes = lines_render(f->lines, c->index, line, out + HEAD_MAX);
		char head[HEAD_MAX];
		size_t before =
		    (size_t)snprintf(head, sizeof(head), "%llu syslog %zu ",
				     (unsigned long long)(line % (NUMBER_MAX - 1) + 2), bytes);

		memcpy(out, head, before);
		memmove(out + before, out + HEAD_MAX, bytes);
		out[before + bytes] = '\n';
		len += before + bytes + 1;
	}
	f->bytes += len;
	*lines = n;
	return len;
}

static size_t
answer(struct flood *f, struct conn *c, const char *data, size_t len)
{
	const char *text;
	size_t text_len;
	size_t n = answer_frame(data, len, &text, &text_len);

	if (n > 0)
		conn_answered(f, c, 1, is_ok(text, text_len), text, text_len);
	return n;
}

static void
bye(struct conn *c)
{
	char text[HEAD_MAX];
	int n = snprintf(text, sizeof(text), "%llu close 0\n",
			 (unsigned long long)(c->next % (NUMBER_MAX - 1) + 2));

	if (c->rest_len == 0)
		conn_write(c, text, (size_t)n);
}

const struct protocol flood_relp = {
    .open = say_hello,
    .room = room,
    .fill = fill,
    .answer = answer,
    .bye = bye,
};
