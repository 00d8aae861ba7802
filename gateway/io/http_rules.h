/*
 * http_rules -- what we refuse in a request, whatever the parser would let
 * through: pure checks of whole lines and of the finished head.
 *
 * The library's own strictness depends on how the distribution built it, and
 * two readers that disagree on where a request ends are how requests are
 * smuggled; so every form that RFC 9112 lets two servers read in two ways is
 * refused here.
 *
 * All return true when the input passes, else false with the fault filled in.
 * A fault's text names the fault and the remedy; it holds nothing that the
 * client sent, so it needs no escaping.  Lines come without their CRLF.
 */
#ifndef HTTP_RULES_H
#define HTTP_RULES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"
#include "io/http_message.h"

enum { HTTP_FAULT_BYTES = 192 };

struct http_fault {
	int status; /* 0: none */
	char text[HTTP_FAULT_BYTES];
};

struct http_request_line {
	struct slice method, path, query; /* as in struct http_request */
	int minor;			  /* HTTP/1.minor: 0 or 1 */
};

struct http_framing {
	bool chunked;
	uint64_t length;      /* without chunked: bytes of the body */
	bool expect_continue; /* the client waits for 100 before it sends the body */
};

/* Returns false always, so that a check can end with it. */
bool http_fault_set(struct http_fault *, int status, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* May c follow prev (0: at the line's start) in a line?  RFC 9112 section 2.2. */
bool http_rules_byte(unsigned char prev, unsigned char c, struct http_fault *);

/* RFC 9112 section 3; absolute-form is cut down to its path and query. */
bool http_rules_request_line(struct slice line, struct http_request_line *, struct http_fault *);

/* RFC 9112 section 5: name ":" value, no folding, no space before the colon. */
bool http_rules_header_line(struct slice line, struct http_fault *);

/*
 * The finished head: Host, Content-Length, Transfer-Encoding, Expect
 * (RFC 9112 sections 3.2 and 6, RFC 9110 section 10.1.1).
 */
bool http_rules_head(const struct http_request *, int minor, const struct http_limits *,
		     struct http_framing *, struct http_fault *);

/* RFC 9112 section 7.1: hex digits, then maybe ";" and extensions, which are ignored. */
bool http_rules_chunk_line(struct slice line, uint64_t *size, struct http_fault *);

#endif
