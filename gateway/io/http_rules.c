#include "io/http_rules.h"

#include <stdarg.h>
#include <stdio.h>
#include <strings.h>

/* 15 hex digits cannot overflow 64 bits; nobody sends chunks of an exabyte. */
enum { CHUNK_DIGITS = 15, LENGTH_DIGITS = 18 };

bool
http_fault_set(struct http_fault *fault, int status, const char *fmt, ...)
{
	va_list ap;

	fault->status = status;
	va_start(ap, fmt);
	vsnprintf(fault->text, sizeof(fault->text), fmt, ap);
	va_end(ap);
	return false;
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
is_alnum(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool
is_one_of(char c, const char *set)
{
	return c != '\0' && strchr(set, c) != NULL;
}

/* RFC 9110 section 5.6.2. */
static bool
is_token_char(char c)
{
	return is_alnum(c) || is_one_of(c, "!#$%&'*+-.^_`|~");
}

static size_t
token_length(struct slice s)
{
	size_t n = 0;

	while (n < s.n && is_token_char(s.p[n]))
		n++;
	return n;
}

bool
http_rules_byte(unsigned char prev, unsigned char c, struct http_fault *fault)
{
	if (c == '\n') {
		return prev == '\r' ||
		       http_fault_set(fault, 400, "line ends in a bare LF; end lines with CRLF");
	}
	if (prev == '\r')
		return http_fault_set(fault, 400, "CR without LF; end lines with CRLF");
	if (prev == '\0' && c == 0x16) {
		return http_fault_set(
		    fault, 400, "not HTTP; if this is TLS, use http:// here or the https address");
	}
	if ((c < 0x20 && c != '\t' && c != '\r') || c == 0x7f)
		return http_fault_set(fault, 400, "control character in the head; remove it");
	return true;
}

/* The version is checked before the method so that HTTP/2's preface gets 505. */
static bool
check_version(struct slice v, int *minor, struct http_fault *fault)
{
	if (v.n != 8 || memcmp(v.p, "HTTP/", 5) != 0 || !is_digit(v.p[5]) || v.p[6] != '.' ||
	    !is_digit(v.p[7])) {
		return http_fault_set(fault, 400,
				      "malformed request line; send METHOD SP TARGET SP HTTP/1.1");
	}
	if (v.p[5] != '1' || v.p[7] > '1') {
		return http_fault_set(fault, 505,
				      "HTTP version not supported; use HTTP/1.1 or HTTP/1.0");
	}
	*minor = v.p[7] - '0';
	return true;
}

/* Cuts http://authority off; false if it is not absolute-form. */
static bool
cut_authority(struct slice *target)
{
	size_t n;

	if (target->n > 7 && strncasecmp(target->p, "http://", 7) == 0)
		n = 7;
	else if (target->n > 8 && strncasecmp(target->p, "https://", 8) == 0)
		n = 8;
	else
		return false;
	if (is_one_of(target->p[n], "/?"))
		return false;
	while (n < target->n && !is_one_of(target->p[n], "/?"))
		n++;
	*target = slice_skip(*target, n);
	return true;
}

static bool
split_target(struct slice target, struct http_request_line *line, struct http_fault *fault)
{
	const char *mark;
	size_t i;

	for (i = 0; i < target.n; i++) {
		unsigned char c = (unsigned char)target.p[i];

		if (c <= 0x20 || c >= 0x7f || c == '#') {
			return http_fault_set(
			    fault, 400,
			    "forbidden character in the request target; percent-encode it");
		}
	}
	if (target.p[0] != '/' && !cut_authority(&target) &&
	    !(slice_is(target, "*") && slice_is(line->method, "OPTIONS"))) {
		return http_fault_set(fault, 400,
				      "malformed request target; send a path that starts with /");
	}
	line->query = slice_of(NULL, 0);
	line->path = target;
	mark = target.n > 0 ? memchr(target.p, '?', target.n) : NULL;
	if (mark != NULL) {
		line->path.n = (size_t)(mark - target.p);
		line->query = slice_skip(target, line->path.n + 1);
	}
	if (line->path.n == 0)
		line->path = SLICE("/");
	return true;
}

bool
http_rules_request_line(struct slice line, struct http_request_line *out, struct http_fault *fault)
{
	size_t method = token_length(line);
	size_t end = line.n;

	/* The target is what lies between the first space and the last. */
	while (end > 0 && line.p[end - 1] != ' ')
		end--;
	if (method == 0 || end < method + 3 || line.p[method] != ' ') {
		return http_fault_set(fault, 400,
				      "malformed request line; send METHOD SP TARGET SP HTTP/1.1");
	}
	out->method = slice_of(line.p, method);
	if (!check_version(slice_skip(line, end), &out->minor, fault))
		return false;
	if (slice_is(out->method, "CONNECT"))
		return http_fault_set(fault, 501, "CONNECT is not offered; this is no proxy");
	return split_target(slice_of(line.p + method + 1, end - method - 2), out, fault);
}

bool
http_rules_header_line(struct slice line, struct http_fault *fault)
{
	size_t name = token_length(line);

	if (line.n > 0 && is_one_of(line.p[0], " \t")) {
		return http_fault_set(
		    fault, 400,
		    "header line starts with white space; send each header on one line");
	}
	if (name < line.n && is_one_of(line.p[name], " \t")) {
		return http_fault_set(
		    fault, 400, "white space in a header name or before its colon; remove it");
	}
	if (name == 0 || name == line.n || line.p[name] != ':')
		return http_fault_set(fault, 400, "malformed header line; send NAME: VALUE");
	return true;
}

struct found {
	struct slice value;
	size_t times;
};

static struct found
find_header(const struct http_request *request, const char *name)
{
	struct found found = {{NULL, 0}, 0};
	size_t i;

	for (i = 0; i < request->nheaders; i++) {
		if (http_name_is(request->headers[i].name, name)) {
			found.value = request->headers[i].value;
			found.times++;
		}
	}
	return found;
}

static bool
check_host(const struct http_request *request, int minor, struct http_fault *fault)
{
	struct found host = find_header(request, "host");
	size_t i;

	if (host.times == 0 && minor > 0)
		return http_fault_set(fault, 400, "no Host header; HTTP/1.1 needs one");
	if (host.times > 1)
		return http_fault_set(fault, 400, "several Host headers; send one");
	for (i = 0; i < host.value.n; i++) {
		if (!is_alnum(host.value.p[i]) &&
		    !is_one_of(host.value.p[i], "-._~%!$&'()*+;=:[]")) {
			return http_fault_set(
			    fault, 400,
			    "forbidden character in the Host header; send HOST or HOST:PORT");
		}
	}
	return true;
}

/* "chunked" must be the only coding: nothing else is understood here. */
static bool
check_coding(struct found coding, int minor, struct http_fault *fault)
{
	struct slice rest = coding.value;
	bool chunked = false, other = false;

	if (minor == 0) {
		return http_fault_set(fault, 400,
				      "Transfer-Encoding in HTTP/1.0; send Content-Length");
	}
	if (coding.times > 1)
		return http_fault_set(fault, 400, "several Transfer-Encoding headers; send one");
	if (http_name_is(rest, "chunked"))
		return true;
	while (rest.n > 0) {
		size_t n = 0;

		while (n < rest.n && !is_one_of(rest.p[n], ", \t"))
			n++;
		if (http_name_is(slice_of(rest.p, n), "chunked"))
			chunked = true;
		else if (n > 0 && !chunked)
			other = true;
		rest = slice_skip(rest, n < rest.n ? n + 1 : n);
	}
	if (chunked && !other) {
		return http_fault_set(
		    fault, 400,
		    "chunked must come once and last; send \\\"Transfer-Encoding: chunked\\\"");
	}
	if (coding.value.n == 0) {
		return http_fault_set(fault, 400,
				      "empty Transfer-Encoding; send chunked or leave it out");
	}
	return http_fault_set(fault, 501,
			      "unknown transfer coding; send chunked alone, or Content-Length");
}

static bool
check_length(struct found length, const struct http_limits *limits, uint64_t *out,
	     struct http_fault *fault)
{
	size_t i, n = length.value.n;

	if (length.times > 1)
		return http_fault_set(fault, 400, "several Content-Length headers; send one");
	*out = 0;
	for (i = 0; i < n && is_digit(length.value.p[i]); i++) {
		if (*out <= limits->body)
			*out = *out * 10 + (uint64_t)(length.value.p[i] - '0');
	}
	if (n == 0 || i < n || n > LENGTH_DIGITS) {
		return http_fault_set(fault, 400,
				      "malformed Content-Length; send a plain decimal number");
	}
	if (*out > limits->body) {
		return http_fault_set(fault, 413,
				      "body too large; send at most %zu bytes in one request",
				      limits->body);
	}
	return true;
}

static bool
check_expect(const struct http_request *request, int minor, struct http_framing *framing,
	     struct http_fault *fault)
{
	struct found expect = find_header(request, "expect");

	framing->expect_continue = false;
	/* RFC 9110 section 10.1.1: HTTP/1.0 cannot wait for 100. */
	if (expect.times == 0 || minor == 0)
		return true;
	if (expect.times > 1 || !http_name_is(expect.value, "100-continue")) {
		return http_fault_set(
		    fault, 417, "unknown expectation; send \\\"Expect: 100-continue\\\" or none");
	}
	framing->expect_continue = framing->chunked || framing->length > 0;
	return true;
}

static bool
check_framing(const struct http_request *request, int minor, const struct http_limits *limits,
	      struct http_framing *framing, struct http_fault *fault)
{
	struct found coding = find_header(request, "transfer-encoding");
	struct found length = find_header(request, "content-length");

	*framing = (struct http_framing){0};
	if (coding.times > 0 && length.times > 0) {
		return http_fault_set(
		    fault, 400, "both Content-Length and Transfer-Encoding; send one of them");
	}
	if (coding.times > 0) {
		framing->chunked = true;
		return check_coding(coding, minor, fault);
	}
	if (length.times > 0)
		return check_length(length, limits, &framing->length, fault);
	if (slice_is(request->method, "POST") || slice_is(request->method, "PUT") ||
	    slice_is(request->method, "PATCH")) {
		return http_fault_set(
		    fault, 411, "no Content-Length; send it (0 for an empty body) or use chunked");
	}
	return true;
}

bool
http_rules_head(const struct http_request *request, int minor, const struct http_limits *limits,
		struct http_framing *framing, struct http_fault *fault)
{
	return check_host(request, minor, fault) &&
	       check_framing(request, minor, limits, framing, fault) &&
	       check_expect(request, minor, framing, fault);
}

bool
http_rules_chunk_line(struct slice line, uint64_t *size, struct http_fault *fault)
{
	size_t n = 0;

	*size = 0;
	for (; n < line.n && n < CHUNK_DIGITS; n++) {
		char c = line.p[n];

		if (is_digit(c))
			*size = *size * 16 + (uint64_t)(c - '0');
		else if (is_alnum(c) && (c | 0x20) <= 'f')
			*size = *size * 16 + (uint64_t)((c | 0x20) - 'a' + 10);
		else
			break;
	}
	if (n == 0 || (n < line.n && line.p[n] != ';')) {
		return http_fault_set(
		    fault, 400, "malformed chunk size; send plain hexadecimal digits and CRLF");
	}
	return true;
}
