#include "ends/drain_post.h"

#include <event2/event.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/xmalloc.h"
#include "ends/drain_settle.h"
#include "wire/parse.h"

/* A drain that had nothing to send for so long is idle. */
enum { IDLE_MS = 10 * 60 * 1000 };

/* What all drains of a worker encode for requests in one turn of its loop. */
enum { TURN_BYTES = 256 * 1024 };

/* What a request costs beside its bytes, as if it were bytes. */
enum { REQUEST_BYTES = 2 * 1024 };

void
drain_post_init(struct drain *d)
{
	struct drain_post *post = xcalloc(1, sizeof(*post));

	TAILQ_INIT(&post->batches);
	post->limits = d->conf.type->http->limits(&d->conf);
	post->bytes_max = post->limits.bytes;
	post->own = drain_tls_own(&d->conf);
	post->id = d->id;
	d->post = post;
	d->cursor.exact = true;
}

struct post_batch *
post_batch_new(struct drain *d, uint64_t seq)
{
	struct post_batch *b = xcalloc(1, sizeof(*b));

	b->drain = d;
	b->first_seq = b->end_seq = seq;
	TAILQ_INSERT_TAIL(&d->post->batches, b, link);
	d->env->owing += (d->post->nbatches++ == 0);
	return b;
}

static void
set_calls(struct drain *d, unsigned calls)
{
	struct drain_post *post = d->post;

	d->env->posting += (post->calls == 0 && calls > 0);
	d->env->posting -= (post->calls > 0 && calls == 0);
	post->calls = calls;
}

void
post_call_over(struct drain *d, struct post_batch *b)
{
	b->call = NULL;
	buf_free(&b->body);
	set_calls(d, d->post->calls - 1);
}

void
post_batch_free(struct drain *d, struct post_batch *b)
{
	if (b->call != NULL) {
		http_call_cancel(b->call);
		post_call_over(d, b);
	}
	TAILQ_REMOVE(&d->post->batches, b, link);
	d->env->owing -= (--d->post->nbatches == 0);
	buf_free(&b->notice);
	free(b);
}

static void
clear_batches(struct drain *d)
{
	struct post_batch *b;

	while ((b = TAILQ_FIRST(&d->post->batches)) != NULL)
		post_batch_free(d, b);
}

void
drain_post_clear(struct drain *d)
{
	if (d->post == NULL)
		return;
	clear_batches(d);
	free(d->post);
	d->post = NULL;
}

void
drain_post_wind_back(struct drain *d)
{
	const struct post_batch *b;

	cursor_unsend(&d->cursor);
	TAILQ_FOREACH(b, &d->post->batches, link)
	{
		d->lines_refused -= b->refused;
		stats_sub(&d->env->stats->lines_dropped_refused, b->refused);
		if (b->notice.n > 0 && b->state != POST_DONE)
			cursor_put_gap(&d->cursor, b->first_seq, &b->gap);
	}
	clear_batches(d);
}

bool
drain_post_is_blocked(const struct drain *d)
{
	return d->post != NULL && d->post->blocked;
}

static uint64_t
lines_of(const struct drain *d, bool done)
{
	const struct post_batch *b;
	uint64_t lines = 0;

	TAILQ_FOREACH(b, &d->post->batches, link)
	if ((b->state == POST_DONE) == done)
		lines += b->lines;
	return lines;
}

uint64_t
drain_post_flight_lines(const struct drain *d)
{
	return lines_of(d, false);
}

uint64_t
drain_post_end(struct drain *d)
{
	const struct post_batch *b;
	uint64_t done, refused = 0;

	if (d->post == NULL)
		return 0;
	done = lines_of(d, true);
	TAILQ_FOREACH(b, &d->post->batches, link)
	refused += b->refused;
	stats_add(&d->env->stats->lines_delivered, done - refused);
	return done;
}

/* What was encoded last lies in the worker's scratch. */
static void
take_body(struct drain *d, struct post_batch *b)
{
	struct buf *scratch = &d->env->scratch;

	buf_free(&b->body);
	if (d->conf.gzip)
		gzip_whole(d->env->gzip, buf_slice(scratch), &b->body);
	else
		buf_add_slice(&b->body, buf_slice(scratch));
	/* A receiver that hangs keeps it for long. */
	buf_fit(&b->body);
}

static void
call_batch(struct drain *d, struct post_batch *b, const struct drain_batch *info)
{
	struct drain_request request = {.url = {0}, .headers = {0}};
	struct http_post post;
	struct line first;

	b->bytes = d->env->scratch.n;
	take_body(d, b);
	parse_stored(post_first_frame(d, b), &first);
	d->conf.type->http->request(&d->conf, info, &first, &request);
	post = (struct http_post){.app = d->cursor.log->app,
				  .host = d->conf.host,
				  .port = d->conf.port,
				  .url = buf_cstr(&request.url),
				  .headers = buf_slice(&request.headers),
				  .body = buf_slice(&b->body),
				  .gzip = d->conf.gzip,
				  .own = drain_has_tls_own(&d->conf) ? &d->post->own : NULL};
	b->call = http_client_post(d->env->http, &post, drain_post_on_answer, b);
	b->state = POST_CALLED;
	if (b->tried) {
		d->lines_resent += b->lines;
		stats_add(&d->env->stats->lines_resent, b->lines);
	}
	b->tried = true;
	d->env->encoded += REQUEST_BYTES;
	set_calls(d, d->post->calls + 1);
	d->used_ms = clock_mono_ms();
	buf_free(&request.url);
	buf_free(&request.headers);
}

static struct post_batch *
first_ready(const struct drain *d)
{
	struct post_batch *b;

	if (d->post->nbatches == d->post->calls)
		return NULL;
	TAILQ_FOREACH(b, &d->post->batches, link)
	if (b->state == POST_READY)
		return b;
	return NULL;
}

static bool
is_due(struct drain *d, int64_t now_ms)
{
	return first_ready(d) != NULL ||
	       (post_window_is_open(d) && post_due_in_ms(d, now_ms) == 0 &&
		!cursor_is_away(&d->cursor));
}

/* false: nothing is there to send after all. */
static bool
send_one(struct drain *d, int64_t now_ms)
{
	struct post_batch *b = first_ready(d);
	struct drain_batch info;

	if (b == NULL) {
		b = post_begin(d, &info);
		if (b == NULL) {
			drain_post_settle(d);
			return false;
		}
		d->post->begun_ms = now_ms;
	} else {
		post_encode_again(d, b, &info);
	}
	/* A piece of a batch that has unwanted lines only. */
	if (info.entries == 0) {
		b->state = POST_DONE;
		drain_post_settle(d);
		return true;
	}
	call_batch(d, b, &info);
	return true;
}

static void
arm_for_next(struct drain *d, int64_t now_ms)
{
	int64_t due_ms = post_due_in_ms(d, now_ms);

	/* Bytes that come from the spool bring a flush with them. */
	if (d->post->calls >= post_calls_allowed(d) || !post_window_is_open(d) ||
	    (due_ms >= 0 && cursor_is_away(&d->cursor)))
		event_del(d->timer);
	else if (due_ms >= 0)
		drain_arm(d, due_ms);
	else
		drain_arm(d, IDLE_MS);
}

void
drain_post_send(struct drain *d)
{
	int64_t now_ms = clock_mono_ms();
	bool sent = false;

	while (d->post->calls < post_calls_allowed(d) && is_due(d, now_ms)) {
		if (d->env->encoded >= TURN_BYTES) {
			/* By the timer it lines up behind those who had nothing of this turn. */
			if (sent)
				drain_arm(d, 0);
			else
				d->env->more(d->cursor.log, d->env->arg);
			return;
		}
		if (!send_one(d, now_ms))
			break;
		sent = true;
	}
	arm_for_next(d, now_ms);
}

void
drain_post_flush(struct drain *d)
{
	int64_t now_ms = clock_mono_ms();

	cursor_skip_unwanted(&d->cursor);
	cursor_judge(&d->cursor, d->env->pressed, now_ms);
	if (d->phase == PHASE_IDLE && now_ms < d->not_before_ms) {
		d->phase = PHASE_WAITING;
		drain_arm(d, d->not_before_ms - now_ms);
	} else if (d->phase == PHASE_IDLE && cursor_waiting_bytes(&d->cursor) > 0) {
		d->phase = PHASE_CONNECTING;
	}
	if (d->phase == PHASE_CONNECTING || d->phase == PHASE_OPEN)
		drain_post_send(d);
}

void
drain_post_on_timer(struct drain *d)
{
	if (d->phase == PHASE_WAITING)
		d->phase = PHASE_CONNECTING;
	drain_post_send(d);
	if (d->post->nbatches > 0 || cursor_waiting_bytes(&d->cursor) > 0 ||
	    clock_mono_ms() - d->used_ms < IDLE_MS)
		return;
	d->phase = PHASE_IDLE;
	d->connected_us = 0;
	event_del(d->timer);
}
