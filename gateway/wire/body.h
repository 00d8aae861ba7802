/*
 * body -- the body of a request for lines, taken apart: bytes in, lines out, one
 * after the other (docs/formats.md, "Over HTTP").
 *
 *	text/plain		a line each; one that is RFC 5424 is taken as that
 *	application/x-ndjson	JSON documents, one after the other
 *	application/json	the same; an array stands for its elements
 *	application/logplex-1	octet-counted RFC 5424 without structured data
 *
 * Owner: who reads it.  The bytes must stay as long as its lines do.
 */
#ifndef BODY_H
#define BODY_H

#include "wire/parse.h"

enum body_kind { BODY_TEXT, BODY_NDJSON, BODY_JSON, BODY_LOGPLEX };

/* What body_kind_of knows, for who sent something else. */
#define BODY_KINDS "text/plain, application/x-ndjson, application/json or application/logplex-1"

enum {
	BODY_FAULT_BYTES = 192,
	/* One JSON document: it is looked at in one go, and more than max-line would be cut. */
	BODY_DOCUMENT_BYTES = 1024 * 1024,
};

enum body_result {
	BODY_LINE,
	BODY_END,
	BODY_BAD, /* it is not what its type says: body->fault */
	BODY_BIG, /* something in it is over a limit: body->fault */
};

struct body_env {
	struct parse_env parse;
	struct slice app; /* whose lines they are */
	size_t max_line;  /* what of a frame, text or document is kept */
};

struct body {
	enum body_kind kind;
	struct slice rest;	      /* not looked at yet */
	size_t count;		      /* lines, documents or frames that were found */
	size_t row;		      /* line ends before rest, of JSON */
	bool in_array;		      /* of JSON: elements follow */
	char fault[BODY_FAULT_BYTES]; /* what is wrong and the remedy; fit for a JSON string */
};

/* By the media type, whatever its parameters; without one it is text.  false: none of them. */
bool body_kind_of(struct slice content_type, enum body_kind *) __attribute__((warn_unused_result));
void body_init(struct body *, enum body_kind, struct slice bytes);
/* The next line, in the order of the body; valid until the next call.  Nothing follows BAD or BIG.
 */
enum body_result body_next(struct body *, const struct body_env *, struct line *out)
    __attribute__((warn_unused_result));

#endif
