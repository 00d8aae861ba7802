#include "io/http_parse.h"

#include <http_parser.h>
#include <stdlib.h>

#include "base/xmalloc.h"
#include "io/http_rules.h"

enum {
	CHUNK_LINE_BYTES = 256,	 /* one chunk's size and extensions */
	EXTENSIONS_BYTES = 4096, /* of all chunks of a request */
	HEAD_SLACK_BYTES = 16,	 /* line ends and what is seen before a refusal */
	HEADERS_FIRST = 16,
};

enum section {
	SECTION_START,
	SECTION_HEADERS,
	SECTION_BODY,
	SECTION_CHUNK_LINE,
	SECTION_CHUNK_DATA,
	SECTION_CHUNK_END, /* the CRLF behind the data */
	SECTION_TRAILERS,
	SECTION_DONE,
};

struct http_parse {
	struct http_limits limits;
	http_parser parser;
	enum section section;
	struct http_fault fault;

	/* Reserved at the first byte for all the limits allow, so slices into it stay. */
	struct buf head;
	struct buf line; /* chunk lines and trailers */
	struct buf body;
	size_t line_start;    /* of the current line in head or line */
	size_t section_bytes; /* of headers or trailers so far */
	size_t extension_bytes;
	uint64_t remaining; /* of the body or chunk */

	struct http_request request;
	struct http_header *headers;
	size_t headers_cap;
	int minor;
	struct http_framing framing;
	bool started, blank_seen, tell_continue, keep_alive;
	bool complete; /* the library says that the request is whole */
};

static int
on_header_field(http_parser *parser, const char *at, size_t n)
{
	struct http_parse *p = parser->data;

	if (p->request.nheaders == p->headers_cap) {
		p->headers_cap = p->headers_cap > 0 ? p->headers_cap * 2 : HEADERS_FIRST;
		p->headers = xrealloc(p->headers, p->headers_cap * sizeof(*p->headers));
		p->request.headers = p->headers;
	}
	p->headers[p->request.nheaders++] = (struct http_header){slice_of(at, n), {at, 0}};
	return 0;
}

static int
on_header_value(http_parser *parser, const char *at, size_t n)
{
	struct http_parse *p = parser->data;

	if (p->request.nheaders == 0)
		return -1;
	while (n > 0 && (at[n - 1] == ' ' || at[n - 1] == '\t'))
		n--;
	/* An empty value is told with the line behind it: its own place is kept. */
	if (n > 0)
		p->headers[p->request.nheaders - 1].value = slice_of(at, n);
	return 0;
}

static int
on_body(http_parser *parser, const char *at, size_t n)
{
	struct http_parse *p = parser->data;

	buf_add(&p->body, at, n);
	return 0;
}

static int
on_chunk_header(http_parser *parser)
{
	struct http_parse *p = parser->data;

	return parser->content_length == p->remaining ? 0 : -1;
}

static int
on_message_complete(http_parser *parser)
{
	struct http_parse *p = parser->data;

	p->complete = true;
	p->keep_alive = http_should_keep_alive(parser) != 0;
	return 0;
}

static const http_parser_settings settings = {
    .on_header_field = on_header_field,
    .on_header_value = on_header_value,
    .on_body = on_body,
    .on_message_complete = on_message_complete,
    .on_chunk_header = on_chunk_header,
};

static bool
feed_library(struct http_parse *p, const char *at, size_t n)
{
	size_t taken = http_parser_execute(&p->parser, &settings, at, n);

	switch (HTTP_PARSER_ERRNO(&p->parser)) {
	case HPE_OK:
		if (taken == n)
			return true;
		break;
	case HPE_INVALID_METHOD:
		return http_fault_set(&p->fault, 501, "unknown method; use one of HTTP's own");
	case HPE_HEADER_OVERFLOW:
		return http_fault_set(&p->fault, 431, "headers too large; send fewer or shorter");
	case HPE_INVALID_CONTENT_LENGTH:
	case HPE_UNEXPECTED_CONTENT_LENGTH:
		return http_fault_set(
		    &p->fault, 400,
		    "malformed or repeated Content-Length; send one plain decimal number");
	case HPE_INVALID_URL:
		return http_fault_set(&p->fault, 400,
				      "malformed request target; send a percent-encoded path");
	default:
		break;
	}
	return http_fault_set(&p->fault, 400, "malformed request; send HTTP/1.1 as in RFC 9112");
}

/* The library and we must agree on whether the request is whole. */
static bool
check_complete(struct http_parse *p, bool complete)
{
	return p->complete == complete ||
	       http_fault_set(&p->fault, 400, "ambiguous end of the request; send plain HTTP/1.1");
}

/* Is the line with this byte, its len-th, too long? */
static bool
check_size(struct http_parse *p, size_t len, char c)
{
	switch (p->section) {
	case SECTION_START:
		if (c != '\r' && c != '\n' && len > p->limits.request_line) {
			return http_fault_set(&p->fault, 414,
					      "request line too long; send at most %zu bytes",
					      p->limits.request_line);
		}
		return true;
	case SECTION_HEADERS:
	case SECTION_TRAILERS:
		/* The empty line that ends them does not count. */
		if (++p->section_bytes > p->limits.headers && len > 2) {
			return http_fault_set(&p->fault, 431,
					      "headers too large; send at most %zu bytes",
					      p->limits.headers);
		}
		return true;
	default:
		if (len > CHUNK_LINE_BYTES) {
			return http_fault_set(
			    &p->fault, 400, "chunk size line too long; leave chunk extensions out");
		}
		return true;
	}
}

/* True: to ends in a whole line, with its CRLF.  False: more is needed, or a fault. */
static bool
collect_line(struct http_parse *p, struct buf *to, const char *at, size_t n, size_t *used)
{
	while (*used < n) {
		size_t len = to->n - p->line_start;
		char c = at[(*used)++];

		if (!http_rules_byte(len > 0 ? (unsigned char)to->p[to->n - 1] : 0,
				     (unsigned char)c, &p->fault))
			return false;
		buf_add_char(to, c);
		if (!check_size(p, len + 1, c))
			return false;
		if (c == '\n')
			return true;
	}
	return false;
}

static void
take_start_line(struct http_parse *p, struct slice line)
{
	struct http_request_line parts;

	/* RFC 9112 section 2.2: one empty line before a request is forgiven. */
	if (line.n == 0 && !p->blank_seen) {
		p->blank_seen = true;
		p->head.n = 0;
		return;
	}
	if (!http_rules_request_line(line, &parts, &p->fault))
		return;
	p->request.method = parts.method;
	p->request.path = parts.path;
	p->request.query = parts.query;
	p->minor = parts.minor;
	if (!feed_library(p, line.p, line.n + 2))
		return;
	if (!slice_is(parts.method, http_method_str(p->parser.method))) {
		http_fault_set(&p->fault, 501, "unknown method; use one of HTTP's own");
		return;
	}
	p->section = SECTION_HEADERS;
}

static void
finish_head(struct http_parse *p, struct slice line)
{
	if (!http_rules_head(&p->request, p->minor, &p->limits, &p->framing, &p->fault))
		return;
	if (!feed_library(p, line.p, line.n + 2))
		return;
	if (!check_complete(p, !p->framing.chunked && p->framing.length == 0))
		return;
	p->remaining = p->framing.length;
	p->section_bytes = 0;
	p->tell_continue = p->framing.expect_continue;
	if (p->framing.chunked)
		p->section = SECTION_CHUNK_LINE;
	else
		p->section = p->complete ? SECTION_DONE : SECTION_BODY;
}

static void
take_header_line(struct http_parse *p, struct slice line)
{
	if (line.n == 0)
		finish_head(p, line);
	else if (http_rules_header_line(line, &p->fault))
		feed_library(p, line.p, line.n + 2);
}

static void
take_chunk_line(struct http_parse *p, struct slice line)
{
	const char *extension = line.n > 0 ? memchr(line.p, ';', line.n) : NULL;

	if (!http_rules_chunk_line(line, &p->remaining, &p->fault))
		return;
	if (extension != NULL)
		p->extension_bytes += line.n - (size_t)(extension - line.p);
	if (p->extension_bytes > EXTENSIONS_BYTES) {
		http_fault_set(&p->fault, 400, "too many chunk extensions; leave them out");
		return;
	}
	if (p->remaining > p->limits.body - p->body.n) {
		http_fault_set(&p->fault, 413,
			       "body too large; send at most %zu bytes in one request",
			       p->limits.body);
		return;
	}
	if (!feed_library(p, line.p, line.n + 2))
		return;
	p->section = p->remaining > 0 ? SECTION_CHUNK_DATA : SECTION_TRAILERS;
}

/* Trailers are checked and dropped; the library sees only the line that ends them. */
static void
take_trailer_line(struct http_parse *p, struct slice line)
{
	if (line.n > 0) {
		http_rules_header_line(line, &p->fault);
		return;
	}
	if (feed_library(p, line.p, line.n + 2) && check_complete(p, true))
		p->section = SECTION_DONE;
}

static void
take_chunk_end(struct http_parse *p, struct slice line)
{
	if (line.n > 0) {
		http_fault_set(&p->fault, 400,
			       "chunk longer than its size says; send CRLF behind its data");
		return;
	}
	if (feed_library(p, line.p, line.n + 2))
		p->section = SECTION_CHUNK_LINE;
}

static void
take_line(struct http_parse *p, struct slice line)
{
	switch (p->section) {
	case SECTION_START:
		take_start_line(p, line);
		break;
	case SECTION_HEADERS:
		take_header_line(p, line);
		break;
	case SECTION_CHUNK_LINE:
		take_chunk_line(p, line);
		break;
	case SECTION_CHUNK_END:
		take_chunk_end(p, line);
		break;
	default:
		take_trailer_line(p, line);
		break;
	}
}

static void
feed_line(struct http_parse *p, const char *at, size_t n, size_t *used)
{
	bool in_head = p->section == SECTION_START || p->section == SECTION_HEADERS;
	struct buf *to = in_head ? &p->head : &p->line;
	struct slice line;

	if (!collect_line(p, to, at, n, used))
		return;
	line = slice_of(to->p + p->line_start, to->n - p->line_start - 2);
	take_line(p, line);
	if (!in_head)
		to->n = 0;
	p->line_start = to->n;
	/* The last line of the head is in head, the next one begins line. */
	if (p->section != SECTION_START && p->section != SECTION_HEADERS)
		p->line_start = 0;
}

static void
feed_data(struct http_parse *p, const char *at, size_t n, size_t *used)
{
	size_t take = n - *used < p->remaining ? n - *used : (size_t)p->remaining;

	if (!feed_library(p, at + *used, take))
		return;
	*used += take;
	p->remaining -= take;
	if (p->remaining > 0)
		return;
	if (p->section == SECTION_CHUNK_DATA)
		p->section = SECTION_CHUNK_END;
	else if (check_complete(p, true))
		p->section = SECTION_DONE;
}

enum http_parse_result
http_parse_feed(struct http_parse *p, const char *at, size_t n, size_t *used)
{
	*used = 0;
	if (n > 0 && !p->started) {
		p->started = true;
		buf_reserve(&p->head,
			    p->limits.request_line + p->limits.headers + HEAD_SLACK_BYTES);
	}
	while (*used < n && p->fault.status == 0 && p->section != SECTION_DONE) {
		if (p->section == SECTION_BODY || p->section == SECTION_CHUNK_DATA)
			feed_data(p, at, n, used);
		else
			feed_line(p, at, n, used);
		if (p->fault.status == 0 && p->tell_continue) {
			p->tell_continue = false;
			return HTTP_PARSE_CONTINUE;
		}
	}
	if (p->fault.status != 0)
		return HTTP_PARSE_BAD;
	if (p->section != SECTION_DONE)
		return HTTP_PARSE_MORE;
	p->request.body = buf_slice(&p->body);
	p->request.body_buf = &p->body;
	return HTTP_PARSE_DONE;
}

struct http_parse *
http_parse_new(const struct http_limits *limits)
{
	struct http_parse *p = xcalloc(1, sizeof(*p));

	p->limits = *limits;
	http_parse_next(p);
	return p;
}

void
http_parse_next(struct http_parse *p)
{
	struct http_limits limits = p->limits;

	buf_free(&p->head);
	buf_free(&p->line);
	buf_free(&p->body);
	free(p->headers);
	*p = (struct http_parse){.limits = limits};
	http_parser_init(&p->parser, HTTP_REQUEST);
	p->parser.data = p;
}

void
http_parse_free(struct http_parse *p)
{
	if (p == NULL)
		return;
	http_parse_next(p);
	free(p);
}

const struct http_request *
http_parse_request(const struct http_parse *p)
{
	return &p->request;
}

bool
http_parse_keep_alive(const struct http_parse *p)
{
	return p->keep_alive;
}

int
http_parse_status(const struct http_parse *p)
{
	return p->fault.status;
}

const char *
http_parse_error(const struct http_parse *p)
{
	return p->fault.text;
}

size_t
http_parse_body_bytes(const struct http_parse *p)
{
	return p->body.n;
}

bool
http_parse_started(const struct http_parse *p)
{
	return p->started;
}

bool
http_parse_is_1_0(const struct http_parse *p)
{
	return p->minor == 0;
}

bool
http_parse_is_head(const struct http_parse *p)
{
	return slice_is(p->request.method, "HEAD");
}
