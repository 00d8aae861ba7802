/*
 * drain_post_due -- when a drain over HTTP may begin a batch, and how large that
 * may be: what keeps many drains, and one that hangs, from filling the memory.
 */
#include "ends/drain_post.h"

/*
 * Bytes of the log in one batch: what a slow receiver keeps from being freed,
 * and what one turn of the loop encodes and compresses.
 */
enum { SOURCE_MAX = 256 * 1024, SOURCE_MIN = 16 * 1024 };

/*
 * What was accepted behind a batch that is not done with stays in memory.  So
 * for each request that may be under way there are at most so many batches,
 * and so many times what may lie in one.
 */
enum { WINDOW_BATCHES = 64, WINDOW_LIMITS = 4 };

/* While a fourth of worker-memory is full no batch waits for company. */
enum { GATHER_SHARE = 4 };

/* With so many drains waiting for answers none gets more than one request at a time. */
enum { POSTING_MANY = 256 };

/*
 * Drains that wait for answers share what may lie in their batches; a drain
 * that does not know whether its receiver takes anything, with all who hold
 * batches, be it for good.
 */
size_t
post_source_limit(const struct drain *d)
{
	const struct drain_env *env = d->env;
	unsigned sharing = d->phase == PHASE_OPEN ? env->posting : env->owing;
	size_t share = (size_t)env->config->worker_memory / (sharing + 1) / d->conf.concurrency;

	if (share > SOURCE_MAX)
		return SOURCE_MAX;
	return share < SOURCE_MIN ? SOURCE_MIN : share;
}

/* Whether lines that wait for company would be in the way. */
static bool
is_hurried(const struct drain *d)
{
	const struct drain_env *env = d->env;

	return env->hurried || env->pressed ||
	       d->cursor.log->pool->pressure >= (size_t)env->config->worker_memory / GATHER_SHARE;
}

/*
 * Bytes of the log that make a full batch, or nearly: a body is rarely smaller
 * than its lines.  And less than makes a drain lag.
 */
static size_t
full_bytes(const struct drain *d)
{
	size_t half = d->cursor.log->pool->app_memory / 2;
	size_t full = post_source_limit(d);

	if (full > d->post->limits.bytes)
		full = d->post->limits.bytes;
	return half < full ? half : full;
}

int64_t
post_due_in_ms(const struct drain *d, int64_t now_ms)
{
	const struct drain_post *post = d->post;
	size_t waiting = cursor_waiting_bytes(&d->cursor);
	int64_t left = post->begun_ms + d->env->config->batch_wait - now_ms;

	if (waiting == 0)
		return -1;
	if (left <= 0 || post->limits.entries == 1 || waiting >= full_bytes(d) ||
	    cursor_waiting_lines(&d->cursor) >= post->limits.entries || is_hurried(d))
		return 0;
	return left;
}

/* While it is not known whether the receiver works again, one request finds out. */
unsigned
post_calls_allowed(const struct drain *d)
{
	if (d->backoff.failures > 0 || d->post->lost_in_row > 0 || d->env->posting > POSTING_MANY)
		return 1;
	return d->conf.concurrency;
}

bool
post_window_is_open(const struct drain *d)
{
	const struct drain_post *post = d->post;
	size_t concurrency = d->conf.concurrency;

	return post->calls == 0 ||
	       (post->nbatches < WINDOW_BATCHES * concurrency &&
		d->cursor.flight_bytes < WINDOW_LIMITS * concurrency * post_source_limit(d));
}
