/*
 * drain_http -- how a type delivers over HTTP: a batch of lines becomes a POST,
 * an answer a verdict.  No sockets, no timers: golden files test it.
 *
 *	body = open entry entry ... close
 */
#ifndef DRAIN_HTTP_H
#define DRAIN_HTTP_H

#include "types/drain_type.h"
#include "wire/line.h"

enum { DRAIN_BATCH_MARKS = 4 };

/* A batch being encoded; the drain's. */
struct drain_batch {
	/*
	 * Of the lines' range and the drain: the same for the same lines, also
	 * after a retry, so that a receiver can drop what it has already.
	 */
	char id[33];	  /* 32 hex digits */
	int64_t now_us;	  /* wall clock */
	uint32_t entries; /* added so far; the number of all in request */
	/*
	 * The type's own notes between open, entry and close; zero before open.
	 * The drain puts them back when it takes an entry off the end again.
	 */
	size_t mark[DRAIN_BATCH_MARKS];
};

struct drain_limits {
	uint32_t entries; /* 1: one request a line, which never waits for company */
	size_t bytes;	  /* of the body before compression; one entry alone may be over it */
};

/* What to send beside the body.  Owner: the drain; emptied before request. */
struct drain_request {
	struct buf url;	    /* absolute */
	struct buf headers; /* by drain_request_header: each "Name: value" and a NUL */
};

/* Control characters in value become spaces: a value cannot end its line. */
void drain_request_header(struct drain_request *, const char *name, const char *value);
/* "Authorization: Basic ..." of "user:password", percent-decoded already. */
void drain_request_basic(struct drain_request *, struct slice user_password);
/* "Authorization: Bearer TOKEN" */
void drain_request_bearer(struct drain_request *, const char *token);

enum drain_answer {
	DRAIN_ACCEPTED,
	DRAIN_SPLIT,   /* what is in it was refused: find the entry that it is */
	DRAIN_RETRY,   /* not now */
	DRAIN_REFUSED, /* not until somebody acts: the address, the key, the account */
};

struct drain_verdict {
	enum drain_answer answer;
	uint64_t rejected; /* entries of an accepted batch that the receiver says it threw away */
};

struct drain_http {
	/* Of a batch; depends on the format. */
	struct drain_limits (*limits)(const struct drain_conf *);
	/* Begins a body.  NULL: nothing stands before the first entry. */
	void (*open)(const struct drain_conf *, struct drain_batch *, struct buf *body);
	/*
	 * Adds an entry and what stands between it and the one before
	 * (batch->entries of them are there).  Returns enum drain_entry flags.
	 */
	unsigned (*entry)(const struct drain_conf *, struct drain_batch *, const struct line *,
			  struct buf *body);
	/* Ends a body.  NULL: nothing stands behind the last entry. */
	void (*close)(const struct drain_conf *, struct drain_batch *, struct buf *body);
	/*
	 * URL and headers, but for Content-Length, Content-Encoding, Host and
	 * User-Agent.  first: the first line, of which there is one in each batch.
	 */
	void (*request)(const struct drain_conf *, const struct drain_batch *,
			const struct line *first, struct drain_request *);
	/* body: the answer's, maybe cut.  NULL: drain_judge's verdict. */
	struct drain_verdict (*judge)(const struct drain_conf *, int status, struct slice body);
};

/*
 * 2xx: accepted; 400, 413, 422: split; 408, 425, 429 and 5xx: retry; all else,
 * redirects too: refused.
 */
struct drain_verdict drain_judge(int status);

/* For a type's finish: gzip and concurrency as far as they were not given. */
void drain_http_defaults(struct drain_conf *, bool gzip, unsigned concurrency);

/* What every HTTP type takes, for its need. */
#define DRAIN_HTTP_OPTIONS                                                     \
	[DRAIN_MIN_SEVERITY] = DRAIN_OPTIONAL, [DRAIN_MATCH] = DRAIN_OPTIONAL, \
	[DRAIN_EXCLUDE] = DRAIN_OPTIONAL, [DRAIN_RATE] = DRAIN_OPTIONAL,       \
	[DRAIN_GZIP] = DRAIN_OPTIONAL, [DRAIN_CONCURRENCY] = DRAIN_OPTIONAL,   \
	[DRAIN_CA] = DRAIN_OPTIONAL, [DRAIN_CLIENT_CERT] = DRAIN_OPTIONAL,     \
	[DRAIN_CLIENT_KEY] = DRAIN_OPTIONAL

#endif
