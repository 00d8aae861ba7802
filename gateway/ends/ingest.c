#include "ends/ingest.h"

#include <string.h>

#include "base/clock.h"
#include "ends/promise.h"
#include "wire/parse.h"
#include "wire/timestamp.h"

void
ingest_begin(struct ingest *in)
{
	in->now_ms = clock_mono_ms();
	in->now_us = clock_wall_us();
	in->now_slice = timestamp_format(in->now_us, in->now_text);
}

void
ingest_end(struct ingest *in)
{
	struct promise *p = in->promise;

	in->promise = NULL;
	promise_close(p);
}

void
ingest_clear(struct ingest *in)
{
	outbox_clear(&in->outbox);
	buf_free(&in->parse_scratch);
	buf_free(&in->tag_scratch);
}

/* Room in the log for n bytes of frame and count; NULL: nobody reads it, so nothing is kept. */
static char *
log_room(struct ingest *in, struct app_log *log, size_t n)
{
	/* Nor does a tap make it one that has. */
	if (log->ncursors == log->ntaps) {
		stats_add(&in->stats->lines_no_drain, 1);
		log->undrained++;
	}
	if (log->ncursors == 0) {
		log->unkept++;
		return NULL;
	}
	return app_log_reserve(log, n, in->now_ms);
}

static void
log_done(struct ingest *in, struct app_log *log, size_t n)
{
	app_log_commit(log, n);
	if (in->promise != NULL)
		promise_add(in->promise, log);
	if (log->ncursors > log->ntaps)
		stats_add(&in->stats->lines_routed, 1);
	if (!log->touched)
		in->touch(log, in->arg);
}

static void
write_frame(const struct line *line, size_t size, char *dst)
{
	dst += chunk_count_write(dst, size);
	if (line->verbatim)
		memcpy(dst, line->frame.p, size);
	else
		line_write(line, dst);
}

static void
put_line(struct ingest *in, const struct route *route, const struct line *line)
{
	size_t size = line_size(line);
	size_t n = chunk_count_size(size) + size;
	char *dst;

	if (route->home != in->self) {
		stats_add(&in->stats->lines_crossed, 1);
		write_frame(line, size, outbox_add(&in->outbox, route->home, route->app, n));
		if (in->receipt != NULL)
			outbox_ask(&in->outbox, route->home, in->receipt,
				   in->outbox.posts[in->self]->mailbox);
		return;
	}
	if (in->receipt != NULL && in->promise == NULL) {
		receipt_hold(in->receipt);
		in->promise = promise_new(in->receipt, NULL);
	}
	dst = log_room(in, route->log, n);
	if (dst == NULL)
		return;
	write_frame(line, size, dst);
	log_done(in, route->log, n);
}

/* app: p NULL if there is none, and then key is what was looked at. */
static const struct route *
route_of(struct ingest *in, struct slice app, struct slice key)
{
	const struct route *route = app.p != NULL ? routes_by_name(in->routes, app) : NULL;

	if (route != NULL)
		return route;
	stats_add(&in->stats->lines_unrouted, 1);
	in->unknown(app.p != NULL ? app : key, in->arg);
	if (in->catch_all.p == NULL)
		return NULL;
	route = routes_by_name(in->routes, in->catch_all);
	if (route != NULL)
		stats_add(&in->stats->lines_catch_all, 1);
	return route;
}

static void
put_routed(struct ingest *in, const struct route *route, const struct line *line)
{
	const struct route *copy;

	stats_add(&in->stats->lines_in, 1);
	if (route != NULL)
		put_line(in, route, line);
	if (in->copy_to.p == NULL)
		return;
	copy = routes_by_name(in->routes, in->copy_to);
	/* The archive's own lines are in its log already. */
	if (copy != NULL && copy != route) {
		stats_add(&in->stats->lines_copied, 1);
		put_line(in, copy, line);
	}
}

void
ingest_line(struct ingest *in, struct slice app, const struct line *line)
{
	put_routed(in, route_of(in, app, app), line);
}

void
ingest_frame(struct ingest *in, const struct source *src, const struct frame *f)
{
	const struct parse_env env = {.hostname = src->url->hostname == HOSTNAME_FIXED
						      ? slice_str(src->url->hostname_fixed)
						      : src->hostname,
				      .hostname_always = src->url->hostname != HOSTNAME_KEEP,
				      .now_us = in->now_us,
				      .now_text = in->now_slice,
				      .tz_local = src->url->tz_local,
				      .tz_minutes = src->url->tz_minutes,
				      .scratch = &in->parse_scratch};
	struct slice key = {NULL, 0}, app;
	struct line line;

	parse_line(f->bytes, f->cut, &env, &line);
	if (f->cut > 0)
		stats_add(&in->stats->lines_cut, 1);
	if (!line.verbatim)
		stats_add(&in->stats->lines_rewritten, 1);
	app = tag_rule_app(*src->rule, &line, src->cert, &in->tag_scratch, &key);
	put_routed(in, route_of(in, app, key), &line);
}

void
ingest_bundle(struct ingest *in, const struct bundle *b)
{
	struct route *route = NULL;
	struct slice frame;
	size_t at = 0;
	uint64_t app;
	char *dst;

	in->now_ms = clock_mono_ms();
	if (b->receipt != NULL)
		in->promise = promise_new(b->receipt, b->back);
	while (bundle_next(b, &at, &app, &frame)) {
		if (route == NULL || route->app != app)
			route = routes_by_app(in->routes, app);
		/* Removed while the line was on its way. */
		if (route == NULL || route->log == NULL) {
			stats_add(&in->stats->lines_no_drain, 1);
			continue;
		}
		dst = log_room(in, route->log, frame.n);
		if (dst == NULL)
			continue;
		memcpy(dst, frame.p, frame.n);
		log_done(in, route->log, frame.n);
	}
	ingest_end(in);
}
