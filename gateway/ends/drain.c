#include "ends/drain.h"

#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/xmalloc.h"
#include "ends/drain_internal.h"
#include "ends/drain_post.h"
#include "ends/drain_settle.h"
#include "log/cursor_place.h"
#include "log/log_spool.h"

/* How long a removed drain may take for the frame it was writing. */
enum { CLOSING_MS = 1000 };

struct drain *
drain_of(struct cursor *c)
{
	return (struct drain *)c;
}

uint64_t
drain_id(const struct drain *d)
{
	return d->id;
}

void
drain_set_id(struct drain *d, uint64_t id)
{
	d->id = d->cursor.drain = id;
	/* The spool may have its mark under the one that it had. */
	app_log_stir(d->cursor.log);
}

void
drain_set_mark(struct drain *d, uint64_t mark)
{
	d->cursor.drain = mark;
}

struct app_log *
drain_log(const struct drain *d)
{
	return d->cursor.log;
}

const struct drain_conf *
drain_conf_of(const struct drain *d)
{
	return &d->conf;
}

const char *
drain_url(const struct drain *d)
{
	return d->conf.url;
}

struct drain *
drain_next_holding(const struct drain *d)
{
	return TAILQ_NEXT(d, holding_link);
}

void
drain_arm(struct drain *d, int64_t ms)
{
	struct timeval tv = {.tv_sec = (time_t)(ms / 1000),
			     .tv_usec = (suseconds_t)(ms % 1000 * 1000)};

	event_add(d->timer, &tv);
}

void
drain_set_error(struct drain *d, const char *why)
{
	char *said = xstrdup(why);

	/* It may be what is said again. */
	free(d->last_error);
	d->last_error = said;
	d->last_error_us = clock_wall_us();
}

const char *
drain_last_error(const struct drain *d)
{
	return d->last_error != NULL ? d->last_error : "";
}

void
drain_mark_holding(struct drain *d)
{
	if (d->holding)
		return;
	TAILQ_INSERT_TAIL(&d->env->holding, d, holding_link);
	d->holding = true;
}

void
drain_unmark_holding(struct drain *d)
{
	if (!d->holding)
		return;
	TAILQ_REMOVE(&d->env->holding, d, holding_link);
	d->holding = false;
}

void
drain_count_taken(struct drain *d, struct cursor_taken taken)
{
	if (taken.lines == 0)
		return;
	d->lines_delivered += taken.lines;
	d->bytes_delivered += taken.bytes;
	stats_add(&d->env->stats->lines_delivered, taken.lines);
	stats_add(&d->env->stats->bytes_delivered, taken.bytes);
	drain_pace_add(&d->pace, taken.lines, clock_mono_ms());
	d->delivered_us = clock_wall_us();
}

static _Atomic uint64_t *
dropped_counter(struct stats *stats, enum cursor_reason reason)
{
	switch (reason) {
	case CURSOR_RATE:
		return &stats->lines_dropped_rate;
	case CURSOR_SPOOL:
		return &stats->lines_dropped_spool;
	case CURSOR_AGE:
		return &stats->lines_dropped_age;
	case CURSOR_DAMAGED:
		return &stats->lines_dropped_damaged;
	default:
		return &stats->lines_dropped_memory;
	}
}

/* Said at the first of them.  Over a rate they are dropped as its owner wished. */
static const char *const said[CURSOR_REASONS] = {
    [CURSOR_MEMORY] = "drain drops lines: it lags and its log is over app-memory",
    [CURSOR_SPOOL] = "drain drops lines: it lags and the spool is over spool-cap or spool-size",
    [CURSOR_AGE] = "drain drops lines: they waited longer than spool-age",
    [CURSOR_DAMAGED] = "drain drops lines: they cannot be read back from the spool",
};

static void
on_dropped(struct cursor *c, enum cursor_reason reason, uint64_t lines)
{
	struct drain *d = drain_of(c);

	if (d->lines_dropped[reason] == 0 && said[reason] != NULL)
		log_warn(said[reason], "app", d->cursor.log->name, "drain", d->conf.redacted, NULL);
	d->lines_dropped[reason] += lines;
	stats_add(dropped_counter(d->env->stats, reason), lines);
}

static struct resend_rule
rule_of(const struct config *config, const struct drain_conf *conf)
{
	struct resend_rule rule = {.bytes = (size_t)config->resend_bytes,
				   .time_ms = config->resend_time,
				   .max_bytes = (size_t)config->resend_max};

	if (conf->resend_bytes >= 0)
		rule.bytes = (size_t)conf->resend_bytes;
	return rule;
}

struct drain *
drain_new(struct drain_env *env, struct app_log *log, uint64_t id, struct drain_conf *conf)
{
	struct drain *d = xcalloc(1, sizeof(*d));

	d->env = env;
	d->id = id;
	d->conf = *conf;
	*conf = (struct drain_conf){0};
	drain_settle(&d->conf, env->config);
	d->rule = rule_of(env->config, &d->conf);
	d->verbatim = d->conf.type->verbatim != NULL && d->conf.type->verbatim(&d->conf);
	d->timer = evtimer_new(env->base, drain_on_timer, d);
	if (d->timer == NULL)
		abort();
	backoff_init(&d->backoff, (uint32_t)id * 2654435761U | 1);
	d->cursor.drain = id;
	d->cursor.flush = drain_flush;
	d->cursor.dropped = on_dropped;
	drain_reset_writing(d);
	drain_sift_init(d);
	if (d->conf.transport == DRAIN_HTTP)
		drain_post_init(d);
	cursor_open(&d->cursor, log, clock_mono_ms());
	return d;
}

void
drain_place(struct drain *d, const struct spool_place *place, int64_t came_us)
{
	int64_t age_ms = (clock_age_us() - came_us) / 1000;

	cursor_resume(&d->cursor, place);
	d->cursor.away_ms = d->cursor.caught_up_ms = clock_mono_ms() - (age_ms > 0 ? age_ms : 0);
	/* What is on disk holds up nobody. */
	d->cursor.lags = cursor_waiting_bytes(&d->cursor) > 0;
	app_log_weigh(d->cursor.log);
	d->env->more(d->cursor.log, d->env->arg);
}

static void
drain_free(struct drain *d)
{
	drain_unmark_holding(d);
	drain_disconnect(d);
	drain_reset_writing(d);
	drain_post_clear(d);
	event_free(d->timer);
	drain_conf_free(&d->conf);
	free(d->letter);
	free(d->last_error);
	free(d);
}

void
drain_free_closing(struct drain *d)
{
	TAILQ_REMOVE(&d->env->closing, d, holding_link);
	drain_free(d);
}

void
drain_let_go(struct drain *d, bool in_frame)
{
	drain_unmark_holding(d);
	if (!in_frame) {
		drain_free(d);
		return;
	}
	/* What the receiver says now does not matter any more. */
	stream_want_read(d->stream, false);
	d->phase = PHASE_CLOSING;
	TAILQ_INSERT_TAIL(&d->env->closing, d, holding_link);
	drain_arm(d, CLOSING_MS);
}

void
drain_remove(struct drain *d)
{
	uint64_t removed;
	uint32_t finishing = 0;
	bool in_frame = false;

	if (d->phase == PHASE_OPEN && d->stream != NULL) {
		drain_poll(d);
		in_frame = drain_stream_keep_frame(d, &finishing);
	}
	drain_stream_unpin(d);
	removed = cursor_close(&d->cursor) - drain_post_end(d);
	stats_add(&d->env->stats->lines_dropped_removed,
		  removed > finishing ? removed - finishing : 0);
	drain_let_go(d, in_frame);
}

void
drain_abandon(struct drain *d)
{
	struct app_log *log = d->cursor.log;
	uint64_t unsafe = log->end_lines - log_spool_safe_place(log).lines, lost;

	drain_stream_unpin(d);
	lost = cursor_close(&d->cursor) - drain_post_end(d);
	stats_add(&d->env->stats->lines_dropped_stop, lost < unsafe ? lost : unsafe);
	drain_free(d);
}

/* A receiver that may well take what waits for it in a moment. */
static bool
is_getting_on(const struct drain *d)
{
	if (d->post != NULL && d->post->calls > 0)
		return true;
	return d->phase == PHASE_OPEN ? !d->cursor.lags
				      : d->phase != PHASE_WAITING && d->backoff.failures == 0;
}

bool
drain_is_done(struct drain *d)
{
	drain_poll(d);
	if (cursor_waiting_bytes(&d->cursor) == 0 && d->cursor.flight_bytes == 0)
		return true;
	/* What is on disk goes out after the next start, unless it is on its way already. */
	return !is_getting_on(d) && log_spool_safe_seq(d->cursor.log) == d->cursor.log->end_seq;
}
