/*
 * batches -- what an HTTP type makes of lines, request by request: the drain's
 * part, without its waiting, for tests.
 */
#ifndef BATCHES_H
#define BATCHES_H

#include <assert.h>
#include <stdlib.h>

#include "base/xmalloc.h"
#include "types/drain_http.h"
#include "wire/parse.h"

#define BATCH_ID "0123456789abcdef0123456789abcdef"

struct batches {
	const struct drain_conf *conf;
	int64_t now_us;
	/* One body is done: it, its request and its entries. */
	void (*done)(const struct drain_request *, struct slice body, uint32_t entries, void *arg);
	void *arg;

	struct drain_batch batch;
	struct buf body;
	char *first; /* the batch's first frame */
	size_t first_n;
	unsigned flags; /* of all entries so far */
};

static inline void
batches_open(struct batches *b)
{
	b->batch = (struct drain_batch){.id = BATCH_ID, .now_us = b->now_us};
	b->body.n = 0;
	if (b->conf->type->http->open != NULL)
		b->conf->type->http->open(b->conf, &b->batch, &b->body);
}

static inline void
batches_close(struct batches *b)
{
	const struct drain_http *http = b->conf->type->http;
	struct drain_request req = {0};
	struct line line;
	bool parsed;

	if (b->batch.entries == 0)
		return;
	if (http->close != NULL)
		http->close(b->conf, &b->batch, &b->body);
	parsed = parse_canonical(slice_of(b->first, b->first_n), &line);
	assert(parsed);
	(void)parsed;
	http->request(b->conf, &b->batch, &line, &req);
	b->done(&req, buf_slice(&b->body), b->batch.entries, b->arg);
	buf_free(&req.url);
	buf_free(&req.headers);
	free(b->first);
	b->first = NULL;
	b->batch.entries = 0;
}

/* frame: canonical, without count. */
static inline void
batches_add(struct batches *b, struct slice frame)
{
	const struct drain_http *http = b->conf->type->http;
	struct drain_limits limits = http->limits(b->conf);
	struct drain_batch before;
	struct line line;
	bool parsed = parse_canonical(frame, &line);
	size_t start;

	assert(parsed);
	(void)parsed;
	if (b->batch.entries == 0)
		batches_open(b);
	before = b->batch;
	start = b->body.n;
	b->flags |= http->entry(b->conf, &b->batch, &line, &b->body);
	b->batch.entries++;
	if (b->batch.entries > 1 && b->body.n > limits.bytes) {
		b->body.n = start;
		b->batch = before;
		batches_close(b);
		batches_add(b, frame);
		return;
	}
	if (b->batch.entries == 1) {
		b->first = xmalloc(frame.n);
		memcpy(b->first, frame.p, frame.n);
		b->first_n = frame.n;
	}
	if (b->batch.entries >= limits.entries)
		batches_close(b);
}

/* Ends the last batch; the rest of b is as it was. */
static inline void
batches_end(struct batches *b)
{
	batches_close(b);
	buf_free(&b->body);
}

#endif
