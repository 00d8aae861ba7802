#include "wire/relp.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "wire/ascii.h"
#include "wire/frame.h"

enum { NUMBER_DIGITS = 9, COMMAND_LETTERS = 32, TRAILER = 2 /* CR LF */ };

/* TXNR SP COMMAND SP DATALEN and the SP behind it, if DATA follows. */
struct header {
	uint32_t txnr;
	struct slice command;
	size_t bytes; /* of DATA */
	size_t n;     /* of the header */
};

#define OPEN_RSP \
	"200 OK\nrelp_version=0\nrelp_software=penstock," PENSTOCK_VERSION "\ncommands=syslog"

static_assert(NUMBER_DIGITS + 1 + COMMAND_LETTERS + 1 + NUMBER_DIGITS + 1 + TRAILER <=
		  RELP_KEEP_EXTRA,
	      "a header and CR LF do not fit");
static_assert(sizeof(OPEN_RSP) + 32 <= RELP_ANSWER_MAX, "our offers do not fit");

void
relp_reader_init(struct relp_reader *r, size_t max_line)
{
	assert(max_line > 0);
	*r = (struct relp_reader){.max_line = max_line};
}

static enum relp_result
bad(struct relp_frame *out, const char *fault)
{
	out->fault = fault;
	return RELP_BAD;
}

static enum relp_result
more(size_t keep, struct relp_frame *out)
{
	out->keep = keep;
	return RELP_MORE;
}

/* Bytes of a class from `at` on, `most` at most; one more if there are more. */
static size_t
run_of(struct slice in, size_t at, unsigned class, size_t most)
{
	size_t n = 0;

	while (at + n < in.n && n <= most && ascii_is(in.p[at + n], class))
		n++;
	return n;
}

/* Digits and the byte behind them, which is left to the caller. */
static enum relp_result
number_read(struct slice in, size_t *at, uint32_t *value, const char *fault, struct relp_frame *out)
{
	size_t n = run_of(in, *at, ASCII_DIGIT, NUMBER_DIGITS);

	if (n > NUMBER_DIGITS || (n == 0 && *at < in.n))
		return bad(out, fault);
	if (*at + n == in.n)
		return more(in.n, out);
	*value = 0;
	for (size_t i = 0; i < n; i++)
		*value = *value * 10 + (uint32_t)(in.p[*at + i] - '0');
	*at += n;
	return RELP_FRAME;
}

static enum relp_result
command_read(struct slice in, size_t *at, struct slice *command, struct relp_frame *out)
{
	static const char fault[] = "a command is not 1 to 32 letters";
	size_t n = run_of(in, *at, ASCII_LETTER, COMMAND_LETTERS);

	if (n > COMMAND_LETTERS || (n == 0 && *at < in.n))
		return bad(out, fault);
	if (*at + n == in.n)
		return more(in.n, out);
	if (in.p[*at + n] != ' ')
		return bad(out, fault);
	*command = slice_of(in.p + *at, n);
	*at += n + 1;
	return RELP_FRAME;
}

/* RELP_FRAME: the header is whole, and in *h. */
static enum relp_result
header_read(struct slice in, struct header *h, struct relp_frame *out)
{
	static const char txnr_fault[] = "a frame does not begin with a number of 1 to 9 digits",
			  bytes_fault[] = "a data length is not 1 to 9 digits";
	enum relp_result result;
	uint32_t bytes = 0;
	size_t at = 0;

	result = number_read(in, &at, &h->txnr, txnr_fault, out);
	if (result != RELP_FRAME)
		return result;
	if (in.p[at++] != ' ')
		return bad(out, txnr_fault);
	result = command_read(in, &at, &h->command, out);
	if (result != RELP_FRAME)
		return result;
	result = number_read(in, &at, &bytes, bytes_fault, out);
	if (result != RELP_FRAME)
		return result;
	h->bytes = bytes;
	h->n = at;
	if (bytes == 0)
		return RELP_FRAME;
	if (in.p[at] != ' ')
		return bad(out, bytes_fault);
	h->n++;
	return RELP_FRAME;
}

/* All of DATA is there, and the byte behind it; that is at `end`. */
static enum relp_result
frame_end(const struct header *h, struct slice in, size_t end, struct relp_frame *out)
{
	if (in.p[end] != '\n')
		return bad(out, "no line feed behind a frame's data");
	out->txnr = h->txnr;
	out->command = h->command;
	out->used = end + 1;
	return RELP_FRAME;
}

/* The head of a frame that is cut is kept, with its header before it. */
static enum relp_result
cut_next(struct relp_reader *r, const struct header *h, struct slice in, struct relp_frame *out)
{
	size_t head = h->n + r->max_line;
	size_t fresh = in.n - head;
	enum relp_result result;

	if (fresh <= r->skip_left) {
		r->skipped += fresh;
		r->skip_left -= fresh;
		return more(head, out);
	}
	result = frame_end(h, in, head + (size_t)r->skip_left, out);
	out->data = slice_of(in.p + h->n, r->max_line);
	out->cut = r->skipped + r->skip_left;
	relp_reader_init(r, r->max_line);
	return result;
}

enum relp_result
relp_next(struct relp_reader *r, struct slice in, struct relp_frame *out)
{
	struct header h = {0};
	enum relp_result result;
	size_t got;
	bool fits;

	*out = (struct relp_frame){0};
	if (in.n == 0)
		return RELP_MORE;
	result = header_read(in, &h, out);
	if (result != RELP_FRAME)
		return result;
	if (r->cut)
		return cut_next(r, &h, in, out);
	got = in.n - h.n;
	/* Up to here a newline at its end may make DATA fit after all. */
	fits = h.bytes <= r->max_line + TRAILER;
	if (got <= h.bytes) {
		if (fits || got <= r->max_line)
			return more(in.n, out);
		r->cut = true;
		r->skipped = got - r->max_line;
		r->skip_left = h.bytes - got;
		return more(h.n + r->max_line, out);
	}
	out->data = slice_of(in.p + h.n, h.bytes);
	if (fits)
		out->data = frame_without_newline(out->data);
	if (out->data.n > r->max_line) {
		out->cut = out->data.n - r->max_line;
		out->data.n = r->max_line;
	}
	return frame_end(&h, in, h.n + h.bytes, out);
}

/* Up to the next `end`, which is taken too. */
static struct slice
cut_off(struct slice *rest, char end)
{
	const char *hit = rest->n > 0 ? memchr(rest->p, end, rest->n) : NULL;
	struct slice part = slice_of(rest->p, hit != NULL ? (size_t)(hit - rest->p) : rest->n);

	*rest = slice_skip(*rest, part.n + (hit != NULL));
	return part;
}

static bool
has_value(struct slice values, const char *value)
{
	while (values.n > 0)
		if (slice_is(cut_off(&values, ','), value))
			return true;
	return false;
}

const char *
relp_offers_fault(struct slice data)
{
	bool version = false, syslog = true;

	while (data.n > 0) {
		struct slice values = cut_off(&data, '\n');
		struct slice name = cut_off(&values, '=');

		if (slice_is(name, "relp_version"))
			version = true;
		else if (slice_is(name, "commands"))
			syslog = has_value(values, "syslog");
	}
	if (!version)
		return "no relp_version is offered";
	return syslog ? NULL : "the command syslog is not offered";
}

static void
add_answer(struct buf *out, uint32_t txnr, struct slice rsp)
{
	buf_addf(out, "%u rsp %zu %.*s\n", txnr, rsp.n, (int)rsp.n, rsp.p);
}

/* One for each line: without printf. */
void
relp_answer_ok(struct buf *out, uint32_t txnr)
{
	static const struct slice rest = SLICE_INIT(" rsp 6 200 OK\n");
	char digits[NUMBER_DIGITS + 1];
	size_t at = sizeof(digits);

	do
		digits[--at] = (char)('0' + txnr % 10);
	while ((txnr /= 10) > 0);
	buf_add(out, digits + at, sizeof(digits) - at);
	buf_add_slice(out, rest);
}

void
relp_answer_error(struct buf *out, uint32_t txnr, const char *text)
{
	char rsp[sizeof("500 ") + 80];
	int n = snprintf(rsp, sizeof(rsp), "500 %.80s", text);

	add_answer(out, txnr, slice_of(rsp, (size_t)n));
}

void
relp_answer_open(struct buf *out, uint32_t txnr)
{
	add_answer(out, txnr, SLICE(OPEN_RSP));
}

void
relp_serverclose(struct buf *out)
{
	buf_add_str(out, "0 serverclose 0\n");
}
